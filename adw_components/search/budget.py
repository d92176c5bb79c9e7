"""The penalty that leads the expected cost of a supernet to a target."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from ..cost_target import CostTarget
from ..networks import AdwUNetSupernet
from ..networks.expected import expected_cost


class CostPenalty:
    """`weight * log(E[cost] / target) ** 2`, whose gradient steers alpha and beta.

    The expectation is that of the noise-free mixture, softmax(logit / tau): as tau falls it becomes the cost of the
    architecture that would be derived. The logarithm makes half of the target as bad as its double, in any unit.

    Args:
        network: the supernet.
        patch_size: voxels per axis at which the cost is counted.
        weight: factor of the penalty.
    """

    def __init__(self, *, network: AdwUNetSupernet, patch_size: Sequence[int], weight: float) -> None:
        self.network = network
        self.patch_size = tuple(patch_size)
        self.weight = weight
        self.target: CostTarget | None = None

    def expected(self) -> torch.Tensor:
        """Expected cost in the target's unit."""
        assert self.target is not None
        return expected_cost(self.network, self.target.kind, patch_size=self.patch_size)

    def __call__(self) -> torch.Tensor:
        """The penalty, a scalar."""
        assert self.target is not None
        return self.weight * (self.expected() / self.target.value).log().square()
