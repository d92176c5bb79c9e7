"""Bundles from one source: a plan's values, then the bodies of `bundles/common`. No torch here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..architecture import Architecture
from ..click_names import guidance_names
from ..errors import UserError
from ..files import json_text, new_folder, write_text
from ..locks import sole_writer
from ..reference import nnunet_default, published, published_tasks
from .bodies import Filler, read_bodies, read_pieces
from .delivery import in_repository
from .documents import documents
from .layout import laid_out
from .metadata import metadata_values
from .shipped import shipped_with
from .source import BundleSource, check_name
from .values import config_values

BUNDLES = Path(__file__).parents[2] / "bundles"
COMMON = BUNDLES / "common"
# An interactive bundle trains the architecture that the plain bundle's search found; TensorRT is for whole datasets.
_NOT_INTERACTIVE = ("search", "multi_gpu_search", "inference_trt")


def bundle_files(source: BundleSource, common: Path = COMMON) -> dict[str, str]:
    """Path inside the bundle -> text of every file of the bundle; the same on every machine.

    Args:
        source: of the bundle.
        common: folder of the bodies.

    Raises:
        UserError: the bodies are not there, or name a value that a plan does not give; or an interactive bundle has a
            class that nobody could click on.
    """
    if source.interactive:
        guidance_names(config_values(source.plan)["labels"])
    require_source(common, remedy=", or give --common")
    architecture, found = starting_architecture(source, common), shipped_with(source.name, common)
    return {
        **_configs(source, common / "bodies", metrics=found.metrics if found else {}),
        "configs/architecture.json": json_text(architecture.to_dict()) + "\n",
        "configs/plan.json": json_text(source.plan.to_dict()) + "\n",
        "configs/logging.conf": (common / "bodies" / "logging.conf").read_text(encoding="utf-8"),
        "LICENSE": (common / "LICENSE").read_text(encoding="utf-8"),
        **repository_documents(source, common),
    }


def repository_documents(source: BundleSource, common: Path = COMMON) -> dict[str, str]:
    """Path inside the bundle -> text of every document, as it stands in the repository."""
    delivery = in_repository(shipped_with(source.name, common) is not None)
    return documents(source, architecture=starting_architecture(source, common), common=common, delivery=delivery)


def require_source(common: Path, *, remedy: str = "") -> None:
    """Raise a `UserError` unless the source of the bundles is in `common`; `remedy` is one more than a checkout."""
    if not all((common / name).is_file() for name in ("bodies/pieces.json", "docs/README.md.j2")):
        raise UserError(
            f"the source of the bundles is not in {common}; run from a checkout of the repository, installed with "
            f"pip install -e{remedy}"
        )


def starting_architecture(source: BundleSource, common: Path = COMMON) -> Architecture:
    """The shipped result of a search, the published architecture of the task, or nnU-Net's default until then."""
    plan, found = source.plan, shipped_with(source.name, common)
    if found:
        return found.architecture
    if source.task and source.task.name in published_tasks():
        return published(source.task.name)
    default = nnunet_default(strides=plan.strides, kernel_sizes=plan.kernel_sizes)
    provenance = {
        **default.provenance,
        "status": "starting point: no search has replaced it yet",
        "task": plan.dataset.name,
        "plan": "nnU-Net v2's rules, axes in NIfTI order x, y, z",
        "network": {
            "in_channels": source.network_channels,
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


def new_bundle(source: BundleSource, *, output: str | Path, common: Path = COMMON) -> Path:
    """Write a bundle to the folder of its name in `output`, which must not be there yet.

    Raises:
        UserError: the name does not do for a bundle, or the folder holds something.
    """
    check_name(source.name, interactive=source.interactive)
    folder = Path(output) / source.name
    with sole_writer(folder, "bundle"):
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise UserError(
                f"{folder} is there already, maybe with a searched architecture; choose another --name or remove it"
            )
        with new_folder(folder) as temporary:
            write_bundle(source, temporary, common)
    return folder


def _configs(source: BundleSource, folder: Path, *, metrics: Mapping[str, Any]) -> dict[str, str]:
    pieces = read_pieces(folder, interactive=source.interactive)
    of_configs = Filler(values=config_values(source.plan), pieces=pieces)
    values = {**metadata_values(source), "eval_metrics": dict(metrics)}
    of_metadata = Filler(values=values, pieces=pieces)
    return {
        f"configs/{name}.json": laid_out((of_metadata if name == "metadata" else of_configs).filled(body))
        for name, body in read_bodies(folder).items()
        if not (source.interactive and name in _NOT_INTERACTIVE)
    }
