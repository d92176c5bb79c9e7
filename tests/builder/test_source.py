"""What bundles are made from: their kinds and their names."""

import pytest

from adw_components.builder.source import check_name, msd_source, msd_sources, repository_sources
from adw_components.errors import UserError
from adw_components.tasks import task, task_names

NAMES = {False: "kidney_ct_adwunet_segmentation", True: "kidney_ct_adwunet_deepedit"}
kinds = pytest.mark.parametrize("interactive", [False, True])


def test_the_repository_holds_the_ten_tasks_and_one_interactive_bundle() -> None:
    plain = [source for source in repository_sources() if not source.interactive]
    assert plain == list(msd_sources()) and [source.task for source in plain] == [task(name) for name in task_names()]
    (interactive,) = [source for source in repository_sources() if source.interactive]
    assert interactive == msd_source("Task04_Hippocampus", interactive=True)
    assert interactive.name == "hippocampus_mri_adwunet_deepedit"


@pytest.mark.parametrize("name", task_names())
def test_a_task_gives_either_kind(name: str) -> None:
    plain, interactive = msd_source(name), msd_source(name, interactive=True)
    assert (plain.name, plain.plan, plain.task) == (task(name).bundle, task(name).plan, task(name))
    assert (interactive.plan, interactive.task) == (plain.plan, plain.task)
    assert interactive.name == plain.name.replace("_segmentation", "_deepedit")
    assert plain.network_channels == plain.plan.in_channels
    assert interactive.network_channels == plain.plan.in_channels + 1 + len(plain.plan.dataset.labels[1:])
    for source in (plain, interactive):
        check_name(source.name, interactive=source.interactive)


@kinds
@pytest.mark.parametrize("name", ["Kidney_{}", "kidney_v2_{}", "kidney {}", "kidney__{}", "{}_", "2_{}", ""])
def test_names_that_mislead_monais_tools_are_refused(name: str, interactive: bool) -> None:
    kind = "deepedit" if interactive else "segmentation"
    with pytest.raises(UserError, match="a bundle's name must be small letters"):
        check_name(name.format(kind), interactive=interactive)


@kinds
def test_a_name_tells_the_kind_of_its_bundle_and_no_other(interactive: bool) -> None:
    check_name(NAMES[interactive], interactive=interactive)
    for name in (NAMES[not interactive], "kidney", "kidney_segmentation_deepedit"):
        with pytest.raises(UserError, match=r"bundle must contain \w+ and not \w+, by which MONAI Label"):
            check_name(name, interactive=interactive)
