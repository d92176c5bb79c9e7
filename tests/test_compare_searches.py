"""The comparison of searches in miniature: real commands, kept results, a table that is read from their files."""

from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

from adw_components.architecture import Architecture
from adw_components.cost import count_flops
from adw_components.errors import UserError
from adw_components.files import read_json

PATCH = [16, 16, 16]
TOY = {
    "variants": ["single_path"],
    "seeds": 1,
    "base_widths": [2, 3],
    "patch_size": PATCH,
    "warmup_epochs": 1,
    "search_epochs": 1,
    "iterations_per_epoch": 1,
    "train_epochs": 1,
    "train_iterations_per_epoch": 1,
    "target_flops_ratio": 0.006,
}


@pytest.fixture(scope="module")
def script() -> ModuleType:
    """The script as a module."""
    return import_module("compare_searches")


@pytest.fixture(scope="module")
def compared(script: ModuleType, generated_dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Folder and table of a comparison."""
    folder = tmp_path_factory.mktemp("compare")
    return folder, script.main(str(generated_dataset), str(folder), **TOY)


def test_row_holds_what_the_runs_wrote(compared: tuple[Path, str]) -> None:
    folder, _ = compared
    (row,) = read_json(folder / "comparison.json", "comparison")["rows"]
    run = folder / "single_path" / "seed_0"
    architecture = Architecture.load(run / "search" / "architecture.json")
    flops = count_flops(architecture, in_channels=1, out_channels=3, patch_size=PATCH)
    assert row["gflops"] == pytest.approx(flops / 1e9)
    assert row["blocks"] == [list(widths) for widths in architecture.blocks]
    for part in ("train", "inherit"):
        found = read_json(run / part / "evaluation" / "summary.json", "summary")
        assert row[part]["dice"] == found["mean_dice"]
        assert read_json(run / part / "settings.json", "settings")["inherit"] is (part == "inherit")
    settings = read_json(run / "search" / "settings.json", "settings")
    assert (settings["step_order"], settings["weight_step"]) == ("simultaneous", "single_path")


def test_table_has_a_line_for_every_run_and_every_variant(compared: tuple[Path, str]) -> None:
    folder, text = compared
    assert [line.split("|")[1].strip() for line in text.splitlines() if line.startswith("|")] == [
        *("variant", "---", "single_path"),
        *("variant", "---", "single_path"),
    ]
    assert (folder / "comparison.md").read_text() == text


def test_what_is_done_is_kept(
    compared: tuple[Path, str], script: ModuleType, generated_dataset: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(script, "command", lambda *_, **__: pytest.fail("nothing is left to do"))
    assert script.main(str(generated_dataset), str(compared[0]), **TOY) == compared[1]


@pytest.mark.parametrize("variants", [["simultanous"], "simultanous"])
def test_unknown_variant_is_named(script: ModuleType, tmp_path: Path, variants: object) -> None:
    with pytest.raises(UserError, match=r"variants must be of sequential, .* got simultanous"):
        script.main("data", str(tmp_path), variants=variants)


def test_options_that_differ_from_what_is_done_are_refused(
    compared: tuple[Path, str], script: ModuleType, generated_dataset: Path
) -> None:
    with pytest.raises(UserError, match=r"holds a comparison with base_widths \[2, 3\], not \[2, 4\]; go on"):
        script.main(str(generated_dataset), str(compared[0]), **{**TOY, "base_widths": [2, 4]})


def test_a_command_that_fails_says_why_and_where(script: ModuleType, generated_dataset: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"search ended with status 1: error: patch_size must.*search\.log has all"):
        script.main(str(generated_dataset), str(tmp_path), **{**TOY, "patch_size": [15, 16, 16]})
