"""The clicks of a training batch: an annotator who seeds, looks at the prediction, and corrects it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch

from ..errors import UserError
from .corrections import Click, Volume, correction_click, seed_clicks
from .guidance import add_click, check_sigma

# (N, C + classes, *spatial) -> logits (N, classes, *spatial)
Predict = Callable[[torch.Tensor], torch.Tensor]
# Image (N, C, *spatial), label (N, 1, *spatial), network -> guidance (N, classes, *spatial)
Guide = Callable[[torch.Tensor, torch.Tensor, Predict], torch.Tensor]


@dataclass(frozen=True, kw_only=True)
class NoClicks:
    """Zero guidance: the network's automatic mode.

    Args:
        n_classes: classes, background included.
    """

    n_classes: int

    def __call__(self, image: torch.Tensor, label: torch.Tensor, predict: Predict) -> torch.Tensor:
        """Guidance (N, n_classes, *spatial) without a click."""
        return image.new_zeros(len(image), self.n_classes, *image.shape[2:])


@dataclass(frozen=True, kw_only=True)
class SimulatedClicks:
    """Clicks on every sample of a batch, each sample drawn for itself.

    A share of the samples gets none (automatic mode). Of the others a share begins with a seed in every foreground
    class; then come corrections, each made where the network, guided by the clicks before it, is most wrong: the
    iterative training of DeepEdit (Diaz-Pinto et al., MICCAI 2022 workshops). Draws from torch's global generator.

    Args:
        n_classes: classes, background included.
        sigma: of a click in voxels.
        automatic_share: of the samples without clicks, 0 to 1.
        seed_share: of the other samples with seeds, 0 to 1.
        max_corrections: largest number of corrections of a sample; 1 to this many, or 0 to this many after seeds, are
            equally likely.

    Raises:
        UserError: a share or a number is out of range.
    """

    n_classes: int
    sigma: float = 2.0
    automatic_share: float = 0.3
    seed_share: float = 0.5
    max_corrections: int = 6

    def __post_init__(self) -> None:
        for name in ("automatic_share", "seed_share"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
                raise UserError(f"{name} must be a number from 0 to 1, got {value!r}")
        if isinstance(self.max_corrections, bool) or not isinstance(self.max_corrections, int):
            raise UserError(f"max_corrections must be a whole number, got {self.max_corrections!r}")
        check_sigma(self.sigma)
        if self.max_corrections < 1:
            raise UserError(f"max_corrections must be at least 1, got {self.max_corrections}")

    def __call__(self, image: torch.Tensor, label: torch.Tensor, predict: Predict) -> torch.Tensor:
        """Guidance (N, n_classes, *spatial) of a batch.

        Args:
            image: (N, C, *spatial).
            label: (N, 1, *spatial) label values.
            predict: the network that is trained, without gradients.
        """
        truth = [item[0].cpu().numpy() for item in label]
        guidance = image.new_zeros(len(image), self.n_classes, *image.shape[2:])
        corrections = [self._begin(channels, volume) for channels, volume in zip(guidance, truth, strict=True)]
        for done in range(max(corrections)):
            active = [index for index, wanted in enumerate(corrections) if wanted > done]
            predicted = predict(torch.cat([image[active], guidance[active]], dim=1)).argmax(dim=1).cpu().numpy()
            for index, prediction in zip(active, predicted, strict=True):
                click = correction_click(prediction, truth[index], random=True)
                if click:
                    self._add(guidance[index], click)
        return guidance

    def _begin(self, channels: torch.Tensor, truth: Volume) -> int:
        """Draw the mode of one sample: add its seeds, tell how many corrections follow."""
        if torch.rand(()) < self.automatic_share:
            return 0
        has_seeds = bool(torch.rand(()) < self.seed_share)
        for seed in seed_clicks(truth) if has_seeds else ():
            self._add(channels, seed)
        return int(torch.randint(0 if has_seeds else 1, self.max_corrections + 1, ()))

    def _add(self, channels: torch.Tensor, click: Click) -> None:
        add_click(channels[click.value], click.voxel, self.sigma)
