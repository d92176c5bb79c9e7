"""Workflows of a bundle, run as a user types them; what they all import is imported once."""

from __future__ import annotations

import multiprocessing
import os
import runpy
import signal
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any

from .logged import require_success

# What every workflow imports; the server imports it once, and every command is a fork of the server.
_IMPORTED = ["torch", "monai.bundle", "monai.engines", "monai.handlers", "monai.inferers", "monai.transforms"]
# Two threads must not look after the processes of each other at a time: one of them would lose its exit status.
_PROCESSES = threading.Lock()
# Seconds in which an interrupted command may end by itself.
_PATIENCE = 8.0
_running: set[Any] = set()
_ending = threading.Event()
# How processes begin; "spawn" where forks cannot use a GPU.
start_method = "forkserver"


def run_workflow(
    workflow: str,
    *,
    bundle: Path,
    log: Path,
    options: Mapping[str, Any],
    overlays: Sequence[str] = (),
    threads: int | None = None,
) -> None:
    """`python -m monai.bundle run WORKFLOW` in the bundle's folder; its output is added to a log.

    Args:
        workflow: "search", "train", "evaluate" or "infer".
        bundle: folder of the bundle.
        log: file.
        options: key of the config -> value.
        overlays: configs after the workflow's own, without the suffix.
        threads: of the CPU; all of them if None.

    Raises:
        UserError: the command failed; its last line and the log are named.
    """
    config = {"infer": "inference"}.get(workflow, workflow)
    files = ", ".join(f"'configs/{name}.json'" for name in (config, *overlays))
    words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
    arguments = ["run", workflow, "--config_file", f"[{files}]", *words]
    log.parent.mkdir(parents=True, exist_ok=True)
    require_success(_run(arguments, bundle, log, threads), name=workflow, log=log)


def allow_new() -> None:
    """Let commands begin again after `end_all`; for the next to hand some over."""
    _ending.clear()


def end_all() -> None:
    """End the commands that are running in other threads; no further one begins."""
    _ending.set()
    with _PROCESSES:
        processes = list(_running)
    for process in processes:
        _signal(process, signal.SIGINT)
    wait([process.sentinel for process in processes], timeout=_PATIENCE)
    for process in processes:
        _signal(process, signal.SIGKILL)


def _signal(process: Any, number: signal.Signals) -> None:
    with suppress(ProcessLookupError, TypeError, ValueError):  # it has ended
        os.kill(process.pid, number)


def _run(arguments: Sequence[str], folder: Path, log: Path, threads: int | None) -> int:
    """Exit status of a command in a process of its own."""
    process = new_process(_command, arguments, folder, log, threads)
    with _PROCESSES:
        if _ending.is_set():
            raise KeyboardInterrupt
        process.start()
        _running.add(process)
    wait([process.sentinel])
    _running.discard(process)
    with _PROCESSES:
        process.join()
    return int(process.exitcode or 0)


def new_process(work: Callable[..., None], *arguments: Any) -> Any:
    """Return a process that will call `work`, with what workflows import already there."""
    context: Any = multiprocessing.get_context(start_method)
    if start_method == "forkserver":
        context.set_forkserver_preload(_IMPORTED)
    return context.Process(target=work, args=arguments)


def _command(arguments: Sequence[str], folder: Path, log: Path, threads: int | None) -> None:
    """What `python -m monai.bundle` does with these arguments."""
    end_with_parent()
    with log.open("a") as output:
        os.dup2(output.fileno(), 1)
        os.dup2(output.fileno(), 2)
    os.chdir(folder)
    if threads is not None:
        sys.modules["torch"].set_num_threads(threads)
    sys.argv = ["monai.bundle", *arguments]
    try:
        runpy.run_module("monai.bundle", run_name="__main__", alter_sys=True)
    except Exception:
        # An interpreter that is not forked shows errors this way; a workflow of ours has put its own hook there.
        sys.excepthook(*sys.exc_info())
        sys.exit(1)


def end_with_parent() -> None:
    """End this process when the one that asked for it does: a killed parent leaves no training behind."""
    threading.Thread(target=_watch_parent, daemon=True).start()


def _watch_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)
