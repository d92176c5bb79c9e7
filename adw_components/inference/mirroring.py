"""Test-time augmentation by mirroring."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations
from typing import Any

import torch
from monai.inferers import Inferer


class MirrorInferer(Inferer):
    """Mean of the logits over all mirrorings of the spatial axes (8 passes in 3D), as in nnU-Net.

    Args:
        inferer: runs the network on each mirrored image.
        enabled: False passes the image on as it is.
    """

    def __init__(self, inferer: Inferer, enabled: bool = True) -> None:
        super().__init__()
        self.inferer = inferer
        self.enabled = enabled

    def __call__(
        self, inputs: torch.Tensor, network: Callable[..., torch.Tensor], *args: Any, **kwargs: Any
    ) -> torch.Tensor:
        """inputs: (N, C, *spatial) -> mean logits (N, classes, *spatial)."""
        mirrorings = list(axis_subsets(inputs.ndim - 2)) if self.enabled else [()]
        total: torch.Tensor | None = None
        for axes in mirrorings:
            logits = self._mirrored(inputs, axes, network, *args, **kwargs)
            # In place: the logits of a whole CT take gigabytes.
            total = logits if total is None else total.add_(logits)
        assert total is not None
        return total.div_(len(mirrorings)) if len(mirrorings) > 1 else total

    def _mirrored(self, inputs: torch.Tensor, axes: tuple[int, ...], network: Any, *args: Any, **kwargs: Any) -> Any:
        if not axes:
            return self.inferer(inputs, network, *args, **kwargs)
        return self.inferer(inputs.flip(axes), network, *args, **kwargs).flip(axes)


def axis_subsets(spatial_dims: int) -> list[tuple[int, ...]]:
    """All subsets of the spatial axes of a (N, C, *spatial) tensor, the empty one first."""
    axes = range(2, 2 + spatial_dims)
    return [subset for size in range(spatial_dims + 1) for subset in combinations(axes, size)]
