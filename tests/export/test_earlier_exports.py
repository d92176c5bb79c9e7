"""An export replaces an earlier one, and nothing else."""

import json
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from adw_components.export import large_files
from adw_components.export.command import export_bundle

from .conftest import HIPPOCAMPUS, bundle_of, read, refused, write_weights


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


def test_a_failure_half_way_leaves_what_was_there(
    output: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = {path: path.read_bytes() for path in output.rglob("*") if path.is_file()}

    def fail(_: Path) -> None:
        raise RuntimeError("no")

    monkeypatch.setattr("adw_components.export.command.write_torchscript", fail)
    with pytest.raises(RuntimeError):
        weights = write_weights(tmp_path / "train", HIPPOCAMPUS)
        export_bundle(str(bundle_of(HIPPOCAMPUS)), output=str(output), weights=str(weights))
    assert {path: path.read_bytes() for path in output.rglob("*") if path.is_file()} == before


@pytest.fixture(scope="module")
def earlier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the bundle has been exported to; do not write to it."""
    folder = tmp_path_factory.mktemp("earlier")
    export_bundle(str(bundle_of(HIPPOCAMPUS)), output=str(folder / "out"))
    return folder / "out"


@pytest.fixture
def output(earlier: Path, tmp_path: Path) -> Path:
    """A copy of an export."""
    return Path(shutil.copytree(earlier, tmp_path / "out", symlinks=True))


def names(version: str = read(bundle_of(HIPPOCAMPUS), "metadata")["version"]) -> tuple[str, str]:
    return f"{HIPPOCAMPUS}.zip", f"{HIPPOCAMPUS}_v{version}.zip"


def own_zip(path: Path) -> None:
    """A zip file of the user's own, of a bundle of that name."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{HIPPOCAMPUS}/configs/metadata.json", "{}")
        archive.writestr(f"{HIPPOCAMPUS}/mine.txt", "mine")


@pytest.mark.parametrize("make", [own_zip, Path.touch, Path.mkdir], ids=["zip", "file", "folder"])
@pytest.mark.parametrize("which", [0, 1])
def test_a_zip_file_of_the_users_own_stays(make: Callable[[Path], None], which: int, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    make(tmp_path / "out" / names()[which])
    refused(tmp_path / "out", f"{names()[which]} is not what an export wrote; move it")


@pytest.mark.parametrize("with_zip_files", [True, False])
def test_a_folder_that_has_the_name_of_the_large_files_stays(with_zip_files: bool, output: Path) -> None:
    folder = output / names()[1].replace(".zip", "_large_files")
    folder.mkdir()
    export_bundle(str(bundle_of(HIPPOCAMPUS)), output=str(output))  # an empty one is nobody's loss
    folder.mkdir()
    (folder / "model.pt").write_text("mine")
    if not with_zip_files:
        shutil.rmtree(output / HIPPOCAMPUS)
        for name in names():
            (output / name).unlink()
    refused(output, f"{folder.name} (holds what no export wrote|is there, but neither)")


@pytest.mark.parametrize("which", [0, 1])
def test_either_zip_file_tells_an_earlier_export(which: int, output: Path) -> None:
    (output / names()[which]).unlink()
    export_bundle(str(bundle_of(HIPPOCAMPUS)), output=str(output))
    assert (output / names()[which]).is_file()


def test_without_a_zip_file_none_is_known(output: Path) -> None:
    for name in names():
        (output / name).rename(output.parent / name)
    refused(output, f"neither {names()[0]} nor {names()[1]} beside it, .* put one back, move the folder")


def test_a_new_version_replaces_the_folder_of_the_one_before(output: Path, tmp_path: Path) -> None:
    """Though its NAME.zip was moved away: that of its version is there still."""
    (output / names()[0]).unlink()
    bundle = Path(shutil.copytree(bundle_of(HIPPOCAMPUS), tmp_path / "copy" / HIPPOCAMPUS))
    metadata = read(bundle, "metadata")
    metadata |= {"version": "9.0.0", "changelog": {"9.0.0": "new"}}
    (bundle / "configs" / "metadata.json").write_text(json.dumps(metadata))
    export_bundle(str(bundle), output=str(output))
    assert read(output / HIPPOCAMPUS, "metadata")["version"] == "9.0.0"
    assert {path.name for path in output.glob("*.zip")} == {*names(), names("9.0.0")[1]}


def test_large_files_of_an_earlier_export_are_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(large_files, "LIMIT", 1000)
    options = {"output": str(tmp_path), "large_file_url": "http://here"}
    export_bundle(str(bundle_of(HIPPOCAMPUS)), **options)
    (folder,) = tmp_path.glob("*_large_files")
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    export_bundle(str(bundle_of(HIPPOCAMPUS)), **options)
    assert before and {path.name: path.read_bytes() for path in folder.iterdir()} == before

    (folder / "mine.txt").write_text("mine")
    refused(tmp_path, f"{folder.name} holds what no export wrote", large_file_url="http://here")
