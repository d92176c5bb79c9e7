"""The weights of a complete fine-tuning become those of the bundle."""

from __future__ import annotations

import shutil
from pathlib import Path

from ignite.engine import Engine, Events

from ..distributed import rank
from ..files import replacing

PREVIOUS = "previous_model.pt"
PREVIOUS_TORCHSCRIPT = "previous_model.ts"


class PublishWeights:
    """Once a training is complete, put its best weights where the bundle's inference reads them.

    The weights that were there stay in the folder of the run as `previous_model.pt`. An exported bundle has them as
    TorchScript too; that file is moved there, since it would be the network of before. A training that is stopped,
    or fails, changes nothing.

    Args:
        output_dir: folder of the run, with `model.pt`.
        model_dir: folder of the bundle's weights.
    """

    def __init__(self, *, output_dir: str | Path, model_dir: str | Path) -> None:
        self.source = Path(output_dir) / "model.pt"
        self.target = Path(model_dir) / "model.pt"

    def attach(self, engine: Engine) -> None:
        """Register on `engine`."""
        engine.add_event_handler(Events.COMPLETED, self)

    def __call__(self, engine: Engine) -> None:
        """Replace the bundle's weights."""
        if rank() != 0:
            return
        if self.target.is_file():
            _copy(self.target, self.source.with_name(PREVIOUS))
        _copy(self.source, self.target)
        print(f"weights in use: {self.target}; the previous ones: {self.source.with_name(PREVIOUS)}")
        self._move_torchscript()

    def _move_torchscript(self) -> None:
        stale, place = self.target.with_suffix(".ts"), self.source.with_name(PREVIOUS_TORCHSCRIPT)
        if stale.is_file():
            shutil.move(stale, place)
            print(f"{stale} held the previous weights as TorchScript, and is {place} now")


def _copy(source: Path, target: Path) -> None:
    # Without the times of the source: by them a server knows that there are other weights.
    with replacing(target) as temporary:
        shutil.copyfile(source, temporary)
