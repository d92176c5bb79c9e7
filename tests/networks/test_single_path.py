"""A single path of the supernet is the derived network on the supernet's own weights."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tiny import choose, patch_size, randomize_norms, search_spaces, space, supernet

from adw_components.errors import UserError
from adw_components.networks import AdwUNetSupernet
from adw_components.search_space import SearchSpace


@given(search_spaces(), st.integers(0, 9), st.booleans())
def test_path_gives_what_the_inherited_network_gives(search_space: SearchSpace, seed: int, training: bool) -> None:
    network = supernet(search_space).train(training)
    randomize_norms(network)
    architecture = search_space.sample(seed)
    images = torch.randn(2, 1, *patch_size(search_space))
    actual, expected = network.path(architecture)(images), network.inherit(architecture)(images)
    assert isinstance(actual, list) == training
    torch.testing.assert_close(actual, expected, rtol=0, atol=0)


def test_path_gives_what_the_one_hot_supernet_gives() -> None:
    network = supernet(space(spatial_dims=3)).train()
    randomize_norms(network)
    architecture = network.search_space.sample(3)
    choose(network, architecture)
    images = torch.randn(2, 1, *patch_size(network.search_space))
    torch.testing.assert_close(network.path(architecture)(images), network(images), rtol=1e-4, atol=1e-5)


def test_gradients_reach_the_weights_and_nothing_else() -> None:
    network = supernet(space()).train()
    outputs = network.path(network.search_space.largest)(torch.randn(1, 1, *patch_size(network.search_space)))
    sum(level.square().mean() for level in outputs).backward()
    assert all(parameter.grad is not None for parameter in network.weight_parameters())
    assert all(parameter.grad is None for parameter in network.architecture_parameters())


def test_preparing_a_path_draws_no_random_numbers() -> None:
    """A path that was met before is not built again: resumed and uninterrupted runs must not differ by that."""
    network = supernet(space(base_widths=(2, 3, 7)))
    torch.manual_seed(5)
    before = torch.get_rng_state()
    network.path(network.search_space.sample(77))
    assert torch.equal(torch.get_rng_state(), before)


def test_architecture_outside_the_search_space_has_no_path() -> None:
    network = supernet(space())
    with pytest.raises(UserError, match="not in the search space"):
        network.path(space(base_widths=(2, 3, 5)).largest)


def test_samples_follow_the_softmax_of_the_logits() -> None:
    """4000 draws: a frequency is off by four standard deviations less than once in ten thousand tests."""
    network = supernet(space(n_stages=2, base_widths=(2, 3, 4), depths=(1, 2)), temperature=0.01)
    choice = network.blocks[1].choice
    with torch.no_grad():
        choice.beta.copy_(torch.tensor([0.5, -0.5]))
        choice.alpha[0].copy_(torch.tensor([0.0, 1.0, -1.0]))
    torch.manual_seed(0)
    drawn = [choice.sample() for _ in range(4000)]
    depths = torch.tensor([[len(path) == depth for depth in choice.depths] for path in drawn]).double().mean(dim=0)
    widths = torch.tensor([[path[0] == width for width in choice.widths] for path in drawn]).double().mean(dim=0)
    for found, logits in ((depths, choice.beta), (widths, choice.alpha[0])):
        expected = logits.double().softmax(dim=-1)
        assert ((found - expected).abs() <= 4 * (expected * (1 - expected) / 4000).sqrt()).all()


def test_sampled_architectures_are_in_the_search_space() -> None:
    network: AdwUNetSupernet = supernet(space(spatial_dims=3, n_stages=2))
    samples = {network.sample() for _ in range(30)}
    assert len(samples) > 10 and all(sample in network.search_space for sample in samples)
