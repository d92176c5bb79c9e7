"""Batches as the network wants them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from monai.engines.utils import default_prepare_batch


def plain_batch(
    batchdata: Mapping[str, torch.Tensor],
    device: str | torch.device | None = None,
    non_blocking: bool = False,
    **kwargs: Any,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Image and label on the device as plain tensors; every layer would carry a MetaTensor's bookkeeping along.

    Args:
        batchdata: "image" (N, C, *spatial) and "label" (N, 1, *spatial).
        device: where to.
        non_blocking: whether copies may overlap with computing.
        kwargs: further arguments of `Tensor.to`.
    """
    image, label = default_prepare_batch(dict(batchdata), device, non_blocking, **kwargs)
    return _plain(image), _plain(label)


def _plain(tensor: torch.Tensor | Any) -> torch.Tensor:
    return tensor.as_subclass(torch.Tensor)
