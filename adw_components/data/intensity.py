"""Intensity normalization by channel, as a plan has it."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import torch
from monai.config import KeysCollection
from monai.transforms import MapTransform, NormalizeIntensity, ScaleIntensityRange, Transform

from ..errors import UserError
from ..normalization import Normalization


class NormalizeChannelsd(MapTransform):
    """Normalize every channel of an image by its own scheme.

    Args:
        keys: of the images, (C, *spatial).
        channels: for every channel the fields of a `Normalization`, such as {"scheme": "z_score", "nonzero": false}.

    Raises:
        UserError: a field is malformed, or an image has another number of channels.
    """

    def __init__(self, keys: KeysCollection, channels: Sequence[Mapping[str, Any]]) -> None:
        super().__init__(keys)
        if not isinstance(channels, Sequence) or isinstance(channels, str):
            raise UserError(f"normalization must be a list with an entry a channel, got {channels!r}")
        self.channels = [_transform(Normalization.from_dict(fields)) for fields in channels]

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """data[key]: (C, *spatial) -> the same, float32."""
        values = dict(data)
        for key in self.key_iterator(values):
            values[key] = self._normalized(values[key])
        return values

    def _normalized(self, image: torch.Tensor) -> torch.Tensor:
        if len(image) != len(self.channels):
            raise UserError(
                f"normalization must have an entry a channel, got {len(self.channels)} for {len(image)} channel(s)"
            )
        image = image.to(torch.float32, copy=True)
        for index, transform in enumerate(self.channels):
            image[index : index + 1] = transform(image[index : index + 1])
        return image


def _transform(channel: Normalization) -> Transform:
    limits = channel.value_range()
    if limits is None or channel.low is None or channel.high is None:
        return NormalizeIntensity(nonzero=channel.nonzero)
    # Clipping and then (x - mean) / std is one linear map of the clipped range.
    return ScaleIntensityRange(a_min=channel.low, a_max=channel.high, b_min=limits[0], b_max=limits[1], clip=True)
