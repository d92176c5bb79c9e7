"""The temporary folder of an export; it goes at the end, on SIGTERM, or at the next export. No torch here."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import signal
import sys
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NoReturn

_OWN = re.compile(r"\.partial-[0-9a-f]{12}")
_LOCK = fcntl.LOCK_EX | fcntl.LOCK_NB


@contextmanager
def new_stage(output: Path) -> Iterator[Path]:
    """Yield a new folder in `output`, removed at the end, and with it those of exports that were killed."""
    output.mkdir(parents=True, exist_ok=True)
    for path in output.iterdir():
        if _OWN.fullmatch(path.name) and path.is_dir() and not path.is_symlink():
            _remove_if_left(path)
    stage = output / f".partial-{uuid.uuid4().hex[:12]}"
    try:
        stage.mkdir()
        with _kept_from_others(stage):
            yield stage
    finally:
        shutil.rmtree(stage, ignore_errors=True)


@contextmanager
def ended_by_sigterm() -> Iterator[None]:
    """Within the block SIGTERM ends the process as Ctrl-C does: subprocesses ended, temporary folders removed."""
    if threading.current_thread() is not threading.main_thread():  # which alone may set handlers
        yield
        return
    previous = signal.signal(signal.SIGTERM, _exit)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, previous)


def _exit(number: int, _: object) -> NoReturn:
    sys.exit(128 + number)


def _remove_if_left(stage: Path) -> None:
    """Remove a stage unless an export that still runs has locked it, or that cannot be known."""
    descriptor = os.open(stage, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, _LOCK)
        shutil.rmtree(stage, ignore_errors=True)
    except OSError:
        pass
    finally:
        os.close(descriptor)


@contextmanager
def _kept_from_others(stage: Path) -> Iterator[None]:
    """Lock a folder, where its storage has locks; the system gives it up when the process ends, however it does."""
    descriptor = os.open(stage, os.O_RDONLY)
    try:
        with suppress(OSError):
            fcntl.flock(descriptor, _LOCK)
        yield
    finally:
        os.close(descriptor)
