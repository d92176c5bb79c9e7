"""The random transforms of a training on its device: workers cut patches, and the rest of it the device does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from monai.bundle import ConfigParser
from monai.data import get_track_meta, set_track_meta
from monai.transforms import Compose, RandAffined

from adw_components.engines.batches import plain_batch

# Kinds of the transforms that stay in the workers: cutting, and choosing what is kept.
_STAYS = ("RandPatchByClassd", "SelectItemsd")


def augment_on_device(parser: ConfigParser, device: torch.device) -> None:
    """Change a training config so that patches are only cut by the workers, and turned, scaled and altered on `device`.

    A turned patch is sampled from the patch itself, where the bundle samples it from the image: its corners are 0. So
    this measures the speed of such a pipeline and is no pipeline to train with.

    Args:
        parser: of `train.json`; nothing is built yet.
        device: of the training.
    """
    transforms: list[dict[str, Any]] = parser["train#random_transforms"]
    cut = next(each for each in transforms if each["_target_"].endswith("RandPatchByClassd"))
    prob, modes = cut["prob"], cut["mode"]
    parser["train#random_transforms"] = [
        {**each, "prob": 0.0} if each is cut else each for each in transforms if each["_target_"].endswith(_STAYS)
    ]
    parser["on_device"] = [each for each in transforms if not each["_target_"].endswith(_STAYS)]
    rotate, scale = (parser.get_parsed_content(name) for name in ("rotate_range", "scale_range"))
    ranges = {"rotate_range": list(rotate), "scale_range": list(scale), "padding_mode": "zeros", "device": device}
    affine = RandAffined(keys=["image", "label"], prob=1 - (1 - prob) ** 2, mode=modes, **ranges)
    parser["train#trainer#prepare_batch"] = OnDevice([affine, *parser.get_parsed_content("on_device")])


class OnDevice:
    """Prepare a batch as MONAI's trainers ask for it, and run transforms on each of its patches there.

    Args:
        transforms: of a dictionary with "image" (C, *patch) and "label" (1, *patch).
    """

    def __init__(self, transforms: Sequence[Any]) -> None:
        self.transforms = Compose(transforms)

    def __call__(
        self, batch: Mapping[str, torch.Tensor], device: Any = None, non_blocking: bool = False, **options: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Images (N, C, *patch) and labels (N, 1, *patch) on the device."""
        images, labels = plain_batch(batch, device, non_blocking, **options)
        tracked = get_track_meta()
        set_track_meta(False)
        try:
            rows = [
                self.transforms({"image": image, "label": label}) for image, label in zip(images, labels, strict=True)
            ]
        finally:
            set_track_meta(tracked)
        return torch.stack([row["image"] for row in rows]), torch.stack([row["label"] for row in rows])
