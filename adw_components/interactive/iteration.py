"""An iteration of a MONAI engine on images with guidance channels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from monai.utils import CommonKeys as Keys
from torch import nn

from ..distributed import unwrapped
from .simulation import Guide


class GuidedIteration:
    """`iteration_update` of a trainer or an evaluator: add the guidance, then do what the engine does.

    Args:
        guide: gives the guidance channels of a batch.
    """

    def __init__(self, *, guide: Guide) -> None:
        self.guide = guide

    def __call__(self, engine: Any, batchdata: Mapping[str, Any]) -> dict[str, Any]:
        """Process the batch "image" (N, C, *spatial), "label" (N, 1, *spatial)."""
        image, label = engine.prepare_batch(batchdata, engine.state.device, engine.non_blocking, **engine.to_kwargs)
        guidance = self.guide(image, label, lambda guided: _predicted(engine, guided))
        guided = {**batchdata, Keys.IMAGE: torch.cat([image, guidance], dim=1), Keys.LABEL: label}
        return engine._iteration(engine, guided)


def _predicted(engine: Any, image: torch.Tensor) -> torch.Tensor:
    """Logits of the engine's network in its present state, as in prediction; its mode is put back."""
    # Without the wrapper of several processes, which may predict different numbers of times.
    network: nn.Module = unwrapped(engine.network)
    is_training = network.training
    network.eval()
    try:
        with torch.no_grad(), torch.autocast("cuda", enabled=engine.amp, **engine.amp_kwargs):
            return network(image).float()
    finally:
        network.train(is_training)
