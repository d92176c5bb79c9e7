"""What cannot be exported is one line, and nothing is written."""

import json
import shutil
from pathlib import Path

import pytest
import torch

from adw_components.errors import UserError
from adw_components.export.command import export_bundle

from .conftest import HIPPOCAMPUS, bundle_of, tiny_architecture, write_weights


def refused(output: Path, message: str, *, bundle: Path | None = None, **options: str) -> None:
    before = sorted(output.rglob("*")) if output.exists() else None
    with pytest.raises(UserError, match=message) as raised:
        export_bundle(str(bundle or bundle_of(HIPPOCAMPUS)), output=str(output), **options)
    assert "\n" not in str(raised.value)
    assert (sorted(output.rglob("*")) if output.exists() else None) == before


def test_weights_of_another_architecture(tmp_path: Path) -> None:
    path = write_weights(tmp_path / "train", HIPPOCAMPUS)
    tiny_architecture(HIPPOCAMPUS, width=3).save(path.with_name("architecture.json"))
    refused(tmp_path / "out", "belongs to another architecture .*encoder_widths", weights=str(path))
    path.with_name("architecture.json").unlink()  # then that of the bundle counts
    refused(tmp_path / "out", "belongs to another architecture", weights=str(path))


@pytest.mark.parametrize("channels", [{"in_channels": 2}, {"out_channels": 4}])
def test_weights_with_other_channels(channels: dict[str, int], tmp_path: Path) -> None:
    path = write_weights(tmp_path / "train", HIPPOCAMPUS, **channels)
    refused(tmp_path / "out", "does not fit the network of hippocampus.*size mismatch", weights=str(path))


def test_a_retraining_on_otherwise_prepared_images(tmp_path: Path) -> None:
    path = write_weights(tmp_path / "train", HIPPOCAMPUS)
    path.with_name("settings.json").write_text(json.dumps({"spacing": [2.0, 2.0, 2.0]}))
    refused(tmp_path / "out", r"spacing is \[1.0, 1.0, 1.0\], and was \[2.0", weights=str(path))


