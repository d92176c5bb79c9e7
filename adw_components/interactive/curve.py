"""How much corrections help: Dice after 0, 1, 3, ... simulated clicks on every case of an evaluation."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from ignite.engine import Engine, Events
from monai.data import MetaTensor

from ..click_names import guidance_names
from ..errors import UserError
from ..evaluation.case_metrics import case_metrics
from ..evaluation.case_table import summary
from ..files import replacing, write_json
from .click_guidance import AddClickGuidanced
from .corrections import Click, correction_click

Row = dict[str, Any]


class ClickCurve:
    """Correct the prediction of every case click by click; write `clicks.csv` and `clicks.json`.

    Every click is made on the image's own grid where the prediction is most wrong, and takes the way of an annotator's
    click: through the affine into the network's grid. It corrects the prediction that the clicks before it led to.

    Args:
        output_dir: folder of the tables.
        labels: label value -> name, background left out.
        guidance: the transform that adds the guidance channels to an image.
        to_image_grid: transform of {"pred": logits (classes, *spatial), "image": image} to label values on the
            image's own grid.
        clicks: numbers of clicks after which Dice is measured, rising from 0.
        settings: what the figures depend on, kept in `clicks.json`.

    Raises:
        UserError: `clicks` does not rise from 0.
    """

    def __init__(
        self,
        *,
        output_dir: str | Path,
        labels: Mapping[str, str],
        guidance: AddClickGuidanced,
        to_image_grid: Callable[[dict[str, Any]], Mapping[str, Any]],
        clicks: Sequence[int] = (0, 1, 3, 5, 10),
        settings: Mapping[str, Any] | None = None,
    ) -> None:
        if not _rises_from_zero(clicks):
            raise UserError(f"clicks must be whole numbers that rise from 0, such as [0, 1, 3, 5, 10], got {clicks!r}")
        self.folder = Path(output_dir)
        self.labels = dict(labels)
        self.names = guidance_names(labels)
        self.guidance = guidance
        self.to_image_grid = to_image_grid
        self.clicks = tuple(clicks)
        self.settings = dict(settings or {})
        self.rows: dict[int, list[Row]] = {}

    def attach(self, engine: Engine) -> None:
        """Register on an evaluator whose output is "pred" and "label", label values on the image's own grid."""
        engine.add_event_handler(Events.STARTED, lambda _: self._begin())
        engine.add_event_handler(Events.ITERATION_COMPLETED, self.measure)
        engine.add_event_handler(Events.COMPLETED, self.write)

    def _begin(self) -> None:
        self.rows = {count: [] for count in self.clicks}

    def measure(self, engine: Any) -> None:
        """Correct the cases of this iteration."""
        for item, output in zip(engine.state.batch, engine.state.output, strict=True):
            self._correct(engine, item, output["pred"], output["label"])

    def _correct(self, engine: Any, item: Mapping[str, Any], prediction: torch.Tensor, label: torch.Tensor) -> None:
        image, truth, made = self._without_guidance(item["image"]), label[0].cpu().numpy(), list[Click]()
        for count in range(self.clicks[-1] + 1):
            if count in self.rows:
                self.rows[count].append(self._row(item["case"], prediction, label))
            is_last = count == self.clicks[-1]
            click = None if is_last else correction_click(prediction[0].cpu().numpy(), truth)
            if click:
                made.append(click)
                prediction = self._predict(engine, image, made)

    def _without_guidance(self, image: MetaTensor) -> MetaTensor:
        bare = image.as_tensor()[: len(image) - len(self.names)]
        return MetaTensor(bare, meta=image.meta, applied_operations=image.applied_operations)

    def _predict(self, engine: Any, image: MetaTensor, made: Sequence[Click]) -> torch.Tensor:
        """Label values (1, *spatial) on the image's own grid."""
        points: dict[Any, Any] = {
            name: [click.voxel for click in made if click.value == value] for value, name in enumerate(self.names)
        }
        guided = self.guidance({"image": image, **points})["image"]
        inputs = guided.as_tensor()[None].to(engine.state.device)
        with torch.no_grad(), torch.autocast("cuda", enabled=engine.amp, **engine.amp_kwargs):
            logits = engine.inferer(inputs, engine.network)[0]
        return self.to_image_grid({"pred": MetaTensor(logits, meta=guided.meta), "image": guided})["pred"].cpu()

    def _row(self, case: str, prediction: torch.Tensor, label: torch.Tensor) -> Row:
        spacing = label.pixdim.tolist()  # type: ignore[attr-defined]
        return case_metrics(prediction, label, spacing=spacing, labels=self.labels, case=case, files={}).to_dict()

    def write(self, engine: Engine) -> None:
        """Write the tables of all cases, and print the means."""
        names = list(self.labels.values())
        curve = [{"clicks": count, **summary(rows, names)} for count, rows in self.rows.items()]
        rows = [{"clicks": count, **row} for count, rows in self.rows.items() for row in rows]
        write_json(self.folder / "clicks.json", {"curve": curve, "settings": self.settings})
        with replacing(self.folder / "clicks.csv") as temporary:
            pd.json_normalize(rows, sep=" ").to_csv(temporary, index=False)
        for point in curve:
            dice = "none" if point["mean_dice"] is None else f"{point['mean_dice']:.4f}"
            print(f"mean Dice after {point['clicks']} clicks: {dice}")


def _rises_from_zero(clicks: Any) -> bool:
    if not isinstance(clicks, Sequence) or isinstance(clicks, str):
        return False
    whole = all(isinstance(count, int) and not isinstance(count, bool) for count in clicks)
    return whole and bool(clicks) and clicks[0] == 0 and all(low < high for low, high in pairwise(clicks))
