"""What a network costs for one task: counted, and measured in inference and in training."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from monai.inferers import SlidingWindowInferer
from monai.losses import DiceCELoss
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from adw_components.losses import NormalizedDeepSupervisionLoss
from adw_components.plan import Plan

from .networks import Builder
from .timing import alternate, peak_memory

# Network -> figure -> number.
Figures = dict[str, dict[str, float]]


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """What is measured; it stands in the JSON as "sizes".

    Args:
        task: name of the MSD task whose plan gives channels, strides and kernels.
        base_width: of DynUNet, SegResNet and `nnunet_default`; the random architectures are scaled along.
        patch_size: voxels per axis.
        batch_size: patches of a training step.
        volume_size: voxels per axis of the image that the sliding window crosses.
        sw_batch_size: windows that go through the network at a time.
        repeats: how often everything is timed.
        amp: whether in mixed precision.
        architectures: paths of derived architectures.
    """

    task: str
    base_width: int
    patch_size: tuple[int, ...]
    batch_size: int
    volume_size: tuple[int, ...]
    sw_batch_size: int
    repeats: int
    amp: bool
    architectures: tuple[str, ...] = ()


class TrainingStep:
    """Forward pass, loss, backward pass and SGD step of the bundles' training, on the same batch every time.

    Gradients are dropped at its end, so that the memory of the next step includes its own only.

    Args:
        network: on the device of the images.
        images: (N, C, *patch).
        labels: (N, 1, *patch).
        plan: of the task.
        amp: whether in mixed precision, and then with a gradient scaler unless in bfloat16.
        dtype: of mixed precision; None leaves it to torch.
    """

    def __init__(
        self,
        network: nn.Module,
        images: torch.Tensor,
        labels: torch.Tensor,
        *,
        plan: Plan,
        amp: bool,
        dtype: torch.dtype | None = None,
    ) -> None:
        self.network, self.images, self.labels = network.train(), images, labels
        self.autocast = partial(torch.autocast, images.device.type, enabled=amp, dtype=dtype)
        dice_ce = partial(DiceCELoss, include_background=False, to_onehot_y=True, softmax=True, batch=plan.batch_dice)
        self.loss = NormalizedDeepSupervisionLoss(dice_ce(smooth_nr=1e-5, smooth_dr=1e-5))
        sgd = partial(torch.optim.SGD, momentum=0.99, nesterov=True, weight_decay=3e-5)
        self.optimizer = sgd(network.parameters(), lr=1e-2)
        self.scaler = torch.amp.GradScaler(images.device.type, enabled=amp and dtype != torch.bfloat16)

    def __call__(self) -> torch.Tensor:
        """Take one step; its loss."""
        with self.autocast():
            loss = self.loss(levels(self.network(self.images), self.images.ndim), self.labels)
        self.scaler.scale(loss).backward()
        self.scaler.step(self.optimizer)
        self.scaler.update()
        self.optimizer.zero_grad(set_to_none=True)
        return loss.detach()


def levels(outputs: torch.Tensor | list[torch.Tensor], ndim: int) -> torch.Tensor | list[torch.Tensor]:
    """The outputs as the loss takes them; DynUNet stacks its levels along a further axis, the second one."""
    if isinstance(outputs, torch.Tensor) and outputs.ndim > ndim:
        return list(outputs.unbind(1))
    return outputs


def count(build: Builder, shape: Sequence[int]) -> dict[str, float]:
    """Parameters, and FLOPs of one forward pass of an input of `shape`, a multiply-add being 2; nothing is computed."""
    with torch.device("meta"):
        network, x = build().eval(), torch.empty(*shape)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network(x)
    return {"parameters": sum(p.numel() for p in network.parameters()), "flops": counter.get_total_flops()}


def predict(run: Callable[[torch.Tensor], object], x: torch.Tensor, amp: bool) -> object:
    """`run` on `x` without gradients."""
    with torch.inference_mode(), torch.autocast(x.device.type, enabled=amp):
        return run(x)


def time_inference(networks: Mapping[str, nn.Module], plan: Plan, sizes: Sizes, device: torch.device) -> Figures:
    """Latency of a patch, and voxels of a volume that the bundles' sliding window segments in a second."""
    clock = partial(alternate, repeats=sizes.repeats, device=device)
    inferer = SlidingWindowInferer(sizes.patch_size, sizes.sw_batch_size, overlap=0.5, mode="gaussian")
    patch, volume = (torch.randn(1, plan.in_channels, *s, device=device) for s in (sizes.patch_size, sizes.volume_size))
    whole = {name: network.eval() for name, network in networks.items()}
    sliding = {name: partial(inferer, network=network) for name, network in whole.items()}
    latency = clock({name: partial(predict, run, patch, sizes.amp) for name, run in whole.items()}, label="latency")
    seconds = clock({n: partial(predict, run, volume, sizes.amp) for n, run in sliding.items()}, label="sliding window")
    voxels = math.prod(sizes.volume_size)
    return {n: {"latency_seconds": latency[n], "voxels_per_second": voxels / seconds[n]} for n in networks}


def time_training(networks: Mapping[str, nn.Module], plan: Plan, sizes: Sizes, device: torch.device) -> Figures:
    """Time and memory of a training step."""
    shape = (sizes.batch_size, 1, *sizes.patch_size)
    images = torch.randn(sizes.batch_size, plan.in_channels, *sizes.patch_size, device=device)
    labels = torch.randint(plan.out_channels, shape, dtype=torch.uint8, device=device)
    made = partial(TrainingStep, images=images, labels=labels, plan=plan, amp=sizes.amp)
    steps = {name: made(network) for name, network in networks.items()}
    seconds = alternate(steps, repeats=sizes.repeats, device=device, label="training step")
    memory = {n: peak_memory(s, device=device, parameters=networks[n].parameters()) for n, s in steps.items()}
    return {name: {"step_seconds": seconds[name], "step_bytes": memory[name]} for name in networks}


def measure(made: Mapping[str, Builder], plan: Plan, sizes: Sizes, device: torch.device) -> Figures:
    """Network -> figure -> number."""
    torch.manual_seed(0)
    networks = {name: build().to(device) for name, build in made.items()}
    counts = {name: count(build, (1, plan.in_channels, *sizes.patch_size)) for name, build in made.items()}
    inference = time_inference(networks, plan, sizes, device)
    training = time_training(networks, plan, sizes, device)
    return {name: counts[name] | inference[name] | training[name] for name in made}
