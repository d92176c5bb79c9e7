"""Pieces of work that are done once each, some of them at a time."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path

from helpers import logged, workflows
from tqdm import tqdm

from adw_components.errors import UserError
from adw_components.files import write_text


@dataclass(frozen=True)
class Job:
    """A piece of work with a folder of its own.

    Attributes:
        folder: of what it leaves.
        work: does it, or goes on with it.
    """

    folder: Path
    work: Callable[[Path], None]

    @property
    def done(self) -> bool:
        """Whether it was done to its end."""
        return (self.folder / "done").exists()

    def run(self) -> None:
        """Do it, unless it is done."""
        if not self.done:
            self.work(self.folder)
            write_text(self.folder / "done", "")


def run_all(jobs: Sequence[Job], *, title: str, at_a_time: int, after_each: Callable[[], object]) -> None:
    """Run the jobs that are not done, in their order.

    The first mistake stops what has not begun; what runs beside it ends first. An interruption ends that, too.

    Args:
        jobs: to run.
        title: of the progress bar.
        at_a_time: how many run at a time.
        after_each: called whenever one is done.
    """
    workflows.allow_new()
    bar = tqdm(total=len(jobs), initial=sum(job.done for job in jobs), desc=title)
    with bar, ThreadPoolExecutor(at_a_time) as pool:

        def run(job: Job) -> None:
            bar.set_postfix_str(f"{job.folder.parent.name}/{job.folder.name}")
            job.run()

        # The next one is handed over only after those before it are known to have worked.
        left = deque(job for job in jobs if not job.done)
        running: set[Future[None]] = set()
        try:
            while left or running:
                while left and len(running) < at_a_time:
                    running.add(pool.submit(run, left.popleft()))
                done, running = wait(running, return_when=FIRST_COMPLETED)
                for future in done:
                    future.result()
                    bar.update()
                after_each()
        except UserError:
            raise
        except BaseException:
            workflows.end_all()
            logged.end_all()
            raise
