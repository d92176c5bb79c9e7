"""The transform that turns the clicks of a request into guidance channels of its image."""

from __future__ import annotations

import logging
from collections.abc import Hashable, Mapping
from functools import partial
from typing import Any

import torch
from monai.config import KeysCollection
from monai.data import MetaTensor
from monai.transforms import MapTransform
from monai.utils import MetaKeys

from ..click_names import guidance_names
from ..errors import UserError
from .clicks import Point, clicks_in_grid, read_clicks, require_inside
from .guidance import check_sigma, guidance_channels, voxel_in_grid

logger = logging.getLogger(__name__)

Clicks = tuple[tuple[Point, ...], ...]


class AddClickGuidanced(MapTransform):
    """Append a guidance channel for background and for every label to an image.

    To follow the transforms that bring an image into the network's grid. The clicks lie among the data, as MONAI Label
    sends them (`read_clicks`), in voxels of the stored image; without any the guidance is 0. A click on what cropping
    took away is left out with a warning. The image keeps its metadata and its list of applied transforms, so that
    predictions go back to the stored grid as without guidance.

    Args:
        keys: of one image, a `MetaTensor` (C, x, y, z) of floating-point numbers.
        labels: label value -> name, background left out.
        sigma: of the Gaussian around a click, voxels of the network's grid.

    Raises:
        UserError: an argument is malformed, clicks are, or one lies outside the stored image.
    """

    def __init__(self, keys: KeysCollection, *, labels: Mapping[str, str], sigma: float) -> None:
        super().__init__(keys)
        if len(self.keys) != 1:
            raise UserError(f"AddClickGuidanced must have the key of one image, got {list(self.keys)}")
        check_sigma(sigma)
        self.names = guidance_names(labels)
        self.sigma = sigma

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """data[key]: (C, x, y, z) -> (C + 1 + labels, x, y, z)."""
        values = dict(data)
        for key in self.key_iterator(values):
            values[key] = self._guided(values[key], read_clicks(data, self.names))
        return values

    def _guided(self, image: Any, clicks: Clicks) -> MetaTensor:
        _check_image(image)
        clicks = self._in_grid(clicks, image) if any(clicks) else clicks
        guidance = guidance_channels(clicks, shape=image.shape[1:], sigma=self.sigma)
        joined = torch.cat([image.as_tensor(), guidance.to(image.device, image.dtype)])
        # The constructor copies what it is given.
        return MetaTensor(joined, meta=image.meta, applied_operations=image.applied_operations)

    def _in_grid(self, clicks: Clicks, image: MetaTensor) -> Clicks:
        """Clicks on the stored image as voxels of `image`."""
        original_affine, shape = _stored(image, MetaKeys.ORIGINAL_AFFINE), _stored(image, MetaKeys.SPATIAL_SHAPE)
        require_inside(clicks, self.names, [int(length) for length in shape][:3])
        to_grid = partial(voxel_in_grid, original_affine=original_affine, affine=image.affine, shape=image.shape[1:])
        mapped = clicks_in_grid(clicks, to_grid=to_grid)
        for name, given, kept in zip(self.names, clicks, mapped, strict=True):
            if len(kept) < len(given):
                lost = len(given) - len(kept)
                logger.warning("%d of %d clicks of %s left out: on the border that is cropped", lost, len(given), name)
        return mapped


def _check_image(image: Any) -> None:
    if not isinstance(image, MetaTensor):
        raise UserError(
            f"click guidance needs an image with metadata (MetaTensor), got {type(image).__name__}; "
            "put AddClickGuidanced after LoadImaged and keep MONAI's metadata tracking on"
        )
    if image.ndim != 4 or not image.is_floating_point():
        raise UserError(
            f"click guidance needs a floating-point image (C, x, y, z), got {image.dtype} of shape "
            f"{tuple(image.shape)}; put AddClickGuidanced after EnsureChannelFirstd and EnsureTyped"
        )


def _stored(image: MetaTensor, field: str) -> Any:
    """What LoadImaged noted of the stored image."""
    value = image.meta.get(field)
    if value is None or isinstance(value, str):  # collating makes the text "none" of None
        raise UserError(
            f"a click needs the stored image's {field}, got none in the metadata; load the image with LoadImaged from "
            "a file that has an affine, such as NIfTI"
        )
    return value
