"""A user's mistake, in a process of its own and in a web server."""

import errno
import pickle
import subprocess
import sys

import pytest

from adw_components.errors import UserError, line_for, user_error_behind

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


def raised(error: BaseException, *, behind: BaseException | None = None) -> BaseException:
    try:
        raise error from behind
    except BaseException as caught:
        return caught


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (UserError("x must be 1, got 2"), "x must be 1, got 2"),
        (
            OSError(errno.ENOSPC, "No space left on device", "/runs/model.pt"),
            "/runs/model.pt: no space left on device; make room there and run it again "
            "(a search or a training with --resume true)",
        ),
        (OSError(errno.EROFS, "Read-only file system", "/runs"), "/runs: read-only file system; give a place that"),
        (OSError(errno.ENAMETOOLONG, "File name too long", "/" + "x" * 300), "file name too long; give shorter names"),
        (
            FileNotFoundError(errno.ENOENT, "No such file or directory", "/a"),
            "/a: no such file or directory; check the",
        ),
        (MemoryError(), "not enough memory (none is left); take a smaller patch_size"),
        (
            RuntimeError("[enforce fail at alloc_cpu.cpp:127] err == 0. DefaultCPUAllocator: can't allocate memory"),
            "not enough memory ([enforce fail",
        ),
        (RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB"), "not enough memory (CUDA out of memory."),
        (RuntimeError("DataLoader worker (pid 5) is killed by signal: Killed."), "take fewer num_workers"),
        (ModuleNotFoundError("No module named 'mlflow'"), "a package is missing (No module named 'mlflow')"),
        (
            UserError(
                "Caught UserError in DataLoader worker process 0.\nOriginal Traceback (most recent call last):\n"
                '  File "x.py", line 1, in f\nadw_components.errors.UserError: a.nii.gz cannot be read'
            ),
            "a.nii.gz cannot be read",
        ),
    ],
)
def test_what_a_user_can_mend_is_one_line_wherever_it_was_wrapped(error: BaseException, line: str) -> None:
    for wrapped in (error, raised(RuntimeError("Failed to instantiate component"), behind=error)):
        found = line_for(wrapped)
        assert found is not None and line in found and "\n" not in found


def test_an_expression_that_fails_by_itself_is_a_line() -> None:
    for expression in ("list(5)", "1 +", "unknown", "1 / 0"):
        with pytest.raises(Exception) as caught:
            eval(expression)
        assert "an expression in a config cannot be evaluated" in (line_for(caught.value) or "")


def test_a_fault_of_the_program_keeps_its_stack_trace() -> None:
    handling = raised(OSError(errno.ENOSPC, "No space left on device"))
    try:
        try:
            raise handling
        except OSError:
            {}["key"]
    except KeyError as error:
        assert line_for(error) is None
    assert line_for(raised(TypeError("f() takes 1 argument"))) is None
    assert line_for(raised(RuntimeError("shapes differ"))) is None
