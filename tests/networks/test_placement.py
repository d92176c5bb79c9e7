"""The layout of a network on a CPU changes its speed and nothing else."""

import copy

import pytest
import torch
from torch import nn

from adw_components.networks import AdwUNet, placed
from adw_components.search_space import SearchSpace


def network_of(spatial_dims: int) -> AdwUNet:
    """A small network of two stages."""
    torch.manual_seed(0)
    space = SearchSpace(
        strides=((1,) * spatial_dims, (2,) * spatial_dims),
        kernel_sizes=((3,) * spatial_dims,) * 2,
        base_widths=(3, 4),
    )
    return AdwUNet(spatial_dims=spatial_dims, in_channels=2, out_channels=3, architecture=space.sample(1))


@pytest.mark.parametrize("spatial_dims", [2, 3])
def test_outputs_gradients_and_state_are_the_same(spatial_dims: int) -> None:
    plain = network_of(spatial_dims).eval()
    other = placed(copy.deepcopy(plain), "cpu")
    x = torch.randn(2, 2, *(8,) * spatial_dims)
    expected, output = plain(x), other(x)
    torch.testing.assert_close(output, expected, rtol=0, atol=1e-5)
    for each in (expected, output):
        each.square().mean().backward()
    for (name, one), two in zip(plain.named_parameters(), other.parameters(), strict=True):
        torch.testing.assert_close(two.grad, one.grad, rtol=1e-4, atol=1e-6, msg=name)
    states = zip(plain.state_dict().values(), other.state_dict().values(), strict=True)
    assert all(torch.equal(one, two) for one, two in states)


@pytest.mark.parametrize(("spatial_dims", "layout"), [(2, torch.channels_last), (3, torch.channels_last_3d)])
def test_blocks_compute_with_channels_last_on_a_cpu(spatial_dims: int, layout: torch.memory_format) -> None:
    network, found = placed(network_of(spatial_dims), torch.device("cpu")), []
    for module in network.modules():
        # The weights of a kernel of 1 lie alike in both layouts.
        if isinstance(module, nn.Conv2d | nn.Conv3d) and max(module.kernel_size) > 1:
            module.register_forward_hook(lambda _, __, out: found.append(out.is_contiguous(memory_format=layout)))
    network(torch.randn(2, 2, *(8,) * spatial_dims))
    assert found and all(found)
