"""Switches of a command line."""

import pytest

from adw_components.errors import UserError
from adw_components.flags import flag


@pytest.mark.parametrize(("given", "meant"), [(True, True), (False, False), ("true", True), ("False", False)])
def test_names_of_truth_values_are_read(given: object, meant: bool) -> None:
    assert flag(given, name="resume") is meant


@pytest.mark.parametrize("given", ["yes", 1, None, ""])
def test_anything_else_is_refused_by_name(given: object) -> None:
    with pytest.raises(UserError, match="resume must be true or false"):
        flag(given, name="resume")
