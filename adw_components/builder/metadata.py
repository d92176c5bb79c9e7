"""The values of a bundle's metadata.json, from its plan. No torch here."""

from __future__ import annotations

import logging
import math
from typing import Any

from ..plan import Plan
from ..record_fields import shown
from ..tasks import Task
from .source import INTERACTIVE, PLAIN, BundleSource

logger = logging.getLogger(__name__)

# Neither z-scores nor logits have a bound of use: round numbers that say the order of magnitude.
_Z_SCORES = (-5.0, 20.0)
_LOGITS = (-100.0, 100.0)


def metadata_values(source: BundleSource) -> dict[str, Any]:
    """Name -> value of everything in metadata.json that depends on the bundle's data and kind."""
    plan, task = source.plan, source.task
    classes = ", ".join(f"{value} {label}" for value, label in enumerate(plan.dataset.labels))
    structures = task.structures if task else ", ".join(plan.dataset.labels[1:])
    return {
        "name": _title(source),
        "task": f"Segmentation of {structures}" + (f" in {task.images}" if task else ""),
        "description": _description(source),
        "data_source": _source(plan, task),
        "data_type": "nibabel",
        "image_classes": f"{plan.in_channels} channel(s): {_channels(plan)}{_guidance_words(source)}",
        "label_classes": classes,
        "pred_classes": f"logits of {plan.out_channels} classes: {classes}",
        "network_data_format": {"inputs": {"image": _image(source)}, "outputs": {"pred": _prediction(plan)}},
    }


def _title(source: BundleSource) -> str:
    kind = INTERACTIVE if source.interactive else PLAIN
    words = source.name.removesuffix(f"_adwunet_{kind}").split("_")
    known = {"ct": "CT", "mri": "MRI"}
    last = "AdwU-Net DeepEdit" if source.interactive else "AdwU-Net segmentation"
    title = " ".join([*(known.get(word, word) for word in words), last])
    return title[:1].upper() + title[1:]


def _description(source: BundleSource) -> str:
    plan = source.plan
    if source.interactive:
        return (
            "AdwU-Net with clicks: a searched 3D U-Net that segments on its own and follows an annotator's "
            f"corrections, trained with simulated clicks on {plan.dataset.name}"
        )
    return (
        "AdwU-Net: a differentiable search of the depth and width of every block of a 3D U-Net, retraining of the "
        f"derived network, evaluation and inference on {plan.dataset.name}"
    )


def _source(plan: Plan, task: Task | None) -> str:
    licence = f" ({plan.dataset.licence})" if plan.dataset.licence else ""
    if task:
        return f"{task.name} of the Medical Segmentation Decathlon, http://medicaldecathlon.com/{licence}"
    return _without_ids(", ".join(filter(None, [plan.dataset.name, plan.dataset.reference])) + licence)


def _without_ids(text: str) -> str:
    """`text` with %23 for #, which MONAI turns into :: in every text that it reads."""
    if "#" in text:
        logger.warning("data_source of metadata.json has %%23 for #, which MONAI would turn into ::: %s", shown(text))
    return text.replace("#", "%23")


def _channels(plan: Plan) -> str:
    words = {"ct": "clipped and scaled by fixed values", "z_score": "z-scored per image"}
    pairs = zip(plan.dataset.modality, plan.normalization, strict=True)
    return ", ".join(f"{modality} ({words[channel.scheme]})" for modality, channel in pairs)


def _guidance_words(source: BundleSource) -> str:
    classes = ", ".join(source.plan.dataset.labels)
    return f"; then a guidance channel a class with its clicks: {classes}" if source.interactive else ""


def _image(source: BundleSource) -> dict[str, Any]:
    plan = source.plan
    guidance = [f"clicks on {label}" for label in plan.dataset.labels] if source.interactive else []
    is_ct = all(channel.scheme == "ct" for channel in plan.normalization)
    return {
        "type": "image",
        "format": "hounsfield" if is_ct else "magnitude",
        "modality": "CT" if is_ct else "MR",
        "num_channels": source.network_channels,
        "spatial_shape": list(plan.patch_size),
        "dtype": "float32",
        "value_range": _value_range(plan),
        "is_patch_data": True,
        "channel_def": {str(index): modality for index, modality in enumerate([*plan.dataset.modality, *guidance])},
    }


def _value_range(plan: Plan) -> list[float]:
    """Return a range that holds the values of every channel after normalization, to one decimal outwards."""
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
