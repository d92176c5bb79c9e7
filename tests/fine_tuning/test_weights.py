"""What a fine-tuning takes over from its weights, and what it leaves behind."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from ignite.engine import Engine

from adw_components.engines.checksums import sha256_of
from adw_components.errors import UserError
from adw_components.fine_tuning import (
    PublishWeights,
    architecture_to_train,
    mirror_axes_to_train,
    patch_size_to_train,
    require_weights,
)
from adw_components.fine_tuning import publish as publish_module


@pytest.fixture
def model_dir(tmp_path: Path) -> Path:
    """Weights with their architecture and settings beside them."""
    folder = tmp_path / "models"
    folder.mkdir()
    (folder / "architecture.json").write_text("{}")
    (folder / "settings.json").write_text(json.dumps({"patch_size": [8, 8, 8], "mirror_axes": [0]}))
    torch.save({"epoch": torch.tensor(0)}, folder / "model.pt")
    return folder


def test_architecture_and_patch_are_those_of_the_weights(model_dir: Path) -> None:
    shipped = "configs/architecture.json"
    assert architecture_to_train(fine_tuning=True, model_dir=model_dir, shipped=shipped) == str(
        model_dir / "architecture.json"
    )
    assert patch_size_to_train(fine_tuning=True, model_dir=model_dir, planned=[16, 16, 16]) == [8, 8, 8]
    assert mirror_axes_to_train(fine_tuning=True, model_dir=model_dir, default=[0, 1, 2]) == [0]


def test_a_retraining_takes_what_ships(model_dir: Path, tmp_path: Path) -> None:
    shipped = "configs/architecture.json"
    assert architecture_to_train(fine_tuning=False, model_dir=model_dir, shipped=shipped) == shipped
    assert patch_size_to_train(fine_tuning=False, model_dir=model_dir, planned=(16, 16, 16)) == [16, 16, 16]
    assert mirror_axes_to_train(fine_tuning=False, model_dir=model_dir, default=[0, 1, 2]) == [0, 1, 2]
    assert architecture_to_train(fine_tuning=True, model_dir=tmp_path, shipped=shipped) == shipped


class Counted(torch.nn.Module):
    """The network of the weights in `model_dir`."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("epoch", torch.tensor(5))


def test_there_must_be_weights_of_the_network(model_dir: Path, tmp_path: Path) -> None:
    network = Counted()
    require_weights(model_dir=model_dir, network=network)
    assert network.epoch == 0
    with pytest.raises(UserError, match=r"a fine-tuning starts from .*model\.pt, which does not exist"):
        require_weights(model_dir=tmp_path, network=network)
    with pytest.raises(UserError, match=r"model\.pt does not fit the network"):
        require_weights(model_dir=model_dir, network=torch.nn.Linear(2, 2))


def epoch_in(path: Path) -> int:
    return int(torch.load(path, weights_only=True)["epoch"])


def previous(run: Path) -> list[Path]:
    """The weights that a training has replaced, the oldest first."""
    return sorted((run / "previous").glob("*.pt"))


def publish(run: Path, model_dir: Path) -> None:
    """What happens at the end of a training, resumed or not."""
    PublishWeights(output_dir=run, model_dir=model_dir)(Engine(lambda *_: None))


def run(output_dir: Path, model_dir: Path, *, fail: bool = False) -> None:
    """A training of one epoch that leaves its weights."""

    def step(engine: Engine, batch: int) -> None:
        torch.save({"epoch": torch.tensor(1)}, output_dir / "model.pt")
        if fail:
            raise KeyboardInterrupt

    output_dir.mkdir()
    engine = Engine(step)
    PublishWeights(output_dir=output_dir, model_dir=model_dir).attach(engine)
    engine.run([0], max_epochs=1)


def test_a_complete_training_replaces_the_weights_and_keeps_the_old_ones(model_dir: Path, tmp_path: Path) -> None:
    os.utime(model_dir / "model.pt", (1, 1))
    run(tmp_path / "run", model_dir)
    assert epoch_in(model_dir / "model.pt") == 1 and epoch_in(*previous(tmp_path / "run")) == 0
    # By its time a server knows that the file is another one.
    assert (model_dir / "model.pt").stat().st_mtime > 1
    assert [path.name for path in model_dir.glob("*.pt")] == ["model.pt"]


