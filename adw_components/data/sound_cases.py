"""Which cases a check has found sound, so that large files are not read before every run. No torch here."""

from __future__ import annotations

import hashlib
from pathlib import Path
from threading import Lock

from .dataset import Case
from .volumes import Task


class SoundCases:
    """A file with a line for every case in which nothing was wrong; a changed file or another task is another line.

    Args:
        path: of the file; without it nothing is remembered.
    """

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self.known = set(path.read_text(encoding="utf-8").split()) if path and path.is_file() else set[str]()
        self._lock = Lock()

    def knows(self, case: Case, task: Task) -> bool:
        """Whether `case` was found sound for `task` and its files are what they were."""
        return bool(self.known) and _key(case, task) in self.known

    def remember(self, case: Case, task: Task) -> None:
        """Note that nothing is wrong with `case`."""
        if self.path is None:
            return
        with self._lock:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("a", encoding="utf-8") as file:
                file.write(_key(case, task) + "\n")


def _key(case: Case, task: Task) -> str:
    try:
        files = [
            (str(path.resolve()), path.stat().st_size, path.stat().st_mtime_ns) for path in (case.image, case.label)
        ]
    except OSError:
        return ""  # a missing file is no line of any file
    facts = (files, task.in_channels, sorted(task.label_values), task.spatial_dims)
    return hashlib.sha256(repr(facts).encode()).hexdigest()
