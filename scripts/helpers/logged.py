"""Commands whose output goes to a log, and what the user hears of it when they fail."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from adw_components.errors import UserError


def run_logged(command: Sequence[str | Path], *, name: str, log: Path, environment: Mapping[str, str]) -> None:
    """Run a command; its output is added to a log.

    Args:
        command: program and arguments.
        name: of the command, for an error.
        log: file.
        environment: variables beside those of this process.

    Raises:
        UserError: the command failed; its last line and the log are named.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("a") as output:
        process = subprocess.Popen(
            list(map(str, command)), stdout=output, stderr=subprocess.STDOUT, env={**os.environ, **environment}
        )
        _running.add(process)
        status = process.wait()
        _running.discard(process)
    require_success(status, name=name, log=log)


def end_all() -> None:
    """End the commands that are running in other threads."""
    for process in list(_running):
        process.terminate()


def require_success(status: int, *, name: str, log: Path) -> None:
    """Raise a `UserError` with the last line of a log unless a command ended with status 0."""
    if status:
        last = log.read_text(errors="replace").rstrip().rsplit("\n", 1)[-1]
        raise UserError(f"{name} ended with status {status}: {last} ({log} has all of it)")


_running: set[subprocess.Popen[bytes]] = set()
