"""Who has started a training."""

import sys
from types import ModuleType

import pytest

from adw_components.fine_tuning import started_by_monailabel


def test_a_command_of_a_user_is_no_fine_tuning() -> None:
    assert not started_by_monailabel(["monai/bundle/__main__.py", "run", "--config_file", "configs/train.json"])


def test_its_own_process_and_its_torchrun_are_known(monkeypatch: pytest.MonkeyPatch) -> None:
    several = "['/apps/model/x/configs/monailabel_train.json','/apps/model/x/configs/multi_gpu_train.json']"
    assert started_by_monailabel(["monai/bundle/__main__.py", "run", "--config_file", several])
    monkeypatch.setitem(sys.modules, "monailabel", ModuleType("monailabel"))
    assert started_by_monailabel([])
