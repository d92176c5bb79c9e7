"""SearchSpace: which widths and depths a search chooses from. No torch here."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from .architecture import Architecture
from .errors import UserError
from .record_fields import (
    MOST_CHANNELS,
    MOST_CONVOLUTIONS,
    PerStage,
    check_fields,
    check_format_version,
    checked_geometry,
    positive_integers,
    shown,
    whole_number,
)

FORMAT_VERSION = 1
_MOST_CANDIDATES, _MOST_DOUBLINGS = 32, 12
SearchedChoices = Literal["both", "width", "depth"]


@dataclass(frozen=True, kw_only=True)
class SearchSpace:
    """Candidate widths and depths of every block of a U-Net with `S` stages (paper section 3.1).

    The widths of stage `s` are the base widths times `2 ** min(s, n_doublings)`; a decoder block has the
    widths of the encoder stage at its resolution; a block has `sum(len(base_widths) ** d for d in depths)` candidates.

    Args:
        strides: stride of every encoder stage, as in `Architecture`.
        kernel_sizes: kernel of every stage, as in `Architecture`.
        base_widths: candidate widths at the first stage, rising; a single one fixes the width.
        depths: candidate numbers of convolutions of a block, rising; a single one fixes the depth.
        n_doublings: how often the widths double on the way down.

    Raises:
        UserError: a field is malformed; the message names the field, the value and the rule.
    """

    strides: PerStage
    kernel_sizes: PerStage
    base_widths: tuple[int, ...] = (16, 24, 32, 40, 48)
    depths: tuple[int, ...] = (1, 2, 3)
    n_doublings: int = 3

    def __post_init__(self) -> None:
        strides, kernel_sizes = checked_geometry(self.strides, self.kernel_sizes)
        object.__setattr__(self, "strides", strides)
        object.__setattr__(self, "kernel_sizes", kernel_sizes)
        for name, high in (("base_widths", MOST_CHANNELS), ("depths", MOST_CONVOLUTIONS)):
            values = positive_integers(name, getattr(self, name), high=high, longest=_MOST_CANDIDATES)
            if list(values) != sorted(set(values)):
                raise UserError(f"{name} must rise strictly, got {shown(list(values))}")
            object.__setattr__(self, name, values)
        whole_number("n_doublings", self.n_doublings, high=_MOST_DOUBLINGS)
        widest = self.stage_widths(self.n_stages - 1)[-1]
        if widest > MOST_CHANNELS:
            raise UserError(
                f"base_widths must stay up to {MOST_CHANNELS} channels after {self.n_doublings} doublings, "
                f"got {widest}; give smaller ones"
            )

    @property
    def n_stages(self) -> int:
        """Number of encoder stages, S."""
        return len(self.strides)

    @property
    def spatial_dims(self) -> int:
        """2 or 3."""
        return len(self.strides[0])

    @property
    def n_blocks(self) -> int:
        """2 S - 1: S encoder and S - 1 decoder blocks."""
        return 2 * self.n_stages - 1

    def stage_widths(self, stage: int) -> tuple[int, ...]:
        """Candidate widths at the resolution of encoder stage `stage`, counted from 0."""
        return tuple(width * 2 ** min(stage, self.n_doublings) for width in self.base_widths)

    @property
    def block_stages(self) -> tuple[int, ...]:
        """Stage whose resolution each block has: encoder shallow to deep, then decoder deep to shallow."""
        return (*range(self.n_stages), *range(self.n_stages - 2, -1, -1))

    @property
    def block_widths(self) -> tuple[tuple[int, ...], ...]:
        """Candidate widths of every block, in the order of `block_stages`."""
        return tuple(self.stage_widths(stage) for stage in self.block_stages)

    @property
    def max_depth(self) -> int:
        """Number of convolutions of the deepest candidate."""
        return self.depths[-1]

    @property
    def n_candidates_per_block(self) -> int:
        """Candidates of one block: 155 for 5 widths and depths 1 to 3."""
        return sum(len(self.base_widths) ** depth for depth in self.depths)

    @property
    def n_candidates(self) -> int:
        """Candidates in all: 155 ** 11 for 6 stages."""
        return self.n_candidates_per_block**self.n_blocks

    def __contains__(self, architecture: object) -> bool:
        """Whether a search of this space can derive `architecture`."""
        if not isinstance(architecture, Architecture):
            return False
        same_geometry = (architecture.strides, architecture.kernel_sizes) == (self.strides, self.kernel_sizes)
        return same_geometry and all(
            len(block) in self.depths and set(block) <= set(widths)
            for block, widths in zip(architecture.blocks, self.block_widths, strict=True)
        )

    def architecture(self, blocks: list[tuple[int, ...]], provenance: Mapping[str, Any] | None = None) -> Architecture:
        """The architecture with these widths per block, given in the order of `block_stages`."""
        return Architecture(
            encoder_widths=tuple(blocks[: self.n_stages]),
            decoder_widths=tuple(blocks[self.n_stages :]),
            strides=self.strides,
            kernel_sizes=self.kernel_sizes,
            provenance=provenance or {},
        )

    def sample(self, seed: int) -> Architecture:
        """A random architecture: every depth equally likely, then every width of every convolution."""
        draw = random.Random(seed)
        blocks = [tuple(draw.choice(widths) for _ in range(draw.choice(self.depths))) for widths in self.block_widths]
        return self.architecture(blocks, {"source": "random sample", "seed": seed})

    def uniform(self, *, width: int, depth: int) -> Architecture:
        """The uniformly scaled U-Net of the paper's ablation: one depth and one width index for all blocks.

        Args:
            width: index into `base_widths`.
            depth: number of convolutions of every block, one of `depths`.
        """
        if depth not in self.depths or not 0 <= width < len(self.base_widths):
            raise UserError(
                f"uniform scaling takes a depth of {self.depths} and a width index below {len(self.base_widths)}, "
                f"got depth {depth} and width {width}"
            )
        blocks = [(widths[width],) * depth for widths in self.block_widths]
        return self.architecture(blocks, {"source": "uniform scaling", "width": width, "depth": depth})

    def uniform_scalings(self) -> Iterator[Architecture]:
        """All uniformly scaled U-Nets, from the shallowest and narrowest on."""
        for depth in self.depths:
            for width in range(len(self.base_widths)):
                yield self.uniform(width=width, depth=depth)

    @property
    def smallest(self) -> Architecture:
        """The narrowest and shallowest candidates everywhere."""
        return self.uniform(width=0, depth=self.depths[0])

    @property
    def largest(self) -> Architecture:
        """The widest and deepest candidates everywhere: the network that a supernet of this space computes."""
        return self.uniform(width=len(self.base_widths) - 1, depth=self.max_depth)

    def restricted(self, searched: SearchedChoices) -> SearchSpace:
        """This space with only the depth, only the width, or both left to search (the paper's ablation).

        What is not searched is fixed to its middle candidate (the upper one of two): with the default candidates base
        width 32 and two convolutions, as in nnU-Net.
        """
        if searched == "both":
            return self
        if searched == "depth":
            return replace(self, base_widths=(self.base_widths[len(self.base_widths) // 2],))
        if searched == "width":
            return replace(self, depths=(self.depths[len(self.depths) // 2],))
        raise UserError(f"searched must be both, width or depth, got {searched!r}")

    def to_dict(self) -> dict[str, Any]:
        """The record as plain JSON values."""
        return {
            "format_version": FORMAT_VERSION,
            "base_widths": list(self.base_widths),
            "depths": list(self.depths),
            "n_doublings": self.n_doublings,
            "strides": [list(row) for row in self.strides],
            "kernel_sizes": [list(row) for row in self.kernel_sizes],
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> SearchSpace:
        """The record that `to_dict` gave.

        Raises:
            UserError: a field is missing, unknown or malformed, or the format is a later one.
        """
        check_fields(
            "search space",
            values,
            required=("format_version", "strides", "kernel_sizes", "base_widths", "depths", "n_doublings"),
            optional=(),
        )
        check_format_version("search space", values["format_version"], FORMAT_VERSION)
        return cls(**{name: value for name, value in values.items() if name != "format_version"})
