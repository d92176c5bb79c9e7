"""A user's mistake, in a process of its own and in a web server."""

import pickle
import subprocess
import sys

from adw_components.errors import UserError, user_error_behind

# Stands in for Starlette, on which MONAI Label's server is built: the class is what its error handling asks for.
IN_A_SERVER = """
import pickle, sys, types
web = types.ModuleType("starlette.exceptions")
class HTTPException(Exception):
    def __init__(self, status_code, detail=None, headers=None):
        raise AssertionError("not with these arguments")
    def __str__(self):
        return "status: detail"
web.HTTPException = HTTPException
sys.modules["starlette.exceptions"] = web
from adw_components.errors import UserError
error = UserError("x must be 1, got 2")
assert isinstance(error, HTTPException) and isinstance(error, ValueError)
assert (error.status_code, error.detail, error.headers, str(error)) == (400, str(error), None, "x must be 1, got 2")
assert str(pickle.loads(pickle.dumps(error))) == str(error)
"""


def test_its_text_is_the_message_and_survives_a_worker_process() -> None:
    error = UserError("x must be 1, got 2")
    assert str(error) == str(pickle.loads(pickle.dumps(error))) == "x must be 1, got 2"
    assert type(error).__mro__[1:3] == (ValueError, Exception)


def test_it_is_found_behind_what_monai_makes_of_it() -> None:
    try:
        try:
            raise UserError("inner")
        except UserError as inner:
            raise RuntimeError("outer") from inner
    except RuntimeError as outer:
        assert str(user_error_behind(outer)) == "inner"


def test_in_a_web_server_it_answers_the_request() -> None:
    subprocess.run([sys.executable, "-c", IN_A_SERVER], check=True, timeout=60)
