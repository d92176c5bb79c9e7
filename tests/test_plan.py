"""The record of a plan: it round-trips, and each field that is wrong is named."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny import PLAIN, geometries

from adw_components.dataset_description import DatasetDescription
from adw_components.errors import UserError
from adw_components.normalization import Normalization
from adw_components.plan import Plan
from adw_components.record_fields import total_stride
from adw_components.tasks import task


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    """Any plan, 2D or 3D."""
    geometry = draw(geometries())
    steps = total_stride(geometry["strides"])
    channels = draw(st.integers(1, 3))
    numbers = st.tuples(*[st.floats(1e-3, 1e3)] * len(steps))
    statistics = st.fixed_dictionaries({"mean": st.floats(-1e3, 1e3), "std": st.floats(0, 1e3)})
    return Plan(
        dataset=DatasetDescription(
            name=draw(st.text("aZ9_- é", min_size=1, max_size=5).filter(lambda text: text.strip() and "_" not in text)),
            modality=("MRI",) * channels,
            labels=("b", "a"),
            num_training=9,
        ),
        spacing_mm=draw(numbers),
        median_shape=draw(numbers),
        patch_size=tuple(step * draw(st.integers(1, 5)) for step in steps),
        batch_size=draw(st.integers(1, 50)),
        **geometry,
        normalization=(Normalization(scheme="z_score", nonzero=draw(st.booleans())),) * channels,
        batch_dice=draw(st.booleans()),
        foreground_intensity=draw(st.sampled_from(((), (draw(statistics),) * channels))),
        memory_gb=draw(st.floats(1, 100)),
        reasons=draw(st.dictionaries(PLAIN.filter(str.strip), PLAIN, max_size=2)),
    )


@given(plans())
def test_it_round_trips_through_json(plan: Plan) -> None:
    assert Plan.from_dict(json.loads(json.dumps(plan.to_dict()))) == plan


@settings(max_examples=20, deadline=None)
@given(plans())
def test_it_round_trips_through_a_file(tmp_path_factory: pytest.TempPathFactory, plan: Plan) -> None:
    path = tmp_path_factory.mktemp("plans") / "plan.json"
    plan.save(path)
    assert Plan.load(path) == plan


def test_channels_and_classes_come_from_the_dataset() -> None:
    plan = task("Task01_BrainTumour").plan
    assert (plan.in_channels, plan.out_channels) == (4, 4)


def heart(**changes: Any) -> dict[str, Any]:
    """The plan of Task02 as JSON values, with changed fields."""
    return {**json.loads(json.dumps(task("Task02_Heart").plan.to_dict())), **changes}


def without(name: str) -> dict[str, Any]:
    return {field: value for field, value in heart().items() if field != name}


WRONG: dict[str, tuple[Callable[[], Any], str]] = {
    "no object": (list, "plan must be a JSON object, got list"),
    "no spacing": (lambda: without("spacing_mm"), r"plan lacks the field\(s\) spacing_mm"),
    "an unknown field": (lambda: heart(patch=[1]), r"plan has unknown field\(s\) patch; known: "),
    "a later format": (lambda: heart(format_version=99), "plan format_version must be from 1 to 1, got 99"),
    "other axes": (lambda: heart(axis_order="zyx (nnU-Net)"), "plan.axis_order must be xyz, got 'zyx"),
    "a dataset that is none": (lambda: heart(dataset={}), r"dataset lacks the field\(s\) name"),
    "flat strides": (lambda: heart(strides=[1, 2]), r"strides\[0\] must be a non-empty list"),
    "a first stride of 2": (lambda: heart(strides=[[2, 2, 2]] * 6), r"strides\[0\] must be all 1"),
    "too few kernels": (lambda: heart(kernel_sizes=[[3, 3, 3]]), "kernel_sizes must have 6 entries"),
    "an even kernel": (lambda: heart(kernel_sizes=[[3, 3, 2]] * 6), r"kernel_sizes\[0\] must be odd"),
    "a patch that strides do not divide": (
        lambda: heart(patch_size=[160, 192, 81]),
        r"patch_size must be divisible by \(32, 32, 16\), got \(160, 192, 81\)",
    ),
    "a spacing of 0": (
        lambda: heart(spacing_mm=[1, 1, 0]),
        r"spacing_mm must be 3 numbers above 0 .*, got \[1, 1, 0\]",
    ),
    "two spacings": (lambda: heart(spacing_mm=[1, 1]), "spacing_mm must be 3 numbers above 0"),
    "no median": (lambda: heart(median_shape=None), "median_shape must be 3 numbers above 0 .*, got None"),
    "half a batch": (lambda: heart(batch_size=1.5), "batch_size must be a whole number from 1 to 4096, got 1.5"),
    "no batch": (lambda: heart(batch_size=0), "batch_size must be a whole number from 1 to 4096, got 0"),
    "no normalization": (lambda: heart(normalization=[]), r"for each of the 1 channel\(s\), got 0"),
    "one normalization for all": (
        lambda: heart(normalization={}),
        "normalization must be a list with an entry a channel",
    ),
    "an unknown scheme": (lambda: heart(normalization=[{"scheme": "x"}]), "scheme must be one of z_score, ct, got 'x'"),
}


@pytest.mark.parametrize(("content", "message"), WRONG.values(), ids=WRONG)
def test_what_is_no_plan_is_one_line_with_the_file(tmp_path: Path, content: Callable[[], Any], message: str) -> None:
    path = tmp_path / "plan.json"
    path.write_text(json.dumps(content()))
    with pytest.raises(UserError, match=message) as error:
        Plan.load(path)
    assert str(error.value).startswith(f"{path}: ")
    assert "\n" not in str(error.value)


def test_missing_and_damaged_files_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"plan file .* does not exist"):
        Plan.load(tmp_path / "absent.json")
    (tmp_path / "cut.json").write_text("{")
    with pytest.raises(UserError, match=r"plan file .* is not valid JSON"):
        Plan.load(tmp_path / "cut.json")
