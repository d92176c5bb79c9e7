"""Collect the facts about its data that the documents of a bundle state. No torch here."""

from __future__ import annotations

import math
import shlex
from collections.abc import Sequence
from typing import Any

from ..describe import by
from ..plan import Plan
from ..record_fields import total_stride
from ..tasks import Task
from .values import config_values
from .wording import about, enumerated, in_markdown, licence_words, normalization_words, stated, without_tags

# In 10^9 bytes, the value of the configs' key.
CACHE_GB = 8
_FOLDS = 5
# dataset.json does not say where Task03's data come from.
_SOURCES = {"Task03_Liver": "see the paper of the MSD, which names the LiTS challenge; dataset.json names no source"}


def data_facts(plan: Plan, task: Task | None) -> dict[str, Any]:
    """The dataset, its preparation and the configs' values, as the templates name them."""
    dataset, quoted = plan.dataset, shlex.quote(plan.dataset.name)
    quick_data = f"data/{quoted}" if task else f"/data/{quoted}"
    return {
        "task": task,
        "task_number": dataset.name.split("_")[0],
        "folder": quoted,
        "quick_data": quick_data,
        "quick_images": quick_data if task or dataset.num_test else f"{quick_data}/imagesTr",
        "structures": task.structures if task else in_markdown(enumerated(dataset.labels[1:])),
        "images": task.images if task else f"images with the {in_markdown(_channel_names(plan))}",
        "channels": in_markdown(_channels(plan)),
        "modality": in_markdown(", ".join(dataset.modality)),
        "labels": in_markdown(_labels(plan, start=0)),
        "foreground": in_markdown(_labels(plan, start=1)),
        "label_values": ", ".join(map(str, range(plan.out_channels))),
        "licence": licence_words(dataset.licence),
        "source": in_markdown(_source(plan)),
        "plain_source": without_tags(_source(plan)),
        "description": in_markdown(stated(dataset.description)),
        "fold_size": _fold_size(dataset.num_training),
        "normalization": [
            {"name": in_markdown(name), "words": normalization_words(channel)}
            for name, channel in zip(dataset.modality, plan.normalization, strict=True)
        ],
        "prepared": _prepared(plan),
    }


def plan_facts(plan: Plan, *, shipped_patch_size: Sequence[int] = ()) -> dict[str, Any]:
    """The plan and what the configs make of it, as the templates name them.

    Args:
        plan: of the data.
        shipped_patch_size: of the weights that ship, if it is not the plan's.
    """
    values = config_values(plan)
    return {
        "plan": plan,
        "dataset": plan.dataset,
        "values": {**values, "shipped_patch_size": list(shipped_patch_size) or values["shipped_patch_size"]},
        "axes": len(plan.strides[0]),
        "patch": by(plan.patch_size),
        "spacing": " x ".join(f"{size:g}" for size in plan.spacing_mm),
        "total_stride": list(total_stride(plan.strides)),
        "dice_loss": "the batch as one image" if plan.batch_dice else "patch by patch",
        "augmentation": _augmentation(plan),
        "cache_gb": CACHE_GB,
    }


def _labels(plan: Plan, start: int) -> str:
    return ", ".join(f"{value} {name}" for value, name in enumerate(plan.dataset.labels) if value >= start)


def _channels(plan: Plan) -> str:
    names = ", ".join(plan.dataset.modality)
    return f"1 channel, {names}" if plan.in_channels == 1 else f"{plan.in_channels} channels, in this order: {names}"


def _channel_names(plan: Plan) -> str:
    return f"channel{'s' if plan.in_channels > 1 else ''} {enumerated(plan.dataset.modality)}"


def _source(plan: Plan) -> str:
    return _SOURCES.get(plan.dataset.name) or stated(plan.dataset.reference) or "not stated in dataset.json"


def _fold_size(cases: int) -> str:
    if cases < _FOLDS:
        return ""
    least, rest = divmod(cases, _FOLDS)
    return f"{least} or {least + 1}" if rest else str(least)


def _prepared(plan: Plan) -> dict[str, Any]:
    """About how much the training cases take: float32 images and an 8-bit label, at the median shape."""
    voxels = plan.dataset.num_training * math.prod(plan.median_shape)
    size = voxels * (4 * plan.in_channels + 1)
    return {"size": about(size / 1e9), "in_memory": size <= CACHE_GB * 1e9}


def _augmentation(plan: Plan) -> str:
    values = config_values(plan)
    zoom = max(values["scale_range"])
    scaled = f"scaling, so that a patch spans {1 - 0.75 * zoom:g} to {1 + zoom:g} of its length"
    if min(values["rotate_range"]) > 0:
        return f"rotation by up to {math.degrees(max(values['rotate_range'])):.0f} degrees about every axis; {scaled}"
    sizes = sorted(plan.patch_size)
    flat = f"since the patch is flat ({sizes[-1]} voxels to {sizes[0]}), in its plane only"
    return f"{flat}: rotation by any angle; {scaled}"
