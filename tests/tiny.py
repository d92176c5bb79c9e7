"""Tiny search spaces, networks, batches and hypothesis strategies that several test modules share."""

from __future__ import annotations

from typing import Any

import torch
from hypothesis import strategies as st
from monai.inferers import Inferer
from monai.losses import DiceCELoss
from torch import nn
from torch.optim import Optimizer

from adw_components.architecture import Architecture
from adw_components.losses import NormalizedDeepSupervisionLoss
from adw_components.networks import AdwUNetSupernet
from adw_components.record_fields import total_stride
from adw_components.search_space import SearchSpace

CLASSES = 3
# Texts that are no syntax to MONAI, wherever they stand.
PLAIN = st.text("aZ09 .-é中&", max_size=8)


def space(
    *,
    spatial_dims: int = 2,
    n_stages: int = 3,
    base_widths: tuple[int, ...] = (2, 3, 4),
    depths: tuple[int, ...] = (1, 2, 3),
    n_doublings: int = 1,
) -> SearchSpace:
    """A search space with stride 2 and kernel 3 everywhere."""
    return SearchSpace(
        strides=((1,) * spatial_dims, *((2,) * spatial_dims for _ in range(n_stages - 1))),
        kernel_sizes=((3,) * spatial_dims,) * n_stages,
        base_widths=base_widths,
        depths=depths,
        n_doublings=n_doublings,
    )


@st.composite
def geometries(draw: st.DrawFn, max_stages: int = 3) -> dict[str, Any]:
    """Strides and kernels of a 2D or 3D U-Net, isotropic or not."""
    spatial_dims = draw(st.sampled_from((2, 3)))
    n_stages = draw(st.integers(2, max_stages))
    row = st.tuples(*[st.sampled_from((1, 2))] * spatial_dims)
    kernel = st.tuples(*[st.sampled_from((1, 3))] * spatial_dims)
    strides = [(1,) * spatial_dims, *(draw(row) for _ in range(n_stages - 1))]
    return {"strides": tuple(strides), "kernel_sizes": tuple(draw(kernel) for _ in range(n_stages))}


@st.composite
def search_spaces(draw: st.DrawFn, max_width: int = 4) -> SearchSpace:
    """Any small search space."""
    widths = draw(st.sets(st.integers(1, max_width), min_size=1, max_size=3))
    depths = draw(st.sets(st.integers(1, 3), min_size=1))
    return SearchSpace(
        **draw(geometries()),
        base_widths=tuple(sorted(widths)),
        depths=tuple(sorted(depths)),
        n_doublings=draw(st.integers(0, 2)),
    )


@st.composite
def architectures(draw: st.DrawFn, max_stages: int = 3, max_width: int = 5) -> Architecture:
    """Any small architecture, inside a search space or not."""
    geometry = draw(geometries(max_stages))
    n_stages = len(geometry["strides"])
    block = st.lists(st.integers(1, max_width), min_size=1, max_size=3)
    return Architecture(
        encoder_widths=draw(st.lists(block, min_size=n_stages, max_size=n_stages)),
        decoder_widths=draw(st.lists(block, min_size=n_stages - 1, max_size=n_stages - 1)),
        **geometry,
        provenance=draw(st.dictionaries(PLAIN, st.none() | st.integers(-(10**9), 10**9) | PLAIN)),
    )


def patch_size(record: Architecture | SearchSpace) -> tuple[int, ...]:
    """The smallest patch with more than one position at the deepest stage, which instance norm needs."""
    return tuple(2 * step for step in total_stride(record.strides))


def random_batch(
    size: tuple[int, ...], *, cases: int = 2, in_channels: int = 1, seed: int = 0
) -> tuple[torch.Tensor, torch.Tensor]:
    """Random images (N, C, *size) and labels (N, 1, *size), uint8 as the bundles load them."""
    generator = torch.Generator().manual_seed(seed)
    images = torch.randn(cases, in_channels, *size, generator=generator)
    return images, torch.randint(CLASSES, (cases, 1, *size), generator=generator, dtype=torch.uint8)


def loss_function() -> NormalizedDeepSupervisionLoss:
    """The bundles' loss: Dice per case, without background, and cross entropy."""
    loss = DiceCELoss(include_background=False, to_onehot_y=True, softmax=True, smooth_nr=1e-5, smooth_dr=1e-5)
    return NormalizedDeepSupervisionLoss(loss)


def supernet(search_space: SearchSpace, *, seed: int = 0, in_channels: int = 1, **options: Any) -> AdwUNetSupernet:
    """A supernet with reproducible weights."""
    torch.manual_seed(seed)
    return AdwUNetSupernet(search_space.spatial_dims, in_channels, CLASSES, search_space, **options)


@torch.no_grad()
def randomize_norms(network: nn.Module, *, seed: int = 0) -> None:
    """Give all one-dimensional weights (norms, biases) values away from their neutral start."""
    generator = torch.Generator().manual_seed(seed)
    for name, parameter in network.named_parameters():
        if parameter.ndim == 1 and "choice" not in name:
            parameter.copy_(0.5 + torch.rand(parameter.shape, generator=generator))


@torch.no_grad()
def choose(network: AdwUNetSupernet, architecture: Architecture, *, logit: float = 1e4) -> None:
    """Make the supernet's choices one-hot at `architecture`."""
    for block, widths in zip(network.blocks, architecture.blocks, strict=True):
        choice = block.choice
        choice.alpha.zero_()
        choice.beta.zero_()
        choice.beta[choice.depths.index(len(widths))] = logit
        for index, width in enumerate(widths):
            choice.alpha[index, choice.widths.index(width)] = logit


class FrozenNoise(Inferer):
    """Run every forward pass under the same torch seed, so that the Gumbel noise is the same."""

    def __init__(self, seed: int = 0) -> None:
        super().__init__()
        self.seed = seed

    def __call__(self, inputs: torch.Tensor, network: Any, *args: Any, **kwargs: Any) -> Any:
        torch.manual_seed(self.seed)
        return network(inputs, *args, **kwargs)


class RecordingSGD(Optimizer):
    """Plain gradient descent that keeps, for every step, the gradients and the point at which it was taken.

    Args:
        params: what it updates.
        network: whose state makes the point.
        lr: learning rate; 0 stays where it is.
    """

    def __init__(self, params: list[nn.Parameter], network: nn.Module, lr: float = 0.0) -> None:
        super().__init__(params, {"lr": lr})
        self.network = network
        self.gradients: list[list[torch.Tensor]] = []
        self.points: list[dict[str, torch.Tensor]] = []

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """Record, then descend."""
        parameters = self.param_groups[0]["params"]
        self.points.append({name: value.clone() for name, value in self.network.state_dict().items()})
        self.gradients.append([parameter.grad.clone() for parameter in parameters])
        for parameter in parameters:
            parameter.sub_(parameter.grad, alpha=self.param_groups[0]["lr"])


def snapshot(parameters: list[nn.Parameter]) -> list[torch.Tensor]:
    """Copies of the values."""
    return [parameter.detach().clone() for parameter in parameters]


def unchanged(parameters: list[nn.Parameter], before: list[torch.Tensor]) -> bool:
    """Whether all values are bit for bit those of `before`."""
    return all(torch.equal(now, then) for now, then in zip(parameters, before, strict=True))
