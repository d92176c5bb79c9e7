"""`python -m adw_components build`: which options go together, and bundles that are new."""

from dataclasses import replace
from itertools import combinations
from pathlib import Path

import pytest
from test_source import NAMES, kinds

from adw_components.builder.build import bundle_files, new_bundle
from adw_components.builder.command import build
from adw_components.builder.source import BundleSource, msd_source
from adw_components.errors import UserError
from adw_components.plan import Plan
from adw_components.tasks import task

OPTIONS = ("plan", "name", "output", "check", "interactive", "task")
EVERY_CHOICE = [frozenset(chosen) for size in range(7) for chosen in combinations(OPTIONS, size)]
# Those without --interactive; it goes with all that make a new bundle.
NEW = [frozenset({"plan", "name", "output"}), frozenset({"task", "output"})]
ALLOWED = [frozenset[str](), frozenset({"check"}), *NEW, *(new | {"interactive"} for new in NEW)]


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    path = tmp_path / "plan.json"
    task("Task09_Spleen").plan.save(path)
    return path


def values(chosen: frozenset[str], spleen: Path, **others: object) -> dict:
    """Good values of the options that are chosen."""
    good = {
        "plan": str(spleen),
        "name": NAMES["interactive" in chosen],
        "output": str(spleen.parent / "bundles"),
        "check": True,
        "interactive": True,
        "task": "Task02_Heart",
    }
    return {name: good[name] for name in chosen} | others


def test_any_other_choice_of_options_is_refused_and_writes_nothing(plan: Path) -> None:
    for chosen in EVERY_CHOICE:
        if chosen not in ALLOWED:
            with pytest.raises(UserError, match="--"):
                build(**values(chosen, plan, bundles=plan.parent / "repository"))
    assert [path.name for path in plan.parent.iterdir()] == ["plan.json"]


@pytest.mark.parametrize("chosen", [choice for choice in ALLOWED if "output" in choice], ids=sorted)
def test_a_new_bundle_is_written_where_the_answer_says(plan: Path, chosen: frozenset[str]) -> None:
    folder, readme = (line.partition(": ")[2] for line in build(**values(chosen, plan)).splitlines())
    source = msd_source("Task02_Heart", interactive="interactive" in chosen)
    if "plan" in chosen:
        name = NAMES["interactive" in chosen]
        source = BundleSource(name=name, plan=Plan.load(plan), interactive="interactive" in chosen)
    assert folder == str(plan.parent / "bundles" / source.name)
    assert readme == f"{folder}/docs/README.md"
    written = [path for path in Path(folder).rglob("*") if path.is_file()]
    assert {path.relative_to(folder).as_posix(): path.read_text() for path in written} == bundle_files(source)


@pytest.mark.parametrize(
    ("chosen", "message"),
    [
        ({"name"}, "belong to one new bundle"),
        ({"output", "check"}, "belong to one new bundle"),
        ({"interactive"}, "--interactive belong to one new bundle: say of what"),
        ({"plan", "output"}, "--plan needs --name, such as kidney_ct_adwunet_segmentation"),
        ({"plan", "output", "interactive"}, "--plan needs --name, such as kidney_ct_adwunet_deepedit"),
        ({"plan", "name"}, "needs --output"),
        ({"task", "interactive"}, "needs --output"),
        ({"plan", "name", "output", "check"}, "goes without --plan and --task"),
        ({"task", "check"}, "goes without --plan and --task"),
        ({"task", "plan", "output"}, "leave --plan and --name out"),
        ({"task", "name", "output"}, "leave --plan and --name out"),
    ],
)
def test_what_is_missing_or_too_much_is_said(plan: Path, chosen: set, message: str) -> None:
    with pytest.raises(UserError, match=message):
        build(**values(frozenset(chosen), plan))


def test_values_that_do_not_do_are_said(plan: Path) -> None:
    new = frozenset({"plan", "name", "output"})
    with pytest.raises(UserError, match=r"absent\.json does not exist"):
        build(**values(new, plan, plan="absent.json"))
    with pytest.raises(UserError, match="Task99_Nothing"):
        build(**values(frozenset({"task", "output"}), plan, task="Task99_Nothing"))
    for interactive in (False, True):
        with pytest.raises(UserError, match="MONAI Label knows its kind"):
            build(**values(new, plan, name=NAMES[not interactive], interactive=interactive))
    assert not (plan.parent / "bundles").exists()


@kinds
def test_a_searched_architecture_is_not_overwritten(plan: Path, interactive: bool) -> None:
    source = BundleSource(name=NAMES[interactive], plan=Plan.load(plan), interactive=interactive)
    searched = new_bundle(source, output=plan.parent) / "configs" / "architecture.json"
    searched.write_text("mine")
    with pytest.raises(UserError, match="is there already"):
        new_bundle(source, output=plan.parent)
    assert searched.read_text() == "mine"


def test_a_class_that_nobody_could_click_on_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    spleen = task("Task09_Spleen").plan
    plan = replace(spleen, dataset=replace(spleen.dataset, labels=("background", "Label")))
    plan.save(tmp_path / "plan.json")
    options = {"plan": str(tmp_path / "plan.json"), "output": str(tmp_path / "bundles")}
    with pytest.raises(UserError, match="must not have the name of a key that MONAI uses, got 'Label'"):
        build(**options, name="kidney_ct_adwunet_deepedit", interactive=True)
    assert not (tmp_path / "bundles").exists()
    build(**options, name="kidney_ct_adwunet_segmentation")


def test_a_switch_takes_true_and_false_as_the_command_line_gives_them(tmp_path: Path) -> None:
    options = {"task": "Task02_Heart", "check": "false"}
    for given, kind in (("false", "segmentation"), ("False", "segmentation"), ("true", "deepedit")):
        folder = tmp_path / given
        build(**options, output=str(folder), interactive=given)
        assert [path.name for path in folder.iterdir()] == [f"heart_mri_adwunet_{kind}"]
    with pytest.raises(UserError, match="interactive must be true or false, got 'maybe'"):
        build(**options, output=str(tmp_path / "maybe"), interactive="maybe")
    with pytest.raises(UserError, match="check must be true or false, got '1'"):
        build(check="1")
    assert not (tmp_path / "maybe").exists()
