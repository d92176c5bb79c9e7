"""The region of an image that is worth keeping."""

from __future__ import annotations

import torch


def is_nonzero(image: torch.Tensor) -> torch.Tensor:
    """Where an image is not 0; everywhere if it is 0 throughout, so that something is left to crop to.

    Args:
        image: (C, *spatial).

    Returns:
        Mask of the same shape.
    """
    mask = image != 0
    return mask if bool(mask.any()) else torch.ones_like(mask)
