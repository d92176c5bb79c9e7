"""The same input gives the same bytes, wherever, whenever and by which process it is exported."""

import os
import shutil
import stat
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from bundles.conftest import ROOT

from adw_components.export.command import export_bundle

from .conftest import HIPPOCAMPUS, INTERACTIVE, bundle_of, write_weights


@pytest.fixture
def other_checkout(name: str, tmp_path: Path) -> Path:
    """What the export needs of the repository, at another path, with other times."""
    folder = tmp_path / "somewhere" / "else"
    ignored = shutil.ignore_patterns("__pycache__", "runs", "cache")
    shutil.copytree(ROOT / "adw_components", folder / "adw_components", ignore=ignored, copy_function=shutil.copyfile)
    for kept in (name, "common"):
        shutil.copytree(
            ROOT / "bundles" / kept, folder / "bundles" / kept, ignore=ignored, copy_function=shutil.copyfile
        )
    return folder


@pytest.mark.parametrize("name", [HIPPOCAMPUS, INTERACTIVE])
def test_two_checkouts_and_processes_give_the_same_bytes(name: str, other_checkout: Path, tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "a" / "second"
    export_bundle(str(bundle_of(name)), output=str(one), weights=str(write_weights(tmp_path / "w", name)))
    weights = write_weights(other_checkout / "runs" / "train", name)
    words = ["export", f"bundles/{name}", "--output", str(two), "--weights", str(weights)]
    done = subprocess.run(
        [sys.executable, "-m", "adw_components", *words],
        cwd=other_checkout,
        env={**os.environ, "PYTHONHASHSEED": "7", "TZ": "Asia/Tokyo"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    files = sorted(path.relative_to(one) for path in one.rglob("*") if path.is_file())
    assert files == sorted(path.relative_to(two) for path in two.rglob("*") if path.is_file())
    assert Path(f"{name}.zip") in files and Path(name, "models", "model.ts") in files
    assert [file for file in files if (one / file).read_bytes() != (two / file).read_bytes()] == []


def test_the_zip_file_tells_nothing_of_the_machine(exported: Callable[[str], Path]) -> None:
    bundle = exported(HIPPOCAMPUS)
    with zipfile.ZipFile(bundle.with_suffix(".zip")) as archive:
        entries = archive.infolist()
        contents = {entry.filename: archive.read(entry) for entry in entries}
    assert [entry.filename for entry in entries] == sorted(contents)
    assert {name.split("/")[0] for name in contents} == {HIPPOCAMPUS}
    assert {entry.date_time for entry in entries} == {(1980, 1, 1, 0, 0, 0)}
    assert {stat.filemode(entry.external_attr >> 16) for entry in entries} == {"-rw-r--r--"}
    private = [str(bundle.parents[1]).encode(), str(ROOT).encode(), str(Path.home()).encode(), sys.prefix.encode()]
    found = [(name, path) for name, content in contents.items() for path in private if path in content]
    scripts = zipfile.ZipFile(bundle / "models" / "model.ts")
    found += [(name, path) for name in scripts.namelist() for path in private if path in scripts.read(name)]
    assert found == []
