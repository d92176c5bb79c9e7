"""Expected cost against the exact counts: of a one-hot supernet, of an enumeration, by finite differences."""

import itertools
import math
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny import CLASSES, choose, patch_size, search_spaces, space, supernet

from adw_components.architecture import Architecture
from adw_components.cost import COST_KINDS, CostKind, count
from adw_components.errors import UserError
from adw_components.networks import AdwUNetSupernet
from adw_components.networks.expected import expected_cost
from adw_components.reference import published
from adw_components.search_space import SearchSpace

# Small enough to list: 3 blocks; with one and several candidates of width and depth, with and without depth 1.
LISTED = {
    "both": space(n_stages=2, base_widths=(2, 5), depths=(1, 2)),
    "3D": space(spatial_dims=3, n_stages=2, base_widths=(1, 4), depths=(1, 2)),
    "gap": space(n_stages=2, base_widths=(3,), depths=(2, 3, 5)),
    "deep": space(n_stages=2, base_widths=(1, 2), depths=(2,)),
}


def undecided(search_space: SearchSpace, seed: int = 0, temperature: float = 1.7, **options: Any) -> AdwUNetSupernet:
    """A float64 supernet with random logits."""
    network = supernet(search_space, seed=seed, temperature=temperature, **options).double()
    with torch.no_grad():
        for block in network.blocks:
            block.choice.alpha.normal_()
            block.choice.beta.normal_()
    return network


def exact(kind: CostKind, architecture: Architecture, network: AdwUNetSupernet) -> int:
    """The count of an architecture of this supernet."""
    size = patch_size(network.search_space)
    return count(kind, architecture, in_channels=network.in_channels, out_channels=CLASSES, patch_size=size)


def block_candidates(network: AdwUNetSupernet, index: int) -> list[tuple[tuple[int, ...], float]]:
    """All candidates of one block and their probabilities."""
    choice, tau = network.blocks[index].choice, network.tau
    widths, depths = (choice.alpha / tau).softmax(-1), (choice.beta / tau).softmax(-1)
    found = []
    for depth, p_depth in zip(choice.depths, depths.tolist(), strict=True):
        for picked in itertools.product(range(len(choice.widths)), repeat=depth):
            p = math.prod(widths[layer, width].item() for layer, width in enumerate(picked))
            found.append((tuple(choice.widths[width] for width in picked), p_depth * p))
    return found


def mean_cost(kind: CostKind, network: AdwUNetSupernet) -> float:
    """Sum over all architectures of probability times exact cost."""
    candidates = [block_candidates(network, index) for index in range(network.search_space.n_blocks)]
    total, mass = 0.0, 0.0
    for drawn in itertools.product(*candidates):
        probability = math.prod(p for _, p in drawn)
        architecture = network.search_space.architecture([widths for widths, _ in drawn])
        total += probability * exact(kind, architecture, network)
        mass += probability
    assert mass == pytest.approx(1)
    return total


@settings(max_examples=40)
@given(search_spaces(), st.integers(0, 2**16), st.integers(1, 3), st.sampled_from(COST_KINDS))
def test_one_hot_supernet_is_expected_to_cost_what_its_architecture_costs(
    search_space: SearchSpace, seed: int, in_channels: int, kind: CostKind
) -> None:
    network = supernet(search_space, in_channels=in_channels)
    choose(network, search_space.sample(seed))
    cost = expected_cost(network, kind, patch_size=patch_size(search_space))
    assert cost.item() == pytest.approx(exact(kind, search_space.sample(seed), network), rel=1e-5)


