"""On a GPU both networks compute what they compute on a CPU, and mixed precision trains."""

import math
from collections.abc import Callable
from functools import partial

import pytest
import torch
from benchmarks.network_costs import TrainingStep
from benchmarks.search_steps import SearchIteration, bundle_loss, random_batch
from benchmarks.variants import largest, supernet
from torch import nn
from torch.nn import functional as F

from adw_components.networks import AdwUNetSupernet
from adw_components.search_space import SearchSpace
from adw_components.tasks import task

from .conftest import Scale

pytestmark = pytest.mark.gpu
Record = Callable[[str, object], None]


def search_space(scale: Scale) -> SearchSpace:
    plan = task("Task04_Hippocampus").plan
    return SearchSpace(strides=plan.strides, kernel_sizes=plan.kernel_sizes, base_widths=scale.base_widths)


NETWORKS: dict[str, Callable[[SearchSpace], nn.Module]] = {
    "derived network": largest,
    "supernet": partial(supernet, AdwUNetSupernet),
}


@pytest.fixture()
def same_noise(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Draw Gumbel noise on the CPU, so that it is the same on every device; the call begins it anew."""
    generator = torch.Generator()

    def gumbel_softmax(logits: torch.Tensor, tau: torch.Tensor, dim: int) -> torch.Tensor:
        uniform = torch.rand(logits.shape, generator=generator).clamp(1e-6, 1 - 1e-6)
        return F.softmax((logits - (-uniform.log()).log().to(logits.device)) / tau, dim=dim)

    monkeypatch.setattr(F, "gumbel_softmax", gumbel_softmax)
    return lambda: generator.manual_seed(0) and None


def one_pass(network: nn.Module, device: torch.device, scale: Scale) -> tuple[list[torch.Tensor], float, torch.Tensor]:
    """Outputs, loss and all gradients in one vector, on the CPU."""
    images, labels = random_batch(scale.patch_size, 2, device=device, seed=0)
    network = network.to(device).train()
    network.zero_grad(set_to_none=True)
    outputs = network(images)
    loss = bundle_loss()(outputs, labels)
    loss.backward()
    gradients = [parameter.grad.flatten().cpu() for parameter in network.parameters() if parameter.grad is not None]
    return [output.detach().cpu() for output in outputs], loss.item(), torch.cat(gradients)


def apart(one: torch.Tensor, other: torch.Tensor) -> float:
    """Norm of the difference over the norm."""
    return float((one - other).norm() / other.norm())


@pytest.mark.parametrize("name", NETWORKS)
def test_outputs_loss_and_gradients_are_those_of_the_cpu(
    name: str,
    device: torch.device,
    scale: Scale,
    same_noise: Callable[[], None],
    whole_float32: None,
    record_property: Record,
) -> None:
    torch.manual_seed(0)
    network = NETWORKS[name](search_space(scale))
    same_noise()
    outputs, loss, gradients = one_pass(network, torch.device("cpu"), scale)
    same_noise()
    found_outputs, found_loss, found_gradients = one_pass(network, device, scale)
    figures = {
        "outputs": max(apart(one, other) for one, other in zip(found_outputs, outputs, strict=True)),
        "loss": abs(found_loss / loss - 1),
        "gradients": apart(found_gradients, gradients),
    }
    for key, value in figures.items():
        record_property(key, value)
    assert all(value < 1e-3 for value in figures.values()), figures


def learnable(images: torch.Tensor) -> torch.Tensor:
    """Labels that follow from the image."""
    return (images > 0).to(torch.uint8) + (images > 1).to(torch.uint8)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16], ids=["float16", "bfloat16"])
def test_a_training_in_mixed_precision_stays_finite_and_falls(
    dtype: torch.dtype, device: torch.device, scale: Scale, record_property: Record
) -> None:
    torch.manual_seed(0)
    plan = task("Task04_Hippocampus").plan
    network = largest(search_space(scale)).to(device)
    images, _ = random_batch(scale.patch_size, scale.batch_size, device=device, seed=0)
    amp = device.type == "cuda"  # at toy size a CPU's bfloat16 convolutions give NaN gradients now and then
    step = TrainingStep(network, images, learnable(images), plan=plan, amp=amp, dtype=dtype)
    losses = [float(step()) for _ in range(25)]
    record_property("losses", [round(loss, 4) for loss in losses])
    assert all(map(math.isfinite, losses))
    assert all(torch.isfinite(parameter).all() for parameter in network.parameters())
    assert losses[-1] < 0.9 * losses[0]


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16], ids=["float16", "bfloat16"])
@pytest.mark.parametrize("iteration", ["simultaneous", "single_path"])
def test_a_search_in_mixed_precision_stays_finite_and_falls(
    iteration: str, dtype: torch.dtype, device: torch.device, scale: Scale, record_property: Record
) -> None:
    torch.manual_seed(0)
    batches = []
    for seed in (0, 1):
        images, _ = random_batch(scale.patch_size, 2, device=device, seed=seed)
        batches.append((images, learnable(images)))
    amp = device.type == "cuda"  # at toy size a CPU's bfloat16 convolutions give NaN gradients now and then
    autocast = partial(torch.autocast, device.type, enabled=amp, dtype=dtype)
    step = SearchIteration(search_space(scale), *batches, name=iteration, autocast=autocast)
    step.step.gradients.scaler = torch.amp.GradScaler(device.type, enabled=amp and dtype == torch.float16)
    losses = [step.step.search(step.a, lambda: step.b, iteration=number).weights for number in range(24)]
    record_property("losses", [round(loss, 4) for loss in losses])
    assert all(map(math.isfinite, losses))
    logits = step.network.logits()
    assert all(math.isfinite(value) for block in logits["alpha"] for row in block for value in row)
    # A cycle of single paths has eight.
    assert sum(losses[-8:]) < sum(losses[:8])
