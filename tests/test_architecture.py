"""The architecture record: it round-trips, refuses every malformed field by name, and cannot change."""

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny import architectures

from adw_components.architecture import Architecture
from adw_components.errors import UserError
from adw_components.record_fields import check_patch_size
from adw_components.reference import published, published_tasks

Change = Callable[[dict[str, Any]], Any]


def values() -> dict[str, Any]:
    """A well-formed record as JSON values."""
    return {
        "format_version": 1,
        "encoder_widths": [[16, 24], [32], [64, 64, 48]],
        "decoder_widths": [[32], [16, 16]],
        "strides": [[1, 1, 1], [2, 2, 1], [2, 2, 2]],
        "kernel_sizes": [[3, 3, 1], [3, 3, 3], [3, 3, 3]],
        "provenance": {"source": "test"},
    }


def put(*path: Any, value: Any) -> Change:
    """A change that sets `value` at `path`."""

    def change(record: dict[str, Any]) -> None:
        target: Any = record
        for key in path[:-1]:
            target = target[key]
        target[path[-1]] = value

    return change


def drop(*path: Any) -> Change:
    """A change that removes what lies at `path`."""

    def change(record: dict[str, Any]) -> None:
        target: Any = record
        for key in path[:-1]:
            target = target[key]
        del target[path[-1]]

    return change


ROWS = ("encoder_widths", "decoder_widths", "strides", "kernel_sizes")
REQUIRED = ("format_version", *ROWS)
WRONG_NUMBERS = (0, -2, 1.0, 2.5, "3", None, True, False, [1])

MALFORMED = [
    *[(f"{name} missing", drop(name), name) for name in REQUIRED],
    ("unknown field", put("widths", value=1), "unknown.*widths"),
    *[
        (f"{name} is {value!r}", put(name, value=value), name)
        for name in ROWS
        for value in (None, 3, "333", True, {}, [], b"12")
    ],
    *[
        (f"{name}[1] is {value!r}", put(name, 1, value=value), rf"{name}\[1\]")
        for name in ROWS
        for value in (None, 3, "333", {}, [])
    ],
    *[
        (f"{name}[0][0] is {value!r}", put(name, 0, 0, value=value), rf"{name}\[0\]")
        for name in ROWS
        for value in WRONG_NUMBERS
    ],
    ("an encoder block too few", drop("encoder_widths", 0), "encoder_widths must have 3 entries"),
    ("an encoder block too many", lambda v: v["encoder_widths"].append([8]), "encoder_widths must have 3 entries"),
    ("a decoder block too few", drop("decoder_widths", 0), "decoder_widths must have 2 entries"),
    ("a decoder block too many", lambda v: v["decoder_widths"].append([8]), "decoder_widths must have 2 entries"),
    ("a kernel too few", drop("kernel_sizes", 0), "kernel_sizes must have 3 entries"),
    ("one stage", put("strides", value=[[1, 1, 1]]), "strides must have at least 2 stages"),
    ("one axis", put("strides", 0, value=[1]), r"strides\[0\] must have 2 or 3 axes"),
    ("four axes", put("strides", 0, value=[1, 1, 1, 1]), r"strides\[0\] must have 2 or 3 axes"),
    ("an axis too few in a stride", put("strides", 2, value=[2, 2]), r"strides\[2\] must have 3 axes"),
    ("an axis too many in a kernel", put("kernel_sizes", 1, value=[3] * 4), r"kernel_sizes\[1\] must have 3 axes"),
    ("even kernel", put("kernel_sizes", 2, value=[3, 2, 3]), r"kernel_sizes\[2\] must be odd"),
    ("first stride not 1", put("strides", 0, value=[1, 2, 1]), r"strides\[0\] must be all 1"),
    *[(f"provenance is {v!r}", put("provenance", value=v), "provenance") for v in (None, [], "text", 3)],
    ("provenance holds a set", put("provenance", "x", value={1}), "provenance"),
    ("provenance holds a path", put("provenance", "x", value=Path("a")), "provenance"),
    ("provenance holds NaN", put("provenance", "x", value=float("nan")), "provenance"),
    *[
        (f"format_version is {v!r}", put("format_version", value=v), "format_version")
        for v in (0, 2, -1, "1", 1.0, True, None)
    ],
]


