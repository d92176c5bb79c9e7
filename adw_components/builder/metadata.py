"""The values of a bundle's metadata.json, from its plan. No torch here."""

from __future__ import annotations

import math
from typing import Any

from ..plan import Plan
from ..tasks import Task

# Neither z-scores nor logits have a bound of use: round numbers that say the order of magnitude.
_Z_SCORES = (-5.0, 20.0)
_LOGITS = (-100.0, 100.0)


def metadata_values(*, name: str, plan: Plan, task: Task | None) -> dict[str, Any]:
    """Name -> value of everything in metadata.json that depends on the bundle's data.

    Args:
        name: of the bundle.
        plan: of its data.
        task: the MSD task, none for other data.
    """
    classes = ", ".join(f"{value} {label}" for value, label in enumerate(plan.dataset.labels))
    structures = task.structures if task else ", ".join(plan.dataset.labels[1:])
    return {
        "name": _title(name),
        "task": f"Segmentation of {structures}" + (f" in {task.images}" if task else ""),
        "description": _description(plan),
        "data_source": _source(plan, task),
        "data_type": "nibabel",
        "image_classes": f"{plan.in_channels} channel(s): {_channels(plan)}",
        "label_classes": classes,
        "pred_classes": f"logits of {plan.out_channels} classes: {classes}",
        "network_data_format": {"inputs": {"image": _image(plan)}, "outputs": {"pred": _prediction(plan)}},
    }


def _title(name: str) -> str:
    words = name.removesuffix("_adwunet_segmentation").split("_")
    known = {"ct": "CT", "mri": "MRI"}
    title = " ".join([*(known.get(word, word) for word in words), "AdwU-Net segmentation"])
    return title[:1].upper() + title[1:]


def _description(plan: Plan) -> str:
    return (
        "AdwU-Net: a differentiable search of the depth and width of every block of a 3D U-Net, retraining of the "
        f"derived network, evaluation and inference on {plan.dataset.name}"
    )


def _source(plan: Plan, task: Task | None) -> str:
    licence = f" ({plan.dataset.licence})" if plan.dataset.licence else ""
    if task:
        return f"{task.name} of the Medical Segmentation Decathlon, http://medicaldecathlon.com/{licence}"
    return ", ".join(filter(None, [plan.dataset.name, plan.dataset.reference])) + licence


def _channels(plan: Plan) -> str:
    words = {"ct": "clipped and scaled by fixed values", "z_score": "z-scored per image"}
    pairs = zip(plan.dataset.modality, plan.normalization, strict=True)
    return ", ".join(f"{modality} ({words[channel.scheme]})" for modality, channel in pairs)


def _image(plan: Plan) -> dict[str, Any]:
    is_ct = all(channel.scheme == "ct" for channel in plan.normalization)
    return {
        "type": "image",
        "format": "hounsfield" if is_ct else "magnitude",
        "modality": "CT" if is_ct else "MR",
        "num_channels": plan.in_channels,
        "spatial_shape": list(plan.patch_size),
        "dtype": "float32",
        "value_range": _value_range(plan),
        "is_patch_data": True,
        "channel_def": {str(index): modality for index, modality in enumerate(plan.dataset.modality)},
    }


def _value_range(plan: Plan) -> list[float]:
    """What holds the values of every channel after normalization, to one decimal outwards."""
    ranges = [channel.value_range() or _Z_SCORES for channel in plan.normalization]
    low, high = min(low for low, _ in ranges), max(high for _, high in ranges)
    return [math.floor(10 * low) / 10, math.ceil(10 * high) / 10]


def _prediction(plan: Plan) -> dict[str, Any]:
    return {
        "type": "image",
        "format": "segmentation",
        "num_channels": plan.out_channels,
        "spatial_shape": list(plan.patch_size),
        "dtype": "float32",
        "value_range": list(_LOGITS),
        "is_patch_data": True,
        "channel_def": {str(value): label for value, label in enumerate(plan.dataset.labels)},
    }
