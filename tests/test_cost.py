"""Cost from the record equals what torch counts, and the published counts."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny import architectures, patch_size, search_spaces
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from adw_components.architecture import Architecture
from adw_components.cost import COST_KINDS, CostKind, count, count_activation_bytes, count_flops, count_parameters
from adw_components.cost_terms import contributions, exact_shapes
from adw_components.errors import UserError
from adw_components.networks import AdwUNet, AdwUNetSupernet
from adw_components.reference import nnunet_default, published
from adw_components.search_space import SearchSpace

# Channels of the image, classes, patch in NIfTI order, parameters, FLOPs of one patch.
PUBLISHED = {
    "Task01_BrainTumour": (4, 4, (128, 128, 128), 66565312, 2282303782912),
    "Task02_Heart": (1, 2, (160, 192, 80), 40188552, 1764318105600),
    "Task05_Prostate": (2, 3, (256, 320, 20), 75312288, 1851339264000),
    "Task07_Pancreas": (1, 3, (224, 224, 40), 61584960, 3272318407680),
}
# Stages, channels of the image, classes, weights, alpha and beta.
SUPERNETS = {
    "Task01_BrainTumour": (6, 4, 4, 77318304, 198),
    "Task04_Hippocampus": (4, 1, 3, 19199520, 126),
}


def meta_network(architecture: Architecture, in_channels: int, out_channels: int) -> AdwUNet:
    """The network without memory for its weights."""
    with torch.device("meta"):
        return AdwUNet(architecture.spatial_dims, in_channels, out_channels, architecture)


def counted_flops(network: nn.Module, in_channels: int, size: tuple[int, ...]) -> int:
    """FLOPs of one forward pass as torch counts them."""
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network(torch.empty(1, in_channels, *size, device="meta"))
    return counter.get_total_flops()


def saved_bytes(network: nn.Module, x: torch.Tensor) -> int:
    """Bytes that torch keeps for the backward pass of one training forward: every storage once, no parameter."""
    parameters = {parameter.untyped_storage()._cdata for parameter in network.parameters()}
    storages: dict[int, torch.UntypedStorage] = {}

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        # The storage is held, so that its address is not given to another one.
        storage = tensor.untyped_storage()
        storages[storage._cdata] = storage
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        outputs = network.train()(x)
    del outputs
    return sum(storage.nbytes() for key, storage in storages.items() if key not in parameters)


def size_of(parameters: list[nn.Parameter]) -> int:
    """Number of values."""
    return sum(parameter.numel() for parameter in parameters)


@pytest.mark.parametrize("task", PUBLISHED)
def test_published_architecture_has_the_published_cost(task: str) -> None:
    in_channels, out_channels, size, parameters, flops = PUBLISHED[task]
    channels = {"in_channels": in_channels, "out_channels": out_channels}
    assert count_parameters(published(task), **channels) == parameters
    assert count_flops(published(task), **channels, patch_size=size) == flops


@pytest.mark.parametrize("task", PUBLISHED)
def test_published_architecture_builds_a_network_of_that_cost(task: str) -> None:
    in_channels, out_channels, size, parameters, flops = PUBLISHED[task]
    network = meta_network(published(task), in_channels, out_channels)
    assert size_of(list(network.parameters())) == parameters
    assert counted_flops(network, in_channels, size) == pytest.approx(flops, rel=1e-3)


@pytest.mark.parametrize("task", PUBLISHED)
def test_published_record_tells_its_own_network(task: str) -> None:
    in_channels, out_channels, size, *_ = PUBLISHED[task]
    expected = {"in_channels": in_channels, "out_channels": out_channels, "patch_size": list(size)}
    assert published(task).provenance["network"] == expected


@settings(deadline=None, max_examples=25)
@given(architectures(), st.integers(1, 3), st.integers(1, 4))
def test_any_architecture_costs_what_torch_counts(
    architecture: Architecture, in_channels: int, out_channels: int
) -> None:
    network = meta_network(architecture, in_channels, out_channels)
    channels = {"in_channels": in_channels, "out_channels": out_channels}
    size = patch_size(architecture)
    assert count_parameters(architecture, **channels) == size_of(list(network.parameters()))
    assert count_flops(architecture, **channels, patch_size=size) == counted_flops(network, in_channels, size)


@settings(deadline=None, max_examples=20)
@given(architectures())
def test_flops_grow_with_the_number_of_voxels(architecture: Architecture) -> None:
    size = patch_size(architecture)
    channels = {"in_channels": 1, "out_channels": 2}
    twice = (2 * size[0], *size[1:])
    assert count_flops(architecture, **channels, patch_size=twice) == 2 * count_flops(
        architecture, **channels, patch_size=size
    )


@settings(deadline=None, max_examples=40)
@given(architectures(), st.integers(1, 3), st.integers(1, 3), st.sampled_from((torch.float32, torch.float64)))
def test_any_architecture_keeps_the_activations_that_torch_keeps(
    architecture: Architecture, in_channels: int, batch_size: int, dtype: torch.dtype
) -> None:
    network = AdwUNet(architecture.spatial_dims, in_channels, 2, architecture).to(dtype)
    size = patch_size(architecture)
    assert count_activation_bytes(
        architecture,
        in_channels=in_channels,
        out_channels=2,
        patch_size=size,
        batch_size=batch_size,
        bytes_per_value=dtype.itemsize,
    ) == saved_bytes(network, torch.zeros(batch_size, in_channels, *size, dtype=dtype))


@pytest.mark.parametrize("task", PUBLISHED)
def test_published_architecture_keeps_the_activations_that_torch_keeps(task: str) -> None:
    in_channels, out_channels, size, *_ = PUBLISHED[task]
    network = meta_network(published(task), in_channels, out_channels)
    x = torch.empty(2, in_channels, *size, device="meta")
    channels = {"in_channels": in_channels, "out_channels": out_channels}
    assert count_activation_bytes(published(task), **channels, patch_size=size, batch_size=2) == saved_bytes(network, x)


def test_half_precision_halves_the_activations() -> None:
    architecture, channels = published("Task02_Heart"), {"in_channels": 1, "out_channels": 2}
    whole = count_activation_bytes(architecture, **channels, patch_size=(160, 192, 80))
    half = count_activation_bytes(architecture, **channels, patch_size=(160, 192, 80), bytes_per_value=2)
    assert half / whole == pytest.approx(0.5, rel=1e-4)


def test_patch_that_does_not_divide_is_refused() -> None:
    with pytest.raises(UserError, match=r"patch_size must be divisible by \(32, 32, 32\), got \(40, 56, 40\)"):
        count_flops(published("Task01_BrainTumour"), in_channels=4, out_channels=4, patch_size=(40, 56, 40))


@pytest.mark.parametrize("task", SUPERNETS)
def test_supernet_has_the_counted_weights_and_choices(task: str) -> None:
    stages, in_channels, out_channels, weights, choices = SUPERNETS[task]
    space = SearchSpace(strides=((1, 1, 1), *((2, 2, 2),) * (stages - 1)), kernel_sizes=((3, 3, 3),) * stages)
    with torch.device("meta"):
        network = AdwUNetSupernet(3, in_channels, out_channels, space)
    assert size_of(network.weight_parameters()) == weights
    assert size_of(network.architecture_parameters()) == choices
    widest = space.uniform(width=4, depth=3)
    assert count_parameters(widest, in_channels=in_channels, out_channels=out_channels) == weights


@pytest.mark.parametrize(("spatial_dims", "cap"), [(2, 512), (3, 320)])
def test_default_of_nnunet_doubles_up_to_its_cap(spatial_dims: int, cap: int) -> None:
    strides = ((1,) * spatial_dims, *((2,) * spatial_dims for _ in range(5)))
    architecture = nnunet_default(strides=strides, kernel_sizes=((3,) * spatial_dims,) * 6)
    assert architecture.encoder_widths == tuple((min(32 * 2**stage, cap),) * 2 for stage in range(6))
    assert architecture.decoder_widths == architecture.encoder_widths[-2::-1]


@settings(max_examples=20)
@given(architectures(), st.integers(1, 3))
def test_every_kind_is_one_of_the_counts(architecture: Architecture, in_channels: int) -> None:
    channels = {"in_channels": in_channels, "out_channels": 2}
    size = patch_size(architecture)
    counted = {kind: count(kind, architecture, **channels, patch_size=size) for kind in COST_KINDS}
    assert counted == {
        "flops": count_flops(architecture, **channels, patch_size=size),
        "parameters": count_parameters(architecture, **channels),
        "memory": count_activation_bytes(architecture, **channels, patch_size=size),
    }


@pytest.mark.parametrize("kind", COST_KINDS)
@settings(max_examples=10)
@given(architectures())
def test_counts_are_linear_in_the_channels_of_every_convolution(kind: CostKind, architecture: Architecture) -> None:
    network = {"in_channels": 1, "out_channels": 2, "patch_size": patch_size(architecture)}
    for block, widths in enumerate(architecture.blocks):
        for position in range(len(widths)):
            costs = []
            for more in range(3):
                blocks = [list(row) for row in architecture.blocks]
                blocks[block][position] += more
                costs.append(sum(contributions(kind, exact_shapes(blocks), architecture, **network)))
            assert costs[1] - costs[0] == costs[2] - costs[1] > 0


@settings(max_examples=20)
@given(search_spaces(), st.integers(0, 2**16), st.sampled_from(COST_KINDS))
def test_no_architecture_costs_less_than_the_smallest_or_more_than_the_largest(
    search_space: SearchSpace, seed: int, kind: CostKind
) -> None:
    network = {"in_channels": 1, "out_channels": 2, "patch_size": patch_size(search_space)}
    drawn = (search_space.smallest, search_space.sample(seed), search_space.largest)
    low, middle, high = (count(kind, each, **network) for each in drawn)
    assert low <= middle <= high
