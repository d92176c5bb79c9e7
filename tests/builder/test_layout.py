"""The layout of configs: it changes no value, and lines stay short where they can."""

import json

from hypothesis import given
from hypothesis import strategies as st

from adw_components.builder.layout import WIDTH, laid_out

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=6) | st.dictionaries(st.text(max_size=12), inner, max_size=6),
    max_leaves=40,
)


@given(st.dictionaries(st.text(max_size=12), VALUES, max_size=6))
def test_no_value_changes_and_a_second_time_changes_nothing(value: dict) -> None:
    text = laid_out(value)
    assert json.loads(text) == value
    assert laid_out(json.loads(text)) == text


@given(st.dictionaries(st.text(max_size=12), VALUES, min_size=1, max_size=6))
def test_a_list_or_object_on_one_line_fits_into_the_width(value: dict) -> None:
    for line in laid_out(value).splitlines()[1:-1]:
        opened = line.rstrip(",").endswith(("]", "}")) and line.strip()[0] not in "]}"
        assert len(line) <= WIDTH + 1 or not opened


def test_what_fits_stays_on_its_line() -> None:
    assert laid_out({"a": [1, 2], "b": {"c": None}}) == '{\n    "a": [1, 2],\n    "b": {"c": null}\n}\n'
