"""Run `python -m MODULE ...` many times without the seconds that importing torch and MONAI takes.

A process of its own, because it forks: it imports everything once and computes nothing itself, so that each fork
starts at once and without threads. It reads one JSON object a line, {"words", "folder", "output", "file_size"}, and
answers with the exit status of `python -m` with these words in that folder. What it prints goes to the file `output`;
no file may grow above `file_size` bytes, if that is not 0: what is longer fails as on a full disk.
"""

import atexit
import fcntl
import json
import os
import resource
import runpy
import signal
import sys
from pathlib import Path

import monai.bundle.scripts
import monai.data
import monai.handlers
import pandas
import torch

import adw_components.__main__
import adw_components.data.check
import adw_components.export.command
import adw_components.search
import adw_components.search.searcher

# Seconds after which a child is ended: it does something, where it should refuse to.
LONGEST = 120


def run(words: list[str], folder: str, output: str, file_size: int = 0) -> int:
    """Fork a child that runs the words; its exit status, or minus the signal that ended it."""
    # A pipe, which the limit of a file's size leaves alone.
    reading, writing = os.pipe()
    fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, 1 << 20)
    os.set_blocking(reading, False)
    child = os.fork()
    if child == 0:
        status = 1
        signal.alarm(LONGEST)
        try:
            os.chdir(folder)
            sys.path[0] = folder  # as `python -m` has it
            os.dup2(writing, 1)
            os.dup2(writing, 2)
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            sys.argv = list(words)
            if file_size:
                resource.setrlimit(resource.RLIMIT_FSIZE, (file_size, resource.RLIM_INFINITY))
            status = ended(words[0])
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(status)
    status = os.waitpid(child, 0)[1]
    os.close(writing)
    with os.fdopen(reading, "rb", buffering=0) as pipe:
        Path(output).write_bytes(pipe.read() or b"")
    return os.waitstatus_to_exitcode(status)


def ended(module: str) -> int:
    """Run a module as a program, with what Python does at its end."""
    status = 0
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException as error:
        sys.excepthook(type(error), error, error.__traceback__)
        status = 1
    atexit._run_exitfuncs()
    return status


def main() -> None:
    """Answer until the input ends."""
    for line in sys.stdin:
        print(run(**json.loads(line)), flush=True)


if __name__ == "__main__":
    assert torch and pandas and monai and adw_components  # imported for the forks
    main()
