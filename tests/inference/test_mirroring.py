"""Mirroring is the mean over all flips, written out."""

import pytest
import torch
from monai.inferers import SimpleInferer, SlidingWindowInferer
from tiny import patch_size, randomize_norms, space
from torch import nn

from adw_components.errors import UserError
from adw_components.inference.mirroring import MirrorInferer, axis_subsets
from adw_components.networks import AdwUNet


def network(spatial_dims: int) -> AdwUNet:
    """A small network in evaluation."""
    torch.manual_seed(0)
    built = AdwUNet(spatial_dims, 1, 3, space(spatial_dims=spatial_dims, n_stages=2).sample(0)).eval()
    randomize_norms(built)
    return built


def count_passes(module: nn.Module) -> list[int]:
    """A list that grows with every forward pass."""
    passes: list[int] = []
    module.register_forward_hook(lambda *_: passes.append(1))
    return passes


@torch.no_grad()
def test_three_dimensional_mirroring_is_the_mean_of_eight_flips() -> None:
    built = network(3)
    x = torch.randn(2, 1, 4, 4, 4)
    flips = [[], [2], [3], [4], [2, 3], [2, 4], [3, 4], [2, 3, 4]]
    expected = torch.stack([built(x.flip(axes)).flip(axes) for axes in flips]).mean(dim=0)
    passes = count_passes(built)
    torch.testing.assert_close(MirrorInferer(SimpleInferer())(x, built), expected)
    assert len(passes) == 8


@torch.no_grad()
def test_mirrored_image_gets_the_mirrored_logits() -> None:
    inferer, built, x = MirrorInferer(SimpleInferer()), network(2), torch.randn(1, 1, 8, 8)
    torch.testing.assert_close(inferer(x.flip(3), built), inferer(x, built).flip(3))
    assert not torch.allclose(built(x.flip(3)), built(x).flip(3), atol=1e-3)


@torch.no_grad()
def test_disabled_mirroring_is_the_inferer_itself() -> None:
    built, x = network(2), torch.randn(1, 1, 8, 8)
    passes = count_passes(built)
    assert torch.equal(MirrorInferer(SimpleInferer(), enabled=False)(x, built), built(x))
    assert len(passes) == 2


@torch.no_grad()
def test_every_flip_runs_through_the_sliding_window() -> None:
    built = network(2)
    window = SlidingWindowInferer(roi_size=(8, 8), overlap=0.5, mode="gaussian")
    x = torch.randn(1, 1, 14, 11)
    expected = sum(window(x.flip(axes), built).flip(axes) for axes in ([], [2], [3], [2, 3])) / 4
    torch.testing.assert_close(MirrorInferer(window)(x, built), expected)
    assert patch_size(space(n_stages=2)) == (4, 4)


@torch.no_grad()
def test_only_the_given_axes_are_mirrored() -> None:
    built, x = network(3), torch.randn(1, 1, 4, 4, 4)
    expected = (built(x) + built(x.flip(3)).flip(3)) / 2
    passes = count_passes(built)
    torch.testing.assert_close(MirrorInferer(SimpleInferer(), axes=[1])(x, built), expected)
    assert len(passes) == 2


@pytest.mark.parametrize("axes", [[0, 0], [3], [-1]])
def test_axes_that_an_image_does_not_have(axes: list[int]) -> None:
    with pytest.raises(UserError, match="mirror_axes must be different axes from 0 to 2, got"):
        MirrorInferer(SimpleInferer(), axes=axes)


@pytest.mark.parametrize("axes", [(0,), (1, 2), (0, 1, 2)])
def test_subsets_are_all_and_distinct(axes: tuple[int, ...]) -> None:
    subsets = axis_subsets(axes)
    assert subsets[0] == ()
    assert len(subsets) == len({frozenset(subset) for subset in subsets}) == 2 ** len(axes)
    assert {axis for subset in subsets for axis in subset} == {axis + 2 for axis in axes}
