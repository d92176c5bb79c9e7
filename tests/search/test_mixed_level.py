"""The mixed-level step: who moves when, how many passes, clipping, and what a failure leaves behind."""

import math
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from tiny import RecordingSGD, loss_function, random_batch, snapshot, space, supernet, unchanged
from torch import nn

from adw_components.engines.gradients import require_finite
from adw_components.errors import UserError
from adw_components.search.mixed_level import MixedLevelStep, StepLosses, mean_losses
from adw_components.search.sandwich import CYCLE, path_of

A, B = (random_batch((8, 8), seed=seed) for seed in (1, 2))
ORDERS = ("sequential", "simultaneous")
STEPS = [(order, weights) for order in ORDERS for weights in ("mixture", "single_path")]


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


def run(step: MixedLevelStep, *, iteration: int = 0) -> StepLosses:
    """One iteration of the search."""
    return step.search(A, lambda: B, iteration=iteration)


def prepared(what: str, **options: Any) -> MixedLevelStep:
    """A step for the warm-up, or for an order of the search."""
    return mixed_level(**options) if what == "warm_up" else mixed_level(step_order=what, **options)


def taken(step: MixedLevelStep, what: str) -> StepLosses:
    """One iteration of the warm-up or of the search."""
    return step.warm_up(A) if what == "warm_up" else run(step)


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
    step = mixed_level(step_order=order)
    counted = count_passes(step)
    losses = run(step)
    assert len(counted) == passes
    assert all(math.isfinite(loss) for loss in (losses.weights, losses.architecture_a, losses.architecture_b))


@pytest.mark.parametrize(("order", "weights"), STEPS)
def test_both_groups_move_and_no_gradient_is_left(order: str, weights: str) -> None:
    step = mixed_level(step_order=order, weight_step=weights)
    choices, weights = snapshot(step.architecture), snapshot(step.weights)
    run(step)
    assert not unchanged(step.architecture, choices) and not unchanged(step.weights, weights)
    assert all(parameter.grad is None for parameter in step.network.parameters())


def test_architecture_passes_leave_the_weights_alone() -> None:
    step = mixed_level()
    weights = snapshot(step.weights)
    step.gradients.backward(step.network, A, step.architecture)
    assert all(parameter.grad is None for parameter in step.weights)
    assert all(parameter.grad is not None for parameter in step.architecture)
    step.gradients.apply((step.architecture_optimizer, step.architecture))
    assert unchanged(step.weights, weights)


def test_losses_of_the_sequential_step_belong_to_its_passes() -> None:
    """At learning rate 0 and without noise the loss on A is the same in both of its passes."""
    step = mixed_level()
    step.network.eval()
    for optimizer in (step.weight_optimizer, step.architecture_optimizer):
        optimizer.param_groups[0]["lr"] = 0.0
    losses = run(step)
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

    step = prepared(order, loss_function=failing)
    passes = {"warm_up": 1, "simultaneous": 2, "sequential": 3}[order]
    if at <= passes:
        with pytest.raises(RuntimeError, match="the loss fails"):
            taken(step, order)
    else:
        taken(step, order)
    assert all(parameter.requires_grad for parameter in step.network.parameters())


@pytest.mark.parametrize("order", ORDERS)
def test_each_group_is_clipped_by_its_own_norm(order: str) -> None:
    free, clipped = (mixed_level(step_order=order, gradient_clip=clip) for clip in (None, 1e-4))
    for step in (free, clipped):
        for optimizer in (step.weight_optimizer, step.architecture_optimizer):
            optimizer.param_groups[0]["lr"] = 0.0
        torch.manual_seed(0)
        run(step)
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
    step = prepared(order, loss_function=poisoned(at, value), check_loss=finite_or_error)
    before = snapshot(list(step.network.parameters()))
    with pytest.raises(UserError, match=r"loss is (nan|inf) in epoch 3, iteration 20.*checkpoint of epoch 2.*runs/x"):
        taken(step, order)
    assert unchanged(list(step.network.parameters()), before)


def test_non_finite_loss_in_the_last_pass_leaves_the_weights() -> None:
    step = mixed_level(step_order="sequential", loss_function=poisoned(3), check_loss=finite_or_error)
    before = snapshot(step.weights)
    with pytest.raises(UserError):
        run(step)
    assert unchanged(step.weights, before)
    assert all(torch.isfinite(parameter).all() for parameter in step.network.parameters())


def recorded(**options: Any) -> tuple[MixedLevelStep, list[str]]:
    """A step on networks that note which of them runs, and on which batch."""
    step, notes = mixed_level(**options), []
    backward = step.gradients.backward

    def noting(network: Any, batch: Any, parameters: Any) -> float:
        notes.append(("mixture" if network is step.network else "path") + (" A" if batch is A else " B"))
        return backward(network, batch, parameters)

    step.gradients.backward = noting  # type: ignore[method-assign]
    return step, notes


