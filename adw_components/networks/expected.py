"""Expected cost of the architectures that a supernet's choices describe, differentiable in alpha and beta."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import torch

from ..cost_terms import BlockShape, CostKind, contributions
from ..search_space import SearchSpace
from .supernet import AdwUNetSupernet

# No contribution multiplies more variables: whether a convolution is there, its channels, those of its input.
_MAX_VARIABLES = 3


@dataclass(frozen=True)
class Monomial:
    """A number times variables, named by their index: what the formulas of `cost_terms` give for a supernet."""

    factor: int = 1
    variables: tuple[int, ...] = ()

    def __mul__(self, other: int | Monomial) -> Monomial:
        """The product with a number or a monomial."""
        if isinstance(other, Monomial):
            return Monomial(self.factor * other.factor, self.variables + other.variables)
        return Monomial(self.factor * other, self.variables)

    __rmul__ = __mul__


@dataclass(frozen=True)
class CostTables:
    """Constants of the expected cost of one search space, T contributions in all.

    Args:
        widths: (B, 1, W), candidate widths of every block.
        ends: (max_depth, n_depths), 1 where a candidate depth ends at a convolution.
        coefficients: (T,), the number of every contribution.
        variables: (3, T), indices of what it multiplies; 0 is the constant 1.
    """

    widths: torch.Tensor
    ends: torch.Tensor
    coefficients: torch.Tensor
    variables: torch.Tensor


def expected_cost(
    supernet: AdwUNetSupernet, kind: CostKind, *, patch_size: Sequence[int], tau: torch.Tensor | None = None
) -> torch.Tensor:
    """Mean cost of the architectures that the choices draw with probabilities softmax(logit / tau).

    All convolutions' widths and all depths are independent, and every contribution to a cost multiplies different ones
    of them, so that their expectations multiply and the sum is exact. No noise in any mode. No transfer from or to the
    device after the first call.

    Args:
        supernet: whose alpha, beta and tau count.
        kind: as in `cost_terms.contributions`.
        patch_size: voxels per axis.
        tau: temperature; the supernet's own if None.

    Returns:
        A scalar on the supernet's device, in float32 at least; differentiable in alpha and beta.

    Raises:
        UserError: `patch_size` is not divisible by the strides.
    """
    alpha, beta = _stacked(supernet, "alpha"), _stacked(supernet, "beta")
    tables = _tables(
        supernet.search_space,
        kind,
        (supernet.in_channels, supernet.out_channels),
        tuple(patch_size),
        alpha.device,
        alpha.dtype,
    )
    tau = supernet.tau if tau is None else tau
    first, second, third = _variables(alpha / tau, beta / tau, tables)[tables.variables]
    return (tables.coefficients * first * second * third).sum()


def _stacked(supernet: AdwUNetSupernet, name: str) -> torch.Tensor:
    """Logits of all blocks: alpha (B, max_depth, W) or beta (B, n_depths)."""
    logits = torch.stack([getattr(block.choice, name) for block in supernet.blocks])
    return logits.to(torch.promote_types(logits.dtype, torch.float32))


def _variables(alpha: torch.Tensor, beta: torch.Tensor, tables: CostTables) -> torch.Tensor:
    """The constant 1, then of every block: widths (max_depth), kept (max_depth), out; flat, as `_shapes` counts them.

    Products and sums, not matrix products, which would be rounded to half precision under autocast.
    """
    widths = (alpha.softmax(dim=-1) * tables.widths).sum(dim=-1)
    ends = (beta.softmax(dim=-1).unsqueeze(1) * tables.ends).sum(dim=-1)
    kept = ends.flip(-1).cumsum(dim=-1).flip(-1)
    out = (ends * widths).sum(dim=-1, keepdim=True)
    return torch.cat([torch.ones_like(out[0]), torch.cat([widths, kept, out], dim=1).flatten()])


def _shapes(search_space: SearchSpace) -> tuple[BlockShape, ...]:
    """Blocks whose values are the variables, numbered from 1."""
    depth = search_space.max_depth
    starts = range(1, 1 + search_space.n_blocks * (2 * depth + 1), 2 * depth + 1)
    return tuple(
        BlockShape(
            widths=tuple(Monomial(variables=(start + index,)) for index in range(depth)),
            kept=tuple(Monomial(variables=(start + depth + index,)) for index in range(depth)),
            out=Monomial(variables=(start + 2 * depth,)),
        )
        for start in starts
    )


@lru_cache(maxsize=16)
def _tables(
    search_space: SearchSpace,
    kind: CostKind,
    channels: tuple[int, int],
    patch_size: tuple[int, ...],
    device: torch.device,
    dtype: torch.dtype,
) -> CostTables:
    found = contributions(
        kind,
        _shapes(search_space),
        search_space,
        in_channels=channels[0],
        out_channels=channels[1],
        patch_size=patch_size,
    )
    terms = [term if isinstance(term, Monomial) else Monomial(term) for term in found]
    rows = [(*term.variables, *(0,) * (_MAX_VARIABLES - len(term.variables))) for term in terms]
    ends = [[float(depth == index + 1) for depth in search_space.depths] for index in range(search_space.max_depth)]
    # What is made in inference mode could not be used where gradients are taken.
    with torch.inference_mode(False):
        options: dict[str, Any] = {"device": device, "dtype": dtype}
        return CostTables(
            widths=torch.tensor(search_space.block_widths, **options).unsqueeze(1),
            ends=torch.tensor(ends, **options),
            coefficients=torch.tensor([float(term.factor) for term in terms], **options),
            variables=torch.tensor(rows, device=device).T.contiguous(),
        )
