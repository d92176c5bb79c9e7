"""What a bundle is made from, and which bundles this repository holds. No torch here."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ..errors import UserError
from ..plan import Plan
from ..tasks import Task, task, task_names

# By these words in a bundle's name MONAI Label knows its kind.
PLAIN, INTERACTIVE = "segmentation", "deepedit"


@dataclass(frozen=True, kw_only=True)
class BundleSource:
    """What one bundle is made from.

    Attributes:
        name: of the bundle.
        plan: of its data.
        task: the MSD task, none for other data.
        interactive: whether its network takes clicks, as guidance channels after those of the image.
    """

    name: str
    plan: Plan
    task: Task | None = None
    interactive: bool = False

    @property
    def network_channels(self) -> int:
        """Input channels of the network: the image's, and in an interactive bundle one a class."""
        return self.plan.in_channels + (self.plan.out_channels if self.interactive else 0)


def msd_source(name: str, *, interactive: bool = False) -> BundleSource:
    """The bundle of one task of the MSD, such as "Task04_Hippocampus"."""
    found = task(name)
    bundle = found.bundle.removesuffix(PLAIN) + INTERACTIVE if interactive else found.bundle
    return BundleSource(name=bundle, plan=found.plan, task=found, interactive=interactive)


def msd_sources() -> tuple[BundleSource, ...]:
    """The ten bundles of the MSD's tasks."""
    return tuple(map(msd_source, task_names()))


def repository_sources() -> tuple[BundleSource, ...]:
    """All bundles of this repository: the ten, and the interactive one of the smallest task."""
    return (*msd_sources(), msd_source("Task04_Hippocampus", interactive=True))


def check_name(name: str, *, interactive: bool = False) -> None:
    """Raise a `UserError` unless MONAI's tools can tell a bundle of this name from others.

    They split names at "_v", and MONAI Label reads the kind of the task from the name.
    """
    if not re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", str(name)) or "_v" in name:
        raise UserError(
            f"a bundle's name must be small letters, digits and single underscores, without _v, got {name!r}; "
            "such as kidney_ct_adwunet_segmentation"
        )
    kind, other = (INTERACTIVE, PLAIN) if interactive else (PLAIN, INTERACTIVE)
    if kind not in name or other in name:
        raise UserError(
            f"the name of {'an interactive' if interactive else 'a plain'} bundle must contain {kind} and not {other}, "
            f"by which MONAI Label knows its kind, got {name!r}"
        )
