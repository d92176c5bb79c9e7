"""Schedules against their closed forms."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adw_components.engines.schedules import exponential, polynomial


@given(st.integers(1, 1000), st.floats(0, 1), st.floats(0.1, 3))
def test_polynomial_equals_its_closed_form(max_epochs: int, fraction: float, power: float) -> None:
    epoch = int(fraction * max_epochs)
    expected = ((max_epochs - epoch) / max_epochs) ** power
    assert polynomial(epoch, max_epochs=max_epochs, power=power) == pytest.approx(expected)


def test_polynomial_is_nnunets_and_ends_at_zero() -> None:
    assert polynomial(0, max_epochs=1000) == 1.0
    assert 1e-2 * polynomial(500, max_epochs=1000) == pytest.approx(0.0053588673, rel=1e-8)
    assert polynomial(1000, max_epochs=1000) == 0.0
    assert polynomial(1001, max_epochs=1000) == 0.0


@given(st.integers(0, 200), st.floats(0.1, 10), st.floats(0.5, 1))
def test_exponential_is_a_repeated_product(epoch: int, start: float, rate: float) -> None:
    value = start
    for _ in range(epoch):
        value *= rate
    assert exponential(epoch, start=start, rate=rate) == pytest.approx(value, rel=1e-9)


def test_papers_temperature() -> None:
    assert exponential(0, start=5, rate=0.97) == 5
    assert exponential(149, start=5, rate=0.97) == pytest.approx(0.05344, rel=1e-3)
