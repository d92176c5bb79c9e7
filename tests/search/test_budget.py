"""The penalty on the expected cost, and how settled a search is."""

import math

import pytest
import torch
from tiny import CLASSES, choose, patch_size, space, supernet

from adw_components.cost import count
from adw_components.cost_target import CostTarget
from adw_components.networks import AdwUNetSupernet
from adw_components.search.budget import CostPenalty
from adw_components.search.derivation import landed
from adw_components.search.entropy import mean_entropy

SPACE = space(n_stages=3)
SHAPE = {"in_channels": 1, "out_channels": CLASSES, "patch_size": patch_size(SPACE)}


def target(value: float) -> CostTarget:
    """So many FLOPs."""
    return CostTarget(kind="flops", value=value, ratio=None, name="flops")


def penalty(network: AdwUNetSupernet, value: float, weight: float = 1.0) -> CostPenalty:
    """The penalty for a target of so many FLOPs."""
    result = CostPenalty(network=network, patch_size=SHAPE["patch_size"], weight=weight)
    result.target = target(value)
    return result


@pytest.mark.parametrize("factor", [0.5, 1.0, 2.0])
def test_penalty_is_the_squared_logarithm_of_cost_over_target(factor: float) -> None:
    network, architecture = supernet(SPACE), SPACE.sample(1)
    choose(network, architecture)
    cost = count("flops", architecture, **SHAPE)
    assert penalty(network, cost * factor, weight=3.0)().item() == pytest.approx(
        3 * math.log(factor) ** 2, rel=1e-5, abs=1e-9
    )


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_descent_on_the_penalty_alone_leads_the_derived_network_to_the_target(share: float) -> None:
    """With tau falling the expected cost becomes that of the derived architecture; no landing is needed."""
    rich = space(n_stages=4, base_widths=(4, 6, 8, 10, 12))
    shape = {**SHAPE, "patch_size": patch_size(rich)}
    network = supernet(rich, seed=2)
    low, high = (count("flops", end, **shape) for end in (rich.smallest, rich.largest))
    value = low + share * (high - low)
    with torch.no_grad():
        for parameter in network.architecture_parameters():
            parameter.copy_(0.1 * torch.randn_like(parameter))
    cost = CostPenalty(network=network, patch_size=shape["patch_size"], weight=1.0)
    cost.target = target(value)
    optimizer = torch.optim.Adam(network.architecture_parameters(), lr=0.02)
    for step in range(300):
        network.tau.fill_(5 * 0.01 ** (step / 299))
        optimizer.zero_grad()
        cost().backward()
        optimizer.step()
    assert count("flops", network.derive(), **shape) == pytest.approx(value, rel=0.1)


def test_landed_architecture_says_what_it_costs_and_would_have_cost() -> None:
    network, architecture = supernet(SPACE), SPACE.sample(3)
    choose(network, architecture, logit=1.0)
    before = count("flops", architecture, **SHAPE)
    result = landed(network, target(1.3 * before), patch_size=SHAPE["patch_size"])
    assert result.cost == count("flops", result.architecture, **SHAPE)
    assert (result.cost_before, result.n_changes > 0) == (before, True)
    assert result.facts()["changes_to_meet_target"] == result.n_changes


def test_without_a_target_the_argmax_is_derived() -> None:
    network, architecture = supernet(SPACE), SPACE.sample(3)
    choose(network, architecture)
    result = landed(network, None, patch_size=SHAPE["patch_size"])
    assert (result.architecture, result.cost, result.facts()) == (architecture, None, {})


def test_entropy_is_1_at_the_start_and_0_once_all_is_chosen() -> None:
    network = supernet(SPACE)
    assert mean_entropy(network) == pytest.approx(1)
    choose(network, SPACE.sample(5))
    assert mean_entropy(network) == pytest.approx(0, abs=1e-6)


def test_entropy_leaves_out_convolutions_beyond_the_chosen_depth() -> None:
    network = supernet(SPACE)
    choose(network, SPACE.smallest)
    with torch.no_grad():
        for block in network.blocks:
            block.choice.alpha[1:].zero_()
    assert mean_entropy(network) == pytest.approx(0, abs=1e-6)


def test_entropy_by_hand() -> None:
    """One block of four open choices: depth 1 of 2 chosen with 3/4, its width of 2 with 4/5."""
    network = supernet(space(n_stages=2, base_widths=(2, 3), depths=(1, 2)))
    with torch.no_grad():
        for block in network.blocks:
            block.choice.beta.copy_(torch.tensor([math.log(3), 0.0]))
            block.choice.alpha[0].copy_(torch.tensor([0.0, math.log(4)]))

    def entropy(p: float) -> float:
        return -(p * math.log2(p) + (1 - p) * math.log2(1 - p))

    assert mean_entropy(network) == pytest.approx((entropy(0.75) + entropy(0.8)) / 2)


def test_entropy_does_not_see_the_temperature() -> None:
    cold, warm = (supernet(SPACE, temperature=temperature) for temperature in (0.01, 5.0))
    assert mean_entropy(cold) == mean_entropy(warm)
