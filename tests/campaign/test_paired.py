"""The comparison of two networks case by case."""

import pandas as pd
import pytest
from campaigns.paired import paired
from hypothesis import given
from hypothesis import strategies as st

dice = st.floats(0, 1, width=32)


def series(values: list[float]) -> pd.Series:
    return pd.Series(values, index=[f"case_{number}" for number in range(len(values))])


def test_student_and_wilcoxon_of_a_worked_example() -> None:
    """Differences 1 to 8: mean 4.5, sd 2.449, t(7) 2.3646; all signs agree, so that p is 2 / 2^8."""
    found = paired(series([float(value) for value in range(1, 9)]), series([0.0] * 8))
    assert found.mean == 4.5
    assert found.high - found.mean == pytest.approx(2.3646 * 2.44949 / 8**0.5, rel=1e-4)
    assert found.mean - found.low == pytest.approx(found.high - found.mean)
    assert found.p_value == pytest.approx(2 / 2**8)
    assert (found.wins, found.n_cases) == (8, 8)


def test_order_of_the_cases_does_not_matter() -> None:
    one, other = series([0.5, 0.7, 0.9]), series([0.4, 0.8, 0.6])
    assert paired(one, other[::-1]) == paired(one, other)


@given(st.lists(st.tuples(dice, dice), min_size=1, max_size=20))
def test_swapped_networks_have_the_opposite_difference(pairs: list[tuple[float, float]]) -> None:
    one, other = (series([pair[side] for pair in pairs]) for side in (0, 1))
    there, back = paired(one, other), paired(other, one)
    assert there.mean == pytest.approx(-back.mean, abs=1e-12)
    assert (there.low, there.high) == pytest.approx((-back.high, -back.low), abs=1e-12)
    assert there.p_value == pytest.approx(back.p_value) and 0 <= there.p_value <= 1
    assert there.low <= there.mean <= there.high


def test_equal_networks_do_not_differ() -> None:
    found = paired(series([0.5, 0.6]), series([0.5, 0.6]))
    assert (found.mean, found.p_value, found.wins) == (0, 1, 0)


def test_other_cases_are_no_pairs() -> None:
    with pytest.raises(ValueError, match="not the same cases"):
        paired(series([0.5]), series([0.5, 0.6]))
