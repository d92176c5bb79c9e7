"""The weights of a complete fine-tuning become those of the bundle."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ignite.engine import Engine, Events

from ..distributed import in_first_process
from ..engines.checksums import CHECKSUMS, sealed, sha256_of
from ..files import read_json, replacing, write_json

PREVIOUS = "previous"
PUBLISHED = "published.json"


class PublishWeights:
    """Once a training is complete, put its best weights where the bundle's inference reads them.

    The weights that were there stay in the folder of the run as `previous/model_TIME.pt`, with the time in UTC. An
    exported bundle has them as TorchScript too; that file is moved there, since it would be the network of before. A
    training that is stopped, or fails, changes nothing.

    Weights are published once: `published.json` in the folder of the run tells which, so that a complete run that is
    resumed leaves alone what others have published since.

    Args:
        output_dir: folder of the run, with `model.pt`.
        model_dir: folder of the bundle's weights.
    """

    def __init__(self, *, output_dir: str | Path, model_dir: str | Path) -> None:
        self.source = Path(output_dir) / "model.pt"
        self.target = Path(model_dir) / "model.pt"
        self.record = Path(output_dir) / PUBLISHED

    def attach(self, engine: Engine) -> None:
        """Register on `engine`."""
        engine.add_event_handler(Events.COMPLETED, self)

    def __call__(self, engine: Engine) -> None:
        """Replace the bundle's weights, unless these have been there."""
        in_first_process(self._publish)

    def _publish(self) -> None:
        new, there = sha256_of(self.source), sha256_of(self.target) if self.target.is_file() else None
        order = self._order(new, there)
        if order["complete"]:
            print(f"weights of {self.source} were published before; {self.target} is as it was")
        elif there not in (new, order["replaced"]):
            print(
                f"another training has replaced {self.target} since; copy {self.source} there if it is the better one"
            )
        elif there != new:
            self._keep_previous(there)
            # Without the times of the source: by them a server knows that there are other weights.
            with (sealed if self.target.with_name(CHECKSUMS).is_file() else replacing)(self.target) as temporary:
                shutil.copyfile(self.source, temporary)
            before = f"; the previous ones: {self.source.with_name(PREVIOUS)}" if there is not None else ""
            print(f"weights in use: {self.target}{before}")
        write_json(self.record, {**order, "complete": True})

    def _order(self, new: str, there: str | None) -> dict[str, Any]:
        """Return the order that was begun before a kill, or begin one: what replaces what, and whether it has."""
        if self.record.is_file():
            order = read_json(self.record, "record of published weights")
            if isinstance(order, dict) and order.get("sha256") == new:
                return {"replaced": None, "complete": True, **order}
        order = {"sha256": new, "replaced": there, "complete": False}
        write_json(self.record, order)
        return order

    def _keep_previous(self, there: str | None) -> None:
        folder = self.source.with_name(PREVIOUS)
        place = _free(folder / f"model_{datetime.now(UTC):%Y-%m-%dT%H%M%SZ}.pt")
        if there is not None and there not in [sha256_of(path) for path in folder.glob("*.pt")]:
            with replacing(place) as temporary:
                shutil.copyfile(self.target, temporary)
        stale = self.target.with_suffix(".ts")
        if stale.is_file():
            with replacing(place.with_suffix(".ts")) as temporary:
                shutil.copyfile(stale, temporary)
            stale.unlink()
            print(f"{stale} held the previous weights as TorchScript, and is {place.with_suffix('.ts')} now")


def _free(path: Path) -> Path:
    """`path`, with a number if there is such a file: several trainings may end within one second."""
    paths = [path, *(path.with_stem(f"{path.stem}_{number}") for number in range(2, 1000))]
    return next(path for path in paths if not path.exists() and not path.with_suffix(".ts").exists())
