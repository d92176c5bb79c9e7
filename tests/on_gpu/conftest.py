"""Where the tests for a GPU run, at which size, and where their figures go.

`scripts/gpu.sh` runs them with ADW_GPU_DEVICE, its device, which may be a CPU to rehearse them at toy size;
ADW_GPU_REPORT, a file that gets a line of JSON for every test that ends; and ADW_GPU_DATASET, real cases of Task04.
"""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch

from adw_components.synthesis import synthesize


@dataclass(frozen=True, kw_only=True)
class Scale:
    """How large the tests are.

    Attributes:
        base_widths: of the search space.
        patch_size: voxels per axis.
        batch_size: patches.
        volume_size: voxels per axis of an image that the sliding window crosses.
        iterations: of a run of the bundle.
        more: options of a run of the bundle beside paths and counts; none on a GPU.
    """

    base_widths: tuple[int, ...] = (16, 24, 32, 40, 48)
    patch_size: tuple[int, ...] = (40, 56, 40)
    batch_size: int = 9
    volume_size: tuple[int, ...] = (128, 128, 96)
    iterations: int = 10
    more: tuple[tuple[str, object], ...] = ()

    @property
    def options(self) -> dict[str, object]:
        """Of a training or search beside paths and counts."""
        return dict(self.more)


TOY = Scale(
    base_widths=(2, 3),
    patch_size=(16, 16, 16),
    batch_size=2,
    volume_size=(32, 32, 24),
    iterations=2,
    more=(("patch_size", [16, 16, 16]), ("batch_size", 2), ("num_workers", 1)),
)


@pytest.fixture(scope="session")
def device() -> torch.device:
    name = os.environ.get("ADW_GPU_DEVICE", "cuda:0")
    if name.startswith("cuda") and not torch.cuda.is_available():
        pytest.skip("torch finds no GPU here; scripts/gpu.sh --toy rehearses these tests on a CPU")
    return torch.device(name)


@pytest.fixture(scope="session")
def scale(device: torch.device) -> Scale:
    return Scale() if device.type == "cuda" else TOY


@pytest.fixture(scope="session", autouse=True)
def threads(device: torch.device) -> None:
    """A rehearsal shares its cores with whatever runs beside it."""
    if device.type == "cpu":
        torch.set_num_threads(1)


@pytest.fixture(scope="session")
def dataset(device: torch.device, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Real cases of Task04 where there are some."""
    if given := os.environ.get("ADW_GPU_DATASET"):
        return Path(given)
    folder = tmp_path_factory.mktemp("data") / "Task04_Hippocampus"
    return synthesize("Task04_Hippocampus", cases=10, output_dir=folder, test_cases=2)


@pytest.fixture()
def whole_float32(device: torch.device) -> Iterator[None]:
    """No TensorFloat-32, which has 10 bits in place of 23, and cuDNN's deterministic algorithms."""
    with torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True, allow_tf32=False):
        yield


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Add a line to the report for a test that has ended."""
    path = os.environ.get("ADW_GPU_REPORT")
    if path and (report.when == "call" or report.outcome != "passed"):
        crash = getattr(report.longrepr, "reprcrash", None)
        lines = str(crash.message if crash else report.longrepr).strip().splitlines()
        row = {
            "test": report.nodeid,
            "outcome": report.outcome,
            "seconds": round(report.duration, 2),
            "figures": dict(report.user_properties),
            "reason": " ".join(lines)[:500],
        }
        with Path(path).open("a") as file:
            file.write(json.dumps(row) + "\n")
