"""The mixed-level step (paper section 3.4): alpha and beta on A and on B, the weights on A."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import Literal

import torch
from torch.optim import Optimizer

from ..networks import AdwUNetSupernet
from .gradient_pass import Batch, GradientPass, Network
from .sandwich import path_of

StepOrder = Literal["sequential", "simultaneous"]
WeightStep = Literal["mixture", "single_path"]


@dataclass(frozen=True)
class StepLosses:
    """Losses of one iteration; those of passes that it did not take are None.

    Attributes:
        weights: on A, whose gradient the weights take.
        architecture_a: on A, whose gradient alpha and beta take.
        architecture_b: on B, likewise.
    """

    weights: float
    architecture_a: float | None = None
    architecture_b: float | None = None


def mean_losses(losses: Sequence[StepLosses]) -> dict[str, float | None]:
    """Mean of each loss over the iterations that took it; None where none did."""
    means: dict[str, float | None] = {}
    for name in fields(StepLosses):
        taken = [value for value in (getattr(row, name.name) for row in losses) if value is not None]
        means[name.name] = math.fsum(taken) / len(taken) if taken else None
    return means


class MixedLevelStep:
    """Updates of the two groups of parameters of a supernet.

    The two settings give four iterations after the warm-up. `sequential` updates alpha and beta on A, then on B, then
    the weights on A: the paper's three passes. `simultaneous` takes all gradients at one point
    (docs/decisions/003): with `mixture` weights, the pass on A gives those of all parameters and the pass on B adds
    its own to those of alpha and beta; with a `single_path`, the weights take one pass through one architecture on A,
    and alpha and beta one pass of the mixture, on A and on B in turn.

    Args:
        network: the supernet.
        weight_optimizer: over `network.weight_parameters()`.
        architecture_optimizer: over `network.architecture_parameters()`.
        step_order: "sequential" or "simultaneous".
        weight_step: "mixture" trains the weights as the mixture of all candidates, "single_path" one architecture at a
            time, see `sandwich.CYCLE`.
        architecture_interval: alpha and beta are updated in the first of every so many iterations.
        steer: called after every update of alpha and beta, such as `CostSteering.step`, or None.
        options: further arguments of `GradientPass`, such as `loss_function`.
    """

    def __init__(
        self,
        *,
        network: AdwUNetSupernet,
        weight_optimizer: Optimizer,
        architecture_optimizer: Optimizer,
        step_order: StepOrder = "simultaneous",
        weight_step: WeightStep = "mixture",
        architecture_interval: int = 1,
        steer: Callable[[], None] | None = None,
        **options: object,
    ) -> None:
        self.network = network
        self.weights, self.architecture = network.weight_parameters(), network.architecture_parameters()
        self.weight_optimizer, self.architecture_optimizer = weight_optimizer, architecture_optimizer
        self.step_order, self.weight_step = step_order, weight_step
        self.architecture_interval, self.steer = architecture_interval, steer
        parameters = (*self.weights, *self.architecture)
        self.gradients = GradientPass(parameters=parameters, **options)  # type: ignore[arg-type]

    def warm_up(self, a: Batch, *, iteration: int = 0) -> StepLosses:
        """Update the weights alone; `iteration` is counted from 0."""
        loss = self._weight_gradients(a, iteration)
        self.gradients.apply((self.weight_optimizer, self.weights))
        return StepLosses(weights=loss)

    def search(self, a: Batch, next_b: Callable[[], Batch], *, iteration: int = 0) -> StepLosses:
        """One iteration after the warm-up.

        Args:
            a: batch of split A.
            next_b: gives a batch of split B; it is asked only when one is needed.
            iteration: counted from 0.
        """
        turn, rest = divmod(iteration, self.architecture_interval)
        if rest:
            return self.warm_up(a, iteration=iteration)
        if self.step_order == "sequential":
            return self._sequential(a, next_b(), iteration)
        if self.weight_step == "mixture":
            return self._simultaneous(a, next_b())
        return self._in_turn(a, next_b if turn % 2 else None, iteration)

    def _sequential(self, a: Batch, b: Batch, iteration: int) -> StepLosses:
        losses = []
        for batch in (a, b):
            losses.append(self._architecture_gradients(batch))
            self.gradients.apply((self.architecture_optimizer, self.architecture))
            self._steer()
        return StepLosses(self.warm_up(a, iteration=iteration).weights, *losses)

    def _simultaneous(self, a: Batch, b: Batch) -> StepLosses:
        loss_a = self.gradients.backward(self.network, a, [*self.weights, *self.architecture])
        loss_b = self._architecture_gradients(b)
        self._apply_all()
        return StepLosses(loss_a, loss_a, loss_b)

    def _in_turn(self, a: Batch, next_b: Callable[[], Batch] | None, iteration: int) -> StepLosses:
        loss = self._weight_gradients(a, iteration)
        if next_b is None:
            losses = StepLosses(loss, architecture_a=self._architecture_gradients(a))
        else:
            losses = StepLosses(loss, architecture_b=self._architecture_gradients(next_b()))
        self._apply_all()
        return losses

    def _weight_gradients(self, batch: Batch, iteration: int) -> float:
        loss = self.gradients.backward(self._trained(iteration), batch, self.weights)
        for weight in self.weights:
            # What the path leaves out has no gradient: 0, as the channels that slicing leaves out have.
            weight.grad = torch.zeros_like(weight) if weight.grad is None else weight.grad
        return loss

    def _trained(self, iteration: int) -> Network:
        if self.weight_step == "mixture":
            return self.network
        return self.network.path(path_of(self.network, iteration))

    def _architecture_gradients(self, batch: Batch) -> float:
        return self.gradients.backward(self.network, batch, self.architecture)

    def _apply_all(self) -> None:
        self.gradients.apply((self.architecture_optimizer, self.architecture), (self.weight_optimizer, self.weights))
        self._steer()

    def _steer(self) -> None:
        if self.steer is not None:
            self.steer()
