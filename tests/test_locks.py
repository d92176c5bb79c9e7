"""One process writes a file or folder, and another one is told which."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from adw_components import locks
from adw_components.errors import UserError
from adw_components.files import replacing
from adw_components.locks import held_folder, hold, release, sole_writer
from adw_components.owners import Owner

# Waits for a word, takes the lock, and says what came of it.
CONTENDER = """
import sys
from pathlib import Path
from adw_components.errors import UserError
from adw_components.locks import hold
print("ready", flush=True); sys.stdin.readline()
try:
    hold(Path(sys.argv[1]), "output_dir X")
    print("held", flush=True)
except UserError as error:
    print(error, flush=True)
sys.stdin.readline()
"""


@pytest.fixture
def contender(tmp_path: Path) -> Iterator[Callable[[], subprocess.Popen[str]]]:
    """Start a process that is about to take `tmp_path / "run" / ".lock"`."""
    started = []

    def start() -> subprocess.Popen[str]:
        words = [sys.executable, "-c", CONTENDER, str(tmp_path / "run" / ".lock")]
        started.append(subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.communicate()


def say(process: subprocess.Popen[str]) -> None:
    assert process.stdin
    process.stdin.write("go\n")
    process.stdin.flush()


def heard(process: subprocess.Popen[str]) -> str:
    assert process.stdout
    return process.stdout.readline().strip()


def test_of_two_that_start_at_once_one_has_the_lock(contender: Callable, tmp_path: Path) -> None:
    both = [contender(), contender()]
    assert [heard(process) for process in both] == ["ready", "ready"]
    for process in both:
        say(process)
    words = [heard(process) for process in both]
    assert sorted(words)[0] == "held"
    owner = both[words.index("held")].pid
    assert sorted(words)[1].startswith(f"output_dir X is being written by process {owner} on ")
    for process in both:
        say(process)
        process.wait()
    assert not (tmp_path / "run").exists()  # which was made for the lock alone


def test_the_lock_of_a_killed_process_is_taken_over_at_once(contender: Callable, tmp_path: Path) -> None:
    process = contender()
    heard(process), say(process)
    assert heard(process) == "held"
    lock = tmp_path / "run" / ".lock"
    with pytest.raises(UserError, match=f"process {process.pid}"):
        hold(lock, "it")
    process.kill()
    process.wait()
    hold(lock, "it")
    assert json.loads(lock.read_text())["pid"] == os.getpid()
    hold(lock, "it")  # it is this process's already
    release(lock)
    assert not lock.exists()


def test_a_child_holds_nothing(contender: Callable, tmp_path: Path) -> None:
    """As the worker of a loader that lives on for a moment when its parent is killed."""
    lock = tmp_path / "run" / ".lock"
    hold(lock, "it")
    child = os.fork()
    if child == 0:
        time.sleep(60)
        os._exit(0)
    os.close(locks._HELD.pop(lock.resolve()).descriptor)  # as the end of this process would
    process = contender()
    heard(process), say(process)
    assert heard(process) == "held"
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


def test_storage_without_locks_has_what_is_written_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_locks(*_: object) -> None:
        raise OSError(37, "No locks available")

    monkeypatch.setattr(locks.fcntl, "lockf", no_locks)
    lock = tmp_path / ".lock"
    lock.write_text(json.dumps({**asdict(Owner.this()), "host": "here", "since": "now"}))
    with pytest.raises(UserError, match=f"process {os.getpid()} on here since now; .* remove {lock}"):
        hold(lock, "it")
    lock.write_text(json.dumps({**asdict(replace(Owner.this(), start=1)), "host": "here", "since": "now"}))
    hold(lock, "it")
    release(lock)


def test_a_folder_that_was_removed_can_be_held_again(tmp_path: Path) -> None:
    for _ in range(2):
        hold(tmp_path / "run" / ".lock", "it")
        assert (tmp_path / "run" / ".lock").exists()
        (tmp_path / "run" / ".lock").unlink()
        (tmp_path / "run").rmdir()


def test_names_too_long_for_a_lock_have_one(tmp_path: Path) -> None:
    with sole_writer(tmp_path / ("x" * 255), "output"), replacing(tmp_path / ("x" * 248 + ".nii.gz")) as temporary:
        assert temporary.name.endswith(".nii.gz")
        temporary.write_text("x")
    assert [len(path.name) for path in tmp_path.iterdir()] == [255]


FOREIGN = {
    "a link": lambda lock: lock.symlink_to(lock.with_name("precious")),
    "a folder": lambda lock: lock.mkdir(),
    "another file": lambda lock: lock.write_text("mine"),
    "a queue": lambda lock: os.mkfifo(lock),
}


@pytest.mark.parametrize("kind", FOREIGN)
def test_what_is_no_lock_is_left_alone(tmp_path: Path, kind: str) -> None:
    (tmp_path / "precious").write_text("precious")
    FOREIGN[kind](tmp_path / ".lock")
    with pytest.raises(UserError, match=r"\.lock must be a lock of this program"), held_folder(tmp_path, "it"):
        pass
    assert (tmp_path / "precious").read_text() == "precious" and os.path.lexists(tmp_path / ".lock")


@pytest.mark.parametrize("values", [{"pid": "x"}, {"pid": -1}, {"host": "a\nb"}, {"host": 5}, {"more": 1}])
def test_a_damaged_lock_says_nothing_of_its_holder(
    tmp_path: Path, values: dict, monkeypatch: pytest.MonkeyPatch
) -> None:
    def another(*_: object) -> None:
        raise BlockingIOError(11, "taken")

    monkeypatch.setattr(locks.fcntl, "lockf", another)
    monkeypatch.setattr(time, "sleep", lambda _: None)
    content = {**asdict(Owner.this()), "host": "here", "since": "now", **values}
    (tmp_path / ".lock").write_text(json.dumps(content))
    with pytest.raises(UserError, match=r"^it is being written by another process; "):
        hold(tmp_path / ".lock", "it")


def test_a_lock_that_cannot_be_written_is_not_held(tmp_path: Path) -> None:
    code = """
import resource, sys
from pathlib import Path
from adw_components.locks import _HELD, hold
resource.setrlimit(resource.RLIMIT_FSIZE, (1, resource.RLIM_INFINITY))
lock = Path(sys.argv[1]) / "a" / "run" / ".lock"
try:
    hold(lock, "it")
except OSError as error:
    print(error.filename, len(_HELD))
"""
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True)
    assert done.stdout.split() == [str(tmp_path / "a" / "run"), "0"]
    assert not list(tmp_path.iterdir())


def test_the_inner_of_two_holds_of_a_folder_does_not_release_it(tmp_path: Path) -> None:
    with held_folder(tmp_path, "it"):
        with held_folder(tmp_path, "it"):
            pass
        assert (tmp_path / ".lock").exists()
    assert not (tmp_path / ".lock").exists()


def test_the_lock_of_the_next_holder_is_not_removed(tmp_path: Path) -> None:
    lock = tmp_path / "run" / ".lock"
    hold(lock, "it")
    lock.unlink()
    lock.write_text("the next one's")
    release(lock)
    assert lock.read_text() == "the next one's"
