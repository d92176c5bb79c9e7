"""What a fine-tuning takes over from its weights, and what it leaves behind."""

import json
import os
from pathlib import Path

import pytest
import torch
from ignite.engine import Engine

from adw_components.errors import UserError
from adw_components.fine_tuning import (
    PublishWeights,
    architecture_to_train,
    mirror_axes_to_train,
    patch_size_to_train,
    require_weights,
)


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


def test_there_must_be_weights(model_dir: Path, tmp_path: Path) -> None:
    require_weights(model_dir=model_dir)
    with pytest.raises(UserError, match=r"a fine-tuning starts from .*model\.pt, which does not exist"):
        require_weights(model_dir=tmp_path)


def epoch_in(path: Path) -> int:
    return int(torch.load(path, weights_only=True)["epoch"])


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
    assert epoch_in(model_dir / "model.pt") == 1 and epoch_in(tmp_path / "run" / "previous_model.pt") == 0
    # By its time a server knows that the file is another one.
    assert (model_dir / "model.pt").stat().st_mtime > 1
    assert [path.name for path in model_dir.glob("*.pt")] == ["model.pt"]


def test_torchscript_of_the_old_weights_goes_with_them(model_dir: Path, tmp_path: Path) -> None:
    (model_dir / "model.ts").write_bytes(b"torchscript")
    run(tmp_path / "run", model_dir)
    assert not (model_dir / "model.ts").exists()
    assert (tmp_path / "run" / "previous_model.ts").read_bytes() == b"torchscript"


def test_a_training_that_is_stopped_changes_nothing(model_dir: Path, tmp_path: Path) -> None:
    (model_dir / "model.ts").write_bytes(b"torchscript")
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "run", model_dir, fail=True)
    assert (model_dir / "model.ts").is_file()
    assert epoch_in(model_dir / "model.pt") == 0 and not (tmp_path / "run" / "previous_model.pt").exists()
