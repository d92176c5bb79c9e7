"""One process writes; what killed ones leave goes; children end with their parent."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from adw_components import owners
from adw_components.errors import UserError
from adw_components.files import new_folder, replacing, temporary_folder
from adw_components.owners import Owner, held_folder, hold, release, sole_writer, sweep

# Waits for a word, takes the lock, and says what came of it.
CONTENDER = """
import sys
from pathlib import Path
from adw_components.errors import UserError
from adw_components.owners import hold
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
    os.close(owners._HELD.pop(lock.resolve()).descriptor)  # as the end of this process would
    process = contender()
    heard(process), say(process)
    assert heard(process) == "held"
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


def test_storage_without_locks_has_what_is_written_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_locks(*_: object) -> None:
        raise OSError(37, "No locks available")

    monkeypatch.setattr(owners.fcntl, "lockf", no_locks)
    lock = tmp_path / ".lock"
    lock.write_text(json.dumps({**vars(Owner.this()), "host": "here", "since": "now"}))
    with pytest.raises(UserError, match=f"process {os.getpid()} on here since now"):
        hold(lock, "it")
    lock.write_text(json.dumps({**vars(replace(Owner.this(), start=1)), "host": "here", "since": "now"}))
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


def partial(folder: Path, owner: Owner, *, age: float = 0.0) -> Path:
    path = folder / f".partial-{owner.machine}-{owner.pid}-{owner.start}-012345-model.pt"
    path.write_text("half")
    os.utime(path, (time.time() - age,) * 2)
    return path


DEAD = replace(Owner.this(), start=1)  # another process had the number
ELSEWHERE = replace(Owner.this(), machine="01234567")
LIVING = Owner.this()


@pytest.mark.parametrize(
    ("owner", "age", "held", "goes"),
    [
        (DEAD, 0, False, True),
        (LIVING, 0, False, False),
        (LIVING, 1e6, True, False),
        (ELSEWHERE, 0, False, False),
        (ELSEWHERE, 1e5, False, True),
        (ELSEWHERE, 0, True, True),
    ],
)
def test_what_nobody_writes_any_more_goes(tmp_path: Path, owner: Owner, age: float, held: bool, goes: bool) -> None:
    path = partial(tmp_path, owner, age=age)
    (tmp_path / ".partial-mine").mkdir()
    sweep(tmp_path, held=held)
    assert path.exists() is not goes and (tmp_path / ".partial-mine").is_dir()


def test_the_next_file_sweeps_its_folder_and_a_held_one_those_below(tmp_path: Path) -> None:
    left = partial(tmp_path, DEAD)
    with replacing(tmp_path / "a") as temporary:
        temporary.touch()
    assert not left.exists()
    (tmp_path / "predictions").mkdir()
    left = partial(tmp_path / "predictions", DEAD)
    with held_folder(tmp_path, "output_dir"):
        assert not left.exists()


def test_folders_of_killed_processes_go_too(tmp_path: Path) -> None:
    left = tmp_path / f".partial-{DEAD.machine}-{DEAD.pid}-{DEAD.start}-012345-bundle"
    (left / "configs").mkdir(parents=True)
    with temporary_folder(tmp_path / "bundle") as other:
        sweep(tmp_path)
        assert other.is_dir() and not left.exists()


def test_a_folder_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), new_folder(tmp_path / "new" / "bundle") as temporary:
        (temporary / "a").touch()
        raise RuntimeError
    assert not list(tmp_path.iterdir())
    with new_folder(tmp_path / "new" / "bundle") as temporary:
        (temporary / "a").touch()
        assert not (tmp_path / "new" / "bundle").exists()
    assert [path.name for path in (tmp_path / "new").rglob("*")] == ["bundle", "a"]


PARENT = """
import subprocess, sys, time
from adw_components.owners import module_bound_to_parent
bound = sys.argv[1] == "module"
code = "from adw_components.owners import end_with_parent; end_with_parent(); import slow"
child = subprocess.Popen([sys.executable, *(module_bound_to_parent("slow") if bound else ["-c", code])])
print(child.pid, flush=True)
time.sleep(60)
"""


@pytest.mark.parametrize("way", ["module", "function"])
def test_a_child_ends_with_its_parent(tmp_path: Path, way: str) -> None:
    (tmp_path / "slow.py").write_text("print('ready', flush=True); import time; time.sleep(60)")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path])}
    words = [sys.executable, "-c", PARENT, way]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env=environment) as parent:
        child = int(heard(parent))
        assert heard(parent) == "ready"
        parent.kill()
        parent.wait()
        deadline = time.monotonic() + 10
        while owners._start(child) is not None:
            assert time.monotonic() < deadline
            time.sleep(0.02)
