"""The process that owns a file: temporary names that tell it, and children that end with their parent."""

from __future__ import annotations

import ctypes
import hashlib
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
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from multiprocessing.connection import wait
from pathlib import Path

_OWNER = r"(?P<machine>[0-9a-f]{8})-(?P<pid>\d+)-(?P<start>\d+)-"
_PARTIAL = re.compile(rf"\.partial-(?:{_OWNER})?[0-9a-f]{{6,12}}(?:-.*)?", re.DOTALL)
_DAY = 86400.0
# In place of the start of a process that has ended, but has not been asked for by its parent.
_ZOMBIE = -1


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
        """Return the owner that stands for this process."""
        return cls(_machine(), os.getpid(), _start(os.getpid()) or 0)

    def has_ended(self) -> bool:
        """Return True if the process has certainly ended; False for processes of other machines."""
        if self.machine != _machine() or self.pid < 1:
            return False
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return True
        except (PermissionError, OverflowError):
            pass  # another user's, whose start the system may hide
        start = _start(self.pid)
        return start is not None and start != self.start


@cache
def _machine() -> str:
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text() + str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        boot = socket.gethostname()
    return hashlib.sha256(boot.encode()).hexdigest()[:8]


def _start(pid: int) -> int | None:
    """Return when a process was started, or None where that cannot be read."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return _ZOMBIE if fields[0] in "ZX" else int(fields[19])


def temporary_beside(path: Path) -> Path:
    """Return a new name beside `path`, with its suffix, that tells which process writes there.

    The name is cut to the length that the storage allows.
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
    """Remove the temporary files and folders that killed processes have left in `folder` and the folders in it.

    Args:
        folder: of the files; it need not be there.
        held: whether this process alone writes in `folder`. If so, everything there is removed but what a process of
            this machine is writing; otherwise, and in the folders below, only what belongs to a process that has ended
            or is more than a day old.
    """
    found = [(path, held) for path in folder.glob(".partial-*")] + [
        (path, False) for path in folder.glob("*/.partial-*")
    ]
    for path, alone in found:
        if _is_left(path, alone):
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
    """Make a folder and those above it, or none; return the new ones, deepest first, for `remove_empty`."""
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except BaseException:
        remove_empty(missing)
        raise
    return missing


def remove_empty(folders: list[Path]) -> None:
    """Remove those of the folders that are empty."""
    for folder in folders:
        with suppress(OSError):
            folder.rmdir()


def end_with_parent() -> None:
    """End this process when its parent ends, even by a signal that cannot be caught.

    On Linux the parent is the thread that started it (prctl(2)): start such children from a thread that stays.
    """
    parent, known = os.getppid(), multiprocessing.parent_process()
    if known is not None and known.pid != parent:  # begun by a server of forks, or the parent has ended
        threading.Thread(target=_exit_once_ended, args=(known.sentinel,), daemon=True).start()
        return
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
        if os.getppid() != parent:
            os._exit(1)
    else:
        threading.Thread(target=_exit_after, args=(parent,), daemon=True).start()


def _exit_once_ended(sentinel: int) -> None:
    wait([sentinel])
    os._exit(1)


def _exit_after(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)


def module_bound_to_parent(module: str) -> list[str]:
    """Return arguments for Python that run `module` like -m, in a process that ends when this one does.

    They import nothing of ours, since the child may run the code of an exported bundle.
    """
    program = f"import os, runpy, signal, sys; parent = {os.getpid()}; "
    if sys.platform == "linux":
        program += "import ctypes; ctypes.CDLL(None).prctl(1, signal.SIGKILL); os.getppid() == parent or sys.exit(1); "
    return ["-c", program + f"runpy.run_module({module!r}, run_name='__main__', alter_sys=True)"]
