"""From logits to probabilities and entropies."""

import math

import pytest

from adw_components.report.probabilities import entropies, normalized_entropy, softmax


def test_probabilities_and_entropies() -> None:
    assert softmax([1000.0, 1000.0 + math.log(3)]) == pytest.approx([0.25, 0.75])
    assert normalized_entropy([0.0] * 5) == pytest.approx(1)
    assert normalized_entropy([0.0, 1000.0]) == pytest.approx(0)
    expected = -(0.25 * math.log(0.25) + 0.75 * math.log(0.75)) / math.log(2)
    assert entropies([[0.0], [0.0, math.log(3)]]) == pytest.approx([expected])