@settings(deadline=None, max_examples=40)
@given(architectures())
def test_record_round_trips_through_a_dictionary_and_json(architecture: Architecture) -> None:
    again = Architecture.from_dict(json.loads(json.dumps(architecture.to_dict())))
    assert again == architecture
    assert again.provenance == architecture.provenance
    assert again.to_dict() == architecture.to_dict()


@settings(deadline=None, max_examples=15)
@given(architectures())
def test_record_round_trips_through_a_file(
    tmp_path_factory: pytest.TempPathFactory, architecture: Architecture
) -> None:
    folder = tmp_path_factory.mktemp("records")
    architecture.save(folder / "a.json")
    again = Architecture.load(folder / "a.json")
    again.save(str(folder / "b.json"))
    assert again == architecture
    assert again.provenance == architecture.provenance
    assert (folder / "a.json").read_bytes() == (folder / "b.json").read_bytes()


@pytest.mark.parametrize(("change", "message"), [case[1:] for case in MALFORMED], ids=[case[0] for case in MALFORMED])
def test_malformed_field_is_refused_by_name(change: Change, message: str) -> None:
    record = values()
    change(record)
    with pytest.raises(UserError, match=message):
        Architecture.from_dict(record)


@pytest.mark.parametrize("value", [None, [], "text", 3])
def test_something_that_is_no_object_is_refused(value: Any) -> None:
    with pytest.raises(UserError, match="architecture must be a JSON object"):
        Architecture.from_dict(value)


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"nowhere\.json does not exist"):
        Architecture.load(tmp_path / "nowhere.json")


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe\x00", json.dumps(values()).encode()[:-2]])
def test_broken_file_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "broken.json"
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"broken\.json"):
        Architecture.load(path)


def test_malformed_file_names_file_and_field(tmp_path: Path) -> None:
    path = tmp_path / "odd.json"
    path.write_text(json.dumps(values() | {"strides": [[1, 1, 1], [2, 2, 1], [2, 2, 0]]}))
    with pytest.raises(UserError, match=r"odd\.json: strides\[2\]"):
        Architecture.load(path)


def test_provenance_is_optional_and_does_not_count_for_equality() -> None:
    record = values()
    with_provenance = Architecture.from_dict(record)
    del record["provenance"]
    without = Architecture.from_dict(record)
    assert without == with_provenance
    assert without.provenance == {}


@pytest.mark.parametrize(
    "change",
    [
        put("encoder_widths", 0, 0, value=17),
        put("decoder_widths", 1, 1, value=17),
        put("strides", 1, 2, value=2),
        put("kernel_sizes", 0, 2, value=3),
    ],
)
def test_every_structural_field_counts_for_equality(change: Change) -> None:
    record = values()
    change(record)
    assert Architecture.from_dict(record) != Architecture.from_dict(values())


@pytest.mark.parametrize("name", [*ROWS, "provenance"])
def test_record_is_frozen(name: str) -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(Architecture.from_dict(values()), name, ())


def test_record_does_not_share_what_it_was_made_from() -> None:
    record = values()
    architecture = Architecture.from_dict(record)
    record["strides"][1][0] = 9
    record["provenance"]["source"] = "changed"
    architecture.to_dict()["provenance"]["source"] = "changed"
    assert architecture.to_dict() == values()


def test_derived_properties() -> None:
    architecture = Architecture.from_dict(values())
    assert (architecture.n_stages, architecture.spatial_dims) == (3, 3)
    assert architecture.total_stride == (4, 4, 2)
    assert architecture.blocks == ((16, 24), (32,), (64, 64, 48), (32,), (16, 16))


@given(st.tuples(*[st.integers(1, 12)] * 3))
def test_patch_is_accepted_exactly_if_every_axis_is_divisible(size: tuple[int, ...]) -> None:
    strides = Architecture.from_dict(values()).strides
    if size[0] % 4 == size[1] % 4 == size[2] % 2 == 0:
        assert check_patch_size(size, strides) == size
    else:
        with pytest.raises(UserError, match=r"patch_size must be divisible by \(4, 4, 2\)"):
            check_patch_size(size, strides)


def test_four_architectures_were_published_and_an_unknown_one_is_refused() -> None:
    assert published_tasks() == ("Task01_BrainTumour", "Task02_Heart", "Task05_Prostate", "Task07_Pancreas")
    with pytest.raises(UserError, match=r"Task99.*Task01_BrainTumour"):
        published("Task99")
