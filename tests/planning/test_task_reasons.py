"""Why the plans of the ten tasks have their values: the rules' own sentences, with the numbers of the plan."""

from pathlib import Path

import pytest

from adw_components.planning.fingerprint import Fingerprint
from adw_components.planning.rules import make_plan
from adw_components.tasks import task, task_names

FINGERPRINTS = Path(__file__).parent / "fingerprints"
MEASURED = [name for name in task_names() if (FINGERPRINTS / f"{name}.json").is_file()]
NOT_MEASURED = [name for name in task_names() if name not in MEASURED]
FROM_THE_PLAN = ("patch_size", "batch_size", "strides", "kernel_sizes", "batch_dice")
FIELDS = {"spacing_mm", "median_shape", "normalization", *FROM_THE_PLAN}
SOURCE = "nnU-Net v2's plan of the full dataset: "


@pytest.mark.parametrize("name", task_names())
def test_each_field_has_a_reason_of_one_line(name: str) -> None:
    reasons = task(name).plan.reasons
    assert set(reasons) == FIELDS
    assert all(text.strip() and "\n" not in text for text in reasons.values())


def test_seven_are_measured() -> None:
    assert (len(MEASURED), len(NOT_MEASURED)) == (7, 3)


@pytest.mark.parametrize("name", MEASURED)
def test_the_reasons_are_those_of_the_rules(name: str) -> None:
    plan = task(name).plan
    assert plan.reasons == make_plan(Fingerprint.load(FINGERPRINTS / f"{name}.json"), plan.dataset).reasons


@pytest.mark.parametrize("name", NOT_MEASURED)
def test_without_a_fingerprint_they_name_their_source_and_follow_from_the_plan(name: str) -> None:
    plan = task(name).plan
    alike = Fingerprint(
        spacings=(plan.spacing_mm,),
        shapes_after_crop=(tuple(map(int, plan.median_shape)),),
        median_relative_size_after_cropping=1.0,
        foreground_intensity=plan.foreground_intensity,
    )
    found = make_plan(alike, plan.dataset)
    assert all(text.startswith(SOURCE) for text in plan.reasons.values())
    for field in FROM_THE_PLAN:
        assert getattr(found, field) == getattr(plan, field)
        assert plan.reasons[field] == SOURCE + found.reasons[field]
    (channel,) = plan.normalization
    for value in (channel.low, channel.high, channel.mean, channel.std):
        assert f" {value:.10g}" in plan.reasons["normalization"]
