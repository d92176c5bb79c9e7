"""Clicks as MONAI Label sends them: read in one order, and every mistake named in a line."""

import json
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from adw_components.click_names import guidance_names
from adw_components.errors import UserError
from adw_components.interactive.clicks import clicks_in_grid, read_clicks, require_inside

NAMES = ("background", "Anterior", "Posterior")
POINTS = st.lists(st.tuples(*[st.integers(0, 600)] * 3), max_size=4)


def test_names_follow_the_values_of_the_labels_not_their_order_in_the_config() -> None:
    assert guidance_names({"1": "Anterior", "2": "Posterior"}) == NAMES
    assert guidance_names({"2": "Posterior", "1": "Anterior"}) == NAMES
    many = {str(value): f"organ {value}" for value in (10, 9, 2, 11, 1, 3, 4, 5, 6, 7, 8)}
    assert guidance_names(many) == ("background", *(f"organ {value}" for value in range(1, 12)))


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ({}, "labels must name the values 1, 2, 3, ... without a gap, got {}"),
        ({"1": "a", "3": "b"}, "labels must name the values 1, 2, 3, ... without a gap, got {'1': 'a', '3': 'b'}"),
        ({"0": "a", "1": "b"}, "labels must name the values 1, 2, 3, ... without a gap, got {'0': 'a', '1': 'b'}"),
        ({"one": "a"}, "labels must name the values 1, 2, 3, ... without a gap, got {'one': 'a'}"),
        ({"1": " "}, "labels must have names that are not empty, got ' '"),
        ({"1": 5}, "labels must have names that are not empty, got 5"),
        (
            {"1": "Tumour", "2": "tumour"},
            "labels to click must differ by more than case, got 'tumour' twice; rename one",
        ),
        ({"1": "Background"}, "labels to click must differ by more than case, got 'Background' twice; rename one"),
        ({"1": "a", "2": "Image"}, "not have the name of a key that MONAI uses, got 'Image'; rename it"),
        ({"1": "image_left"}, "not have the name of a key that MONAI uses, got 'image_left'; rename it"),
    ],
)
def test_labels_that_cannot_be_clicked_on_are_refused(labels: dict, message: str) -> None:
    with pytest.raises(UserError) as error:
        guidance_names(labels)
    assert str(error.value).endswith(message)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("name", ["image", "label", "pred", "case", "model", "device", "latencies", "roi", "session"])
def test_names_of_other_keys_of_a_request_are_refused(name: str) -> None:
    with pytest.raises(UserError, match="name of a key that MONAI uses"):
        guidance_names({"1": name.upper()})


@given(
    st.tuples(POINTS, POINTS, POINTS), st.lists(st.sampled_from([str.lower, str.upper, str]), min_size=3, max_size=3)
)
def test_clicks_come_back_by_name_whatever_the_case_of_their_keys(points: tuple, cases: list) -> None:
    keys = [case(name) for case, name in zip(cases, NAMES, strict=True)]
    clicks = {key: [list(point) for point in row] for key, row in zip(keys, points, strict=True)}
    request = {"model": "m", "image": torch.zeros(1), **json.loads(json.dumps(clicks)), "label": "anterior"}
    backwards = dict(reversed(request.items()))
    assert read_clicks(request, NAMES) == read_clicks(backwards, NAMES) == tuple(map(tuple, points))


@pytest.mark.parametrize("nothing", [{}, {"Anterior": None}, {"anterior": [], "background": None}, {"label": ""}])
def test_no_click_is_no_mistake(nothing: dict) -> None:
    assert read_clicks(nothing, NAMES) == ((), (), ())


def test_whole_numbers_may_be_floats_or_numpys() -> None:
    clicks = read_clicks({"anterior": [[1.0, -0.0, 3], (np.int64(4), np.float32(5), 6)]}, NAMES)
    assert clicks == ((), ((1, 0, 3), (4, 5, 6)), ())
    assert all(type(number) is int for point in clicks[1] for number in point)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ([[1, 2]], "[1, 2]"),
        ([[1, 2, 3, 4]], "[1, 2, 3, 4]"),
        ([[1, 2, 3], 5], "5"),
        ([1, 2, 3], "1"),
        (["1 2 3"], "'1 2 3'"),
        ([[1, 2, "3"]], "[1, 2, '3']"),
        ([[1, 2, None]], "[1, 2, None]"),
        ([[1, 2, True]], "[1, 2, True]"),
        ([[1, 2, 2.5]], "[1, 2, 2.5]"),
        ([[1, 2, float("nan")]], "[1, 2, nan]"),
        ([[1, 2, float("inf")]], "[1, 2, inf]"),
        ([[[1, 2, 3], [4, 5, 6], [7, 8, 9]]], "[[1, 2, 3], [4, 5, 6], [7, 8, 9]]"),
    ],
)
def test_a_malformed_click_is_named(value: Any, shown: str) -> None:
    with pytest.raises(UserError) as error:
        read_clicks({"anterior": value}, NAMES)
    expected = (
        f"a click of 'Anterior' must be three whole numbers [i, j, k], got {shown}; send voxels of the stored image"
    )
    assert str(error.value) == expected


