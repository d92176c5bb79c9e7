"""Gradients of a mixed-level step against central finite differences, under fixed Gumbel noise."""

from typing import NamedTuple

import pytest
import torch
from monai.losses import DiceCELoss
from tiny import FrozenNoise, RecordingSGD, patch_size, random_batch, randomize_norms, space, supernet
from torch import nn

from adw_components.networks import AdwUNetSupernet
from adw_components.search.gradient_pass import Batch
from adw_components.search.mixed_level import MixedLevelStep, StepOrder
from adw_components.search_space import SearchSpace

SPACES = {
    "2D": space(n_stages=2, base_widths=(1, 2, 3), depths=(1, 2)),
    "3D": space(spatial_dims=3, n_stages=2, base_widths=(1, 2), depths=(1, 2)),
}
NOISE = FrozenNoise(11)
STEP = 1e-5


class Setting(NamedTuple):
    """A float64 supernet with uneven logits, one batch of each split, and a step that records what it does."""

    network: AdwUNetSupernet
    a: Batch
    b: Batch
    step: MixedLevelStep

    def take(self, step_order: StepOrder) -> None:
        """One iteration of the search in an order."""
        self.step.step_order = step_order
        self.step.search(self.a, lambda: self.b)

    @property
    def weights(self) -> RecordingSGD:
        return self.step.weight_optimizer  # type: ignore[return-value]

    @property
    def choices(self) -> RecordingSGD:
        return self.step.architecture_optimizer  # type: ignore[return-value]


def loss_in_double_precision(outputs: list[torch.Tensor], target: torch.Tensor) -> torch.Tensor:
    """Dice and cross entropy of the full resolution; MONAI's deep supervision adds up in single precision."""
    return DiceCELoss(include_background=False, to_onehot_y=True, softmax=True)(outputs[0], target)


@pytest.fixture(params=SPACES.values(), ids=SPACES)
def setting(request: pytest.FixtureRequest) -> Setting:
    search_space: SearchSpace = request.param
    network = supernet(search_space, temperature=1.5).double().train()
    randomize_norms(network)
    with torch.no_grad():
        for parameter in network.architecture_parameters():
            parameter.copy_(torch.randn_like(parameter))
    a, b = (random_batch(patch_size(search_space), seed=seed) for seed in (1, 2))
    step = MixedLevelStep(
        network=network,
        weight_optimizer=RecordingSGD(network.weight_parameters(), network, lr=0.1),
        architecture_optimizer=RecordingSGD(network.architecture_parameters(), network, lr=0.5),
        loss_function=loss_in_double_precision,
        inferer=NOISE,
        gradient_clip=None,
    )
    return Setting(network, (a[0].double(), a[1]), (b[0].double(), b[1]), step)


@torch.no_grad()
def loss_at(network: AdwUNetSupernet, *batches: Batch) -> float:
    """Sum of the losses on the batches."""
    return sum(loss_in_double_precision(NOISE(images, network), labels).item() for images, labels in batches)


@torch.no_grad()
def difference_quotient(
    network: AdwUNetSupernet, parameters: list[nn.Parameter], direction: list[torch.Tensor], *batches: Batch
) -> float:
    """Central difference quotient of the loss along a direction."""
    values = []
    for sign in (1, -2):
        for parameter, change in zip(parameters, direction, strict=True):
            parameter.add_(change, alpha=sign * STEP)
        values.append(loss_at(network, *batches))
    for parameter, change in zip(parameters, direction, strict=True):
        parameter.add_(change, alpha=STEP)
    return (values[0] - values[1]) / (2 * STEP)


def check_every_choice(setting: Setting, index: int, *batches: Batch) -> None:
    """The `index`-th gradient of every alpha and beta is the difference quotient at the point where it was taken."""
    setting.network.load_state_dict(setting.choices.points[index])
    parameters = setting.network.architecture_parameters()
    for number, gradient in enumerate(setting.choices.gradients[index]):
        for position in range(gradient.numel()):
            direction = [torch.zeros_like(parameter) for parameter in parameters]
            direction[number].view(-1)[position] = 1.0
            expected = difference_quotient(setting.network, parameters, direction, *batches)
            assert gradient.view(-1)[position].item() == pytest.approx(expected, rel=1e-4, abs=1e-9)


def check_weights(setting: Setting, *batches: Batch) -> None:
    """The gradient of the weights is the difference quotient along random directions."""
    setting.network.load_state_dict(setting.weights.points[0])
    parameters = setting.network.weight_parameters()
    for _ in range(4):
        direction = [torch.randn_like(parameter) for parameter in parameters]
        gradients = zip(setting.weights.gradients[0], direction, strict=True)
        actual = sum((gradient * along).sum().item() for gradient, along in gradients)
        expected = difference_quotient(setting.network, parameters, direction, *batches)
        assert actual == pytest.approx(expected, rel=1e-4)


def moved(before: dict[str, torch.Tensor], after: dict[str, torch.Tensor], *, choices: bool) -> bool:
    """Whether alpha and beta, or the weights, differ between two points."""
    names = [name for name in before if name.endswith(("alpha", "beta")) == choices]
    return any(not torch.equal(before[name], after[name]) for name in names)


def test_sequential_step_takes_each_gradient_at_its_own_point(setting: Setting) -> None:
    setting.take("sequential")
    assert (len(setting.choices.gradients), len(setting.weights.gradients)) == (2, 1)
    first, second, third = *setting.choices.points, setting.weights.points[0]
    assert moved(first, second, choices=True) and moved(second, third, choices=True)
    assert not moved(first, third, choices=False)
    check_every_choice(setting, 0, setting.a)
    check_every_choice(setting, 1, setting.b)
    check_weights(setting, setting.a)


def test_simultaneous_step_adds_both_splits_for_the_choices_alone(setting: Setting) -> None:
    setting.take("simultaneous")
    assert (len(setting.choices.gradients), len(setting.weights.gradients)) == (1, 1)
    assert not moved(setting.choices.points[0], setting.weights.points[0], choices=False)
    check_every_choice(setting, 0, setting.a, setting.b)
    # The weights' gradient was taken before alpha and beta moved.
    setting.weights.points[0] = setting.choices.points[0]
    check_weights(setting, setting.a)


def test_weights_of_the_simultaneous_step_see_nothing_of_b(setting: Setting) -> None:
    images, labels = setting.a
    parameters = setting.network.weight_parameters()
    expected = torch.autograd.grad(loss_in_double_precision(NOISE(images, setting.network), labels), parameters)
    setting.take("simultaneous")
    for actual, alone in zip(setting.weights.gradients[0], expected, strict=True):
        assert torch.equal(actual, alone)


def test_both_orders_carry_the_same_gradients_where_nothing_moves(setting: Setting) -> None:
    """With learning rate 0 three passes at one point give what two passes give."""
    for optimizer in (setting.weights, setting.choices):
        optimizer.param_groups[0]["lr"] = 0.0
    setting.take("sequential")
    setting.take("simultaneous")
    on_a, on_b, both = setting.choices.gradients
    for first, second, total in zip(on_a, on_b, both, strict=True):
        torch.testing.assert_close(first + second, total)
    torch.testing.assert_close(*setting.weights.gradients)
