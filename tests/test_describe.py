"""`describe` prints the counts that cost.py and the publication give."""

from pathlib import Path

import pytest

import adw_components
from adw_components.architecture import Architecture
from adw_components.cost import count_flops, count_parameters
from adw_components.describe import block_names, describe, resolution_strides
from adw_components.errors import UserError
from adw_components.reference import nnunet_default, published

PUBLISHED = Path(adw_components.__file__).parent / "published"
COUNTS = {
    "Task01_BrainTumour": 66565312,
    "Task02_Heart": 40188552,
    "Task05_Prostate": 75312288,
    "Task07_Pancreas": 61584960,
}


def lines_by_name(text: str) -> dict[str, list[str]]:
    """The columns of every line, by its first column; columns are two spaces or more apart."""
    rows = [[cell.strip() for cell in line.split("  ") if cell.strip()] for line in text.splitlines()]
    return {row[0]: row[1:] for row in rows if row}


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """A small 2D architecture that records no channels."""
    path = tmp_path / "architecture.json"
    Architecture(
        encoder_widths=((4,), (8, 6), (12, 16, 8)),
        decoder_widths=((6,), (2, 4)),
        strides=((1, 1), (2, 1), (2, 2)),
        kernel_sizes=((3, 1), (3, 3), (3, 5)),
    ).save(path)
    return path


@pytest.mark.parametrize("task", COUNTS)
def test_published_counts(task: str) -> None:
    printed = lines_by_name(describe(PUBLISHED / f"{task}.json"))
    architecture = published(task)
    network = architecture.provenance["network"]
    default = nnunet_default(strides=architecture.strides, kernel_sizes=architecture.kernel_sizes)
    channels = {name: network[name] for name in ("in_channels", "out_channels")}
    theirs = count_parameters(default, **channels)
    assert printed["parameters"] == [str(COUNTS[task]), str(theirs), f"{COUNTS[task] / theirs:.3g}"]
    flops = [count_flops(found, **network) for found in (architecture, default)]
    assert printed["forward FLOPs of a patch"] == [*map(str, flops), f"{flops[0] / flops[1]:.3g}"]
    assert printed["source"] == [architecture.provenance["source"]]
    assert printed["task"] == [task]


def test_every_block_with_its_resolution_kernel_depth_and_widths(bare: Path) -> None:
    printed = lines_by_name(describe(bare))
    assert printed["block"] == ["resolution stride", "kernel", "depth", "widths"]
    assert [printed[name] for name in block_names(3)] == [
        ["1x1", "3x1", "1", "4"],
        ["2x1", "3x3", "2", "8 6"],
        ["4x2", "3x5", "3", "12 16 8"],
        ["2x1", "3x3", "1", "6"],
        ["1x1", "3x1", "2", "2 4"],
    ]


def test_names_and_strides_follow_the_blocks() -> None:
    assert block_names(3) == ("encoder 0", "encoder 1", "bottleneck", "decoder 0", "decoder 1")
    assert resolution_strides(published("Task05_Prostate"))[-1] == published("Task05_Prostate").total_stride


def test_without_channels_the_costs_are_left_out_and_the_arguments_named(bare: Path) -> None:
    text = describe(bare, out_channels=2)
    assert "For the costs give in_channels and patch_size." in text.splitlines()
    assert "parameters" not in text
    assert "No provenance is recorded." in text


def test_given_values_replace_the_recorded_ones(bare: Path) -> None:
    text = describe(bare, in_channels=3, out_channels=2, patch_size=(16, 8))
    own = count_parameters(Architecture.load(bare), in_channels=3, out_channels=2)
    assert lines_by_name(text)["parameters"][0] == str(own)
    path = PUBLISHED / "Task02_Heart.json"
    wider = count_parameters(published("Task02_Heart"), in_channels=5, out_channels=2)
    assert lines_by_name(describe(path, in_channels=5))["parameters"][0] == str(wider)


@pytest.mark.parametrize(
    ("given", "rule"),
    [
        ({"patch_size": (15, 8)}, "patch_size must be divisible by"),
        ({"in_channels": 0}, "in_channels must hold positive"),
    ],
)
def test_impossible_arguments_are_one_line(bare: Path, given: dict[str, object], rule: str) -> None:
    with pytest.raises(UserError, match=rule) as error:
        describe(bare, **{"in_channels": 1, "out_channels": 2, "patch_size": (16, 8), **given})  # type: ignore[arg-type]
    assert str(bare) in str(error.value)
    assert "\n" not in str(error.value)
