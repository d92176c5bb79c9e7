"""How a channel is normalized: the record round-trips, refuses what is none, and knows its range."""

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adw_components.errors import UserError
from adw_components.normalization import Normalization

NUMBERS = st.floats(-1e5, 1e5)
CT: dict[str, Any] = {"scheme": "ct", "low": -42.0, "high": 176.0, "mean": 93.2, "std": 40.8}


@st.composite
def normalizations(draw: st.DrawFn) -> Normalization:
    """Any normalization."""
    if draw(st.booleans()):
        return Normalization(scheme="z_score", nonzero=draw(st.booleans()))
    low, high = sorted(draw(st.tuples(NUMBERS, NUMBERS).filter(lambda pair: pair[0] != pair[1])))
    return Normalization(scheme="ct", low=low, high=high, mean=draw(NUMBERS), std=draw(st.floats(1e-3, 1e4)))


@given(normalizations())
def test_it_round_trips_through_json(channel: Normalization) -> None:
    assert Normalization.from_dict(json.loads(json.dumps(channel.to_dict()))) == channel


@given(normalizations(), st.lists(NUMBERS, min_size=1))
def test_every_ct_value_lies_in_the_range(channel: Normalization, voxels: list[float]) -> None:
    limits = channel.value_range()
    if channel.scheme == "z_score":
        assert limits is None
    else:
        assert limits is not None
        normalized = (np.clip(voxels, channel.low, channel.high) - channel.mean) / channel.std
        assert limits[0] <= normalized.min() and normalized.max() <= limits[1]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([], "normalization must be a JSON object, got list"),
        ({}, r"normalization lacks the field\(s\) scheme"),
        ({"scheme": "ct", "clip": 1}, r"normalization has unknown field\(s\) clip"),
        ({"scheme": "min_max"}, "scheme must be one of z_score, ct, got 'min_max'"),
        ({"scheme": "z_score", "nonzero": 1}, "nonzero must be true or false, got 1"),
        ({"scheme": "z_score", "mean": 0.0}, "low, high, mean, std belong to scheme ct, not to z_score"),
        ({**CT, "nonzero": True}, "nonzero belongs to scheme z_score, not to ct"),
        ({**CT, "mean": None}, "scheme ct needs the numbers low, high, mean, std, got"),
        ({**CT, "std": float("nan")}, "normalization.std must be a number from .*, got nan"),
        ({**CT, "low": "-42"}, "normalization.low must be a number from .*, got '-42'"),
        ({**CT, "low": 176.0}, "needs low < high and std > 0, got 176.0, 176.0 and 40.8"),
        ({**CT, "std": 0}, "needs low < high and std > 0, got -42.0, 176.0 and 0"),
    ],
)
def test_what_is_no_normalization_is_refused(values: Any, message: str) -> None:
    with pytest.raises(UserError, match=message):
        Normalization.from_dict(values)