def test_single_paths_take_the_architecture_pass_on_a_and_on_b_in_turn() -> None:
    step, notes = recorded(step_order="simultaneous", weight_step="single_path")
    losses = [run(step, iteration=iteration) for iteration in range(3)]
    assert notes == ["path A", "mixture A", "path A", "mixture B", "path A", "mixture A"]
    assert [loss.architecture_a is not None for loss in losses] == [True, False, True]
    assert [loss.architecture_b is not None for loss in losses] == [False, True, False]


def test_sequential_single_path_step_keeps_the_three_passes() -> None:
    step, notes = recorded(step_order="sequential", weight_step="single_path")
    run(step)
    assert notes == ["mixture A", "mixture B", "path A"]


@pytest.mark.parametrize(("order", "weights"), STEPS)
def test_architecture_interval_leaves_alpha_and_beta_alone_in_between(order: str, weights: str) -> None:
    step, notes = recorded(step_order=order, weight_step=weights, architecture_interval=3)
    moves = []
    for iteration in range(6):
        before = snapshot(step.architecture)
        run(step, iteration=iteration)
        moves.append(not unchanged(step.architecture, before))
    assert moves == [True, False, False, True, False, False]
    assert sum(note.endswith("B") for note in notes) == (
        1 if (order, weights) == ("simultaneous", "single_path") else 2
    )


def test_batch_of_b_is_asked_for_only_when_it_is_used() -> None:
    step = mixed_level(step_order="simultaneous", weight_step="single_path")
    step.search(A, lambda: pytest.fail("no batch of B is needed"), iteration=0)  # type: ignore[arg-type, return-value]


@pytest.mark.parametrize("iteration", range(len(CYCLE)))
def test_single_path_gradient_is_that_of_the_derived_network(iteration: int) -> None:
    """The weights on the path get the gradient that a network of their own would get, all others get 0."""
    step = mixed_level(weight_step="single_path", gradient_clip=None)
    torch.manual_seed(iteration)
    architecture = path_of(step.network, iteration)
    twin = step.network.inherit(architecture)
    loss_function()(twin(A[0]), A[1]).backward()
    torch.manual_seed(iteration)
    step.warm_up(A, iteration=iteration)
    step.weight_optimizer.zero_grad()
    gradients = dict(zip(names(step.network), step.weight_optimizer.gradients[0], strict=True))  # type: ignore[attr-defined]
    on_the_path = {name: parameter.grad for name, parameter in twin.named_parameters()}
    for name, gradient in gradients.items():
        expected = on_the_path.get(name)
        total = 0.0 if expected is None else expected.double().sum().item()
        squares = 0.0 if expected is None else expected.double().square().sum().item()
        assert gradient.double().sum().item() == pytest.approx(total, rel=1e-4, abs=1e-7)
        assert gradient.double().square().sum().item() == pytest.approx(squares, rel=1e-4, abs=1e-12)


def names(network: nn.Module) -> list[str]:
    """Of the weights, in the order of `weight_parameters`."""
    return [name for name, _ in network.named_parameters() if "choice" not in name]


def test_sandwich_holds_the_ends_of_the_search_space_and_samples_between() -> None:
    network = supernet(space(n_stages=2)).train()
    paths = [path_of(network, iteration) for iteration in range(2 * len(CYCLE))]
    turns = [CYCLE[iteration % len(CYCLE)] for iteration in range(len(paths))]
    ends = {"largest": network.search_space.largest, "smallest": network.search_space.smallest}
    assert all(path == ends[turn] for path, turn in zip(paths, turns, strict=True) if turn != "sampled")
    assert len({path for path, turn in zip(paths, turns, strict=True) if turn == "sampled"}) > 3


@pytest.mark.parametrize(("order", "weights"), STEPS)
def test_every_update_of_alpha_and_beta_is_steered(order: str, weights: str) -> None:
    step = mixed_level(step_order=order, weight_step=weights, architecture_interval=2)
    calls: list[int] = []
    step.steer = lambda: calls.append(len(step.architecture_optimizer.gradients))  # type: ignore[attr-defined]
    step.warm_up(A)
    for iteration in range(4):
        run(step, iteration=iteration)
    assert calls == [1, 2, 3, 4][: len(step.architecture_optimizer.gradients)]  # type: ignore[attr-defined]
    assert len(calls) == (4 if order == "sequential" else 2)


def test_means_leave_out_what_an_iteration_did_not_take() -> None:
    losses = [StepLosses(1.0, 2.0, None), StepLosses(3.0, None, 5.0)]
    assert mean_losses(losses) == {"weights": 2.0, "architecture_a": 2.0, "architecture_b": 5.0}
    assert mean_losses(losses[:1])["architecture_b"] is None