def test_a_checkpoint_instead_of_weights(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.pt"
    torch.save({"network": {"weight": torch.zeros(2)}, "epoch": 3}, path)
    refused(tmp_path / "out", "checkpoint of a run; give the model.pt of a retraining", weights=str(path))


@pytest.mark.parametrize("content", [torch.zeros(2), {"a": 1}, {}])
def test_a_file_of_another_kind(content: object, tmp_path: Path) -> None:
    torch.save(content, tmp_path / "model.pt")
    refused(tmp_path / "out", "bare state dict, .* of another kind", weights=str(tmp_path / "model.pt"))


def test_no_file_a_folder_and_no_torch_file(tmp_path: Path) -> None:
    refused(tmp_path / "out", "does not exist", weights=str(tmp_path / "none.pt"))
    (tmp_path / "run").mkdir()
    refused(tmp_path / "out", "must be a file, such as .*run/model.pt", weights=str(tmp_path / "run"))
    (tmp_path / "model.pt").write_text("text")
    refused(tmp_path / "out", "cannot be read", weights=str(tmp_path / "model.pt"))


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A bundle that a test may break."""
    return Path(shutil.copytree(bundle_of(HIPPOCAMPUS), tmp_path / "copy" / HIPPOCAMPUS))


def test_a_version_without_a_line_in_the_changelog(copy: Path, tmp_path: Path) -> None:
    path = copy / "configs" / "metadata.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "version": "7.0.0"}))
    refused(tmp_path / "out", r"version must be a key of changelog.*7\.0\.0 beside .*0\.1\.0", bundle=copy)


def test_a_folder_that_is_no_bundle(copy: Path, tmp_path: Path) -> None:
    refused(tmp_path / "out", "has no configs/metadata.json", bundle=tmp_path)
    (copy / "configs" / "inference.json").unlink()
    refused(tmp_path / "out", "has no configs/inference.json", bundle=copy)


def test_an_expression_that_names_the_package(copy: Path, tmp_path: Path) -> None:
    path = copy / "configs" / "inference.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "more": "$adw_components.tasks.task_names()"}))
    refused(tmp_path / "out", "must name adw_components as the _target_ of a component", bundle=copy)


def test_the_bundle_itself_as_output(copy: Path) -> None:
    refused(copy.parent, "output must be another folder", bundle=copy)


def test_only_an_earlier_export_is_replaced(tmp_path: Path) -> None:
    output = tmp_path / "out"
    export_bundle(str(bundle_of(HIPPOCAMPUS)), output=str(output))
    (output / HIPPOCAMPUS / "scripts" / "__pycache__").mkdir()
    (output / HIPPOCAMPUS / "scripts" / "__pycache__" / "a.pyc").touch()
    export_bundle(str(bundle_of(HIPPOCAMPUS)), output=str(output))
    (output / HIPPOCAMPUS / "runs").mkdir()
    (output / HIPPOCAMPUS / "runs" / "mine.txt").touch()
    refused(output, "holds what no export wrote")
    (output / HIPPOCAMPUS / "runs" / "mine.txt").unlink()
    (output / HIPPOCAMPUS / "docs" / "README.md").write_text("mine")
    refused(output, "holds what no export wrote")


def test_a_failure_half_way_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    output = tmp_path / "out"
    export_bundle(str(bundle_of(HIPPOCAMPUS)), output=str(output))
    before = {path: path.read_bytes() for path in output.rglob("*") if path.is_file()}

    def fail(_: Path) -> None:
        raise RuntimeError("no")

    monkeypatch.setattr("adw_components.export.command.write_torchscript", fail)
    with pytest.raises(RuntimeError):
        weights = write_weights(tmp_path / "train", HIPPOCAMPUS)
        export_bundle(str(bundle_of(HIPPOCAMPUS)), output=str(output), weights=str(weights))
    assert {path: path.read_bytes() for path in output.rglob("*") if path.is_file()} == before


def summary(folder: Path, checkpoints: list[str]) -> Path:
    dice = {"Anterior": {"mean": 0.81234567}, "Posterior": {"mean": None}}
    folder.mkdir()
    settings = {"checkpoints": checkpoints, "fold": 0, "mirror_tta": True, "device": "cpu"}
    content = {"mean_dice": 0.81234567, "dice": dice, "n_cases": 3, "settings": settings}
    (folder / "summary.json").write_text(json.dumps(content))
    return folder


def test_an_evaluation_of_other_weights(tmp_path: Path) -> None:
    weights, others = (str(write_weights(tmp_path / name, HIPPOCAMPUS, width=w)) for name, w in (("a", 2), ("b", 3)))
    run = summary(tmp_path / "run", [others])
    refused(tmp_path / "out", "must be one of .*a/model.pt", weights=weights, evaluation=str(run))
    both = summary(tmp_path / "both", [weights, others])
    refused(tmp_path / "out", "must be one of", weights=weights, evaluation=str(both))
    refused(tmp_path / "out", "evaluation belongs to weights", evaluation=str(run))
    refused(tmp_path / "out", "does not exist", weights=weights, evaluation=str(tmp_path))


def test_an_evaluation_of_these_weights_fills_the_metadata(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adw_components.export.command.write_torchscript", lambda _: None)
    weights = str(write_weights(tmp_path / "a", HIPPOCAMPUS))
    run = summary(tmp_path / "run", [weights])
    export_bundle(str(bundle_of(HIPPOCAMPUS)), output=str(tmp_path / "out"), weights=weights, evaluation=str(run))
    metadata = json.loads((tmp_path / "out" / HIPPOCAMPUS / "configs" / "metadata.json").read_text())
    dice = {"Anterior": 0.8123, "Posterior": None}
    assert metadata["eval_metrics"] == {"mean_dice": 0.8123, "dice": dice, "n_cases": 3, "fold": 0, "mirror_tta": True}
