"""Handlers of a MONAI trainer: stop at a loss that is no number, clip the gradients."""

import math
from typing import Any

import pytest
import torch
from monai.data import DataLoader, Dataset
from monai.engines import IterationEvents, SupervisedTrainer
from tiny import CLASSES, random_batch, space
from torch.nn import functional as F

from adw_components.engines.gradients import ClipGradients, StopAtNonFiniteLoss
from adw_components.errors import UserError
from adw_components.networks import AdwUNet


def trainer(*handlers: Any, factor: float = 1.0) -> SupervisedTrainer:
    """One iteration on random data; the loss is multiplied by `factor`."""
    torch.manual_seed(0)
    network = AdwUNet(2, 1, CLASSES, space(n_stages=2).sample(0), deep_supervision=False)
    images, labels = random_batch((8, 8))
    cases = [{"image": image, "label": label} for image, label in zip(images, labels, strict=True)]
    return SupervisedTrainer(
        device=torch.device("cpu"),
        max_epochs=1,
        train_data_loader=DataLoader(Dataset(cases), batch_size=2),
        network=network,
        optimizer=torch.optim.SGD(network.parameters(), lr=1.0),
        loss_function=lambda logits, label: factor * F.cross_entropy(logits, label[:, 0].long()),
        train_handlers=list(handlers) or None,
    )


def gradients(engine: SupervisedTrainer) -> torch.Tensor:
    """The gradient that the optimizer's step takes in one iteration."""
    seen: list[torch.Tensor] = []
    engine.add_event_handler(
        IterationEvents.MODEL_COMPLETED,
        lambda e: seen.append(torch.cat([p.grad.flatten() for p in e.network.parameters()])),
    )
    engine.run()
    return seen[0]


@pytest.mark.parametrize("factor", [math.nan, math.inf, -math.inf])
def test_loss_that_is_no_number_stops_before_the_weights_take_it(factor: float) -> None:
    engine = trainer(StopAtNonFiniteLoss(output_dir="runs/x"), factor=factor)
    before = [parameter.clone() for parameter in engine.network.parameters()]
    with pytest.raises(UserError, match=r"in epoch 1, iteration 1.*checkpoint of epoch 0 is kept in runs/x"):
        engine.run()
    assert all(torch.equal(a, b) for a, b in zip(before, engine.network.parameters(), strict=True))


def test_finite_loss_passes() -> None:
    engine = trainer(StopAtNonFiniteLoss(output_dir="runs/x"))
    engine.run()
    assert engine.state.iteration == 1


def test_gradient_is_clipped_to_its_norm_and_keeps_its_direction() -> None:
    free = gradients(trainer())
    bound = free.norm().item() / 3
    torch.testing.assert_close(gradients(trainer(ClipGradients(max_norm=bound))), free / 3, rtol=1e-4, atol=1e-7)
    torch.testing.assert_close(gradients(trainer(ClipGradients(max_norm=1e6))), free)
