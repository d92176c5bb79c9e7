"""Landing: the derived architecture is brought to the cost target by the changes that are regretted least."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from ..architecture import Architecture
from ..cost_target import CostTarget
from ..cost_terms import contributions, exact_shapes
from ..search_space import SearchSpace

# Relative distance from a target that is good enough.
TOLERANCE = 0.05
# Indices of the widths of the convolutions that a block keeps.
BlockState = tuple[int, ...]


class Landing(NamedTuple):
    """Where a search landed.

    Attributes:
        architecture: the record.
        changes: in how many steps it was changed from what the paper derives, each one width or one depth.
    """

    architecture: Architecture
    changes: int


class Option(NamedTuple):
    """One change of one block, and what it leads to.

    Attributes:
        blocks: all blocks after it.
        regret: logits that it gives up.
        offset: relative distance of the cost from the target, with its sign.
    """

    blocks: tuple[BlockState, ...]
    regret: float
    offset: float


class Lander:
    """Changes architectures of a search space toward a target.

    Args:
        search_space: in which the architectures are.
        alpha: logits of the widths, [block][convolution][width], as `AdwUNetSupernet.logits` gives them.
        beta: logits of the depths, [block][depth].
        target: the cost to land on.
        network: in_channels, out_channels and patch_size.
    """

    def __init__(
        self,
        *,
        search_space: SearchSpace,
        alpha: Sequence[Sequence[Sequence[float]]],
        beta: Sequence[Sequence[float]],
        target: CostTarget,
        network: Mapping[str, Any],
    ) -> None:
        self.search_space, self.alpha, self.beta = search_space, alpha, beta
        self.target, self.network = target, dict(network)

    def start(self) -> tuple[BlockState, ...]:
        """What the paper derives: argmax of beta, then of alpha per kept convolution (section 3.4)."""
        depths = [self.search_space.depths[_argmax(row)] for row in self.beta]
        return tuple(tuple(map(_argmax, rows[:depth])) for rows, depth in zip(self.alpha, depths, strict=True))

    def widths(self, blocks: Sequence[BlockState]) -> list[tuple[int, ...]]:
        """The widths that the indices name."""
        candidates = self.search_space.block_widths
        return [tuple(widths[index] for index in state) for state, widths in zip(blocks, candidates, strict=True)]

    def offset(self, blocks: Sequence[BlockState]) -> float:
        """Cost over target, less 1."""
        shapes = exact_shapes(self.widths(blocks))
        return sum(contributions(self.target.kind, shapes, self.search_space, **self.network)) / self.target.value - 1

    def single_changes(self, blocks: tuple[BlockState, ...]) -> Iterator[Option]:
        """Block by block: every other width of every convolution, then every other depth."""
        for index, state in enumerate(blocks):
            for changed in (*self._other_widths(state), *self._other_depths(index, state)):
                yield self._option(blocks, index, changed)

    def deeper(self, blocks: tuple[BlockState, ...]) -> Iterator[Option]:
        """Block by block: every larger depth with every width of the convolutions that are added, the same for all.

        A convolution with its favoured, narrow width may make a network cheaper, since its block gives fewer channels.
        """
        for index, state in enumerate(blocks):
            for depth in self.search_space.depths:
                if depth > len(state):
                    for width in range(len(self.search_space.base_widths)):
                        yield self._option(blocks, index, (*state, *(width,) * (depth - len(state))))

    def _option(self, blocks: tuple[BlockState, ...], index: int, changed: BlockState) -> Option:
        after = (*blocks[:index], changed, *blocks[index + 1 :])
        regret = self._regret(index, changed) - self._regret(index, blocks[index])
        return Option(after, regret, self.offset(after))

    def _other_widths(self, state: BlockState) -> Iterator[BlockState]:
        for position in range(len(state)):
            for width in range(len(self.search_space.base_widths)):
                if width != state[position]:
                    yield (*state[:position], width, *state[position + 1 :])

    def _other_depths(self, index: int, state: BlockState) -> Iterator[BlockState]:
        for depth in self.search_space.depths:
            if depth != len(state):
                yield (*state, *map(_argmax, self.alpha[index][len(state) :]))[:depth]

    def _regret(self, index: int, state: BlockState) -> float:
        """Logits that a block gives up: of its depth, and of the widths of the convolutions that it keeps."""
        alpha, beta = self.alpha[index], self.beta[index]
        given_up = (max(logits) - logits[width] for logits, width in zip(alpha, state, strict=False))
        return max(beta) - beta[self.search_space.depths.index(len(state))] + sum(given_up)


def land(
    search_space: SearchSpace,
    alpha: Sequence[Sequence[Sequence[float]]],
    beta: Sequence[Sequence[float]],
    target: CostTarget,
    *,
    in_channels: int,
    out_channels: int,
    patch_size: Sequence[int],
    tolerance: float = TOLERANCE,
) -> Landing:
    """The architecture that alpha and beta favour, changed until its exact cost is the target's.

    It starts from what the paper derives. While the cost is off by more than the tolerance, the change is taken that
    gives up least of the logits for what it gains of the way, among those that come closer and do not end beyond the
    tolerance on the other side; where there is none, the one that ends nearest. A convolution that is added has its
    favoured width, or another one where nothing else comes closer. It stops early where no change at all comes closer.
    Of equal changes the first is taken.

    Args:
        search_space: to stay in.
        alpha: logits of the widths, [block][convolution][width], as `AdwUNetSupernet.logits` gives them.
        beta: logits of the depths, [block][depth].
        target: the cost to land on.
        in_channels: channels of the image.
        out_channels: classes, background included.
        patch_size: voxels per axis.
        tolerance: relative distance from the target that is good enough.

    Raises:
        UserError: `patch_size` is not divisible by the strides.
    """
    network = {"in_channels": in_channels, "out_channels": out_channels, "patch_size": tuple(patch_size)}
    lander = Lander(search_space=search_space, alpha=alpha, beta=beta, target=target, network=network)
    blocks, changes = lander.start(), 0
    offset = lander.offset(blocks)
    while abs(offset) > tolerance:
        option = best_option(lander.single_changes(blocks), offset, tolerance)
        option = option or best_option(lander.deeper(blocks), offset, tolerance)
        if option is None:
            break
        blocks, offset, changes = option.blocks, option.offset, changes + 1
    return Landing(search_space.architecture(lander.widths(blocks)), changes)


def best_option(options: Iterator[Option], offset: float, tolerance: float) -> Option | None:
    """The change to take at `offset` from the target, as `land` says; None where none comes closer."""
    closer = [option for option in options if abs(option.offset) < abs(offset)]
    sign = 1 if offset > 0 else -1
    admissible = [option for option in closer if sign * option.offset >= -tolerance]
    if admissible:
        # What is moved beyond the target gains nothing.
        return min(admissible, key=lambda option: option.regret / (abs(offset) - max(sign * option.offset, 0)))
    return min(closer, key=lambda option: abs(option.offset), default=None)


def _argmax(logits: Sequence[float]) -> int:
    """The first of the largest, as torch takes it."""
    return max(range(len(logits)), key=logits.__getitem__)
