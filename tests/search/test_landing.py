"""Landing on a target: in the space, never farther, within tolerance where that can be, against brute force."""

import itertools
import random
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny import choose, patch_size, search_spaces, space, supernet

from adw_components.architecture import Architecture
from adw_components.cost import COST_KINDS, CostKind, count
from adw_components.cost_target import CostTarget
from adw_components.search.landing import Landing, land
from adw_components.search_space import SearchSpace

Logits = tuple[list[list[list[float]]], list[list[float]]]

RICH = SearchSpace(
    strides=((1, 1, 1), (1, 2, 2), *((2, 2, 2),) * 2), kernel_sizes=((1, 3, 3), *((3, 3, 3),) * 3), n_doublings=2
)
# 6 ** 3 architectures.
LISTED = space(n_stages=2, base_widths=(2, 5), depths=(1, 2))


def random_logits(search_space: SearchSpace, seed: int) -> Logits:
    """alpha and beta."""
    draw = random.Random(seed)

    def row(size: int) -> list[float]:
        return [draw.gauss(0, 1) for _ in range(size)]

    blocks = range(search_space.n_blocks)
    n_widths, n_depths = len(search_space.base_widths), len(search_space.depths)
    return [[row(n_widths) for _ in range(search_space.max_depth)] for _ in blocks], [row(n_depths) for _ in blocks]


def network_of(search_space: SearchSpace) -> dict[str, Any]:
    """What else a cost needs."""
    return {"in_channels": 1, "out_channels": 3, "patch_size": patch_size(search_space)}


def aim(kind: CostKind, value: float) -> CostTarget:
    """A target."""
    return CostTarget(kind=kind, value=value, ratio=None, name=f"{kind}_{value}")


def landed(search_space: SearchSpace, logits: Logits, target: CostTarget, tolerance: float = 0.05) -> Landing:
    """`land` with the network of these tests."""
    return land(search_space, *logits, target, **network_of(search_space), tolerance=tolerance)


def offset(architecture: Architecture, target: CostTarget) -> float:
    """Relative distance from the target."""
    return abs(count(target.kind, architecture, **network_of(architecture)) / target.value - 1)


def derived(search_space: SearchSpace, logits: Logits) -> Architecture:
    """What the paper derives, as the supernet does it."""
    network = supernet(search_space)
    with torch.no_grad():
        for block, alpha, beta in zip(network.blocks, *logits, strict=True):
            block.choice.alpha.copy_(torch.tensor(alpha))
            block.choice.beta.copy_(torch.tensor(beta))
    return network.derive()


def everything(search_space: SearchSpace) -> Iterator[Architecture]:
    """All architectures of a tiny space."""
    blocks = [
        [picked for depth in search_space.depths for picked in itertools.product(widths, repeat=depth)]
        for widths in search_space.block_widths
    ]
    return (search_space.architecture(list(drawn)) for drawn in itertools.product(*blocks))


def regret(search_space: SearchSpace, logits: Logits, architecture: Architecture) -> float:
    """Logits that an architecture gives up."""
    total = 0.0
    for widths, candidates, alpha, beta in zip(architecture.blocks, search_space.block_widths, *logits, strict=True):
        total += max(beta) - beta[search_space.depths.index(len(widths))]
        total += sum(max(row) - row[candidates.index(width)] for row, width in zip(alpha, widths, strict=False))
    return total


@st.composite
def landings(draw: st.DrawFn) -> tuple[SearchSpace, Logits, CostTarget]:
    """Any small space, any logits, and any target between its smallest and its largest architecture."""
    search_space = draw(search_spaces())
    kind = draw(st.sampled_from(COST_KINDS))
    smallest = search_space.uniform(width=0, depth=search_space.depths[0])
    largest = search_space.uniform(width=len(search_space.base_widths) - 1, depth=search_space.depths[-1])
    low, high = (count(kind, end, **network_of(search_space)) for end in (smallest, largest))
    return (
        search_space,
        random_logits(search_space, draw(st.integers(0, 2**16))),
        aim(kind, draw(st.integers(low, high))),
    )


@settings(max_examples=150)
@given(landings(), st.sampled_from((0.0, 0.05, 0.3)))
def test_landing_is_in_the_space_and_never_farther_than_the_start(
    case: tuple[SearchSpace, Logits, CostTarget], tolerance: float
) -> None:
    search_space, logits, target = case
    architecture, changes = landed(search_space, logits, target, tolerance)
    start = derived(search_space, logits)
    assert architecture in search_space
    if offset(start, target) <= tolerance:
        assert (architecture, changes) == (start, 0)
    else:
        assert offset(architecture, target) < offset(start, target) or (architecture, changes) == (start, 0)
    assert (architecture, changes) == landed(search_space, logits, target, tolerance)


