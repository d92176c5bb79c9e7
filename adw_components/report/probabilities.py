"""From logits to the probabilities and entropies of the choices. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence


def softmax(logits: Sequence[float]) -> list[float]:
    """Probabilities of the candidates of one choice."""
    highest = max(logits)
    powers = [math.exp(logit - highest) for logit in logits]
    return [power / sum(powers) for power in powers]


def argmax(values: Sequence[float]) -> int:
    """Index of the largest value, the first of equals."""
    return max(range(len(values)), key=lambda index: values[index])


def normalized_entropy(logits: Sequence[float]) -> float:
    """Entropy of one choice over that of a uniform one: 1 undecided, 0 decided."""
    terms = [-p * math.log(p) for p in softmax(logits) if p > 0]
    return sum(terms) / math.log(len(logits))


def entropies(choices: Iterable[Sequence[float]]) -> list[float]:
    """Normalized entropies of the choices that are open, those with more than one candidate."""
    return [normalized_entropy(logits) for logits in choices if len(logits) > 1]
