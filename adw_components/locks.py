"""Locks: one process writes a file or folder, and another one is told which."""

from __future__ import annotations

import atexit
import errno
import fcntl
import hashlib
import json
import os
import socket
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from .errors import UserError
from .files import errors_about, json_value
from .owners import Owner, make_folders, remove_empty, sweep
from .record_fields import printable, whole_number

LOCK = ".lock"
# How the content of every lock begins.
_OURS = b'{"machine": "'


@dataclass(frozen=True)
class _Held:
    descriptor: int
    pid: int
    made: list[Path]


@dataclass(frozen=True)
class _Holder:
    """What a lock says of the process that has it."""

    owner: Owner
    host: str
    since: str

    @classmethod
    def this(cls) -> _Holder:
        return cls(Owner.this(), socket.gethostname(), f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC")

    def to_bytes(self) -> bytes:
        return json.dumps({**asdict(self.owner), "host": self.host, "since": self.since}).encode()

    @classmethod
    def from_bytes(cls, content: bytes) -> _Holder:
        """Raise a `ValueError` unless the content is that of a lock."""
        values: dict[str, Any] = json_value(content.decode())
        if not isinstance(values, dict) or set(values) != {"machine", "pid", "start", "host", "since"}:
            raise ValueError("no lock")
        texts = {name: printable(name, values[name], longest=300) for name in ("machine", "host", "since")}
        numbers = {name: whole_number(name, values[name], high=2**62) for name in ("pid", "start")}
        return cls(Owner(texts["machine"], numbers["pid"], numbers["start"]), texts["host"], texts["since"])

    def __str__(self) -> str:
        return f"process {self.owner.pid} on {self.host} since {self.since}"


_HELD: dict[Path, _Held] = {}


def hold(lock: Path, what: str, *, of: Path | None = None) -> bool:
    """Take the lock file `lock` until `release` or the end of the process; do nothing if this process has it.

    The lock is the system's (POSIX): it goes with the process, however that ends, and no child inherits it, so that
    the worker of a loader which outlives its parent by a moment holds nothing.

    Args:
        lock: the file.
        what: the lock stands for, as "output_dir runs/train".
        of: the path that a full disk or a place that cannot be written is reported for; the folder of `lock` by
            default.

    Returns:
        Whether it was taken now.

    Raises:
        UserError: another process has it, or a file of somebody else is in its place.
    """
    key = lock.parent.resolve() / lock.name
    if _is_mine(key):
        return False
    with errors_about(of or lock.parent, key):
        made = make_folders(lock.parent)
        try:
            _HELD[key] = _Held(_locked(key, what), os.getpid(), made)
        except BaseException:
            remove_empty(made)
            raise
    return True


def release(lock: Path, moved_to: Path | None = None) -> None:
    """Release `lock`, and remove its file and the folders that `hold` made.

    Args:
        lock: as it was given to `hold`; nothing happens if this process does not have it.
        moved_to: where its file is now, if its folder was renamed.
    """
    key = lock.parent.resolve() / lock.name
    held = _HELD.pop(key, None)
    if held is None or held.pid != os.getpid():
        return
    _remove(held.descriptor, moved_to or key)
    remove_empty(held.made)


@atexit.register
def release_all() -> None:
    """Release every lock that this process has."""
    for key in list(_HELD):
        release(key)


@contextmanager
def sole_writer(path: Path, what: str) -> Iterator[None]:
    """Keep other processes from writing `path`, a file or folder that need not be there, within the block.

    Raises:
        UserError: another process is writing it.
    """
    name = f".{path.name}{LOCK}"
    if len(os.fsencode(name)) > 255:
        name = f".{hashlib.sha256(os.fsencode(path.name)).hexdigest()[:16]}{LOCK}"
    with _holding(path.absolute().parent / name, f"{what} {path}", path):
        yield


@contextmanager
def held_folder(folder: Path, what: str) -> Iterator[None]:
    """Keep other processes from writing in `folder`, which is made if need be, within the block; remove its litter.

    Raises:
        UserError: another process is writing there.
    """
    with _holding(folder / LOCK, f"{what} {folder}", folder):
        sweep(folder, held=True)
        yield


@contextmanager
def _holding(lock: Path, what: str, of: Path) -> Iterator[None]:
    is_new = hold(lock, what, of=of)
    try:
        yield
    finally:
        if is_new:
            release(lock)


def _is_mine(key: Path) -> bool:
    held = _HELD.get(key)
    if held is None or held.pid != os.getpid():
        return False
    if _is_file_of(held.descriptor, key):
        return True
    os.close(_HELD.pop(key).descriptor)  # somebody has removed it, with its folder perhaps
    return False


def _locked(key: Path, what: str) -> int:
    """Return the descriptor of the file, locked and with this process in it."""
    while True:
        descriptor = _opened(key)
        try:
            _lock(descriptor, key, what)
        except BaseException:
            os.close(descriptor)
            raise
        if _is_file_of(descriptor, key):
            break
        os.close(descriptor)  # whoever had it has removed it just now
    content, written = _Holder.this().to_bytes(), 0
    try:
        os.ftruncate(descriptor, 0)
        while written < len(content):  # a full disk takes a part first, and refuses the rest
            written += os.pwrite(descriptor, content[written:], written)
    except BaseException:
        _remove(descriptor, key)
        raise
    return descriptor


def _opened(key: Path) -> int:
    try:
        descriptor = os.open(key, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK, 0o644)
    except OSError as error:
        if error.errno not in (errno.ELOOP, errno.ENXIO, errno.EISDIR):
            raise
        raise UserError(f"{key} must be a lock of this program, but is a link or folder; remove it") from None
    content = os.pread(descriptor, len(_OURS), 0) if stat.S_ISREG(os.fstat(descriptor).st_mode) else b"?"
    if content not in (b"", _OURS):
        os.close(descriptor)
        raise UserError(f"{key} must be a lock of this program, but is another file; move it elsewhere")
    return descriptor


def _lock(descriptor: int, key: Path, what: str) -> None:
    remedy = "wait until it ends or stop it, or write elsewhere"
    try:
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return
    except OSError as error:
        refused = error.errno in (errno.EACCES, errno.EAGAIN)
    holder = _holder(descriptor)
    # Storage without locks has what is written there.
    if not refused and (holder is None or holder.owner.has_ended()):
        return
    if not refused:
        remedy = f"{remedy}; if it no longer runs, remove {key}"
    raise UserError(f"{what} is being written by {holder or 'another process'}; {remedy}")


def _holder(descriptor: int) -> _Holder | None:
    """Read who holds the lock, which the holder writes a moment after taking it."""
    for _ in range(20):
        with suppress(ValueError):
            return _Holder.from_bytes(os.pread(descriptor, 4096, 0))
        time.sleep(0.05)
    return None


def _remove(descriptor: int, path: Path) -> None:
    """Remove the file of the lock, unless another one stands there by now, and give the lock up."""
    if _is_file_of(descriptor, path):
        with suppress(OSError):
            path.unlink()
    os.close(descriptor)


def _is_file_of(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.lstat())
    except OSError:
        return False
