"""Test-time augmentation by mirroring."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import combinations
from typing import Any

import torch
from monai.inferers import Inferer

from ..errors import UserError


class MirrorInferer(Inferer):
    """Mean of the logits over all mirrorings of some spatial axes (8 passes for all three), as in nnU-Net.

    Args:
        inferer: runs the network on each mirrored image.
        enabled: False passes the image on as it is.
        axes: spatial axes that are mirrored, from 0; None for all of them.

    Raises:
        UserError: an axis is not from 0 to 2, or there twice.
    """

    def __init__(self, inferer: Inferer, enabled: bool = True, axes: Sequence[int] | None = None) -> None:
        super().__init__()
        if axes is not None and (not set(axes) <= {0, 1, 2} or len(set(axes)) < len(axes)):
            raise UserError(f"mirror_axes must be different axes from 0 to 2, got {list(axes)}")
        self.axes = axes
        self.inferer = inferer
        self.enabled = enabled

    def __call__(
        self, inputs: torch.Tensor, network: Callable[..., torch.Tensor], *args: Any, **kwargs: Any
    ) -> torch.Tensor:
        """inputs: (N, C, *spatial) -> mean logits (N, classes, *spatial)."""
        axes = range(inputs.ndim - 2) if self.axes is None else self.axes
        mirrorings = axis_subsets(axes) if self.enabled else [()]
        total: torch.Tensor | None = None
        for mirrored in mirrorings:
            logits = self._mirrored(inputs, mirrored, network, *args, **kwargs)
            # In place: the logits of a whole CT take gigabytes.
            total = logits if total is None else total.add_(logits)
        assert total is not None
        return total.div_(len(mirrorings)) if len(mirrorings) > 1 else total

    def _mirrored(self, inputs: torch.Tensor, axes: tuple[int, ...], network: Any, *args: Any, **kwargs: Any) -> Any:
        if not axes:
            return self.inferer(inputs, network, *args, **kwargs)
        return self.inferer(inputs.flip(axes), network, *args, **kwargs).flip(axes)


def axis_subsets(axes: Sequence[int]) -> list[tuple[int, ...]]:
    """All subsets of spatial axes, the empty one first, as axes of a (N, C, *spatial) tensor."""
    ours = [axis + 2 for axis in axes]
    return [subset for size in range(len(ours) + 1) for subset in combinations(ours, size)]