@settings(max_examples=25)
@given(st.integers(0, 2**16), st.sampled_from(COST_KINDS), st.integers(0, 2**16))
def test_landing_in_a_rich_space_is_within_tolerance(seed: int, kind: CostKind, target_seed: int) -> None:
    target = aim(kind, count(kind, RICH.sample(target_seed), **network_of(RICH)))
    architecture, _ = landed(RICH, random_logits(RICH, seed), target)
    assert offset(architecture, target) <= 0.05


@pytest.mark.parametrize("kind", COST_KINDS)
@pytest.mark.parametrize("end", [0, 1])
def test_both_ends_of_a_rich_space_are_reached(kind: CostKind, end: int) -> None:
    ends = (RICH.uniform(width=0, depth=1), RICH.uniform(width=4, depth=3))
    target = aim(kind, count(kind, ends[end], **network_of(RICH)))
    architecture, changes = landed(RICH, random_logits(RICH, 3), target)
    assert offset(architecture, target) <= 0.05 and changes > 0


@pytest.mark.parametrize("kind", COST_KINDS)
def test_landing_in_a_listed_space_is_near_the_best_there_is(kind: CostKind) -> None:
    listed = list(everything(LISTED))
    runs = [aim_and_land(kind, listed, seed) for seed in range(60)]
    within = [run for run in runs if run is not None]
    # One change after the other misses some of what can be reached; most often it also regrets as little as can be.
    assert len(within) >= 0.85 * len(runs)
    assert sum(own == pytest.approx(least) for own, least in within) >= 0.6 * len(within)


def aim_and_land(kind: CostKind, listed: list[Architecture], seed: int) -> tuple[float, float] | None:
    """Regret of a landing, and the least of all architectures within tolerance; None where it stops short of it."""
    logits, costs = random_logits(LISTED, seed), [count(kind, each, **network_of(LISTED)) for each in listed]
    target = aim(kind, costs[37 * seed % len(listed)])
    architecture, _ = landed(LISTED, logits, target, tolerance=0.1)
    allowed = [each for each, cost in zip(listed, costs, strict=True) if abs(cost / target.value - 1) <= 0.1]
    if architecture not in allowed:
        return None
    regrets = [regret(LISTED, logits, each) for each in allowed]
    own = regret(LISTED, logits, architecture)
    assert own >= min(regrets) - 1e-12
    return own, min(regrets)


def favouring(architecture: Architecture, search_space: SearchSpace) -> Logits:
    """Logits of which 1 favours each choice of an architecture, and 0 the others."""
    network = supernet(search_space)
    choose(network, architecture, logit=1.0)
    logits = network.logits()
    return logits["alpha"], logits["beta"]


def test_the_change_that_is_hardly_regretted_is_taken() -> None:
    search_space = space(n_stages=2, base_widths=(2, 4), depths=(2,), n_doublings=0)
    start = search_space.uniform(width=1, depth=2)
    for block, position in itertools.product(range(3), range(2)):
        alpha, beta = favouring(start, search_space)
        alpha[block][position][0] = 0.999
        blocks = [list(widths) for widths in start.blocks]
        blocks[block][position] = 2
        expected = search_space.architecture([tuple(widths) for widths in blocks])
        target = aim("parameters", count("parameters", expected, **network_of(search_space)))
        assert landed(search_space, (alpha, beta), target, tolerance=0.01) == (expected, 1)


def test_equal_changes_are_taken_in_order() -> None:
    # Memory counts only channels at the resolution of a block, so that its convolutions are alike.
    search_space = space(n_stages=2, base_widths=(2, 4), depths=(3,))
    start = search_space.uniform(width=1, depth=3)
    expected = search_space.architecture([(2, 4, 4), *start.blocks[1:]])
    target = aim("memory", count("memory", expected, **network_of(search_space)))
    assert landed(search_space, favouring(start, search_space), target, tolerance=1e-9) == (expected, 1)


def test_blocks_are_deepened_with_wide_convolutions_where_favoured_ones_make_them_cheaper() -> None:
    search_space = space(n_stages=2, base_widths=(1, 8), depths=(1, 2), n_doublings=0)
    alpha, beta = favouring(search_space.uniform(width=1, depth=1), search_space)
    for rows in alpha:
        rows[1] = [1.0, 0.0]
    largest = search_space.uniform(width=1, depth=2)
    target = aim("flops", count("flops", largest, **network_of(search_space)))
    assert landed(search_space, (alpha, beta), target, tolerance=1e-9).architecture == largest
