"""The supernet: a one-hot choice is its derived twin; noise, masks, temperature, restrictions, gradients."""

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny import choose, loss_function, patch_size, random_batch, randomize_norms, search_spaces, space, supernet

from adw_components.errors import UserError
from adw_components.networks import AdwUNetSupernet
from adw_components.networks.choice_block import ChoiceBlock, MaskedConvLayer
from adw_components.networks.choices import BlockChoice
from adw_components.search_space import SearchSpace

SPACES = {"2D": space(), "3D": space(spatial_dims=3, n_stages=2, base_widths=(2, 4))}


def one_hot(search_space: SearchSpace, seed: int, **options: Any) -> AdwUNetSupernet:
    """A float64 supernet that has chosen sample `seed`, its norms away from their neutral start."""
    network = supernet(search_space, seed=seed, **options).double()
    randomize_norms(network, seed=seed)
    choose(network, search_space.sample(seed))
    return network


def inputs(search_space: SearchSpace, cases: int = 2) -> torch.Tensor:
    """Random images of the smallest size."""
    return torch.randn(cases, 1, *patch_size(search_space), dtype=torch.float64)


def explicit(layer: MaskedConvLayer, x: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """mask * leaky_relu(norm(conv(x))), as the formula says."""
    return mask.view(-1, *(1,) * (x.ndim - 2)) * layer(x)


@settings(deadline=None, max_examples=30)
@given(search_spaces(), st.integers(0, 2**16))
def test_one_hot_supernet_equals_its_derived_twin(search_space: SearchSpace, seed: int) -> None:
    network = one_hot(search_space, seed)
    architecture = network.derive()
    assert architecture == search_space.sample(seed)
    x = inputs(search_space)
    for training in (False, True):
        twin = network.train(training).inherit(architecture).double()
        assert twin.training is training
        torch.testing.assert_close(network(x), twin(x), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("search_space", SPACES.values(), ids=SPACES)
def test_one_hot_supernet_equals_its_twin_in_single_precision(search_space: SearchSpace) -> None:
    network = one_hot(search_space, 3).float()
    twin = network.inherit(network.derive())
    x = inputs(search_space).float()
    torch.testing.assert_close(network(x), twin(x), rtol=0, atol=1e-5)


def test_mask_before_the_norm_makes_another_network_than_the_derived_one() -> None:
    network = one_hot(space(), 3, mask_placement="before_norm").eval()
    assert network.derive() != space().uniform(width=2, depth=3)
    x = inputs(space())
    difference = (network(x) - network.inherit(network.derive()).double()(x)).abs().max()
    assert difference > 0.1


@pytest.mark.parametrize("search_space", SPACES.values(), ids=SPACES)
def test_folded_masks_equal_explicit_ones(search_space: SearchSpace, monkeypatch: pytest.MonkeyPatch) -> None:
    """Values and gradients, away from one-hot choices and with fresh noise in training."""
    network = supernet(search_space).double().train()
    randomize_norms(network)
    x = inputs(search_space)
    results = []
    for apply in (MaskedConvLayer.masked_after_norm, explicit):
        for block in network.blocks:
            monkeypatch.setattr(block, "apply_masked", apply)
        torch.manual_seed(5)
        outputs = network(x)
        gradients = torch.autograd.grad(sum(level.square().mean() for level in outputs), list(network.parameters()))
        results.append((outputs, gradients))
    torch.testing.assert_close(results[0], results[1], rtol=1e-10, atol=1e-12)


def test_block_mixes_the_outputs_of_its_depths_by_the_drawn_weights() -> None:
    """sum_l g_l o_l, term by term, with a depth left out of the candidates."""
    block = ChoiceBlock(
        spatial_dims=2, in_channels=1, widths=(2, 4), depths=(1, 3), kernel_size=(3, 3), stride=1,
        mask_placement="after_norm",
    ).double()  # fmt: skip
    torch.manual_seed(0)
    block.drawn = block.choice.draw(torch.tensor(1.0, dtype=torch.float64))
    x = torch.randn(1, 1, 6, 6, dtype=torch.float64)
    outputs, current = [], x
    for layer, mask in zip(block.layers, block.drawn.masks, strict=True):
        current = explicit(layer, current, mask)
        outputs.append(current)
    expected = block.drawn.depth[0] * outputs[0] + block.drawn.depth[1] * outputs[2]
    torch.testing.assert_close(block(x), expected)


@settings(deadline=None, max_examples=30)
@given(
    st.sets(st.integers(1, 6), min_size=1, max_size=4),
    st.sets(st.integers(1, 3), min_size=1),
    st.floats(0.1, 10),
    st.booleans(),
)
def test_drawn_masks_are_mixtures(widths: set[int], depths: set[int], tau: float, training: bool) -> None:
    choice = BlockChoice(widths=sorted(widths), depths=sorted(depths)).double().train(training)
    drawn = choice.draw(torch.tensor(tau, dtype=torch.float64))
    one = torch.tensor(1.0, dtype=torch.float64)
    torch.testing.assert_close(drawn.depth.sum(), one)
    torch.testing.assert_close(drawn.masks[:, 0], one.expand(max(depths)))
    assert drawn.masks.shape == (max(depths), max(widths))
    assert (drawn.masks.diff(dim=1) <= 1e-12).all() and (drawn.masks > 0).all()
    expected = sum(weight * drawn.masks[depth - 1] for weight, depth in zip(drawn.depth, choice.depths, strict=True))
    torch.testing.assert_close(drawn.output_mask, expected)


def test_evaluation_without_noise_is_a_plain_softmax() -> None:
    choice = BlockChoice(widths=(1, 2), depths=(1, 2)).eval()
    with torch.no_grad():
        choice.alpha.copy_(torch.tensor([[0.0, 2.0], [1.0, 1.0]]))
        choice.beta.copy_(torch.tensor([3.0, 0.0]))
    drawn = choice.draw(torch.tensor(2.0))
    closed = torch.sigmoid(torch.tensor([1.0, 0.0]))
    torch.testing.assert_close(drawn.masks, torch.stack([torch.ones(2), closed], dim=1))
    torch.testing.assert_close(drawn.depth[0], torch.sigmoid(torch.tensor(1.5)))


def test_training_noise_is_gumbels() -> None:
    """P(argmax = i) under Gumbel noise is softmax(logits), whatever the temperature."""
    choice = BlockChoice(widths=(1, 2, 3), depths=(1, 2))
    with torch.no_grad():
        choice.beta.copy_(torch.tensor([1.0, 0.0]))
    torch.manual_seed(0)
    draws = [int(choice.draw(torch.tensor(5.0)).depth.argmax()) for _ in range(2000)]
    assert draws.count(0) / len(draws) == pytest.approx(torch.sigmoid(torch.tensor(1.0)).item(), abs=0.03)


def test_training_draws_fresh_noise_and_evaluation_none() -> None:
    network, x = supernet(space()), torch.randn(1, 1, 16, 16)
    assert torch.equal(network.eval()(x), network(x))
    network.train()
    torch.manual_seed(0)
    first, second = network(x)[0], network(x)[0]
    assert not torch.allclose(first, second)
    torch.manual_seed(0)
    assert torch.equal(network(x)[0], first)


def test_no_choice_outlives_a_pass_even_if_it_fails() -> None:
    network = supernet(space())
    with pytest.raises(RuntimeError):
        network(torch.randn(1, 1, 6, 6))
    assert all(block.drawn is None for block in network.blocks)
    assert all(up.mask is None for up in network.upsamplings)


def test_low_temperature_approaches_the_one_hot_choice() -> None:
    search_space = space()
    network = supernet(search_space).double().eval()
    randomize_norms(network)
    choose(network, search_space.sample(3), logit=1.0)
    twin, x = network.inherit(network.derive()).double(), inputs(search_space)
    distances = []
    for tau in (5.0, 1.0, 0.1, 0.01):
        network.tau.fill_(tau)
        distances.append((network(x) - twin(x)).abs().max().item())
    assert distances == sorted(distances, reverse=True)
    assert distances[-1] < 1e-9 < distances[0]


def test_temperature_is_part_of_the_state() -> None:
    network = supernet(space(), temperature=3.0)
    network.tau.fill_(0.5)
    other = supernet(space(), seed=1)
    other.load_state_dict(network.state_dict())
    assert other.tau.item() == 0.5


@pytest.mark.parametrize(("searched", "count"), [("both", 5 * (9 + 3)), ("depth", 5 * 3), ("width", 5 * 2 * 3)])
def test_restriction_leaves_only_its_own_choices(searched: Any, count: int) -> None:
    network = supernet(space().restricted(searched))
    assert sum(parameter.numel() for parameter in network.architecture_parameters()) == count
    names = {name.rpartition(".")[2] for name, _ in network.named_parameters() if ".choice." in name}
    assert names == {"both": {"alpha", "beta"}, "depth": {"beta"}, "width": {"alpha"}}[searched]
    assert network.derive() in network.search_space


def test_fixed_choice_draws_no_noise() -> None:
    fixed = supernet(space(base_widths=(3,), depths=(2,))).train()
    x = torch.randn(1, 1, 16, 16)
    assert fixed.architecture_parameters() == []
    torch.testing.assert_close(fixed(x), fixed(x), rtol=0, atol=0)


@pytest.mark.parametrize("placement", ["after_norm", "before_norm"])
def test_two_disjoint_groups_cover_all_parameters(placement: str) -> None:
    network = supernet(space(), mask_placement=placement)
    weights = {id(parameter) for parameter in network.weight_parameters()}
    choices = {id(parameter) for parameter in network.architecture_parameters()}
    assert not weights & choices
    assert weights | choices == {id(parameter) for parameter in network.parameters()}
    assert len(choices) == 2 * space().n_blocks


def test_logits_are_those_of_the_blocks_in_order() -> None:
    search_space = space()
    network = supernet(search_space)
    choose(network, search_space.sample(7), logit=2.0)
    logits = network.logits()
    for block, alpha, beta in zip(search_space.sample(7).blocks, logits["alpha"], logits["beta"], strict=True):
        assert beta[len(block) - 1] == max(beta) == 2.0
        assert [row.index(2.0) for row in alpha if 2.0 in row] != []
        assert (len(alpha), len(alpha[0])) == (3, 3)


def test_inherit_refuses_an_architecture_outside_the_space() -> None:
    with pytest.raises(UserError, match="not in the search space"):
        supernet(space()).inherit(space(base_widths=(2, 5)).sample(0))


def test_state_dict_of_another_search_space_is_refused() -> None:
    other = supernet(space(base_widths=(1, 3, 4)))
    with pytest.raises(UserError, match=r"another search space \(base_widths: checkpoint \[1, 3, 4\]"):
        supernet(space()).load_state_dict(other.state_dict())


def test_wrong_arguments_are_refused() -> None:
    with pytest.raises(UserError, match="mask_placement must be after_norm or before_norm, got 'norm'"):
        supernet(space(), mask_placement="norm")
    with pytest.raises(UserError, match="search_space has 2 spatial axes, spatial_dims is 3"):
        AdwUNetSupernet(3, 1, 3, space())


def width_gradient(placement: str) -> float:
    """Norm of the gradient of all alpha at tau = 5, for the same weights, noise and batch."""
    search_space = space(base_widths=(4, 6, 8))
    network = supernet(search_space, mask_placement=placement).train()
    images, labels = random_batch((16, 16), cases=4)
    torch.manual_seed(1)
    loss_function()(network(images), labels).backward()
    alphas = [parameter.grad for name, parameter in network.named_parameters() if name.endswith("alpha")]
    return torch.cat([gradient.flatten() for gradient in alphas]).norm().item()


def test_mask_before_the_norm_all_but_removes_the_gradient_of_alpha() -> None:
    assert width_gradient("after_norm") > 50 * width_gradient("before_norm") > 0
