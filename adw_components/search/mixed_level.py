"""The mixed-level step (paper section 3.4): alpha and beta on A and on B, the weights on A."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Any, Literal

import torch
from monai.inferers import Inferer, SimpleInferer
from torch import nn
from torch.optim import Optimizer

from ..distributed import average_gradients
from ..networks import AdwUNetSupernet

StepOrder = Literal["sequential", "simultaneous"]
Batch = tuple[torch.Tensor, torch.Tensor]


@dataclass(frozen=True)
class StepLosses:
    """Losses of one iteration; the architecture losses are None during the warm-up.

    Attributes:
        weights: on A, whose gradient the weights take.
        architecture_a: on A, whose gradient alpha and beta take.
        architecture_b: on B, likewise.
    """

    weights: float
    architecture_a: float | None = None
    architecture_b: float | None = None


@dataclass(kw_only=True)
class MixedLevelStep:
    """Updates of the two groups of parameters of a supernet.

    Args:
        network: the supernet.
        weight_optimizer: over `network.weight_parameters()`.
        architecture_optimizer: over `network.architecture_parameters()`.
        loss_function: (output of the training forward, target) -> scalar.
        inferer: runs the network on a batch.
        gradient_clip: largest norm of the gradient of either group; None clips nothing.
        autocast: makes the context of a forward pass (mixed precision).
        scaler: gradient scaler of mixed precision, or None.
        check_loss: looks at every loss before its gradient is taken, and may raise.
    """

    network: AdwUNetSupernet
    weight_optimizer: Optimizer
    architecture_optimizer: Optimizer
    loss_function: Callable[..., torch.Tensor]
    inferer: Inferer = field(default_factory=SimpleInferer)
    gradient_clip: float | None = 12.0
    autocast: Callable[[], AbstractContextManager] = nullcontext
    scaler: Any = None
    check_loss: Callable[[float], float] = float

    def __post_init__(self) -> None:
        self.weights = self.network.weight_parameters()
        self.architecture = self.network.architecture_parameters()

    def warm_up(self, a: Batch) -> StepLosses:
        """Update the weights alone."""
        return StepLosses(weights=self._update_weights(a))

    def sequential(self, a: Batch, b: Batch) -> StepLosses:
        """The paper's three passes: alpha and beta on A, then on B, then the weights on A."""
        loss_a = self._update_architecture(a)
        loss_b = self._update_architecture(b)
        return StepLosses(self._update_weights(a), loss_a, loss_b)

    def simultaneous(self, a: Batch, b: Batch) -> StepLosses:
        """Two passes in place of three, all gradients taken at one point (docs/decisions/003).

        The pass on A gives the gradients of all parameters, the pass on B adds its own to those of alpha and beta.
        """
        loss_a = self.backward(a, [*self.weights, *self.architecture])
        loss_b = self.backward(b, self.architecture)
        self._apply((self.architecture_optimizer, self.architecture), (self.weight_optimizer, self.weights))
        return StepLosses(loss_a, loss_a, loss_b)

    def _update_architecture(self, batch: Batch) -> float:
        loss = self.backward(batch, self.architecture)
        self._apply((self.architecture_optimizer, self.architecture))
        return loss

    def _update_weights(self, batch: Batch) -> float:
        loss = self.backward(batch, self.weights)
        self._apply((self.weight_optimizer, self.weights))
        return loss

    def backward(self, batch: Batch, parameters: Sequence[nn.Parameter]) -> float:
        """Add the gradient of the loss on `batch` to that of `parameters`; all others are held fixed.

        Args:
            batch: images (N, C, *spatial) and labels (N, 1, *spatial).

        Returns:
            The loss.
        """
        inputs, targets = batch
        with self._only(parameters), self.autocast():
            loss = self.loss_function(self.inferer(inputs, self.network), targets)
        value = self.check_loss(loss.item())
        scaled = loss if self.scaler is None else self.scaler.scale(loss)
        scaled.backward()
        return value

    @contextmanager
    def _only(self, parameters: Sequence[nn.Parameter]) -> Iterator[None]:
        """Leave the other group out of the graph, so that its gradients cost nothing."""
        chosen = {id(parameter) for parameter in parameters}
        others = [other for other in (*self.weights, *self.architecture) if id(other) not in chosen]
        for other in others:
            other.requires_grad_(False)
        try:
            yield
        finally:
            for other in others:
                other.requires_grad_(True)

    def _apply(self, *groups: tuple[Optimizer, list[nn.Parameter]]) -> None:
        """Step the optimizers on the gradients that their parameters have, and clear these."""
        for optimizer, parameters in groups:
            average_gradients(parameters)
            if self.scaler is not None:
                self.scaler.unscale_(optimizer)
            if self.gradient_clip is not None:
                nn.utils.clip_grad_norm_(parameters, self.gradient_clip)
            optimizer.step() if self.scaler is None else self.scaler.step(optimizer)
            optimizer.zero_grad(set_to_none=True)
        if self.scaler is not None:
            self.scaler.update()
