"""The table of keys is cut down to the configs that a bundle has."""

import pytest

from adw_components.builder.key_rows import of_configs


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ("| `a` | S T E I | 1 | of a |", "| `a` | T E I | 1 | of a |"),
        ("| `a` | T | 1 | of a |", "| `a` | T | 1 | of a |"),
        ("| `a` | S | 1 | of a |", None),
        # Keys of one cell have the same configs, unless those are as many groups.
        ("| `a`, `b` | S T | of both |", "| `a`, `b` | T | of both |"),
        ("| `a`, `b` | S | of both |", None),
        ("| `a`; `b` | S T; E | of both |", "| `a`; `b` | T; E | of both |"),
        ("| `a`; `b` | S; S E | of both |", "| `b` | E | of both |"),
        ("| `a`; `b`, `c` | T; S | of all |", "| `a` | T | of all |"),
        ("| `a`; `b` | S; S | of both |", None),
        # Further cells are no configs, whatever they hold.
        ("| `a` | S I | S; T | \\| S |", "| `a` | I | S; T | \\| S |"),
    ],
)
def test_a_row_keeps_the_configs_that_are_there(row: str, expected: str | None) -> None:
    assert of_configs(row, "TEI") == (expected or "")
    assert of_configs(row, "STEI") == row


def test_text_between_rows_stays_and_their_order_too() -> None:
    table = "### Settings\n\n| Key | In |\n|---|---|\n| `a` | S T | x |\n| `b` | S | x |\n| `c` | I | x |\n\nS T"
    kept = "### Settings\n\n| Key | In |\n|---|---|\n| `a` | T | x |\n| `c` | I | x |\n\nS T"
    assert of_configs(table, "TEI") == kept


def test_keys_and_configs_of_unlike_numbers_are_a_mistake() -> None:
    with pytest.raises(ValueError, match="argument 2 is longer"):
        of_configs("| `a`; `b` | S; T; E | of both |", "TE")
