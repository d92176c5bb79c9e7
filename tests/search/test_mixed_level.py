"""The mixed-level step: who moves when, how many passes, clipping, and what a failure leaves behind."""

import math
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from tiny import RecordingSGD, loss_function, random_batch, snapshot, space, supernet, unchanged

from adw_components.engines.gradients import require_finite
from adw_components.errors import UserError
from adw_components.search.mixed_level import MixedLevelStep, StepLosses

A, B = (random_batch((8, 8), seed=seed) for seed in (1, 2))
ORDERS = ("sequential", "simultaneous")


def mixed_level(**options: Any) -> MixedLevelStep:
    """A step on a tiny supernet with recording optimizers."""
    network = supernet(space(n_stages=2)).train()
    arguments = {
        "network": network,
        "weight_optimizer": RecordingSGD(network.weight_parameters(), network, lr=0.1),
        "architecture_optimizer": RecordingSGD(network.architecture_parameters(), network, lr=0.1),
        "loss_function": loss_function(),
        **options,
    }
    return MixedLevelStep(**arguments)


def count_passes(step: MixedLevelStep) -> list[int]:
    """A list that grows with every forward pass."""
    passes: list[int] = []
    step.network.register_forward_hook(lambda *_: passes.append(1))
    return passes


def poisoned(at: int, value: float = math.nan) -> Callable[..., torch.Tensor]:
    """The loss, times `value` at the `at`-th call."""
    calls: list[int] = []
    plain = loss_function()

    def loss(outputs: Any, target: torch.Tensor) -> torch.Tensor:
        calls.append(1)
        return plain(outputs, target) * (value if len(calls) == at else 1.0)

    return loss


def finite_or_error(loss: float) -> float:
    """What the searcher gives as `check_loss`."""
    engine = SimpleNamespace(state=SimpleNamespace(epoch=3, iteration=20))
    return require_finite(loss, engine, "runs/x")  # type: ignore[arg-type]


def test_warm_up_moves_the_weights_alone_in_one_pass() -> None:
    step = mixed_level()
    passes, choices, weights = count_passes(step), snapshot(step.architecture), snapshot(step.weights)
    losses = step.warm_up(A)
    assert unchanged(step.architecture, choices) and not unchanged(step.weights, weights)
    assert len(passes) == 1
    assert (losses.architecture_a, losses.architecture_b) == (None, None)


@pytest.mark.parametrize(("order", "passes"), [("sequential", 3), ("simultaneous", 2)])
def test_number_of_passes(order: str, passes: int) -> None:
    step = mixed_level()
    counted = count_passes(step)
    losses = getattr(step, order)(A, B)
    assert len(counted) == passes
    assert all(math.isfinite(loss) for loss in (losses.weights, losses.architecture_a, losses.architecture_b))


@pytest.mark.parametrize("order", ORDERS)
def test_both_groups_move_and_no_gradient_is_left(order: str) -> None:
    step = mixed_level()
    choices, weights = snapshot(step.architecture), snapshot(step.weights)
    getattr(step, order)(A, B)
    assert not unchanged(step.architecture, choices) and not unchanged(step.weights, weights)
    assert all(parameter.grad is None for parameter in step.network.parameters())


def test_architecture_passes_leave_the_weights_alone() -> None:
    step = mixed_level()
    weights = snapshot(step.weights)
    step.backward(A, step.architecture)
    assert all(parameter.grad is None for parameter in step.weights)
    assert all(parameter.grad is not None for parameter in step.architecture)
    step._apply((step.architecture_optimizer, step.architecture))
    assert unchanged(step.weights, weights)


def test_losses_of_the_sequential_step_belong_to_its_passes() -> None:
    """At learning rate 0 and without noise the loss on A is the same in both of its passes."""
    step = mixed_level()
    step.network.eval()
    for optimizer in (step.weight_optimizer, step.architecture_optimizer):
        optimizer.param_groups[0]["lr"] = 0.0
    losses = step.sequential(A, B)
    with torch.no_grad():
        on_a, on_b = (loss_function()(step.network(images), labels).item() for images, labels in (A, B))
    assert losses == StepLosses(weights=on_a, architecture_a=on_a, architecture_b=on_b)


@pytest.mark.parametrize("order", [*ORDERS, "warm_up"])
@pytest.mark.parametrize("at", [1, 2, 3])
def test_every_parameter_can_be_trained_again_after_an_exception(order: str, at: int) -> None:
    plain, calls = loss_function(), []

    def failing(outputs: Any, target: torch.Tensor) -> torch.Tensor:
        calls.append(1)
        if len(calls) == at:
            raise RuntimeError("the loss fails")
        return plain(outputs, target)

    step = mixed_level(loss_function=failing)
    passes = {"warm_up": 1, "simultaneous": 2, "sequential": 3}[order]
    batches = (A,) if order == "warm_up" else (A, B)
    if at <= passes:
        with pytest.raises(RuntimeError, match="the loss fails"):
            getattr(step, order)(*batches)
    else:
        getattr(step, order)(*batches)
    assert all(parameter.requires_grad for parameter in step.network.parameters())


@pytest.mark.parametrize("order", ORDERS)
def test_each_group_is_clipped_by_its_own_norm(order: str) -> None:
    free, clipped = mixed_level(gradient_clip=None), mixed_level(gradient_clip=1e-4)
    for step in (free, clipped):
        for optimizer in (step.weight_optimizer, step.architecture_optimizer):
            optimizer.param_groups[0]["lr"] = 0.0
        torch.manual_seed(0)
        getattr(step, order)(A, B)
    for name in ("weight_optimizer", "architecture_optimizer"):
        for whole, cut in zip(getattr(free, name).gradients, getattr(clipped, name).gradients, strict=True):
            norm = torch.cat([gradient.flatten() for gradient in whole]).norm()
            assert norm > 1e-4
            expected = [gradient * 1e-4 / norm for gradient in whole]
            torch.testing.assert_close(cut, expected, rtol=1e-2, atol=1e-9)


def test_gradient_below_the_bound_is_kept() -> None:
    free, bounded = mixed_level(gradient_clip=None), mixed_level(gradient_clip=1e6)
    for step in (free, bounded):
        torch.manual_seed(0)
        step.warm_up(A)
    torch.testing.assert_close(free.weight_optimizer.gradients, bounded.weight_optimizer.gradients, rtol=0, atol=0)


@pytest.mark.parametrize("value", [math.nan, math.inf])
@pytest.mark.parametrize(("order", "at"), [("warm_up", 1), ("sequential", 1), ("simultaneous", 1), ("simultaneous", 2)])
def test_loss_that_is_no_number_stops_before_anything_moves(order: str, at: int, value: float) -> None:
    step = mixed_level(loss_function=poisoned(at, value), check_loss=finite_or_error)
    before = snapshot(list(step.network.parameters()))
    with pytest.raises(UserError, match=r"loss is (nan|inf) in epoch 3, iteration 20.*checkpoint of epoch 2.*runs/x"):
        getattr(step, order)(*((A,) if order == "warm_up" else (A, B)))
    assert unchanged(list(step.network.parameters()), before)


def test_non_finite_loss_in_the_last_pass_leaves_the_weights() -> None:
    step = mixed_level(loss_function=poisoned(3), check_loss=finite_or_error)
    before = snapshot(step.weights)
    with pytest.raises(UserError):
        step.sequential(A, B)
    assert unchanged(step.weights, before)
    assert all(torch.isfinite(parameter).all() for parameter in step.network.parameters())
