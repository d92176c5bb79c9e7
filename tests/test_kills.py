"""Killed at random moments and run again, a command leaves what it leaves untouched: no more, and no process."""

import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parents[1] / "scripts" / "kills.py"


def test_kills_leave_nothing_behind(tmp_path: Path) -> None:
    """The other jobs, and a hundred kills, by hand."""
    words = [sys.executable, str(SCRIPT), "--folder", str(tmp_path), "--kills", "3", "--only", "build"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr[-2000:]
    (row,) = [line.split() for line in done.stdout.splitlines() if line.startswith("build")]
    assert row[1] == "3" and row[3:] == ["0", "0", "0"]
