"""The ten tasks: complete, consistent, and equal to what is published about them."""

import pytest

from adw_components.errors import UserError
from adw_components.reference import published, published_tasks
from adw_components.tasks import task, task_names

# Training cases, test images, channels, classes with background, as the dataset.json of each task has them.
COUNTS = {
    "Task01_BrainTumour": (484, 266, 4, 4),
    "Task02_Heart": (20, 10, 1, 2),
    "Task03_Liver": (131, 70, 1, 3),
    "Task04_Hippocampus": (260, 130, 1, 3),
    "Task05_Prostate": (32, 16, 2, 3),
    "Task06_Lung": (63, 32, 1, 2),
    "Task07_Pancreas": (281, 139, 1, 3),
    "Task08_HepaticVessel": (303, 140, 1, 3),
    "Task09_Spleen": (41, 20, 1, 2),
    "Task10_Colon": (126, 64, 1, 2),
}


@pytest.mark.parametrize("name", COUNTS)
def test_channels_classes_and_counts(name: str) -> None:
    plan = task(name).plan
    found = (plan.dataset.num_training, plan.dataset.num_test, plan.in_channels, plan.out_channels)
    assert found == COUNTS[name]
    assert plan.dataset.name == task(name).name == name
    assert plan.dataset.labels[0] == "background"


def test_there_are_ten_in_order() -> None:
    assert list(task_names()) == list(COUNTS)


@pytest.mark.parametrize("name", COUNTS)
def test_ct_tasks_are_normalized_as_ct(name: str) -> None:
    plan = task(name).plan
    assert [channel.scheme == "ct" for channel in plan.normalization] == [
        name == "CT" for name in plan.dataset.modality
    ]
    for channel, statistics in zip(plan.normalization, plan.foreground_intensity, strict=True):
        if channel.scheme == "ct":
            limits = (statistics["percentile_00_5"], statistics["percentile_99_5"])
            assert (channel.low, channel.high, channel.mean) == (*limits, statistics["mean"])


@pytest.mark.parametrize("name", published_tasks())
def test_published_architectures_have_as_many_stages_as_the_plan(name: str) -> None:
    assert len(task(name).plan.strides) == published(name).n_stages


@pytest.mark.parametrize("name", COUNTS)
def test_reference_figures_are_percent_per_class(name: str) -> None:
    assert task(name).reference_dice
    for figure in task(name).reference_dice.values():
        assert len(figure.per_class) == task(name).plan.out_channels - 1
        assert all(0 < dice <= 100 for dice in figure.per_class)
        if figure.mean is not None:
            # Both are as the source prints them; its mean is not exactly that of its classes.
            assert figure.mean == pytest.approx(sum(figure.per_class) / len(figure.per_class), abs=0.5)


def test_bundle_names_do_not_contain_one_another() -> None:
    bundles = [task(name).bundle for name in task_names()]
    assert len(set(bundles)) == 10
    assert not [(one, other) for one in bundles for other in bundles if one != other and one in other]
    assert all(name.endswith("_adwunet_segmentation") and "_v" not in name for name in bundles)


def test_another_name_is_refused_with_those_there_are() -> None:
    with pytest.raises(UserError, match="'Spleen' is no task of the MSD; there are Task01_BrainTumour, "):
        task("Spleen")
