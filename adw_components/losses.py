"""Deep supervision with nnU-Net's weights on MONAI's loss."""

from __future__ import annotations

from monai.losses import DeepSupervisionLoss


def level_weights(levels: int) -> list[float]:
    """Weights that halve per level and sum to 1, the lowest level unused unless it is the only one.

    Source: nnU-Net (Isensee et al., Nature Methods 2021), from which AdwU-Net takes them.
    """
    raw = [0.5**level for level in range(levels)]
    if levels > 1:
        raw[-1] = 0.0
    return [weight / sum(raw) for weight in raw]


class NormalizedDeepSupervisionLoss(DeepSupervisionLoss):
    """`DeepSupervisionLoss` whose weights are `level_weights`; targets are scaled down by nearest neighbour.

    Input: logits (N, classes, *spatial) or a list of them, full resolution first; target (N, 1, *spatial).
    """

    def get_weights(self, levels: int = 1) -> list[float]:
        """The weights of `levels` outputs, full resolution first."""
        return level_weights(levels)
