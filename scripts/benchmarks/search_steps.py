"""Passes and search iterations of ours, ready to be timed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import Protocol

import torch
from monai.losses import DiceCELoss
from torch import nn

from adw_components.losses import NormalizedDeepSupervisionLoss
from adw_components.networks import AdwUNetSupernet
from adw_components.search.gradient_pass import Batch
from adw_components.search.mixed_level import MixedLevelStep, StepOrder, WeightStep
from adw_components.search.sandwich import CYCLE
from adw_components.search_space import SearchSpace

from .timing import alternate, peak_memory
from .variants import CLASSES, supernet

# Step -> figure -> number.
Figures = dict[str, dict[str, float]]
# Names of our iterations -> order of the step, step of the weights.
ITERATIONS: dict[str, tuple[StepOrder, WeightStep]] = {
    "sequential": ("sequential", "mixture"),
    "simultaneous": ("simultaneous", "mixture"),
    "single_path": ("simultaneous", "single_path"),
    "sequential_single_path": ("sequential", "single_path"),
}


class Step(Protocol):
    """What is timed: a call runs `iterations` of them on `network`."""

    network: nn.Module
    iterations: int

    def __call__(self) -> None: ...


def random_batch(patch_size: Sequence[int], batch_size: int, *, device: torch.device, seed: int) -> Batch:
    """Random images (N, 1, *patch) and labels (N, 1, *patch), uint8 as the bundles load them."""
    generator = torch.Generator().manual_seed(seed)
    shape = (batch_size, 1, *patch_size)
    images = torch.randn(shape, generator=generator)
    labels = torch.randint(CLASSES, shape, generator=generator, dtype=torch.uint8)
    return images.to(device), labels.to(device)


def bundle_loss() -> NormalizedDeepSupervisionLoss:
    """The bundles' loss: Dice without background and cross entropy, at all levels but the lowest."""
    loss = DiceCELoss(include_background=False, to_onehot_y=True, softmax=True, smooth_nr=1e-5, smooth_dr=1e-5)
    return NormalizedDeepSupervisionLoss(loss)


class ForwardBackward:
    """Forward pass, loss and backward pass, the gradients of all parameters included.

    They are dropped at its end, so that the memory of the next call includes its own only.
    """

    iterations = 1

    def __init__(self, network: nn.Module, batch: Batch) -> None:
        self.network, self.batch, self.loss = network.to(batch[0].device).train(), batch, bundle_loss()

    def __call__(self) -> None:
        images, labels = self.batch
        self.loss(self.network(images), labels).backward()
        self.network.zero_grad(set_to_none=True)


class SearchIteration:
    """An iteration after the warm-up, with the bundles' optimizers, on the same two batches every time.

    With single-path weights the cost differs from iteration to iteration, and a call runs one whole cycle of them.

    Args:
        search_space: of the supernet.
        a: batch of split A, on the device.
        b: batch of split B, on the device.
        name: one of `ITERATIONS`.
        autocast: makes the context of a forward pass.
    """

    def __init__(
        self,
        search_space: SearchSpace,
        a: Batch,
        b: Batch,
        *,
        name: str,
        autocast: Callable[[], AbstractContextManager] = nullcontext,
    ) -> None:
        self.a, self.b, self.done = a, b, 0
        step_order, weight_step = ITERATIONS[name]
        self.iterations = len(CYCLE) if weight_step == "single_path" else 1
        self.network = supernet(AdwUNetSupernet, search_space).to(a[0].device).train()
        sgd = partial(torch.optim.SGD, lr=0.01, momentum=0.99, nesterov=True, weight_decay=3e-5)
        self.step = MixedLevelStep(
            network=self.network,
            weight_optimizer=sgd(self.network.weight_parameters()),
            architecture_optimizer=torch.optim.Adam(self.network.architecture_parameters(), lr=4e-4),
            step_order=step_order,
            weight_step=weight_step,
            loss_function=bundle_loss(),
            autocast=autocast,
        )

    def __call__(self) -> None:
        for _ in range(self.iterations):
            self.step.search(self.a, lambda: self.b, iteration=self.done)
            self.done += 1


def measure(steps: Mapping[str, Step], *, repeats: int, device: torch.device, label: str) -> Figures:
    """Median seconds of one iteration of every step, and bytes at the peak of a call.

    Memory is measured last: the optimizers then have their states, which are no part of it.
    """
    seconds = alternate(steps, repeats=repeats, device=device, label=label)
    return {
        name: {
            "seconds": seconds[name] / step.iterations,
            "bytes": peak_memory(step, device=device, parameters=step.network.parameters()),
        }
        for name, step in steps.items()
    }
