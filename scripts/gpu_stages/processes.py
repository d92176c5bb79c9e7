"""Work in a process of its own: what cuDNN, the allocator and a crash leave behind ends with it."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from multiprocessing import Pipe
from multiprocessing.connection import wait
from typing import Any

import torch
from helpers import workflows


def in_child(work: Callable[..., Any], *arguments: Any, cudnn_benchmark: bool = False) -> Any:
    """Return what `work` gives in a process of its own.

    Args:
        work: a function of a module.
        arguments: of it.
        cudnn_benchmark: whether cuDNN tries its algorithms there from the start: a plan that it has once found without
            trying is used again, whatever the switch says later.

    Raises:
        RuntimeError: it failed, or its process ended.
    """
    reading, writing = Pipe(duplex=False)
    process = workflows.new_process(_answer, writing, cudnn_benchmark, work, arguments)
    process.start()
    try:
        writing.close()
        wait([reading, process.sentinel])
        fault, found = reading.recv() if reading.poll() else ("its process ended without a word", None)
    except EOFError:
        fault, found = "its process ended without a word", None
    finally:  # it has answered, or nobody waits for its answer any more
        process.kill()
        process.join()
        reading.close()
    if fault is not None:
        raise RuntimeError(fault)
    return found


def choose_start_method(device: torch.device) -> str:
    """Let processes begin as forks of a server, unless such a fork cannot use the device; return which it is."""
    try:
        in_child(_canary, str(device))
    except RuntimeError:
        workflows.start_method = "spawn"
        in_child(_canary, str(device))
    return workflows.start_method


def _canary(device: str) -> float:
    return float(torch.ones(2, device=device).sum())


def _answer(writing: Any, cudnn_benchmark: bool, work: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    workflows.end_with_parent()
    torch.backends.cudnn.benchmark = cudnn_benchmark
    try:
        answer = (None, work(*arguments))
    except Exception as error:
        traceback.print_exc()
        answer = (f"{type(error).__name__}: {error}".splitlines()[0], None)
    writing.send(answer)
    writing.close()
