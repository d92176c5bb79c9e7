"""What holds for the plan of any dataset."""

import itertools
import math
import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adw_components.dataset_description import DatasetDescription
from adw_components.plan import Plan
from adw_components.planning.fingerprint import Fingerprint
from adw_components.planning.patch import feature_map_voxels
from adw_components.planning.rules import make_plan
from adw_components.record_fields import total_stride


def described(num_training: int = 40) -> DatasetDescription:
    """A dataset with one class besides background."""
    return DatasetDescription(name="Data", modality=("MRI",), labels=("background", "organ"), num_training=num_training)


@st.composite
def fingerprints(draw: st.DrawFn) -> Fingerprint:
    """Any 3D dataset whose images are large enough for a U-Net."""
    cases = draw(st.integers(1, 5))
    steps = draw(st.tuples(*[st.floats(0.1, 8)] * 3))
    edges = draw(st.tuples(*[st.integers(24, 700)] * 3))
    some = st.floats(0.7, 1.4)
    return Fingerprint(
        spacings=tuple(tuple(step * draw(some) for step in steps) for _ in range(cases)),
        shapes_after_crop=tuple(tuple(max(16, int(edge * draw(some))) for edge in edges) for _ in range(cases)),
        median_relative_size_after_cropping=draw(st.floats(0.01, 1)),
    )


@settings(deadline=None, max_examples=60)
@given(fingerprints(), st.floats(1, 80), st.integers(1, 500))
def test_any_plan_fits_its_strides_and_its_memory(found: Fingerprint, memory_gb: float, num_training: int) -> None:
    plan = make_plan(found, described(num_training=num_training), memory_gb=memory_gb)
    assert not any(size % step for size, step in zip(plan.patch_size, total_stride(plan.strides), strict=True))
    budget = 560e6 * memory_gb / 8
    needed = feature_map_voxels(plan.patch_size, plan.strides, plan.out_channels)
    assert needed <= budget
    # The batch is rounded, so that half a patch may be too much.
    assert plan.batch_size == 2 or (plan.batch_size - 0.5) * needed / 2 <= budget
    voxels = math.prod(plan.median_shape) * num_training
    assert plan.batch_size == 2 or (plan.batch_size - 0.5) * math.prod(plan.patch_size) <= 0.05 * voxels
    assert Plan.from_dict(plan.to_dict()) == plan


@settings(deadline=None, max_examples=40)
@given(fingerprints(), st.data())
def test_the_order_of_the_cases_does_not_matter(found: Fingerprint, data: st.DataObject) -> None:
    order = data.draw(st.permutations(range(len(found.spacings))))
    turned = replace(
        found,
        spacings=tuple(found.spacings[case] for case in order),
        shapes_after_crop=tuple(found.shapes_after_crop[case] for case in order),
    )
    assert make_plan(turned, described()) == make_plan(found, described())


@settings(deadline=None, max_examples=10)
@given(fingerprints(), st.floats(1e-4, 1e-2))
def test_a_memory_too_small_gives_the_smallest_patch_and_says_so(found: Fingerprint, memory_gb: float) -> None:
    plan = make_plan(found, described(), memory_gb=memory_gb)
    exceeds = feature_map_voxels(plan.patch_size, plan.strides, 2) > 560e6 * memory_gb / 8
    assert exceeds == ("exceeds the memory" in plan.reasons["patch_size"])
    # A patch that is halved twice can be shortened; one that is not has 8 voxels on two axes or 12 on one.
    assert not exceeds or len(plan.strides) == 2
    assert not exceeds or plan.batch_size == 2


@pytest.mark.parametrize("seed", range(8))
def test_turning_the_axes_of_the_data_turns_the_plan(seed: int) -> None:
    # Large images with unequal axes: rules break ties by the order of axes, and these have none.
    rng = random.Random(seed)
    steps = [rng.uniform(0.5, 0.9), rng.uniform(1, 1.3), rng.uniform(1.5, 6)]
    spacings = [[step * rng.uniform(0.9, 1.1) for step in steps] for _ in range(5)]
    shapes = [[rng.randint(*limits) for limits in ((500, 800), (310, 480), (60, 290))] for _ in range(5)]
    plans = {}
    for order in itertools.permutations(range(3)):
        turned = Fingerprint(
            spacings=tuple(tuple(row[axis] for axis in order) for row in spacings),
            shapes_after_crop=tuple(tuple(row[axis] for axis in order) for row in shapes),
            median_relative_size_after_cropping=1.0,
        )
        plans[order] = make_plan(turned, described())
    straight = plans[0, 1, 2]
    for order, plan in plans.items():
        for name in ("spacing_mm", "median_shape", "patch_size"):
            assert getattr(plan, name) == tuple(getattr(straight, name)[axis] for axis in order)
        for name in ("strides", "kernel_sizes"):
            rows = getattr(straight, name)
            assert getattr(plan, name) == tuple(tuple(row[axis] for axis in order) for row in rows)
        assert (plan.batch_size, plan.batch_dice) == (straight.batch_size, straight.batch_dice)


@settings(deadline=None, max_examples=40)
@given(fingerprints(), st.floats(0.01, 80))
def test_every_reason_is_one_line(found: Fingerprint, memory_gb: float) -> None:
    reasons = make_plan(found, described(), memory_gb=memory_gb).reasons
    assert len(reasons) == 8
    assert all(text and "\n" not in text and "nan" not in text for text in reasons.values())
