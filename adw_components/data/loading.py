"""Loading an image with a message that its sender can act on."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any

import torch
from monai.config import KeysCollection
from monai.transforms import LoadImaged

from ..errors import UserError


class LoadSoundImaged(LoadImaged):
    """MONAI's `LoadImaged`, with a `UserError` for what is no image of the task.

    MONAI Label runs a bundle's transforms but none of its checks: this is where a wrong image is refused.

    Args:
        keys: of the images' paths.
        in_channels: channels of an image; a file with `spatial_dims` axes has one, else its last axis holds them.
        spatial_dims: 2 or 3.
        options: of `LoadImaged`.
    """

    def __init__(self, keys: KeysCollection, in_channels: int, spatial_dims: int = 3, **options: Any) -> None:
        super().__init__(keys, **options)
        self.in_channels = in_channels
        self.spatial_dims = spatial_dims

    def __call__(self, data: Mapping[Hashable, Any], reader: Any = None) -> dict[Hashable, Any]:
        """data[key]: path -> (*spatial) or (*spatial, C).

        Raises:
            UserError: a file is missing, unreadable, of another channel count, or holds NaN or infinite voxels.
        """
        paths = {key: Path(str(data[key])) for key in self.key_iterator(dict(data))}
        for key, path in paths.items():
            # A server gives an empty path for an image that it does not know.
            if not data[key] or not path.exists():
                raise UserError(f"{key} must be the path or the name of an image, got {str(data[key])!r}; check it")
        try:
            loaded: dict[Hashable, Any] = super().__call__(data, reader)
        except Exception as error:  # whatever a damaged file makes the decoders raise
            names = ", ".join(path.name for path in paths.values())
            raise UserError(f"{names} cannot be read as an image; download or convert it again") from error
        for key, path in paths.items():
            self._require_sound(path.name, loaded[key])
        return loaded

    def _require_sound(self, name: str, image: torch.Tensor) -> None:
        shape, dims = tuple(image.shape), self.spatial_dims
        channels = {dims: 1, dims + 1: shape[-1]}.get(len(shape), 0)
        if channels != self.in_channels:
            raise UserError(
                f"{name} must have {self.in_channels} channel(s), got shape {shape}; "
                "give an image of the bundle's task, with several channels on the last axis"
            )
        if not math.isfinite(float(image.sum(dtype=torch.float64))):
            raise UserError(f"{name} holds voxels that are NaN or infinite; replace them, say by 0")
