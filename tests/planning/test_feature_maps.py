"""The estimate of memory against the outputs of a real network, counted by hooks."""

import math

import pytest
import torch
from torch import nn

from adw_components.networks import AdwUNet
from adw_components.planning.patch import feature_map_voxels
from adw_components.reference import nnunet_default
from adw_components.tasks import task, task_names


def counted(network: nn.Module, in_channels: int, patch_size: tuple[int, ...]) -> int:
    """Elements of what all convolutions and transposed convolutions give, but for the heads at low resolution."""
    heads = set(network.heads.modules())
    outputs: list[tuple[bool, torch.Size]] = []
    for module in network.modules():
        if isinstance(module, nn.Conv3d | nn.ConvTranspose3d):
            is_head = module in heads
            module.register_forward_hook(lambda *call, is_head=is_head: outputs.append((is_head, call[2].shape)))
    with torch.no_grad():
        network(torch.empty(1, in_channels, *patch_size, device="meta"))
    return sum(math.prod(shape) for is_head, shape in outputs if not is_head or tuple(shape[2:]) == patch_size)


@pytest.mark.parametrize("name", task_names())
def test_the_estimate_counts_every_convolution_of_the_default_network(name: str) -> None:
    plan = task(name).plan
    architecture = nnunet_default(strides=plan.strides, kernel_sizes=plan.kernel_sizes)
    with torch.device("meta"):
        network = AdwUNet(3, plan.in_channels, plan.out_channels, architecture)
    estimate = feature_map_voxels(plan.patch_size, plan.strides, plan.out_channels)
    assert estimate == counted(network, plan.in_channels, plan.patch_size)
