"""What killed processes leave goes; children end with their parent."""

import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from adw_components.files import new_folder, replacing, temporary_folder
from adw_components.locks import held_folder
from adw_components.owners import Owner, _start, make_folders, sweep


def heard(process: subprocess.Popen[str]) -> str:
    assert process.stdout
    return process.stdout.readline().strip()


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
    left, written = (partial(tmp_path / "predictions", owner) for owner in (DEAD, ELSEWHERE))
    with held_folder(tmp_path, "output_dir"):
        assert not left.exists() and written.exists()  # the folder below is another machine's to write in


def test_a_process_that_the_system_hides_may_be_alive(monkeypatch: pytest.MonkeyPatch) -> None:
    def not_ours(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr("adw_components.owners._start", lambda pid: None)
    monkeypatch.setattr(os, "kill", not_ours)
    assert not replace(LIVING, pid=1, start=5).has_ended()


def test_folders_that_cannot_be_made_leave_no_part(tmp_path: Path) -> None:
    with pytest.raises(OSError):
        make_folders(tmp_path / "a" / ("x" * 300))
    assert not list(tmp_path.iterdir())


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


def require_end_with(parent: subprocess.Popen[str], child: int) -> None:
    """Kill a process, after which its child must end."""
    parent.kill()
    parent.wait()
    deadline = time.monotonic() + 10
    while _start(child) not in (None, -1):
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.parametrize("way", ["module", "function"])
def test_a_child_ends_with_its_parent(tmp_path: Path, way: str) -> None:
    (tmp_path / "slow.py").write_text("print('ready', flush=True); import time; time.sleep(60)")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path])}
    words = [sys.executable, "-c", PARENT, way]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env=environment) as parent:
        child = int(heard(parent))
        assert heard(parent) == "ready"
        require_end_with(parent, child)


FORKED = """
import multiprocessing, os, sys, time
from adw_components.owners import end_with_parent

def live(writing):
    end_with_parent()
    print(os.getpid(), flush=True)
    time.sleep(60)

if __name__ == "__main__":
    context = multiprocessing.get_context(sys.argv[1])
    context.Process(target=live, args=(None,)).start()
    time.sleep(60)
"""


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_a_child_that_began_in_any_way_lives_and_ends_with_its_parent(tmp_path: Path, method: str) -> None:
    """A loader's worker within a process that a server of forks began has that server as its parent."""
    (tmp_path / "program.py").write_text(FORKED)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    words = [sys.executable, str(tmp_path / "program.py"), method]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env=environment) as parent:
        child = int(heard(parent))
        time.sleep(0.3)
        assert _start(child) not in (None, -1)
        require_end_with(parent, child)
