"""The record of a fingerprint: it round-trips, reads nnU-Net's files, and refuses what is none."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adw_components.errors import UserError
from adw_components.planning.fingerprint import Fingerprint
from adw_components.record_fields import INTENSITY_STATISTICS

INTENSITY = "foreground_intensity_properties_per_channel"
NNUNET = Path(__file__).parent / "fingerprints" / "Task09_Spleen.json"
NUMBERS = st.floats(-1e6, 1e6)


@st.composite
def fingerprints(draw: st.DrawFn) -> Fingerprint:
    """Any fingerprint."""
    cases, channels = draw(st.integers(1, 4)), draw(st.integers(0, 3))
    row = st.tuples(*[st.floats(1e-3, 1e3)] * 3)
    shape = st.tuples(*[st.integers(1, 2000)] * 3)
    statistics = st.fixed_dictionaries(dict.fromkeys(INTENSITY_STATISTICS, NUMBERS))
    return Fingerprint(
        spacings=tuple(draw(row) for _ in range(cases)),
        shapes_after_crop=tuple(draw(shape) for _ in range(cases)),
        median_relative_size_after_cropping=draw(st.floats(1e-6, 1)),
        foreground_intensity=tuple(draw(statistics) for _ in range(channels)),
        case_ids=tuple(draw(st.sets(st.text("aZ09_#@$%é", max_size=5), min_size=cases, max_size=cases)))
        if draw(st.booleans())
        else (),
    )


def values(**changes: Any) -> dict[str, Any]:
    """What a small fingerprint of our own format holds, with changed fields; None takes a field out."""
    content = {
        "format_version": 1,
        "axis_order": "xyz",
        "case_ids": ["a", "b"],
        "spacings": [[1, 1, 2.5], [1, 1, 3]],
        "shapes_after_crop": [[9, 8, 7], [6, 5, 4]],
        "median_relative_size_after_cropping": 0.5,
        INTENSITY: {"0": dict.fromkeys(INTENSITY_STATISTICS, 1.0)},
        **changes,
    }
    return {name: value for name, value in content.items() if value is not None}


@given(fingerprints())
def test_it_round_trips_through_json(found: Fingerprint) -> None:
    assert Fingerprint.from_dict(json.loads(json.dumps(found.to_dict()))) == found


@given(fingerprints())
def test_it_round_trips_through_a_file(tmp_path_factory: pytest.TempPathFactory, found: Fingerprint) -> None:
    path = tmp_path_factory.mktemp("record") / "fingerprint.json"
    found.save(path)
    assert Fingerprint.load(path) == found


def test_nnunets_own_file_runs_z_y_x(tmp_path: Path) -> None:
    theirs = json.loads(NNUNET.read_text())
    found = Fingerprint.load(NNUNET)
    assert [list(row[::-1]) for row in found.spacings] == theirs["spacings"]
    assert [list(row[::-1]) for row in found.shapes_after_crop] == theirs["shapes_after_crop"]
    assert found.foreground_intensity == (theirs[INTENSITY]["0"],)
    assert found.case_ids == ()
    found.save(tmp_path / "ours.json")
    assert Fingerprint.load(tmp_path / "ours.json") == found


def test_a_later_field_of_nnunets_file_does_no_harm() -> None:
    theirs = {**json.loads(NNUNET.read_text()), "generated_by": "nnU-Net"}
    assert Fingerprint.from_dict(theirs) == Fingerprint.load(NNUNET)


def test_channels_beyond_nine_keep_their_order() -> None:
    rows = {str(index): dict.fromkeys(INTENSITY_STATISTICS, float(index)) for index in sorted(range(12), key=str)}
    found = Fingerprint.from_dict(values(**{INTENSITY: rows}))
    assert [row["mean"] for row in found.foreground_intensity] == list(range(12))


WRONG: dict[str, tuple[Any, str]] = {
    "a list": ([1], "fingerprint must be a JSON object, got list"),
    "nothing": ({}, r"lacks the field\(s\) spacings, shapes_after_crop, "),
    "a later format": (values(format_version=2), "format_version must be from 1 to 1, got 2"),
    "no format": (values(format_version=None), r"lacks the field\(s\) format_version"),
    "other axes": (values(axis_order="zyx"), "axis_order must be xyz, got 'zyx'; reverse every row"),
    "an unknown field": (values(spacing=[]), r"unknown field\(s\) spacing"),
    "2D": (values(spacings=[[1, 1], [1, 1]]), r"made for 3D images, but spacings\[0\] has 2 axes: \[1, 1\]"),
    "4D": (
        values(shapes_after_crop=[[1, 2, 3], [1] * 4]),
        r"made for 3D images, but shapes_after_crop\[1\] has 4 axes",
    ),
    "text": (values(spacings="1 1 1"), "spacings must be a list with a list of numbers a case, got '1 1 1'"),
    "rows of text": (values(spacings=["111", "111"]), "spacings must be a list with a list of numbers a case"),
    "a spacing of 0": (values(spacings=[[1, 0, 1], [1, 1, 1]]), r"spacings\[0\] must be 3 numbers above 0"),
    "an endless spacing": (values(spacings=[[1, 1e9, 1], [1, 1, 1]]), r"spacings\[0\] must be 3 numbers above 0"),
    "a broken shape": (
        values(shapes_after_crop=[[1, 1, 1], [1, 1.5, 1]]),
        r"shapes_after_crop\[1\] must hold positive",
    ),
    "an empty shape": (values(shapes_after_crop=[[1, 1, 1], [1, 0, 1]]), r"shapes_after_crop\[1\] must hold positive"),
    "no cases": (values(spacings=[], shapes_after_crop=[], case_ids=[]), "an entry for every case, got 0, 0 and 0"),
    "unequal counts": (values(spacings=[[1, 1, 1]]), "an entry for every case, got 1, 2 and 2; measure"),
    "a missing id": (values(case_ids=["a"]), "an entry for every case, got 2, 2 and 1; measure"),
    "a share above 1": (
        values(median_relative_size_after_cropping=1.2),
        "must be a number above 0 and at most 1, got 1.2",
    ),
    "a share of 0": (values(median_relative_size_after_cropping=0), "must be a number above 0 and at most 1, got 0"),
    "no share": (values(median_relative_size_after_cropping="1"), "must be a number above 0 and at most 1, got '1'"),
    "a list of channels": (values(**{INTENSITY: []}), 'must map the channels "0", "1", ... to statistics'),
    "a gap": (values(**{INTENSITY: {"1": {}}}), 'must map the channels "0", "1", ... to statistics'),
    "a missing statistic": (values(**{INTENSITY: {"0": {"mean": 1}}}), r"lacks the field\(s\) median"),
    "a statistic that is none": (
        values(**{INTENSITY: {"0": {**dict.fromkeys(INTENSITY_STATISTICS, 1.0), "std": "1"}}}),
        "std must be a finite number, got '1'",
    ),
}


@pytest.mark.parametrize(("content", "message"), WRONG.values(), ids=WRONG)
def test_what_is_no_fingerprint_is_one_line_with_the_file(tmp_path: Path, content: Any, message: str) -> None:
    path = tmp_path / "fingerprint.json"
    path.write_text(json.dumps(content))
    with pytest.raises(UserError, match=message) as error:
        Fingerprint.load(path)
    assert str(error.value).startswith(f"{path}: ")
    assert "\n" not in str(error.value)


def test_missing_and_damaged_files_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"fingerprint file .* does not exist"):
        Fingerprint.load(tmp_path / "absent.json")
    (tmp_path / "cut.json").write_text('{"spacings": [')
    with pytest.raises(UserError, match=r"fingerprint file .* is not valid JSON"):
        Fingerprint.load(tmp_path / "cut.json")
