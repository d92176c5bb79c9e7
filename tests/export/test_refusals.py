"""A bundle, weights or options that cannot be exported are one line, and nothing is written."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from bundles.conftest import ROOT

from adw_components.errors import UserError
from adw_components.export.command import export_bundle

from .conftest import HIPPOCAMPUS, INTERACTIVE, bundle_of, refused, tiny_architecture, write_weights


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


@pytest.mark.parametrize("content", ["[]", "5", "null", "{"])
def test_an_index_that_is_none(content: str, tmp_path: Path) -> None:
    (tmp_path / "model_info.json").write_text(content)
    refused(tmp_path, r"model_info\.json (must hold a JSON object|is not valid JSON)")


def test_a_folder_instead_of_the_index(tmp_path: Path) -> None:
    (tmp_path / "model_info.json").mkdir()
    refused(tmp_path, r"model_info\.json is a folder; give the file")


@pytest.mark.parametrize("name", ["bundle", "output", "weights", "evaluation", "url", "large_file_url"])
@pytest.mark.parametrize("value", [5, True])
def test_an_option_that_is_no_text(name: str, value: object, tmp_path: Path) -> None:
    options: dict[str, Any] = {"bundle": str(bundle_of(HIPPOCAMPUS)), "output": str(tmp_path), name: value}
    with pytest.raises(UserError, match=rf"^{name} must be an? (path|address).*, got {value}$"):
        export_bundle(**options)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("below", ["", "below", "below/that"])
def test_an_output_that_is_a_file_or_below_one(below: str, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    refused(tmp_path / "file" / below, "output must be a folder, got .*file is a file")


def test_weights_trained_with_wider_clicks(tmp_path: Path) -> None:
    path = write_weights(tmp_path / "train", INTERACTIVE)
    settings = json.loads(path.with_name("settings.json").read_text())
    path.with_name("settings.json").write_text(json.dumps({**settings, "guidance_sigma": 4.0}))
    bundle = bundle_of(INTERACTIVE)
    refused(tmp_path / "out", "guidance_sigma is 2.0, and was 4.0", bundle=bundle, weights=str(path))


def test_a_package_without_its_checkout(tmp_path: Path) -> None:
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "adw_components", tmp_path / "adw_components", ignore=ignored)
    words = ["export", str(bundle_of(HIPPOCAMPUS)), "--output", "out"]
    done = subprocess.run(
        [sys.executable, "-m", "adw_components", *words],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    remedy = "run from a checkout of the repository, installed with pip install -e"
    assert done.stderr == f"error: the source of the bundles is not in {tmp_path}/bundles/common; {remedy}\n"
    assert done.returncode == 1 and not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ["LICENSE", "docs/passwd.txt", "configs/more.txt"])
def test_a_link_to_somewhere_else(name: str, copy: Path, tmp_path: Path) -> None:
    (tmp_path / "private").write_text("secret")
    (copy / name).unlink(missing_ok=True)
    (copy / name).symlink_to(tmp_path / "private")
    refused(tmp_path / "out", f"{name} is a link, which an export does not follow", bundle=copy)
