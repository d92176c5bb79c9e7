"""The steps that lead the expected cost of a supernet to a target."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch.optim import Optimizer

from ..cost_target import CostTarget
from ..networks import AdwUNetSupernet
from ..networks.expected import expected_cost

# A choice whose slope is a smaller share of the steepest one's moves less than that one, in proportion.
_FLAT = 0.01
# Slopes of log(E[cost]) below this are those of settled choices, whatever the others' are.
_SETTLED = 1e-6


class CostSteering:
    """Steps of alpha and beta toward a target of `E[cost]`, beside the optimizer's down the loss.

    A step goes down the slope of `log E[cost]`, which is scaled to the same largest number in every choice (a row of
    alpha, a beta), and as far as closes the share `rate` of `log(E[cost] / target)`, were the cost linear. Adam too
    moves all choices about equally far, whatever their gradients: down the bare slope, those with the steepest, depths
    and blocks at full resolution, would give everything, while Adam makes good what the others give. The step is
    decoupled from the optimizer, as AdamW decouples weight decay: in Adam's moments a penalty, far larger than the loss
    at first, would hold back what the loss asks for later (docs/decisions/014).

    The target is approached: what a step aims at goes from the cost of undecided choices to the target, evenly in the
    logarithm, as `progress` goes from 0 to 1. The loss can so say first what it needs, and what it cares for least
    gives way; aimed at from the start, all choices are pushed to the cheap side before they have been compared.

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
        self.progress = 1.0

    def expected(self) -> torch.Tensor:
        """Expected cost in the target's unit; a scalar."""
        return self._expected(self.network.tau.clamp(max=1.0))

    def goal(self) -> torch.Tensor:
        """What a step now aims at, in the target's unit; a scalar."""
        assert self.target is not None
        if self.progress >= 1:
            return self.network.tau.new_tensor(self.target.value)
        with torch.no_grad():
            undecided = self._expected(torch.full_like(self.network.tau, torch.inf))
        return undecided * (self.target.value / undecided) ** self.progress

    def _expected(self, tau: torch.Tensor) -> torch.Tensor:
        assert self.target is not None
        return expected_cost(self.network, self.target.kind, patch_size=self.patch_size, tau=tau)

    def step(self) -> None:
        """Take one step; none without a target."""
        if self.target is None:
            return
        parameters = self.network.architecture_parameters()
        distance = (self.expected() / self.goal()).log()
        slopes = torch.autograd.grad(distance, parameters)
        ways = _levelled(slopes)
        gain = torch.stack([(slope * way).sum() for slope, way in zip(slopes, ways, strict=True)]).sum()
        farthest = self.optimizer.param_groups[0]["lr"]
        length = (self.rate * distance.detach() / gain.clamp(min=1e-20)).clamp(-farthest, farthest)
        with torch.no_grad():
            for parameter, way in zip(parameters, ways, strict=True):
                parameter.sub_(length * way)


def _levelled(slopes: Sequence[torch.Tensor]) -> list[torch.Tensor]:
    """The slopes, scaled to 1 at the largest of every choice; less where that is next to nothing."""
    largest = [slope.abs().amax(dim=-1, keepdim=True) for slope in slopes]
    floor = (_FLAT * torch.stack([each.max() for each in largest]).max()).clamp(min=_SETTLED)
    return [slope / each.maximum(floor) for slope, each in zip(slopes, largest, strict=True)]
