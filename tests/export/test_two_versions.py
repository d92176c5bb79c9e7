"""Bundles of different package versions run in one process, one after the other, each with its own code."""

import json
import runpy
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from bundles.conftest import data_of

from .conftest import HIPPOCAMPUS, bundle_of

# What the other version does otherwise: every voxel of a prediction is 7.
SAME, OTHER = "np.asarray(self.data_obj).astype(np.uint8)", "np.full_like(self.data_obj, 7, dtype=np.uint8)"


@pytest.fixture
def other_version(exported: Callable[[str], Path], tmp_path: Path) -> Path:
    bundle = tmp_path / "other" / HIPPOCAMPUS
    shutil.copytree(exported(HIPPOCAMPUS), bundle)
    (bundle / "scripts" / "__init__.py").write_text('__version__ = "9.9.9"\n')
    writer = bundle / "scripts" / "inference" / "label_writer.py"
    assert SAME in writer.read_text()
    writer.write_text(writer.read_text().replace(SAME, OTHER))
    return bundle


def values(folder: Path) -> set[int]:
    paths = sorted(folder.rglob("*.nii.gz"))
    assert paths
    return {int(value) for path in paths for value in np.unique(np.asanyarray(nib.load(path).dataobj))}


def test_each_bundle_runs_its_own_code(
    exported: Callable[[str], Path],
    outside: Callable[..., str],
    other_version: Path,
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    bundle, data = exported(HIPPOCAMPUS), data_of(bundle_of(HIPPOCAMPUS), tmp_path_factory)
    script = Path(__file__).with_name("two_versions.py")
    words = [str(path) for path in (script, bundle, other_version, data, tmp_path / "runs")]
    printed = outside(*words, folder=tmp_path)

    version = runpy.run_path(str(bundle / "scripts" / "__init__.py"))["__version__"]
    told = [line.split() for line in printed.splitlines() if line.startswith(("loaded ", "ran "))]
    assert told[:3] == [["loaded", version], ["loaded", "9.9.9"], ["loaded", version]]
    assert told[3:] == [["ran", version], ["ran", "9.9.9"]]
    files = [Path(line.split()[1]) for line in printed.splitlines() if line.startswith("code ")]
    own = zip(files, [bundle, other_version] * 2, strict=True)
    assert all(file.is_relative_to(folder / "scripts") for file, folder in own)
    mine, others = tmp_path / "runs" / bundle.parent.name, tmp_path / "runs" / "other"
    for run in ("infer", "evaluate/predictions", "workflow"):
        assert values(mine / run) <= {0, 1, 2}
        assert values(others / run) == {7}
    trained = [json.loads((folder / "train" / "settings.json").read_text()) for folder in (mine, others)]
    assert [settings["package_version"] for settings in trained] == [version, "9.9.9"]


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Path, Path]]:
    """Two folders that each hold a package `scripts`, with a module that is imported later."""
    own = Path(__file__).parents[2] / "adw_components" / "bundle" / "own_code.py"
    for name in ("one", "two"):
        (tmp_path / name / "scripts" / "bundle").mkdir(parents=True)
        (tmp_path / name / "scripts" / "__init__.py").write_text(f"NAME = '{name}'\n")
        (tmp_path / name / "scripts" / "late.py").write_text(f"NAME = '{name}'\n")
        shutil.copy(own, tmp_path / name / "scripts" / "bundle")
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield tmp_path / "one", tmp_path / "two"
    for name in [name for name in sys.modules if name.partition(".")[0] in ("scripts", "_bundles_set_aside")]:
        del sys.modules[name]


def use(root: Path) -> None:
    runpy.run_path(str(root / "scripts" / "bundle" / "own_code.py"))["use_own_code"]()


def test_modules_set_aside_come_back_as_they_were(packages: tuple[Path, Path]) -> None:
    one, two = packages
    use(one)
    import scripts.late

    import scripts

    first, late = scripts, sys.modules["scripts.late"]
    use(two)
    assert "scripts" not in sys.modules and "scripts.late" not in sys.modules
    assert __import__("scripts.late").NAME == "two" and sys.modules["scripts.late"].NAME == "two"
    use(one)
    assert sys.modules["scripts"] is first and sys.modules["scripts.late"] is late
    assert sys.path[0] == str(one) and sys.path.count(str(one)) == sys.path.count(str(two)) == 1


def test_a_package_that_is_its_own_stays_loaded(packages: tuple[Path, Path], tmp_path: Path) -> None:
    one, _ = packages
    use(one)
    import scripts

    (tmp_path / "link").symlink_to(one)
    use(tmp_path / "link")
    assert sys.modules["scripts"] is scripts
