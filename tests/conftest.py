"""Fixtures that several test modules share."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, settings

from adw_components.synthesis import synthesize

# On a busy machine, or where hypothesis makes its tables first, a slow draw says nothing about the code.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")


@pytest.fixture(autouse=True)
def tiny_numbers() -> Iterator[None]:
    """A search or training lets its process round numbers below 1e-38 to 0; the next test has them again."""
    yield
    torch.set_flush_denormal(False)


@pytest.fixture(scope="session")
def generated_dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small generated MSD folder: 10 training cases, 2 test images. Do not write to it."""
    folder = tmp_path_factory.mktemp("generated") / "Task04_Hippocampus"
    return synthesize("Task04_Hippocampus", cases=10, output_dir=folder, test_cases=2)


@pytest.fixture(scope="session")
def real_dataset() -> Path:
    """The real Task04, where this machine has it."""
    root = os.environ.get("ADW_MSD_ROOT")
    if not root:
        pytest.skip("ADW_MSD_ROOT does not name a folder with Task04_Hippocampus")
    return Path(root) / "Task04_Hippocampus"
