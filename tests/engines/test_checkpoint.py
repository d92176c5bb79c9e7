"""Checkpoints: whole or not at all, readable without running code, resumed exactly."""

import logging
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from ignite.engine import Engine, Events
from torch import nn
from torch.optim.lr_scheduler import LambdaLR

from adw_components.engines.checkpoint import RunCheckpoint, load_torch, save_torch
from adw_components.engines.schedules import polynomial
from adw_components.errors import UserError


class Unpicklable:
    """Fails while it is written, after something was."""

    def __reduce__(self) -> Any:
        raise RuntimeError("the disk is full")


class Run:
    """A small regression with momentum, whose checkpoint is kept in a folder."""

    def __init__(self, folder: Path, *, resume: bool = False) -> None:
        torch.manual_seed(0)
        self.network = nn.Linear(2, 1)
        self.optimizer = torch.optim.SGD(self.network.parameters(), lr=0.1, momentum=0.9)
        self.seen: list[tuple[int, int]] = []
        self.engine = Engine(self._step)
        objects = {"network": self.network, "optimizer": self.optimizer}
        RunCheckpoint(path=folder / "checkpoint.pt", objects=objects, resume=resume).attach(self.engine)

    def _step(self, engine: Engine, batch: float) -> None:
        self.optimizer.zero_grad()
        self.network(torch.tensor([batch, 1.0])).square().sum().backward()
        self.optimizer.step()
        self.seen.append((engine.state.epoch, engine.state.iteration))

    def finish(self, epochs: int) -> "Run":
        """Run up to `epochs`."""
        self.engine.run([0.5, 1.0, 2.0], max_epochs=epochs)
        return self


def test_exception_while_saving_keeps_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.pt"
    save_torch(path, {"epoch": 1})
    before = path.read_bytes()
    with pytest.raises(RuntimeError, match="the disk is full"):
        save_torch(path, {"network": torch.zeros(1000), "bad": Unpicklable()})
    assert path.read_bytes() == before
    assert {file.name for file in tmp_path.iterdir()} == {"checkpoint.pt", "checksums.json"}


@pytest.mark.parametrize("content", [b"", b"no checkpoint", b"PK\x03\x04 cut off"])
def test_damaged_file_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "damaged.pt"
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"damaged\.pt cannot be read"):
        load_torch(path)


def test_file_cut_in_half_is_damaged(tmp_path: Path) -> None:
    path = tmp_path / "half.pt"
    save_torch(path, {"weight": torch.zeros(1000)})
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(UserError, match=r"half\.pt cannot be read"):
        load_torch(path)


def test_file_that_would_run_code_is_refused(tmp_path: Path) -> None:
    torch.save({"network": Path("a")}, tmp_path / "code.pt")
    with pytest.raises(UserError, match=r"code\.pt cannot be read"):
        load_torch(tmp_path / "code.pt")


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"nowhere\.pt does not exist"):
        load_torch(tmp_path / "nowhere.pt")


def test_checkpoint_of_a_run_loads_with_weights_only(tmp_path: Path) -> None:
    run = Run(tmp_path).finish(2)
    content = torch.load(tmp_path / "checkpoint.pt", weights_only=True)
    assert set(content) == {"network", "optimizer", "epoch"}
    assert content["epoch"] == 2
    assert torch.equal(content["network"]["weight"], run.network.weight)


def test_resumed_run_equals_an_uninterrupted_one(tmp_path: Path) -> None:
    straight = Run(tmp_path / "straight").finish(4)
    Run(tmp_path / "parts").finish(2)
    resumed = Run(tmp_path / "parts", resume=True).finish(4)
    assert torch.equal(resumed.network.weight, straight.network.weight)
    assert resumed.seen == straight.seen[6:]


def test_run_without_resume_starts_anew(tmp_path: Path) -> None:
    Run(tmp_path).finish(2)
    assert Run(tmp_path).finish(1).seen == [(1, 1), (1, 2), (1, 3)]


def test_nothing_to_resume_starts_from_scratch_and_says_so(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        assert len(Run(tmp_path, resume=True).finish(1).seen) == 3
    assert "nothing to resume" in caplog.text


def test_run_stopped_inside_an_epoch_goes_on_after_the_last_whole_one(tmp_path: Path) -> None:
    straight = Run(tmp_path / "straight").finish(3)
    broken = Run(tmp_path / "parts")

    @broken.engine.on(Events.ITERATION_COMPLETED(once=5))
    def stop(engine: Engine) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        broken.finish(3)
    resumed = Run(tmp_path / "parts", resume=True).finish(3)
    assert torch.equal(resumed.network.weight, straight.network.weight)
    assert resumed.seen[0] == (2, 4)


def test_another_number_of_epochs_takes_effect_at_once(tmp_path: Path) -> None:
    """Two epochs of two end at rate 0; resumed for four, the third has the rate of an uninterrupted run of four."""

    def schedule(max_epochs: int) -> tuple[torch.optim.SGD, LambdaLR]:
        optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.1)
        return optimizer, LambdaLR(optimizer, partial(polynomial, max_epochs=max_epochs))

    optimizer, scheduler = schedule(2)
    for _ in range(2):
        optimizer.step()
        scheduler.step()
    assert optimizer.param_groups[0]["lr"] == 0
    content = {"optimizer": optimizer.state_dict(), "lr_scheduler": scheduler.state_dict(), "epoch": 2}
    torch.save(content, tmp_path / "checkpoint.pt")

    optimizer, scheduler = schedule(4)
    objects = {"optimizer": optimizer, "lr_scheduler": scheduler}
    engine = Engine(lambda engine, batch: None)
    engine.state.epoch_length = 1
    RunCheckpoint(path=tmp_path / "checkpoint.pt", objects=objects, resume=True).load(engine)
    assert optimizer.param_groups[0]["lr"] == pytest.approx(0.1 * 0.5**0.9)
