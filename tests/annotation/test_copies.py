"""The copies of bundles that a server works on: which weights they hold, after the first start and later ones."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def prepare(tmp_path: Path, *words: str | Path, bundles: str | Path = "") -> subprocess.CompletedProcess[str]:
    """`scripts/monailabel.sh` up to the server."""
    (tmp_path / "studies").mkdir(exist_ok=True)
    given = ["--studies", tmp_path / "studies", "--home", tmp_path / "home", "--bundles", bundles or tmp_path / "a_ct"]
    command = ["bash", str(ROOT / "scripts" / "monailabel.sh"), *map(str, [*given, *words]), "--prepare-only"]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


def bundle(folder: Path, *, version: int) -> Path:
    """The files of an exported bundle, whose architecture lies in configs/."""
    for name in ("configs", "models"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / "configs" / "inference.json").write_text("{}")
    (folder / "configs" / "architecture.json").write_text(f"architecture {version}")
    (folder / "models" / "model.pt").write_text(f"weights {version}")
    return folder


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The copy after a first start."""
    bundle(tmp_path / "a_ct", version=1)
    done = prepare(tmp_path)
    assert done.returncode == 0, done.stderr
    assert "weights served" not in done.stdout
    return tmp_path / "home" / "monaibundle" / "model" / "a_ct"


def holds(folder: Path, version: int) -> bool:
    texts = [(folder / name).read_text() for name in ("model.pt", "architecture.json")]
    return texts == [f"weights {version}", f"architecture {version}"]


def test_weights_keep_their_architecture_where_the_bundle_gets_another(tmp_path: Path, copy: Path) -> None:
    bundle(tmp_path / "a_ct", version=2)
    done = prepare(tmp_path)
    assert (copy / "configs" / "architecture.json").read_text() == "architecture 2"
    assert holds(copy / "models", 1)
    assert "the weights served are those of the copy" in done.stdout and "--fresh takes it" in done.stdout


def test_fresh_takes_the_weights_of_the_bundle_and_sets_the_others_aside(tmp_path: Path, copy: Path) -> None:
    (copy / "models" / "model.pt").write_text("fine-tuned")
    (copy / "runs" / "fine_tuning").mkdir(parents=True)
    assert "weights served" not in prepare(tmp_path).stdout
    for number in (1, 2):
        bundle(tmp_path / "a_ct", version=2)
        done = prepare(tmp_path, "--fresh")
        assert f"set aside: {copy}/set_aside_{number}" in done.stdout and "weights served" not in done.stdout
        assert holds(copy / "models", 2) and not (copy / "runs").exists()
    assert (copy / "set_aside_1" / "models" / "model.pt").read_text() == "fine-tuned"
    assert (copy / "set_aside_1" / "runs" / "fine_tuning").is_dir() and holds(copy / "set_aside_2" / "models", 2)


def test_weights_that_were_kept_in_the_bundle_are_no_others(tmp_path: Path, copy: Path) -> None:
    for folder in (copy, tmp_path / "a_ct"):
        (folder / "models" / "model.pt").write_text("fine-tuned")
    assert "weights served" not in prepare(tmp_path).stdout
    (copy / "models" / "model.pt").write_text("fine-tuned again")
    assert "weights served" not in prepare(tmp_path).stdout


def test_only_files_of_the_weights_are_taken(tmp_path: Path) -> None:
    given = bundle(tmp_path / "a_ct", version=1) / "models"
    (given / "folds").mkdir()
    (given / "m.pt").write_text("of another run")
    (given / "model.ts").write_text("torchscript")
    (given / "architecture.json").write_text("architecture of a retraining")
    (given / "settings.json").write_text(json.dumps({"patch_size": [8, 8, 8]}))
    assert prepare(tmp_path).returncode == 0
    models = tmp_path / "home" / "monaibundle" / "model" / "a_ct" / "models"
    names = ["architecture.json", "model.pt", "model.ts", "settings.json", "taken.cksum"]
    assert sorted(path.name for path in models.iterdir()) == names
    assert (models / "architecture.json").read_text() == "architecture of a retraining"


def test_two_bundles_of_one_name_are_refused(tmp_path: Path) -> None:
    one, other = (bundle(tmp_path / folder / "a_ct", version=1) for folder in ("one", "other"))
    done = prepare(tmp_path, bundles=f"{one},{other}/")
    assert done.returncode == 1 and "different folder names, got a_ct twice" in done.stderr
    assert not (tmp_path / "home").exists()
