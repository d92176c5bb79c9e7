"""One iteration of MONAI's DiNTS search, as the model zoo's pancreas_ct_dints_segmentation runs it."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Sequence

import torch
from monai.losses import DiceCELoss
from monai.networks.nets import DiNTS, TopologySearch
from torch import nn
from torch.nn import functional as F

from .variants import CLASSES

Batch = tuple[torch.Tensor, torch.Tensor]
# A patch axis is halved by the stem, and then once for each of the depths but the first.
DIVISOR = 16
# The zoo's setting: blocks, resolutions, and a factor of the default channels.
SETTING = {"num_blocks": 12, "num_depths": 4, "channel_mul": 0.5, "use_downsample": True}
# The share of the search that the entropies have grown to, and the share of memory aimed at: no cost depends on them.
ENTROPY_WEIGHT = 0.5
MEMORY_SHARE = 0.8


def search_network(device: torch.device) -> DiNTS:
    """The supernet in the zoo's setting."""
    # It announces on the standard output which patches it likes.
    with contextlib.redirect_stdout(sys.stderr):
        space = TopologySearch(**SETTING, device=str(device))
    return DiNTS(space, in_channels=1, num_classes=CLASSES, use_downsample=True).to(device)


class DintsIteration:
    """A step of the weights on batch A, then one of the architecture on batch B.

    The loss of the architecture is that of the segmentation, the entropies of paths (`log_alpha_a`) and operations
    (`log_alpha_c`), the distance of the expected memory to its target, and the entropy of the topology (He et al.,
    CVPR 2021).

    Args:
        a: images (N, 1, *spatial) and labels (N, 1, *spatial) on the device; axes divisible by `DIVISOR`.
        b: likewise.
    """

    iterations = 1

    def __init__(self, a: Batch, b: Batch) -> None:
        self.a, self.b = a, b
        self.network = search_network(a[0].device).train()
        self.space = self.network.dints_space
        self.choices = [self.space.log_alpha_a, self.space.log_alpha_c]
        chosen = {id(parameter) for parameter in self.choices}
        self.weights = [parameter for parameter in self.network.parameters() if id(parameter) not in chosen]
        self.loss = DiceCELoss(
            include_background=False,
            to_onehot_y=True,
            softmax=True,
            squared_pred=True,
            batch=True,
            smooth_nr=1e-5,
            smooth_dr=1e-5,
        )
        self.weight_optimizer = torch.optim.SGD(self.weights, lr=0.025, momentum=0.9, weight_decay=4e-5)
        self.choice_optimizers = [torch.optim.Adam([choice], lr=1e-3, betas=(0.5, 0.999)) for choice in self.choices]

    def __call__(self) -> None:
        self.train_weights()
        self.train_architecture()

    def train_weights(self) -> None:
        """The step on A; the architecture stands still."""
        require_gradients(self.weights, of=True)
        require_gradients(self.choices, of=False)
        self.segmentation_loss(self.a).backward()
        self.weight_optimizer.step()
        self.network.zero_grad(set_to_none=True)

    def train_architecture(self) -> None:
        """The step on B; the weights stand still."""
        require_gradients(self.weights, of=False)
        require_gradients(self.choices, of=True)
        (self.segmentation_loss(self.b) + self.architecture_loss(self.b[0].shape)).backward()
        for optimizer in self.choice_optimizers:
            optimizer.step()
        self.network.zero_grad(set_to_none=True)

    def segmentation_loss(self, batch: Batch) -> torch.Tensor:
        """Dice and cross entropy."""
        images, labels = batch
        return self.loss(self.network(images), labels)

    def architecture_loss(self, shape: Sequence[int]) -> torch.Tensor:
        """What the architecture pays besides the segmentation, for images of `shape` (N, 1, *spatial)."""
        probabilities, _ = self.space.get_prob_a(child=True)
        operations = self.space.log_alpha_c
        path_entropy = -(probabilities * torch.log(probabilities + 1e-5)).mean()
        operation_entropy = -(F.softmax(operations, dim=-1) * F.log_softmax(operations, dim=-1)).mean()
        topology = self.space.get_topology_entropy(probabilities)
        share = self.space.get_ram_cost_usage(shape) / self.space.get_ram_cost_usage(shape, full=True)
        entropies = ENTROPY_WEIGHT * (path_entropy + operation_entropy)
        return entropies + torch.abs(MEMORY_SHARE - share) + 0.001 * topology


def require_gradients(parameters: Sequence[nn.Parameter], *, of: bool) -> None:
    """Take all `parameters` into the graph, or none."""
    for parameter in parameters:
        parameter.requires_grad_(of)
