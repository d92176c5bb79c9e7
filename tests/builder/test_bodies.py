"""What the marks of a body stand for."""

import pytest

from adw_components.builder.bodies import Filler, read_bodies, read_pieces
from adw_components.builder.build import COMMON
from adw_components.errors import UserError

FILLER = Filler(
    values={"patch": [1, 2], "task": "Task00"},
    pieces={
        "steps": ["b", "+more"],
        "more": ["c"],
        "loss": {"size": {"_value_": "patch"}},
        "keys": {"x": 1, "y": "+loss"},
    },
)


def test_values_stand_where_they_are_named() -> None:
    assert FILLER.filled({"_values_": ["task", "patch"], "z": 0}) == {"task": "Task00", "patch": [1, 2], "z": 0}
    assert list(FILLER.filled({"z": 0, "_values_": ["patch", "task"]})) == ["z", "patch", "task"]
    assert FILLER.filled({"shipped": {"_value_": "patch"}}) == {"shipped": [1, 2]}


def test_a_piece_is_spliced_into_a_list_merged_into_an_object_or_stands_as_a_value() -> None:
    assert FILLER.filled(["a", "+steps", "d"]) == ["a", "b", "c", "d"]
    assert FILLER.filled({"a": 0, "+keys": None, "b": 2}) == {"a": 0, "x": 1, "y": {"size": [1, 2]}, "b": 2}
    assert FILLER.filled({"loss": "+loss"}) == {"loss": {"size": [1, 2]}}
    assert FILLER.filled(["+loss"]) == [{"size": [1, 2]}]


def test_all_else_stays() -> None:
    body = {"a": [1, None, "$@x + 1", "+"], "b": {"_target_": "T", "n": 1.5}}
    assert FILLER.filled(body) == body


UNKNOWN = [{"_values_": ["spacing"]}, {"a": {"_value_": "spacing"}}, ["+transforms"], {"+x": None}]


@pytest.mark.parametrize("body", UNKNOWN)
def test_an_unknown_name_is_an_error(body: object) -> None:
    with pytest.raises(UserError, match="a body asks for the"):
        FILLER.filled(body)


def test_pieces_of_an_interactive_bundle_stand_in_for_plain_ones_of_their_name() -> None:
    folder = COMMON / "bodies"
    plain, interactive = (read_pieces(folder, interactive=interactive) for interactive in (False, True))
    assert plain.keys() == interactive.keys()
    changed = {name for name in plain if plain[name] != interactive[name]}
    assert changed and all(
        name in ("network_channels", "mirroring") or "click" in name or "inherit" in name for name in changed
    )
    assert not read_bodies(folder).keys() & {"pieces", "interactive_pieces"}
