"""Deep supervision: nnU-Net's level weights, and the loss by hand."""

import pytest
import torch
from monai.losses import DiceCELoss
from tiny import loss_function
from torch.nn import functional as F

from adw_components.losses import NormalizedDeepSupervisionLoss, level_weights


@pytest.mark.parametrize(
    ("levels", "weights"),
    [(1, [1]), (2, [1, 0]), (3, [2 / 3, 1 / 3, 0]), (5, [8 / 15, 4 / 15, 2 / 15, 1 / 15, 0])],
)
def test_weights_halve_sum_to_one_and_leave_the_lowest_level_out(levels: int, weights: list[float]) -> None:
    assert level_weights(levels) == pytest.approx(weights)


def dice_ce(logits: torch.Tensor, label: torch.Tensor) -> torch.Tensor:
    """Soft Dice per case without background, plus cross entropy, from their definitions."""
    probability = logits.softmax(dim=1)
    true = F.one_hot(label[:, 0].long(), logits.shape[1]).movedim(-1, 1).to(logits)
    axes = tuple(range(2, logits.ndim))
    overlap = 2 * (probability * true).sum(axes) + 1e-5
    dice = overlap / (probability.sum(axes) + true.sum(axes) + 1e-5)
    return (1 - dice[:, 1:]).mean() + F.cross_entropy(logits, label[:, 0].long())


def test_loss_equals_the_definition_per_level() -> None:
    torch.manual_seed(0)
    outputs = [torch.randn(2, 3, size, size, dtype=torch.float64) for size in (8, 4, 2)]
    label = torch.randint(3, (2, 1, 8, 8), dtype=torch.uint8)
    # The nearest voxel of two is the second (torch's nearest-exact).
    coarse = label[:, :, 1::2, 1::2]
    expected = 2 / 3 * dice_ce(outputs[0], label) + 1 / 3 * dice_ce(outputs[1], coarse)
    # MONAI adds the levels up in single precision.
    torch.testing.assert_close(loss_function()(outputs, label), expected.float())


def test_single_output_takes_the_plain_loss() -> None:
    torch.manual_seed(0)
    logits, label = torch.randn(2, 3, 4, 4, 4), torch.randint(3, (2, 1, 4, 4, 4))
    plain = DiceCELoss(include_background=False, to_onehot_y=True, softmax=True)
    assert torch.equal(NormalizedDeepSupervisionLoss(plain)(logits, label), plain(logits, label))
