"""The steps that lead the expected cost of a supernet to a target."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch.optim import Optimizer

from ..cost_target import CostTarget
from ..networks import AdwUNetSupernet
from ..networks.expected import expected_cost

# Numbers that the loss hardly sees count as if their gradient were this share of the root mean square of all.
_LEAST_SCALE = 0.1


class CostSteering:
    """Steps of alpha and beta toward a target of `E[cost]`, beside the optimizer's down the loss.

    A step goes down the slope of `log E[cost]` divided by Adam's scale of every number, the root of its second
    moment, and as far as closes the share `rate` of `log(E[cost] / goal)`, were the cost linear. Adam divides the
    loss's slope by the same scale, so that the two come to rest where `grad loss = -lambda grad cost` with one lambda
    for all choices: where the last FLOP costs the same loss everywhere. Down the bare slope, blocks at full
    resolution would give everything; a penalty inside Adam, far larger than the loss at first, would stay in its
    moments and hold back what the loss asks for later (docs/decisions/014).

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
        ways = [slope / scale for slope, scale in zip(slopes, self._scales(parameters), strict=True)]
        gain = torch.stack([(slope * way).sum() for slope, way in zip(slopes, ways, strict=True)]).sum()
        steepest = torch.stack([way.abs().max() for way in ways]).max()
        farthest = self.optimizer.param_groups[0]["lr"] / steepest
        # Saturated choices have no slope, which leaves them alone.
        length = (self.rate * distance.detach() / gain.clamp(min=1e-20)).clamp(-farthest, farthest)
        with torch.no_grad():
            for parameter, way in zip(parameters, ways, strict=True):
                parameter.sub_(length * way)

    def _scales(self, parameters: Sequence[torch.Tensor]) -> list[torch.Tensor]:
        """What Adam divides the gradient of the loss by, but for a common factor; 1 before its first step."""
        states = [self.optimizer.state.get(parameter, {}) for parameter in parameters]
        if not all("exp_avg_sq" in state for state in states):
            return [torch.ones_like(parameter) for parameter in parameters]
        moments = [state["exp_avg_sq"] for state in states]
        mean = torch.cat([moment.flatten() for moment in moments]).mean().clamp(min=1e-30).sqrt()
        return [moment.sqrt().clamp(min=_LEAST_SCALE * mean) / mean for moment in moments]
