"""Choices of width and depth: Gumbel softmax over candidates, as masks and mixture weights."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import nn
from torch.nn import functional as F


class Choice(NamedTuple):
    """What one block draws for one forward pass.

    Attributes:
        masks: (max_depth, C), factor of every channel after each convolution: `sum_i g_i M_i`.
        depth: (n_depths,), mixture weights of the candidate depths.
        output_mask: (C,), factor of every channel of the block's output: the masks under the mixture.
    """

    masks: torch.Tensor
    depth: torch.Tensor
    output_mask: torch.Tensor


class BlockChoice(nn.Module):
    """Architecture parameters of one block (paper sections 3.2 and 3.3).

    `alpha` (max_depth, n_widths) chooses the width of every convolution, `beta` (n_depths,) the depth. A
    choice with a single candidate is no parameter but a buffer. All start at zero: every candidate equally likely.

    Args:
        widths: candidate widths, rising.
        depths: candidate depths, rising.
    """

    masks: torch.Tensor
    alpha: torch.Tensor
    beta: torch.Tensor

    def __init__(self, *, widths: Sequence[int], depths: Sequence[int]) -> None:
        super().__init__()
        self.widths, self.depths = tuple(widths), tuple(depths)
        channels = torch.arange(widths[-1])
        masks = torch.stack([(channels < width).to(torch.get_default_dtype()) for width in widths])
        self.register_buffer("masks", masks, persistent=False)
        _register(self, "alpha", torch.zeros(depths[-1], len(widths)), searched=len(widths) > 1)
        _register(self, "beta", torch.zeros(len(depths)), searched=len(depths) > 1)

    def draw(self, tau: torch.Tensor) -> Choice:
        """Candidate weights softmax((logit + noise) / tau); Gumbel(0, 1) noise in training only.

        Args:
            tau: temperature, a scalar tensor.
        """
        masks = self._probabilities(self.alpha, tau) @ self.masks
        depth = self._probabilities(self.beta, tau)
        return Choice(masks, depth, depth @ masks[[n - 1 for n in self.depths]])

    def _probabilities(self, logits: torch.Tensor, tau: torch.Tensor) -> torch.Tensor:
        if not self.training or logits.shape[-1] == 1:
            return F.softmax(logits / tau, dim=-1)
        return F.gumbel_softmax(logits, tau=tau, dim=-1)  # type: ignore[arg-type]  # a tensor divides as well

    def sample(self) -> tuple[int, ...]:
        """Widths of the convolutions of one drawn path: every candidate with probability softmax(logit).

        It is what `draw` tends to as tau falls: the argmax of logit + Gumbel noise follows the softmax of the logits.
        """
        return self._kept(*(torch.distributions.Categorical(logits=row).sample() for row in (self.beta, self.alpha)))

    def derive(self) -> tuple[int, ...]:
        """Widths of the convolutions kept: argmax of beta, then of alpha per kept convolution."""
        return self._kept(self.beta.argmax(), self.alpha.argmax(dim=-1))

    def _kept(self, depth: torch.Tensor, widths: torch.Tensor) -> tuple[int, ...]:
        return tuple(self.widths[index] for index in widths[: self.depths[int(depth)]].tolist())


def _register(module: nn.Module, name: str, logits: torch.Tensor, *, searched: bool) -> None:
    if searched:
        module.register_parameter(name, nn.Parameter(logits))
    else:
        module.register_buffer(name, logits, persistent=False)
