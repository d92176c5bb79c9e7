"""The steps to a budget, what is derived under one, and how settled a search is."""

import math
from collections.abc import Callable

import pytest
import torch
from tiny import CLASSES, choose, patch_size, space, supernet

from adw_components.cost import count
from adw_components.cost_target import CostTarget
from adw_components.networks import AdwUNetSupernet
from adw_components.search.budget import CostSteering
from adw_components.search.derivation import landed
from adw_components.search.entropy import mean_entropy

SPACE = space(n_stages=3)
SHAPE = {"in_channels": 1, "out_channels": CLASSES, "patch_size": patch_size(SPACE)}


def target(value: float) -> CostTarget:
    """So many FLOPs."""
    return CostTarget(kind="flops", value=value, ratio=None, name="flops")


def steering(network: AdwUNetSupernet, value: float, *, rate: float = 0.1, lr: float = 1e3) -> CostSteering:
    """Steering to so many FLOPs; the default bound of a step does not bind."""
    result = CostSteering(
        network=network,
        optimizer=torch.optim.Adam(network.architecture_parameters(), lr=lr),
        patch_size=patch_size(network.search_space),
        rate=rate,
    )
    result.target = target(value)
    return result


def undecided(network: AdwUNetSupernet) -> AdwUNetSupernet:
    """The supernet with small random logits."""
    torch.manual_seed(3)
    with torch.no_grad():
        for parameter in network.architecture_parameters():
            parameter.copy_(0.1 * torch.randn_like(parameter))
    return network


@pytest.mark.parametrize("temperature", [5.0, 1.0, 0.4])
@pytest.mark.parametrize("factor", [0.8, 1.25])
def test_step_closes_its_share_of_the_distance(temperature: float, factor: float) -> None:
    network = undecided(supernet(SPACE, temperature=temperature)).double()
    cost = steering(network, 1.0, rate=0.01)
    before = cost.expected().item()
    cost.target = target(factor * before)
    cost.step()
    assert math.log(cost.expected().item() / (factor * before)) == pytest.approx(-0.99 * math.log(factor), rel=1e-3)


@pytest.mark.parametrize("gradients", ["none yet", "all", "some"])
def test_a_step_is_down_the_slope_over_adams_scale(gradients: str) -> None:
    """The slopes of the logarithm of the cost are taken by differences; after one step Adam's scale is the gradient."""
    network = undecided(supernet(SPACE, temperature=1.0)).double()
    cost = steering(network, 1e4, rate=1e-4)
    parameters = network.architecture_parameters()
    scales = [torch.ones_like(parameter) for parameter in parameters]
    if gradients != "none yet":
        scales = [1 + torch.rand_like(parameter) for parameter in parameters]
        if gradients == "some":
            scales[0].zero_()
        for parameter, scale in zip(parameters, scales, strict=True):
            parameter.grad = scale.clone()
        cost.optimizer.step()
        # What the loss does not see counts with a tenth of the root mean square.
        least = 0.1 * torch.cat([scale.flatten() for scale in scales]).square().mean().sqrt()
        scales = [scale.clamp(min=float(least)) for scale in scales]
        undecided(network)
    before = [parameter.detach().clone() for parameter in parameters]
    slopes = [differences(parameter, lambda: cost.expected().log()) for parameter in parameters]
    cost.step()
    moved = torch.cat([(now.detach() - then).flatten() for now, then in zip(parameters, before, strict=True)])
    expected = torch.cat([(slope / scale).flatten() for slope, scale in zip(slopes, scales, strict=True)])
    torch.testing.assert_close(moved / moved.norm(), -expected / expected.norm(), rtol=1e-3, atol=1e-5)


def differences(parameter: torch.Tensor, value: Callable[[], torch.Tensor]) -> torch.Tensor:
    """Central differences of `value` in every number of `parameter`."""
    slopes = torch.zeros_like(parameter)
    with torch.no_grad():
        for index in range(parameter.numel()):
            sides = []
            for change in (1e-5, -2e-5):
                parameter.view(-1)[index] += change
                sides.append(value())
            parameter.view(-1)[index] += 1e-5
            slopes.view(-1)[index] = (sides[0] - sides[1]) / 2e-5
    return slopes


def test_goal_goes_from_undecided_choices_to_the_target_evenly_in_the_logarithm() -> None:
    network = undecided(supernet(SPACE, temperature=0.4)).double()
    cost = steering(network, 1e4)
    even = supernet(SPACE, temperature=1.0).double()
    start = steering(even, 1e4).expected().item()
    for progress in (0.0, 0.25, 1.0):
        cost.progress = progress
        assert cost.goal().item() == pytest.approx(start ** (1 - progress) * 1e4**progress, rel=1e-6)
    cost.progress = 0.5
    cost.rate = 0.01
    distance = math.log(cost.expected().item() / cost.goal().item())
    cost.step()
    assert math.log(cost.expected().item() / cost.goal().item()) == pytest.approx(0.99 * distance, rel=1e-3)


def test_no_number_moves_farther_than_the_learning_rate() -> None:
    network = undecided(supernet(SPACE))
    before = [parameter.detach().clone() for parameter in network.architecture_parameters()]
    steering(network, 1.0, rate=1.0, lr=0.02).step()
    moves = [(now - then).abs().max() for now, then in zip(network.architecture_parameters(), before, strict=True)]
    assert max(moves).item() == pytest.approx(0.02, rel=1e-3)


def test_optimizer_of_the_loss_sees_nothing_of_the_steps() -> None:
    network = undecided(supernet(SPACE))
    cost = steering(network, 1.0)
    cost.step()
    assert not cost.optimizer.state
    assert all(parameter.grad is None for parameter in network.parameters())


def test_without_a_target_nothing_moves() -> None:
    network = undecided(supernet(SPACE))
    before = network.logits()
    cost = steering(network, 1.0)
    cost.target = None
    cost.step()
    assert network.logits() == before


def test_settled_choices_stay() -> None:
    network = supernet(SPACE, temperature=0.05)
    choose(network, SPACE.smallest)
    before = network.logits()
    steering(network, 1e9, lr=0.01).step()
    assert network.logits() == before


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_steps_alone_lead_the_derived_network_to_the_target(share: float) -> None:
    """With tau falling the expected cost becomes that of the derived architecture; no landing is needed."""
    rich = space(n_stages=4, base_widths=(4, 6, 8, 10, 12))
    shape = {**SHAPE, "patch_size": patch_size(rich)}
    network = undecided(supernet(rich))
    low, high = (count("flops", end, **shape) for end in (rich.smallest, rich.largest))
    value = low + share * (high - low)
    cost = steering(network, value, lr=0.02)
    for step in range(300):
        network.tau.fill_(5 * 0.01 ** (step / 299))
        cost.step()
    assert cost.expected().item() == pytest.approx(value, rel=0.01)
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
