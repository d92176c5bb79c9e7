"""Collect the metrics of all cases while an evaluator runs; write tables at its end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from ignite.engine import Engine, Events
from torch import distributed as dist

from ..data.dataset import case_id
from ..distributed import is_distributed, rank
from ..engines.validation import number_or_none
from ..files import replacing, write_json
from .case_metrics import CaseMetrics, case_metrics

Rows = Sequence[Mapping[str, Any]]


class CaseTable:
    """Write `cases.csv`, `cases.json` and `summary.json` of an evaluation.

    The evaluator's batch and output hold, per case, the label and the prediction as label values on the image's
    own grid.

    Args:
        output_dir: folder of the tables.
        labels: label value -> name, background left out.
        prediction_dir: folder of the saved predictions, relative to `output_dir`.
        settings: what the figures depend on, kept in the summary.
    """

    def __init__(
        self,
        *,
        output_dir: str | Path,
        labels: Mapping[str, str],
        prediction_dir: str = "predictions",
        settings: Mapping[str, Any] | None = None,
    ) -> None:
        self.folder = Path(output_dir)
        self.labels = dict(labels)
        self.prediction_dir = prediction_dir
        self.settings = dict(settings or {})
        self.cases: list[CaseMetrics] = []

    def attach(self, engine: Engine) -> None:
        """Register on `engine`."""
        engine.add_event_handler(Events.STARTED, lambda _: self.cases.clear())
        engine.add_event_handler(Events.ITERATION_COMPLETED, self.measure)
        engine.add_event_handler(Events.COMPLETED, self.write)

    def measure(self, engine: Any) -> None:
        """Measure the cases of this iteration."""
        for item, output in zip(engine.state.batch, engine.state.output, strict=True):
            prediction, label = output["pred"], output["label"]
            image = Path(item["image"].meta["filename_or_obj"])
            files = {
                "image": str(image.absolute()),
                "label": str(Path(label.meta["filename_or_obj"]).absolute()),
                "prediction": f"{self.prediction_dir}/{case_id(image)}.nii.gz",
            }
            spacing = label.pixdim.tolist()
            self.cases.append(
                case_metrics(prediction, label, spacing=spacing, labels=self.labels, case=item["case"], files=files)
            )

    def write(self, engine: Engine) -> None:
        """Write the tables of all cases, those of other processes included."""
        cases = sorted(_gathered(self.cases), key=lambda case: case.case)
        if rank() != 0:
            return
        rows = [case.to_dict() for case in cases]
        write_json(self.folder / "cases.json", {"labels": self.labels, "cases": rows})
        with replacing(self.folder / "cases.csv") as temporary:
            pd.json_normalize(rows, sep=" ").to_csv(temporary, index=False)
        result = summary(rows, list(self.labels.values()))
        write_json(self.folder / "summary.json", {**result, "settings": self.settings})
        dice = "none" if result["mean_dice"] is None else f"{result['mean_dice']:.4f}"
        print(f"mean Dice of {len(rows)} cases: {dice}; tables in {self.folder}")


def _gathered(cases: list[CaseMetrics]) -> list[CaseMetrics]:
    if not is_distributed():
        return cases
    parts: list[list[CaseMetrics]] = [[] for _ in range(dist.get_world_size())]
    dist.all_gather_object(parts, cases)
    return [case for part in parts for case in part]


def summary(rows: Rows, names: Sequence[str]) -> dict[str, Any]:
    """Mean over the cases of each metric, in all and per class.

    `mean_dice` is the mean over the classes of the mean over the cases, as in nnU-Net's foreground mean.
    """
    result: dict[str, Any] = {"n_cases": len(rows)}
    for metric in ("dice", "hd95_mm"):
        per_class = {name: _statistics([row[metric][name] for row in rows]) for name in names}
        means = [values["mean"] for values in per_class.values() if values["mean"] is not None]
        result[f"mean_{metric}"] = float(np.mean(means)) if means else None
        result[metric] = per_class
    return result


def _statistics(values: Sequence[float | None]) -> dict[str, float | int | None]:
    known = pd.Series([value for value in values if value is not None], dtype=float)
    names = ("mean", "std", "median", "min", "max")
    numbers = {name: float(getattr(known, name)()) for name in names}
    # pandas gives NaN where a figure needs more cases; JSON has no NaN.
    return {"n": len(known), **{name: number_or_none(value) for name, value in numbers.items()}}
