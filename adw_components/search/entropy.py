"""How settled a search is."""

from __future__ import annotations

import math

import torch
from torch.distributions import Categorical

from ..networks import AdwUNetSupernet


@torch.no_grad()
def mean_entropy(supernet: AdwUNetSupernet) -> float:
    """Mean normalized entropy of the choices that the derived architecture depends on: 1 undecided, 0 settled.

    That is the depth of every block, and the widths of the convolutions that it keeps: those beyond the chosen depth
    get no gradient any more and would never settle. The probabilities are softmax(logit), without the temperature:
    those with which a single path is sampled. A schedule that lowers tau settles nothing by itself.
    """
    rows: list[torch.Tensor] = []
    for block in supernet.blocks:
        choice = block.choice
        rows += [choice.beta, *choice.alpha[: len(choice.derive())]]
    open_rows = [row for row in rows if len(row) > 1]
    entropies = [Categorical(logits=row).entropy().item() / math.log(len(row)) for row in open_rows]
    return math.fsum(entropies) / len(entropies)
