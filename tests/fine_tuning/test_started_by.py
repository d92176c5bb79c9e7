"""Who has started a training."""

import json
import sys
from pathlib import Path
from types import ModuleType

import pytest

from adw_components.fine_tuning import started_by_monailabel

TRAININGS = sorted((Path(__file__).parents[2] / "bundles").glob("*_adwunet_*/configs/train.json"))


@pytest.mark.parametrize("path", TRAININGS, ids=lambda path: path.parents[1].name)
def test_a_training_has_the_one_loader_that_monailabel_looks_for(path: Path) -> None:
    """It looks for this `_target_`, letter by letter; without it MONAI Label adds one that is not strict."""
    first, *others = json.loads(path.read_text())["train"]["handlers"]
    assert first["_target_"] == "CheckpointLoader" and first.get("strict", True)
    assert all("Loader" not in handler["_target_"] for handler in others)


def test_a_command_of_a_user_is_no_fine_tuning() -> None:
    assert not started_by_monailabel(["monai/bundle/__main__.py", "run", "--config_file", "configs/train.json"])


def test_its_own_process_and_its_torchrun_are_known(monkeypatch: pytest.MonkeyPatch) -> None:
    several = "['/apps/model/x/configs/monailabel_train.json','/apps/model/x/configs/multi_gpu_train.json']"
    assert started_by_monailabel(["monai/bundle/__main__.py", "run", "--config_file", several])
    monkeypatch.setitem(sys.modules, "monailabel", ModuleType("monailabel"))
    assert started_by_monailabel([])
