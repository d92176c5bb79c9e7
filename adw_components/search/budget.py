"""The steps that lead the expected cost of a supernet to a target."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch.optim import Optimizer

from ..cost_target import CostTarget
from ..networks import AdwUNetSupernet
from ..networks.expected import expected_costs


class CostSteering:
    """Steps of alpha and beta toward a target of `E[cost]`, beside the optimizer's down the loss.

    A step goes along the slope of `sum_b log E[cost of block b]`, in which every block gives the same share of its own
    cost, as in uniform scaling, and as far as closes the share `rate` of `log(E[cost] / target)`, were the cost linear.
    Down the slope of the cost itself the blocks at full resolution, which cost most, would give all. It is decoupled
    from the optimizer, as AdamW decouples weight decay: in Adam's moments a penalty, far larger than the loss at first,
    would hold back what the loss asks for later (docs/decisions/014).

    The expectation is under softmax(logit / min(tau, 1)): softmax(logit), with which a candidate is sampled, until tau
    is below 1, and then the noise-free mixture, which becomes the derived architecture as tau falls.

    Args:
        network: the supernet.
        optimizer: of alpha and beta; no number moves farther in a step than its learning rate, which is about what Adam
            moves it at most.
        patch_size: voxels per axis at which the cost is counted.
        rate: share of the distance, in the logarithm, that a step closes.
    """

    def __init__(
        self, *, network: AdwUNetSupernet, optimizer: Optimizer, patch_size: Sequence[int], rate: float
    ) -> None:
        self.network = network
        self.optimizer = optimizer
        self.patch_size = tuple(patch_size)
        self.rate = rate
        self.target: CostTarget | None = None

    def expected(self) -> torch.Tensor:
        """Expected cost in the target's unit; a scalar."""
        return self._expected_of_blocks().sum()

    def _expected_of_blocks(self) -> torch.Tensor:
        assert self.target is not None
        tau = self.network.tau.clamp(max=1.0)
        return expected_costs(self.network, self.target.kind, patch_size=self.patch_size, tau=tau)

    def step(self) -> None:
        """Take one step; none without a target."""
        if self.target is None:
            return
        parameters = self.network.architecture_parameters()
        costs = self._expected_of_blocks()
        distance = (costs.sum() / self.target.value).log()
        slopes = torch.autograd.grad(distance, parameters, retain_graph=True)
        ways = torch.autograd.grad(costs.log().sum(), parameters)
        gain = torch.stack([(slope * way).sum() for slope, way in zip(slopes, ways, strict=True)]).sum()
        steepest = torch.stack([way.abs().max() for way in ways]).max()
        # Saturated choices have no slope, which leaves them alone.
        length = self.rate * distance.detach() / gain.clamp(min=1e-20)
        length = length.clamp(-self._farthest / steepest, self._farthest / steepest)
        with torch.no_grad():
            for parameter, way in zip(parameters, ways, strict=True):
                parameter.sub_(length * way)

    @property
    def _farthest(self) -> float:
        return self.optimizer.param_groups[0]["lr"]
