"""A user's mistake is one line: what is wrong, where, and what to do."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import Any, NoReturn

# FastAPI, and so MONAI Label's server, answers a request with an exception of this class: its status, its detail.
_Answer: Any = getattr(sys.modules.get("starlette.exceptions"), "HTTPException", Exception)


class UserError(ValueError, _Answer):
    """Something that whoever typed the command, or sent the request, can mend; its text is the whole message."""

    status_code = 400
    headers = None
    __str__ = ValueError.__str__

    @property
    def detail(self) -> str:
        """What a server answers."""
        return str(self)


def user_error_behind(error: BaseException | None) -> UserError | None:
    """The `UserError` in the chain of causes of `error`; MONAI wraps what its configs raise."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        if isinstance(error, UserError):
            return error
        seen.add(id(error))
        error = error.__cause__ or error.__context__
    return None


def report_user_errors_plainly() -> None:
    """Let an uncaught `UserError` end the process with its text instead of a stack trace."""
    previous = sys.excepthook

    def hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        mistake = user_error_behind(error)
        if mistake is not None:
            print(f"error: {mistake}", file=sys.stderr)
        elif isinstance(error, KeyboardInterrupt):
            print("interrupted; a search or a retraining goes on with --resume true", file=sys.stderr)
        else:
            previous(kind, error, trace)

    sys.excepthook = hook


def exit_with(error: UserError) -> NoReturn:
    """End a command of our own with the text of `error` and status 1."""
    print(f"error: {error}", file=sys.stderr)
    sys.exit(1)
