"""The layer of both networks: in training it computes what its modules say, with less for autograd to do."""

import pytest
import torch
from tiny import randomize_norms

from adw_components.networks.layers import ConvLayer


def layer(spatial_dims: int) -> ConvLayer:
    """Three channels in, five out."""
    torch.manual_seed(0)
    built = ConvLayer(spatial_dims=spatial_dims, in_channels=3, out_channels=5, kernel_size=(3,) * spatial_dims)
    randomize_norms(built)
    return built


def passed(built: ConvLayer, x: torch.Tensor, *, by_modules: bool) -> list[torch.Tensor]:
    """Output, and gradients of input and parameters for a random direction."""
    x = x.clone().requires_grad_(True)
    output = built.activation(built.norm(built.conv(x))) if by_modules else built(x)
    direction = torch.randn(output.shape, generator=torch.Generator().manual_seed(1), dtype=x.dtype)
    return [output, *torch.autograd.grad(output, [x, *built.parameters()], direction)]


@pytest.mark.parametrize("spatial_dims", [2, 3])
@pytest.mark.parametrize("cases", [1, 3])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_training_gives_bit_for_bit_what_the_modules_give(spatial_dims: int, cases: int, dtype: torch.dtype) -> None:
    built = layer(spatial_dims).to(dtype).train()
    x = torch.randn(cases, 3, *(6,) * spatial_dims, dtype=dtype)
    found, expected = (passed(built, x, by_modules=by_modules) for by_modules in (False, True))
    assert all(torch.equal(a, b) for a, b in zip(found, expected, strict=True))
    with torch.no_grad():
        assert torch.equal(built.eval()(x), expected[0])


@pytest.mark.parametrize("by_modules", [False, True])
def test_no_activation_in_place_on_a_view(by_modules: bool) -> None:
    """Autograd would copy the gradient of each, as it does for the modules."""
    built, x = layer(2).train(), torch.randn(2, 3, 4, 4)
    output = built.activation(built.norm(built.conv(x))) if by_modules else built(x)
    seen, todo = set(), [output.grad_fn]
    while todo:
        node = todo.pop()
        seen.add(node.name())
        todo += [before for before, _ in node.next_functions if before is not None]
    assert any("CopySlices" in name or "AsStrided" in name for name in seen) is by_modules


def test_training_layer_can_be_scripted() -> None:
    built, x = layer(3).train(), torch.randn(2, 3, 4, 4, 4)
    assert torch.equal(torch.jit.script(built)(x), built(x))
