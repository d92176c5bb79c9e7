"""An export that is interrupted leaves nothing: no half-written folder, no process."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from adw_components.errors import UserError
from adw_components.export.command import export_bundle
from adw_components.files import temporary_folder

from .conftest import HIPPOCAMPUS, bundle_of, write_weights

# In the place of MONAI's export: a subprocess that says who it is, and takes long.
_SLOW = "import os, pathlib, sys, time; pathlib.Path(sys.argv[1]).write_text(str(os.getpid())); time.sleep(100)"
_EXPORT = """
import os, signal
from adw_components.export import torchscript
from adw_components.__main__ import main

signal.signal(signal.SIGINT, signal.default_int_handler)  # tests that run in the background ignore it
os.environ["PYTHONPATH"] = {folder!r}
torchscript._MODULE, torchscript._COMMAND = "slow", ({note!r},)
main()
"""


@pytest.fixture
def slow_export(tmp_path: Path) -> Iterator[Callable[[], tuple[subprocess.Popen[bytes], int]]]:
    """Start an export to `tmp_path / "out"`; gives its process and the number of its subprocess."""
    note, weights = tmp_path / "note", write_weights(tmp_path / "train", HIPPOCAMPUS)
    (tmp_path / "slow.py").write_text(_SLOW)
    code = _EXPORT.format(folder=str(tmp_path), note=str(note))
    words = ["export", str(bundle_of(HIPPOCAMPUS)), "--output", str(tmp_path / "out"), "--weights", str(weights)]
    started = []

    def start() -> tuple[subprocess.Popen[bytes], int]:
        started.append(subprocess.Popen([sys.executable, "-c", code, *words]))
        until(lambda: note.is_file() and note.read_text() != "")
        return started[-1], int(note.read_text())

    yield start
    for process in started:
        process.kill()
        process.wait()


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def runs(number: int) -> bool:
    try:
        return Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_what_a_signal_ends_leaves_nothing(number: signal.Signals, slow_export: Callable, tmp_path: Path) -> None:
    process, child = slow_export()
    process.send_signal(number)
    assert process.wait(timeout=30) == 128 + number
    assert not runs(child) and not (tmp_path / "out").exists()


def test_the_next_export_removes_what_was_left(slow_export: Callable, tmp_path: Path) -> None:
    process, child = slow_export()
    (left,) = (tmp_path / "out").glob(".partial-*")
    mine = tmp_path / "out" / ".partial-mine"
    mine.mkdir()
    with temporary_folder(tmp_path / "out" / "export"):
        assert left.is_dir()  # that of a process which runs
    process.kill()
    process.wait()
    until(lambda: not runs(child))  # nobody has ended it
    export_bundle(str(bundle_of(HIPPOCAMPUS)), output=str(tmp_path / "out"))
    assert {path for path in (tmp_path / "out").iterdir() if path.name.startswith(".")} == {mine}


def test_the_handler_of_the_process_comes_back(tmp_path: Path) -> None:
    before = signal.getsignal(signal.SIGTERM)
    export_bundle(str(bundle_of(HIPPOCAMPUS)), output=str(tmp_path / "out"))
    with pytest.raises(UserError):
        export_bundle(str(bundle_of(HIPPOCAMPUS)), output=str(bundle_of(HIPPOCAMPUS).parent))
    assert signal.getsignal(signal.SIGTERM) is before
