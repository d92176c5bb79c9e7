"""Bundles from one source: a plan's values, then the bodies of `bundles/common`. No torch here."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path

from ..architecture import Architecture
from ..errors import UserError
from ..files import json_text, write_text
from ..plan import Plan
from ..reference import nnunet_default, published, published_tasks
from ..tasks import Task, task, task_names
from .bodies import Filler, read_bodies, read_pieces
from .documents import documents
from .layout import laid_out
from .metadata import metadata_values
from .values import config_values

BUNDLES = Path(__file__).parents[2] / "bundles"
COMMON = BUNDLES / "common"


@dataclass(frozen=True, kw_only=True)
class BundleSource:
    """What one bundle is made from: its name, its plan, and for an MSD task the task."""

    name: str
    plan: Plan
    task: Task | None = None


def msd_sources() -> tuple[BundleSource, ...]:
    """The ten bundles of this repository."""
    return tuple(BundleSource(name=task(name).bundle, plan=task(name).plan, task=task(name)) for name in task_names())


def bundle_files(source: BundleSource, common: Path = COMMON) -> dict[str, str]:
    """Path inside the bundle -> text of every file of the bundle; the same on every machine.

    Args:
        source: of the bundle.
        common: folder of the bodies.

    Raises:
        UserError: the bodies are not there, or name a value that a plan does not give.
    """
    if not (common / "bodies" / "pieces.json").is_file():
        raise UserError(
            f"the bodies of the bundles are not in {common}; run from a checkout of the repository, installed with "
            "pip install -e, or give --common"
        )
    architecture = starting_architecture(source)
    return {
        **_configs(source, common / "bodies"),
        "configs/architecture.json": json_text(architecture.to_dict()) + "\n",
        "configs/plan.json": json_text(source.plan.to_dict()) + "\n",
        "configs/logging.conf": (common / "bodies" / "logging.conf").read_text(encoding="utf-8"),
        "LICENSE": (common / "LICENSE").read_text(encoding="utf-8"),
        **documents(name=source.name, plan=source.plan, task=source.task, architecture=architecture, common=common),
    }


def starting_architecture(source: BundleSource) -> Architecture:
    """The published architecture of the task, or nnU-Net's default until a search replaces it."""
    plan = source.plan
    if source.task and source.task.name in published_tasks():
        return published(source.task.name)
    default = nnunet_default(strides=plan.strides, kernel_sizes=plan.kernel_sizes)
    provenance = {
        **default.provenance,
        "status": "starting point: no search has replaced it yet",
        "task": plan.dataset.name,
        "plan": "nnU-Net v2's rules, axes in NIfTI order x, y, z",
        "network": {
            "in_channels": plan.in_channels,
            "out_channels": plan.out_channels,
            "patch_size": list(plan.patch_size),
        },
    }
    return replace(default, provenance=provenance)


def write_bundle(source: BundleSource, folder: Path, common: Path = COMMON) -> list[Path]:
    """Write the files of a bundle whose text is not what it should be; those are returned."""
    changed = []
    for name, text in bundle_files(source, common).items():
        path = folder / name
        if not path.is_file() or path.read_bytes() != text.encode():
            write_text(path, text)
            changed.append(path)
    return changed


def new_bundle(plan: Plan, *, name: str, output: str | Path, common: Path = COMMON) -> Path:
    """Write the bundle of a plan to the folder `name` in `output`, which must not be there yet.

    Raises:
        UserError: the name does not do for a bundle, or the folder holds something.
    """
    check_name(name)
    folder = Path(output) / name
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UserError(
            f"{folder} is there already, maybe with a searched architecture; choose another --name or remove it"
        )
    write_bundle(BundleSource(name=name, plan=plan), folder, common)
    return folder


def check_name(name: str) -> None:
    """Raise a `UserError` unless MONAI's tools can tell a bundle of this name from others.

    They split names at "_v", and MONAI Label reads the kind of the task from the name.
    """
    if not re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", str(name)) or "_v" in name:
        raise UserError(
            f"a bundle's name must be small letters, digits and single underscores, without _v, got {name!r}; "
            "such as kidney_ct_adwunet_segmentation"
        )
    if "segmentation" not in name:
        raise UserError(f"a bundle's name must contain segmentation, by which MONAI Label knows its kind, got {name!r}")


def _configs(source: BundleSource, folder: Path) -> dict[str, str]:
    pieces = read_pieces(folder)
    of_configs = Filler(values=config_values(source.plan), pieces=pieces)
    values = metadata_values(name=source.name, plan=source.plan, task=source.task)
    of_metadata = Filler(values=values, pieces=pieces)
    return {
        f"configs/{name}.json": laid_out((of_metadata if name == "metadata" else of_configs).filled(body))
        for name, body in read_bodies(folder).items()
    }