def test_torchscript_of_the_old_weights_goes_with_them(model_dir: Path, tmp_path: Path) -> None:
    (model_dir / "model.ts").write_bytes(b"torchscript")
    run(tmp_path / "run", model_dir)
    assert not (model_dir / "model.ts").exists()
    assert [path.read_bytes() for path in (tmp_path / "run" / "previous").glob("*.ts")] == [b"torchscript"]


def test_a_training_that_is_stopped_changes_nothing(model_dir: Path, tmp_path: Path) -> None:
    (model_dir / "model.ts").write_bytes(b"torchscript")
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "run", model_dir, fail=True)
    assert (model_dir / "model.ts").is_file()
    assert epoch_in(model_dir / "model.pt") == 0 and not previous(tmp_path / "run")


def test_weights_are_published_once(model_dir: Path, tmp_path: Path) -> None:
    run(tmp_path / "run", model_dir)
    publish(tmp_path / "run", model_dir)
    assert [epoch_in(path) for path in previous(tmp_path / "run")] == [0]
    torch.save({"epoch": torch.tensor(7)}, model_dir / "model.pt")  # by another training, since
    publish(tmp_path / "run", model_dir)
    assert epoch_in(model_dir / "model.pt") == 7 and len(previous(tmp_path / "run")) == 1


def test_a_run_that_goes_on_keeps_every_earlier_version(model_dir: Path, tmp_path: Path) -> None:
    run(tmp_path / "run", model_dir)
    torch.save({"epoch": torch.tensor(2)}, tmp_path / "run" / "model.pt")
    publish(tmp_path / "run", model_dir)
    assert epoch_in(model_dir / "model.pt") == 2
    assert sorted(epoch_in(path) for path in previous(tmp_path / "run")) == [0, 1]


@pytest.mark.parametrize("step", range(1, 6))
def test_a_kill_between_two_steps_loses_no_weights(
    model_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    """Steps: the record, the copy of the old weights, of their TorchScript, of the new weights, the record."""
    done = []

    def until_killed(name: str) -> Callable:
        wrapped = getattr(publish_module, name)

        def called(*arguments: Any) -> Any:
            if len(done) == step - 1:
                raise KeyboardInterrupt
            done.append(name)
            return wrapped(*arguments)

        return called

    (model_dir / "model.ts").write_bytes(b"torchscript")
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        for name in ("write_json", "replacing"):
            patch.setattr(publish_module, name, until_killed(name))
        run(tmp_path / "run", model_dir)
    publish(tmp_path / "run", model_dir)
    assert epoch_in(model_dir / "model.pt") == 1 and not (model_dir / "model.ts").exists()
    assert [epoch_in(path) for path in previous(tmp_path / "run")] == [0]
    assert {path.read_bytes() for path in (tmp_path / "run" / "previous").glob("*.ts")} == {b"torchscript"}


def test_damaged_weights_are_named(model_dir: Path) -> None:
    content = bytearray((model_dir / "model.pt").read_bytes())
    content[content.index(b"data.pkl") + 100] ^= 1
    (model_dir / "model.pt").write_bytes(content)
    with pytest.raises(UserError, match=r"model\.pt cannot be read"):
        require_weights(model_dir=model_dir, network=Counted())
    (model_dir / "model.pt").unlink()
    (model_dir / "model.pt").mkdir()
    with pytest.raises(UserError, match="is a folder"):
        require_weights(model_dir=model_dir, network=Counted())


def test_what_another_training_has_put_there_since_a_kill_stays(
    model_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "run").mkdir()
    torch.save({"epoch": torch.tensor(1)}, tmp_path / "run" / "model.pt")
    handler = PublishWeights(output_dir=tmp_path / "run", model_dir=model_dir)
    handler._order(sha256_of(handler.source), sha256_of(handler.target))  # and killed before the copy
    torch.save({"epoch": torch.tensor(2)}, model_dir / "model.pt")
    publish(tmp_path / "run", model_dir)
    assert epoch_in(model_dir / "model.pt") == 2
    assert "another training has replaced" in capsys.readouterr().out
