"""The process that owns a file: locks, temporary names that tell it, children that end with their parent."""

from __future__ import annotations

import atexit
import ctypes
import errno
import fcntl
import hashlib
import json
import multiprocessing
import os
import re
import shutil
import signal
import socket
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from .errors import UserError

LOCK = ".lock"
_OWNER = r"(?P<machine>[0-9a-f]{8})-(?P<pid>\d+)-(?P<start>\d+)-"
_PARTIAL = re.compile(rf"\.partial-(?:{_OWNER})?[0-9a-f]{{6,12}}(?:-.*)?", re.DOTALL)
_DAY = 86400.0


@dataclass(frozen=True)
class Owner:
    """A process among all there are and were.

    Attributes:
        machine: of the boot and the namespace of process numbers in which `pid` has a meaning.
        pid: its number.
        start: when it was started, in the system's ticks, since numbers are used again; 0 where that is not known.
    """

    machine: str
    pid: int
    start: int

    @classmethod
    def this(cls) -> Owner:
        """This process."""
        return cls(_machine(), os.getpid(), _start(os.getpid()) or 0)

    def has_ended(self) -> bool:
        """Whether the process is known to run no more; of those on other machines nothing is known."""
        if self.machine != _machine():
            return False
        if Path("/proc/self/stat").exists():
            return _start(self.pid) != self.start
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return True
        except PermissionError:
            pass
        return False


@cache
def _machine() -> str:
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text() + str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        boot = socket.gethostname()
    return hashlib.sha256(boot.encode()).hexdigest()[:8]


