"""A user's mistake, or a machine's limit, is one line: what is wrong, where, and what to do."""

from __future__ import annotations

import errno
import io
import logging
import sys
import traceback
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import FrozenInstanceError
from types import TracebackType
from typing import Any, NoReturn

# FastAPI, and so MONAI Label's server, answers a request with an exception of this class: its status, its detail.
_Answer: Any = getattr(sys.modules.get("starlette.exceptions"), "HTTPException", Exception)

_MEMORY = "not enough memory ({}); take a smaller patch_size or batch_size, narrower base_widths, or fewer workers"
_AGAIN = "run it again (a search or a training with --resume true)"
_REMEDIES = {
    **dict.fromkeys((errno.ENOSPC, errno.EDQUOT), f"make room there and {_AGAIN}"),
    errno.EFBIG: f"raise the limit of a file's size (ulimit -f) and {_AGAIN}",
    errno.EIO: f"the storage fails; check it and {_AGAIN}",
    errno.ENOMEM: "close other programs, or take a smaller patch_size or batch_size, or fewer workers",
    **dict.fromkeys((errno.EMFILE, errno.ENFILE), "raise the limit of open files (ulimit -n) or take fewer workers"),
    **dict.fromkeys((errno.EROFS, errno.EACCES, errno.EPERM), "give a place that can be read and written"),
    errno.ENAMETOOLONG: "give shorter names",
    errno.EEXIST: "something of this name is in the way; check the path",
    errno.ENOTDIR: "a part of this path is a file; check the path",
    errno.EISDIR: "a file is needed; check the path",
    errno.ENOENT: "check the path",
}
_LIMITS = (errno.ENOMEM, errno.EMFILE, errno.ENFILE, errno.EIO)
# Class, a part of its text, and the line that is made of the text: what torch and MONAI say of a machine or a config.
_SAYINGS: tuple[tuple[type[Exception], str, str], ...] = (
    (MemoryError, "", _MEMORY),
    (RuntimeError, "DefaultCPUAllocator", _MEMORY),
    (RuntimeError, "out of memory", _MEMORY),
    (RuntimeError, "bad_alloc", _MEMORY),
    (RuntimeError, "killed by signal", "a process that loads data was ended from outside ({}); take fewer num_workers"),
    (ModuleNotFoundError, "", "a package is missing ({}); install it with pip, or leave out what needs it"),
    (ValueError, "the referring item", "a config or an option is wrong ({}); after @ it takes an existing key"),
)
# ignite logs an exception on its way through; the line at the end, or the stack trace, says it all.
_ON_THE_WAY = ("Engine run is terminating due to exception", "Current run is terminating due to exception")


class UserError(ValueError, _Answer):
    """Something that whoever typed the command, or sent the request, can mend; its text is the whole message."""

    status_code = 400
    headers = None
    __str__ = ValueError.__str__

    @property
    def detail(self) -> str:
        """Return what a server answers."""
        return str(self)


def user_error_behind(error: BaseException | None) -> UserError | None:
    """Find the `UserError` in the chain of causes of `error`; MONAI wraps what its configs raise."""
    return next((cause for cause in _causes(error, implicit=True) if isinstance(cause, UserError)), None)


def line_for(error: BaseException) -> str | None:
    """Return the line that tells a user what `error` means, or None if it is a fault of the program.

    A full disk, a file that cannot be read, too little memory or a config that MONAI cannot evaluate are no fault of
    the program wherever they show: they are turned into a line here, once, and not where each of them may happen.
    """
    mistake = user_error_behind(error)
    if mistake is not None:
        return _of_a_worker(str(mistake))
    return next(filter(None, map(_line, _causes(error, implicit=False))), None)


def raise_limits(error: Exception) -> None:
    """Raise `error` again if a limit of the machine, such as its memory, is to blame and not the file that was read."""
    if isinstance(error, MemoryError) or (isinstance(error, OSError) and error.errno in _LIMITS):
        raise error


def report_errors_plainly() -> None:
    """Let an uncaught exception for which there is a line end the process with it instead of a stack trace."""
    for handler in logging.getLogger().handlers:
        if _is_news not in handler.filters:
            handler.addFilter(_is_news)
    print_any_letter()
    previous = sys.excepthook
    if getattr(previous, "reports_plainly", False):
        return

    def hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if isinstance(error, KeyboardInterrupt):
            print("interrupted; a search or a retraining goes on with --resume true", file=sys.stderr)
            return
        line = line_for(error)
        _close_bars()
        if line is None:
            previous(kind, error, trace)
        else:
            print(f"error: {line}", file=sys.stderr)

    hook.reports_plainly = True  # type: ignore[attr-defined]
    sys.excepthook = hook


def print_any_letter() -> None:
    """Let a terminal that lacks a letter, such as é, show its code in place of a stack trace."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            with suppress(OSError):  # where the stream has become a pipe since it was opened
                stream.reconfigure(errors="backslashreplace")


def exit_with(line: object) -> NoReturn:
    """End a command of our own with an error's text and status 1."""
    print(f"error: {line}", file=sys.stderr)
    sys.exit(1)


def _causes(error: BaseException | None, *, implicit: bool) -> Iterator[BaseException]:
    """Yield `error` and what it was raised from; with `implicit` also what was being handled when it was raised."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        yield error
        seen.add(id(error))
        error = error.__cause__ or (error.__context__ if implicit else None)


def _line(error: BaseException) -> str | None:
    text = _of_a_worker(" ".join(str(error).split()))
    if isinstance(error, OSError) and (error.errno in _REMEDIES or (error.errno and error.filename)):
        where = " and ".join(str(name) for name in (error.filename, error.filename2) if name)
        remedy = _REMEDIES.get(error.errno or 0, f"check the path and its storage, and {_AGAIN}")
        return f"{where + ': ' if where else ''}{(error.strerror or text).lower()}; {remedy}"
    if isinstance(error, ModuleNotFoundError) and (error.name or "").startswith(__package__):
        return None
    for kind, part, line in _SAYINGS:
        if isinstance(error, kind) and part in text:
            return line.format(text[:300] or "none is left")
    return _of_an_expression(error, text)


def _of_an_expression(error: BaseException, text: str) -> str | None:
    """Return the line for an expression of a config that fails by itself, not in the code that it calls."""
    frames = traceback.extract_tb(error.__traceback__)
    own = isinstance(error, SyntaxError) and error.filename in ("<string>", "<unknown>")
    if isinstance(error, FrozenInstanceError):  # whose code is generated, and has no file either
        return None
    if not own and not (frames and frames[-1].filename == "<string>"):
        return None
    reason = f"{type(error).__name__}: {text}"
    return f"an expression in a config cannot be evaluated ({reason}); check the values of the options"


def _of_a_worker(text: str) -> str:
    """Return the message inside the text that torch makes of an exception in a loader's process."""
    return (
        text.rpartition("UserError: ")[2].strip()
        if text.startswith("Caught ") and "Original Traceback" in text
        else text
    )


def _close_bars() -> None:
    """End the line of a progress bar that is still open, which a message would otherwise go on with."""
    bars = getattr(sys.modules.get("tqdm.std"), "tqdm", None)
    for bar in list(getattr(bars, "_instances", ())):
        bar.close()


def _is_news(record: logging.LogRecord) -> bool:
    return not str(record.msg).startswith(_ON_THE_WAY)
