"""Save all that a run needs to go on after every epoch; take it up again."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO, Protocol

import torch
from ignite.engine import Engine, Events
from torch.optim.lr_scheduler import LambdaLR

from ..distributed import rank
from ..errors import UserError
from .checksums import require_intact, sealed

logger = logging.getLogger(__name__)


class Stateful(Protocol):
    """What a checkpoint can hold."""

    def state_dict(self) -> dict[str, Any]:
        """The state as tensors and plain values."""
        ...

    def load_state_dict(self, state_dict: dict[str, Any]) -> Any:
        """Take the state over."""
        ...


class RunCheckpoint:
    """One checkpoint file, replaced after every epoch.

    ignite's `Checkpoint` removes the previous file before it writes the next under the same name; a kill in
    between would lose the run. Here the new file is complete before it takes the name.

    Args:
        path: the file.
        objects: name -> object with `state_dict` and `load_state_dict`; plain values and tensors only.
        resume: whether to load the file when the run starts; without a file the run starts from scratch.
    """

    def __init__(self, *, path: str | Path, objects: Mapping[str, Stateful], resume: bool = False) -> None:
        self.path = Path(path)
        self.objects = objects
        self.resume = resume

    def attach(self, engine: Engine) -> None:
        """Register on `engine`; attach it after the handlers whose state it saves."""
        engine.add_event_handler(Events.STARTED, self.load)
        engine.add_event_handler(Events.EPOCH_COMPLETED, self.save)

    def save(self, engine: Engine) -> None:
        """Write the checkpoint of the epoch just completed."""
        if rank() == 0:
            save_torch(self.path, {**states_of(self.objects, engine), "epoch": engine.state.epoch})

    def load(self, engine: Engine) -> None:
        """Take up the run where the checkpoint left it."""
        if not self.resume:
            return
        if not self.path.exists():
            logger.info("nothing to resume in %s yet: the run starts from scratch", self.path.parent)
            return
        content = load_torch(self.path)
        restore(self.objects, engine, content)
        engine.state.epoch = content["epoch"]
        engine.state.iteration = content["epoch"] * engine.state.epoch_length
        logger.info("resumed from %s after epoch %d", self.path, content["epoch"])


def states_of(objects: Mapping[str, Stateful], engine: Engine) -> dict[str, Any]:
    """The states of `objects`, and of the engine's gradient scaler where it has one."""
    content: dict[str, Any] = {name: value.state_dict() for name, value in objects.items()}
    scaler = getattr(engine, "scaler", None)
    return content if scaler is None else {**content, "scaler": scaler.state_dict()}


def restore(objects: Mapping[str, Stateful], engine: Engine, content: Mapping[str, Any]) -> None:
    """Give `objects`, and the engine's gradient scaler, the states that `states_of` took."""
    for name, value in objects.items():
        value.load_state_dict(content[name])
    for value in objects.values():
        if isinstance(value, LambdaLR):
            _apply_schedule(value)
    scaler = getattr(engine, "scaler", None)
    if scaler is not None and "scaler" in content:
        scaler.load_state_dict(content["scaler"])


def _apply_schedule(scheduler: LambdaLR) -> None:
    """Set the rates that the schedule now gives: with another `max_epochs` they are not those of the checkpoint."""
    rates = [
        base * function(scheduler.last_epoch)
        for base, function in zip(scheduler.base_lrs, scheduler.lr_lambdas, strict=True)
    ]
    for group, rate in zip(scheduler.optimizer.param_groups, rates, strict=True):
        group["lr"] = rate


def save_torch(path: Path, content: Any) -> None:
    """Save with torch.save, whole or not at all, with a checksum beside it.

    Raises:
        OSError: the file cannot be written.
    """
    with sealed(path) as temporary:
        write_torch(temporary, content)


def write_torch(path: Path, content: Any) -> None:
    """Save with torch.save, but raise the `OSError` of a full disk, which torch hides behind "unexpected pos"."""
    with path.open("wb") as file:
        stream = _Remembering(file)
        try:
            torch.save(content, stream)  # type: ignore[arg-type]
        except Exception as error:
            raise (stream.error or error) from None


class _Remembering:
    """A file for torch that remembers the error of the first write that failed."""

    def __init__(self, file: BinaryIO) -> None:
        self.file = file
        self.error: OSError | None = None

    def write(self, data: bytes) -> int:
        try:
            return self.file.write(data)
        except OSError as error:
            self.error = self.error or error
            raise

    def flush(self) -> None:
        self.file.flush()


def load_torch(path: Path) -> Any:
    """torch.load onto the CPU, tensors and plain values only.

    Raises:
        UserError: the file is missing, no such file, or not as it was written.
    """
    if path.is_dir():
        raise UserError(f"checkpoint {path} is a folder; give a file in it, such as {path / 'model.pt'}")
    if not path.is_file():
        raise UserError(f"checkpoint {path} does not exist; check the path, or train first")
    require_intact(path)
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise UserError(
            f"checkpoint {path} cannot be read ({type(error).__name__}); it is damaged or of another kind"
        ) from error