def _start(pid: int) -> int | None:
    """When a process was started; None if there is none, or only what its parent has not asked for yet."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in "ZX" else int(fields[19])


def temporary_beside(path: Path) -> Path:
    """A new name beside `path`, with its suffix, that tells which process writes there.

    It is no longer than the storage allows, where that of `path` is not.
    """
    owner = Owner.this()
    head = f".partial-{owner.machine}-{owner.pid}-{owner.start}-{uuid.uuid4().hex[:6]}-"
    return path.with_name(head + os.fsencode(path.name)[-_room(path.parent, head) :].decode(errors="ignore"))


def _room(folder: Path, head: str) -> int:
    try:
        longest = os.pathconf(folder, "PC_NAME_MAX")
    except (OSError, ValueError):
        longest = 255
    return max(longest - len(head), 8)


def sweep(folder: Path, *, held: bool = False) -> None:
    """Remove the temporary files and folders that killed processes have left in `folder`.

    Args:
        folder: of the files; it need not be there.
        held: whether this process alone writes in `folder` and below. Then all goes but what a process of this
            machine is writing; else what is known to be nobody's, or is more than a day old.
    """
    for path in list(folder.rglob(".partial-*") if held else folder.glob(".partial-*")):
        if _is_left(path, held):
            with suppress(OSError):
                shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()


def _is_left(path: Path, held: bool) -> bool:
    found = _PARTIAL.fullmatch(path.name)
    if found is None:
        return False
    if found["pid"] is not None:
        owner = Owner(found["machine"], int(found["pid"]), int(found["start"]))
        if owner.machine == _machine():
            return owner.has_ended()
    try:
        return held or time.time() - path.lstat().st_mtime > _DAY
    except OSError:
        return False


def make_folders(folder: Path) -> list[Path]:
    """Make a folder and those above it; the new ones, deepest first, for `remove_empty`."""
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    return missing


def remove_empty(folders: list[Path]) -> None:
    """Remove the folders in which nothing is."""
    for folder in folders:
        with suppress(OSError):
            folder.rmdir()


@dataclass(frozen=True)
class _Held:
    descriptor: int
    pid: int
    made: list[Path]


_HELD: dict[Path, _Held] = {}


def hold(lock: Path, what: str) -> None:
    """Have `lock`, a file that says so, until `release` or the end of the process; what it has already, it keeps.

    The lock is the system's (POSIX): it goes with the process, however that ends, and no child inherits it, so that
    the worker of a loader which outlives its parent by a moment holds nothing.

    Args:
        lock: the file.
        what: it stands for, as "output_dir runs/train".

    Raises:
        UserError: another process has it.
    """
    key = lock.parent.resolve() / lock.name
    if _is_mine(key):
        return
    made = make_folders(lock.parent)
    try:
        descriptor = _locked(key, what)
    except BaseException:
        remove_empty(made)
        raise
    since = f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC"
    facts = {**asdict(Owner.this()), "host": socket.gethostname(), "since": since}
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, json.dumps(facts).encode(), 0)
    _HELD[key] = _Held(descriptor, os.getpid(), made)


def release(lock: Path, moved_to: Path | None = None) -> None:
    """Give `lock` up and remove its file, which may be at `moved_to` by now, and folders made for nothing else."""
    key = lock.parent.resolve() / lock.name
    held = _HELD.pop(key, None)
    if held is None or held.pid != os.getpid():
        return
    with suppress(OSError):
        (moved_to or key).unlink()
    os.close(held.descriptor)
    remove_empty(held.made)


@atexit.register
def release_all() -> None:
    """Give up every lock that this process has."""
    for key in list(_HELD):
        release(key)


@contextmanager
def sole_writer(path: Path, what: str) -> Iterator[None]:
    """Within the block no other process writes `path`, a file or folder that need not be there.

    Raises:
        UserError: another process is writing it.
    """
    name = f".{path.name}{LOCK}"
    if len(os.fsencode(name)) > 255:
        name = f".{hashlib.sha256(os.fsencode(path.name)).hexdigest()[:16]}{LOCK}"
    with _holding(path.absolute().parent / name, f"{what} {path}"):
        yield


@contextmanager
def held_folder(folder: Path, what: str) -> Iterator[None]:
    """Within the block no other process writes in `folder`, which is made if need be; its litter is removed.

    Raises:
        UserError: another process is writing there.
    """
    with _holding(folder / LOCK, f"{what} {folder}"):
        sweep(folder, held=True)
        yield


@contextmanager
def _holding(lock: Path, what: str) -> Iterator[None]:
    hold(lock, what)
    try:
        yield
    finally:
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
    while True:
        descriptor = os.open(key, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            _lock(descriptor, what)
        except BaseException:
            os.close(descriptor)
            raise
        if _is_file_of(descriptor, key):
            return descriptor
        os.close(descriptor)  # whoever had it has removed it just now


def _lock(descriptor: int, what: str) -> None:
    try:
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return
    except OSError as error:
        refused = error.errno in (errno.EACCES, errno.EAGAIN)
    facts = _facts(descriptor)
    # Storage without locks has what is written there.
    owner = Owner(str(facts.get("machine")), int(facts.get("pid", 0)), int(facts.get("start", 0)))
    if refused or (facts and not owner.has_ended()):
        whose = f"process {facts['pid']} on {facts['host']} since {facts['since']}" if facts else "another process"
        raise UserError(f"{what} is being written by {whose}; wait until it ends or stop it, or write elsewhere")


def _facts(descriptor: int) -> dict[str, Any]:
    """What the owner says of itself, which it writes a moment after it has the lock."""
    for _ in range(20):
        with suppress(ValueError):
            return dict(json.loads(os.pread(descriptor, 4096, 0)))
        time.sleep(0.05)
    return {}


def _is_file_of(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except OSError:
        return False


def end_with_parent() -> None:
    """Have this process end when the one that started it does, even by a signal that cannot be caught."""
    known = multiprocessing.parent_process()
    parent = os.getppid() if known is None or known.pid is None else known.pid
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
        if os.getppid() != parent:
            os._exit(1)
    else:
        threading.Thread(target=_exit_after, args=(parent,), daemon=True).start()


def _exit_after(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)


def module_bound_to_parent(module: str) -> list[str]:
    """Words for Python that run `module` as -m does, in a process that ends when this one does.

    They import nothing of ours, since the child may run the code of an exported bundle.
    """
    program = f"import os, runpy, signal, sys; parent = {os.getpid()}; "
    if sys.platform == "linux":
        program += "import ctypes; ctypes.CDLL(None).prctl(1, signal.SIGKILL); os.getppid() == parent or sys.exit(1); "
    return ["-c", program + f"runpy.run_module({module!r}, run_name='__main__', alter_sys=True)"]
