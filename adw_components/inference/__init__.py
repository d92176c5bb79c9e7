"""Prediction: several checkpoints, mirroring, label maps with the image's own header."""

from .model_folder import (
    architecture_of,
    mirror_axes_of,
    patch_size_of,
    require_other_folder,
    require_same_preparation,
)

__all__ = [
    "architecture_of",
    "mirror_axes_of",
    "patch_size_of",
    "require_other_folder",
    "require_same_preparation",
]
