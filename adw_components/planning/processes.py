"""One function on many items in several processes, which stop at once when the work is broken off."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import active_children, get_context
from typing import TypeVar

from ..errors import UserError
from ..owners import end_with_parent

# More processes than this are rarely faster, since all read from one disk.
MOST_WORKERS = 8

Item = TypeVar("Item")
Result = TypeVar("Result")


def worker_count(workers: int | None) -> int:
    """`workers`, or if that is none the number of CPU cores that this process may use, 8 at most.

    Raises:
        UserError: it is no whole number from 1 on.
    """
    if workers is None:
        usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
        return min(usable or 1, MOST_WORKERS)
    if isinstance(workers, bool) or not isinstance(workers, int) or workers < 1:
        raise UserError(f"workers must be a whole number from 1 on, got {workers!r}; leave it out for all CPU cores")
    return workers


def in_processes(
    function: Callable[[Item], Result], items: Sequence[Item], workers: int
) -> Generator[tuple[Item, Result], None, None]:
    """Every item with its result, in the order in which they are finished; one worker is this process itself.

    Raises:
        UserError: a worker was killed from outside.
    """
    count = min(workers, len(items))
    if count <= 1:
        yield from ((item, function(item)) for item in items)
        return
    with _pool(count) as pool:
        jobs = {pool.submit(function, item): item for item in items}
        try:
            yield from ((jobs[job], job.result()) for job in as_completed(jobs))
        except BrokenProcessPool as error:
            remedy = f"it probably ran out of memory, of which each of {count} needs some; take fewer workers"
            raise UserError(f"a worker process ended before its work; {remedy}") from error


@contextmanager
def _pool(count: int) -> Iterator[ProcessPoolExecutor]:
    others = active_children()
    # A fresh interpreter a worker: a fork copies locks that threads of this process may hold.
    pool = ProcessPoolExecutor(count, mp_context=get_context("spawn"), initializer=_follow_the_parent)
    try:
        yield pool
        pool.shutdown()
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        for process in active_children():
            if process not in others:
                process.terminate()
        raise


def _follow_the_parent() -> None:
    """Leave Ctrl-C to the parent, and end with it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    end_with_parent()
