"""One forward and backward pass: the gradients that a batch gives to a group of parameters."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Any

import torch
from monai.inferers import Inferer, SimpleInferer
from torch import nn
from torch.optim import Optimizer

from ..distributed import average_gradients

Batch = tuple[torch.Tensor, torch.Tensor]
Network = Callable[[torch.Tensor], Any]


@dataclass(kw_only=True)
class GradientPass:
    """Takes gradients, and applies them.

    Args:
        parameters: all that a pass may reach; what a pass does not ask for is left out of its graph and costs nothing.
        loss_function: (output of the training forward, target) -> scalar.
        inferer: runs a network on a batch.
        gradient_clip: largest norm of the gradient of a group; None clips nothing.
        autocast: makes the context of a forward pass (mixed precision).
        scaler: gradient scaler of mixed precision, or None.
        check_loss: looks at every loss before its gradient is taken, and may raise.
    """

    parameters: Sequence[nn.Parameter]
    loss_function: Callable[..., torch.Tensor]
    inferer: Inferer = field(default_factory=SimpleInferer)
    gradient_clip: float | None = 12.0
    autocast: Callable[[], AbstractContextManager] = nullcontext
    scaler: Any = None
    check_loss: Callable[[float], float] = float

    def backward(self, network: Network, batch: Batch, parameters: Sequence[nn.Parameter]) -> float:
        """Add the gradient of the loss on `batch` to that of `parameters`; all others are held fixed.

        Args:
            network: what is run: the supernet, or a single path of it.
            batch: images (N, C, *spatial) and labels (N, 1, *spatial).
            parameters: that take the gradient.

        Returns:
            The loss.
        """
        inputs, targets = batch
        with self._only(parameters), self.autocast():
            loss = self.loss_function(self.inferer(inputs, network), targets)
        value = self.check_loss(loss.item())
        scaled = loss if self.scaler is None else self.scaler.scale(loss)
        scaled.backward()
        return value

    @contextmanager
    def _only(self, parameters: Sequence[nn.Parameter]) -> Iterator[None]:
        chosen = {id(parameter) for parameter in parameters}
        others = [other for other in self.parameters if id(other) not in chosen]
        for other in others:
            other.requires_grad_(False)
        try:
            yield
        finally:
            for other in others:
                other.requires_grad_(True)

    def apply(self, *groups: tuple[Optimizer, Sequence[nn.Parameter]]) -> None:
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
