"""`describe` of a plan prints every value beside its name, and why it was chosen."""

import json
from pathlib import Path

import pytest

import adw_components
from adw_components.__main__ import Commands
from adw_components.describe import describe
from adw_components.describe_plan import describe_plan, kind_of
from adw_components.errors import UserError
from adw_components.plan import Plan
from adw_components.tasks import task, task_names

PACKAGE = Path(adw_components.__file__).parent
ARCHITECTURE = PACKAGE / "published" / "Task02_Heart.json"


def columns(text: str) -> dict[str, list[str]]:
    """The columns of every line, by its first column; columns are two spaces or more apart."""
    rows = [[cell.strip() for cell in line.split("  ") if cell.strip()] for line in text.splitlines()]
    return {row[0]: row[1:] for row in rows if row}


@pytest.mark.parametrize("name", task_names())
def test_every_value_stands_beside_its_name(name: str) -> None:
    plan = task(name).plan
    text = describe_plan(PACKAGE / "msd" / "plans" / f"{name}.json")
    printed = columns(text)
    for index, axis in enumerate("xyz"):
        spacing, median, patch = printed[axis]
        assert float(spacing) == pytest.approx(plan.spacing_mm[index], rel=1e-5)
        assert float(median) == plan.median_shape[index]
        assert int(patch) == plan.patch_size[index]
    stages = text.partition("stage")[2].partition("channel")[0].splitlines()[1:-1]
    assert [line.split() for line in stages] == [
        [str(index), *("x".join(map(str, row)) for row in rows)]
        for index, rows in enumerate(zip(plan.strides, plan.kernel_sizes, strict=True))
    ]
    assert printed["batch size"] == [str(plan.batch_size)]
    assert printed["Dice loss over"] == ["the whole batch" if plan.batch_dice else "each patch"]
    for field, reason in plan.reasons.items():
        assert printed[field] == [reason]


def test_normalization_in_words() -> None:
    spleen = describe_plan(PACKAGE / "msd" / "plans" / "Task09_Spleen.json")
    assert "CT    clip to -42 ... 176, subtract 93.1926, divide by 40.7837" in spleen
    assert "FLAIR  z-score of each image over the voxels that are not 0" in describe_plan(
        PACKAGE / "msd" / "plans" / "Task01_BrainTumour.json"
    )


def test_a_plan_without_reasons(tmp_path: Path) -> None:
    values = task("Task02_Heart").plan.to_dict()
    del values["reasons"]
    Plan.from_dict(values).save(tmp_path / "plan.json")
    assert describe_plan(tmp_path / "plan.json").endswith("No reasons are recorded.")


def test_the_command_tells_plans_from_architectures(tmp_path: Path) -> None:
    plan = PACKAGE / "msd" / "plans" / "Task02_Heart.json"
    assert (kind_of(plan), kind_of(ARCHITECTURE)) == ("plan", "architecture")
    assert Commands().describe(str(plan)) == describe_plan(plan)
    assert Commands().describe(str(ARCHITECTURE)) == describe(ARCHITECTURE)
    (tmp_path / "damaged.json").write_text(json.dumps({"spacing_mm": [1, 1, 1]}))
    with pytest.raises(UserError, match=r"damaged\.json: plan lacks the field\(s\) format_version"):
        Commands().describe(str(tmp_path / "damaged.json"))


@pytest.mark.parametrize("content", [{}, [], {"labels": {}}, "plan"])
def test_what_is_neither_is_one_line(tmp_path: Path, content: object) -> None:
    path = tmp_path / "other.json"
    path.write_text(json.dumps(content))
    with pytest.raises(UserError, match=r"other\.json is neither a plan nor an architecture: .*; give one"):
        Commands().describe(str(path))


def test_a_missing_file_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"architecture or plan file .* does not exist"):
        Commands().describe(str(tmp_path / "absent.json"))