@pytest.mark.parametrize("kind", COST_KINDS)
def test_published_architecture_is_expected_at_its_published_cost(kind: CostKind) -> None:
    architecture = published("Task01_BrainTumour")
    search_space = SearchSpace(strides=architecture.strides, kernel_sizes=architecture.kernel_sizes)
    with torch.device("meta"):
        network = AdwUNetSupernet(3, 4, 4, search_space)
    for block in network.blocks:
        block.choice = block.choice.to_empty(device="cpu")
    network.tau = torch.tensor(5.0)
    choose(network, architecture)
    size = architecture.provenance["network"]["patch_size"]
    expected = count(kind, architecture, in_channels=4, out_channels=4, patch_size=size)
    assert expected_cost(network, kind, patch_size=size).item() == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("kind", COST_KINDS)
@pytest.mark.parametrize("name", LISTED)
def test_expectation_is_the_mean_over_all_architectures(name: str, kind: CostKind) -> None:
    network = undecided(LISTED[name], in_channels=2)
    cost = expected_cost(network, kind, patch_size=patch_size(LISTED[name]))
    assert cost.dtype == torch.float64 and cost.ndim == 0
    assert cost.item() == pytest.approx(mean_cost(kind, network), rel=1e-10)


@pytest.mark.parametrize("kind", COST_KINDS)
def test_gradients_are_those_of_finite_differences(kind: CostKind) -> None:
    search_space = space(base_widths=(2, 3, 5), depths=(1, 2, 3))
    network = undecided(search_space)
    size = patch_size(search_space)
    expected_cost(network, kind, patch_size=size).backward()
    step = 1e-5
    for parameter in network.architecture_parameters():
        for index in itertools.product(*map(range, parameter.shape)):
            with torch.no_grad():
                value = parameter[index].item()
                parameter[index] = value + step
                above = expected_cost(network, kind, patch_size=size).item()
                parameter[index] = value - step
                below = expected_cost(network, kind, patch_size=size).item()
                parameter[index] = value
            assert parameter.grad[index].item() == pytest.approx(
                (above - below) / (2 * step), rel=1e-5, abs=above * 1e-9
            )
    assert all(parameter.grad is None for parameter in network.weight_parameters())


def test_no_noise_is_drawn_in_any_mode() -> None:
    network = undecided(space())
    size = patch_size(network.search_space)
    costs = {expected_cost(network.train(mode), "flops", patch_size=size).item() for mode in (True, True, False)}
    assert len(costs) == 1


def test_temperature_goes_from_all_candidates_alike_to_the_favoured_ones() -> None:
    network = undecided(space())
    size = patch_size(network.search_space)
    alike = expected_cost(supernet(network.search_space).double(), "parameters", patch_size=size).item()
    network.tau.fill_(1e9)
    assert expected_cost(network, "parameters", patch_size=size).item() == pytest.approx(alike, rel=1e-6)
    network.tau.fill_(1e-9)
    favoured = exact("parameters", network.derive(), network)
    assert expected_cost(network, "parameters", patch_size=size).item() == pytest.approx(favoured)


def test_single_precision_is_kept_under_autocast() -> None:
    network = undecided(space(n_stages=4))
    size = patch_size(network.search_space)
    precise = expected_cost(network, "flops", patch_size=size).item()
    network.float()
    with torch.autocast("cpu", torch.bfloat16):
        cost = expected_cost(network, "flops", patch_size=size)
    assert cost.dtype == torch.float32
    assert cost.item() == pytest.approx(precise, rel=1e-6)


def test_gradients_are_taken_after_a_first_call_in_inference_mode() -> None:
    search_space = space(base_widths=(3, 4, 7))
    network, size = undecided(search_space), patch_size(search_space)
    with torch.inference_mode():
        first = expected_cost(network, "memory", patch_size=size).item()
    cost = expected_cost(network, "memory", patch_size=size)
    cost.backward()
    assert cost.item() == first
    assert all(parameter.grad.abs().sum() > 0 for parameter in network.architecture_parameters())


def test_patch_that_the_strides_do_not_divide_is_refused() -> None:
    with pytest.raises(UserError, match=r"patch_size must be divisible by \(4, 4\), got \(6, 8\)"):
        expected_cost(supernet(space()), "flops", patch_size=[6, 8])
