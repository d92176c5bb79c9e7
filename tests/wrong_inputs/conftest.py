"""What the tables of wrong inputs work on."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import pytest

from adw_components.synthesis import synthesize

ROOT = Path(__file__).parents[2]
SERVER = Path(__file__).with_name("fork_server.py")


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    status: int
    text: str

    @property
    def errors(self) -> list[str]:
        """The lines for the user."""
        return [line for line in self.text.splitlines() if line.startswith("error: ")]


@pytest.fixture(scope="session")
def run_module(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Ended]]:
    """Run `python -m` with some words in a folder."""
    logs, number = tmp_path_factory.mktemp("logs"), count()
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore", "PYTHONPATH": str(ROOT)}
    server = subprocess.Popen(
        [sys.executable, str(SERVER)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    )
    assert server.stdin and server.stdout

    def run(*words: object, folder: Path, file_size: int = 0) -> Ended:
        output = logs / f"{next(number)}.txt"
        order = {"words": list(map(str, words)), "folder": str(folder), "output": str(output), "file_size": file_size}
        server.stdin.write(json.dumps(order) + "\n")
        server.stdin.flush()
        status = int(server.stdout.readline())
        return Ended(status=status, text=output.read_text(errors="replace").replace("\r", "\n"))

    yield run
    server.stdin.close()
    server.wait(timeout=60)


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a sound dataset, in which nothing may change."""
    folder = tmp_path_factory.mktemp("place")
    synthesize("Task04_Hippocampus", cases=6, output_dir=folder / "data", test_cases=1)
    return folder
