"""Which cases a check has found sound, so that large files are not read before every run. No torch here."""

from __future__ import annotations

import hashlib
import logging
from pathlib import Path
from threading import Lock

from ..files import appended
from .dataset import Case
from .volumes import Task

logger = logging.getLogger(__name__)

# What another version of the check found sound is checked again.
VERSION = 2


class SoundCases:
    """A file with a line for every case in which nothing was wrong; a changed file or another task is another line.

    A file that cannot be read counts as empty; where it cannot be written, a check goes on without remembering.

    Args:
        path: of the file; without it nothing is remembered.
    """

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self.known = _lines(path) if path else set[str]()
        self._lock = Lock()

    def knows(self, case: Case, task: Task) -> bool:
        """Tell whether `case` was found sound for `task` and its files are what they were."""
        return bool(self.known) and _key(case, task) in self.known

    def remember(self, case: Case, task: Task) -> None:
        """Note that nothing is wrong with `case`."""
        with self._lock:
            if self.path is None:
                return
            try:
                _append(self.path, _key(case, task))
            except OSError as error:
                logger.warning("%s cannot be written (%s); every run will read all files anew", self.path, error)
                self.path = None


def _lines(path: Path) -> set[str]:
    try:
        return set(path.read_text(encoding="utf-8").split())
    except (OSError, UnicodeDecodeError):
        return set()


def _append(path: Path, line: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with appended(path) as file:
        file.write(line + "\n")


def _key(case: Case, task: Task) -> str:
    try:
        files = [
            (str(path.resolve()), path.stat().st_size, path.stat().st_mtime_ns) for path in (case.image, case.label)
        ]
    except OSError:
        return ""  # a missing file is no line of any file
    facts = (
        files,
        VERSION,
        task.in_channels,
        sorted(task.label_values),
        task.spatial_dims,
        task.spacing,
        sorted(task.z_scored),
    )
    return hashlib.sha256(repr(facts).encode()).hexdigest()