@pytest.mark.parametrize(
    ("value", "shown"), [("[[1, 2, 3]]", "'[[1, 2, 3]]'"), (7, "7"), ({"a": 1}, "{'a': 1}"), (False, "False")]
)
def test_clicks_that_are_no_list_are_refused(value: Any, shown: str) -> None:
    with pytest.raises(UserError) as error:
        read_clicks({"Posterior": value}, NAMES)
    assert (
        str(error.value) == f"clicks of 'Posterior' must be a list of voxels [[i, j, k], ...], got {shown}; send a list"
    )


def test_a_mistake_is_one_line_even_where_a_tensor_is_sent() -> None:
    with pytest.raises(UserError) as error:
        read_clicks({"Posterior": torch.zeros(9, 3)}, NAMES)
    assert "\n" not in str(error.value) and len(str(error.value)) < 150


def test_a_label_under_two_keys_is_refused() -> None:
    with pytest.raises(UserError) as error:
        read_clicks({"anterior": [], "Anterior": [[1, 2, 3]]}, NAMES)
    assert str(error.value) == "clicks of 'Anterior' must be under one key, got 'anterior' and 'Anterior'; send one"


@pytest.mark.parametrize("key", ["spleen", "foreground", "points", 7])
def test_clicks_of_an_unknown_label_are_refused(key: Any) -> None:
    with pytest.raises(UserError) as error:
        read_clicks({key: [[1, 2, 3]]}, NAMES)
    listed = "background, Anterior, Posterior"
    assert (
        str(error.value)
        == f"clicks must be of one of {listed}, got some of {key!r}; send them under one of these names"
    )


def test_working_on_an_unknown_label_is_refused() -> None:
    with pytest.raises(UserError) as error:
        read_clicks({"label": "Segment_1", "anterior": [[1, 2, 3]]}, NAMES)
    listed = "background, Anterior, Posterior"
    assert str(error.value) == f"label must be one of {listed}, got 'Segment_1'; choose one of these to click on"


def test_what_else_a_request_holds_is_let_pass() -> None:
    request = {
        "image": "/data/case.nii.gz",
        "image_meta_dict": {"affine": [[1, 0, 0], [0, 1, 0], [0, 0, 1]]},
        "image_path": "/data/case.nii.gz",
        "label": torch.zeros(1, 2, 2, 2),
        "device": "cpu",
        "model_filename": ["model.pt"],
        "spleen": [],  # Slicer sends the labels of all models of a server
        "roi": [0, 9, 0, 9, 0, 9],
        "latencies": {"pre": {}},
        "slice": None,
    }
    assert read_clicks(request, NAMES) == ((), (), ())


@given(POINTS, st.tuples(*[st.integers(1, 600)] * 3))
def test_a_click_must_lie_in_the_image(points: list, shape: tuple) -> None:
    if all(index < length for point in points for index, length in zip(point, shape, strict=True)):
        require_inside([(), points], NAMES[:2], shape)
    else:
        with pytest.raises(UserError, match="of 'Anterior' for an image of shape"):
            require_inside([(), points], NAMES[:2], shape)


@pytest.mark.parametrize("point", [(4, 0, 0), (0, 5, 0), (0, 0, 6), (-1, 0, 0)])
def test_a_click_outside_is_named(point: tuple) -> None:
    with pytest.raises(UserError) as error:
        require_inside([(), ((3, 4, 5), point), ()], NAMES, (4, 5, 6))
    assert str(error.value) == (
        f"a click must lie in the stored image, got {list(point)} of 'Anterior' for an image of shape [4, 5, 6]; "
        "count voxels from 0"
    )


@given(POINTS, st.tuples(*[st.integers(-50, 50)] * 3))
def test_clicks_that_a_grid_holds_keep_their_order(points: list, shift: tuple) -> None:
    def to_grid(point: tuple) -> tuple | None:
        moved = tuple(np.add(point, shift).tolist())
        return moved if min(moved) >= 0 else None

    moved = np.array(points, int).reshape(-1, 3) + shift
    held = moved[np.all(moved >= 0, axis=1)]
    assert clicks_in_grid([points, []], to_grid=to_grid) == (tuple(map(tuple, held.tolist())), ())
