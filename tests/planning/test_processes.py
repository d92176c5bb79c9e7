"""Processes that do the work, stop when told to, and leave none behind."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from adw_components.errors import UserError
from adw_components.planning.processes import in_processes, worker_count

SLEEPER = """
import signal, sys, time
from pathlib import Path
from adw_components.planning.processes import in_processes

def sleep(folder):
    (folder / f"{__import__('os').getpid()}.started").touch()
    time.sleep(600)

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)  # jobs in the background of a shell ignore it
    list(in_processes(sleep, [Path(sys.argv[1])] * 4, 2))
"""


def square(number: int) -> int:
    return number**2


def die(number: int) -> int:
    os.kill(os.getpid(), signal.SIGKILL)
    return number


def fail(number: int) -> int:
    raise ValueError(f"no {number}")


def is_running(process: int) -> bool:
    """Whether a process is there and no zombie."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def wait_for(condition: object, seconds: float = 60) -> bool:
    """Whether `condition()` comes true in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():  # type: ignore[operator]
            return True
        time.sleep(0.05)
    return False


@pytest.mark.parametrize("workers", [1, 2, 5])
def test_every_item_comes_with_its_result(workers: int) -> None:
    assert sorted(in_processes(square, range(4), workers)) == [(0, 0), (1, 1), (2, 4), (3, 9)]


def test_no_items_need_no_processes() -> None:
    assert list(in_processes(square, [], 4)) == []


def test_the_error_of_the_function_arrives() -> None:
    with pytest.raises(ValueError, match=r"no [01]"):
        list(in_processes(fail, [0, 1], 2))


def test_a_killed_worker_is_no_hang() -> None:
    with pytest.raises(UserError, match=r"worker process ended before its work; it probably ran out of memory.*fewer"):
        list(in_processes(die, [0, 1, 2], 2))


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_ctrl_c_ends_all_processes_at_once(tmp_path: Path) -> None:
    script = tmp_path / "sleeper.py"
    script.write_text(SLEEPER)
    # A group of its own, all of which the signal reaches, as from a terminal.
    with subprocess.Popen(
        [sys.executable, str(script), str(tmp_path)], stderr=subprocess.PIPE, start_new_session=True
    ) as process:
        assert wait_for(lambda: len(list(tmp_path.glob("*.started"))) == 2)
        workers = [int(path.stem) for path in tmp_path.glob("*.started")]
        os.killpg(process.pid, signal.SIGINT)
        _, errors = process.communicate(timeout=60)
    assert process.returncode != 0
    assert errors.decode().count("Traceback") == 1  # the parent's; the workers are silent
    assert wait_for(lambda: not any(map(is_running, workers)))


def test_workers_default_to_the_cores_up_to_eight() -> None:
    assert 1 <= worker_count(None) <= 8
    assert worker_count(40) == 40
