"""A progress bar over the cases of an evaluation or a prediction."""

from __future__ import annotations

import sys

from ignite.engine import Engine
from ignite.handlers import ProgressBar

from ..distributed import rank


class CaseProgress:
    """ignite's bar over the iterations of an evaluator.

    Args:
        title: what runs, such as "evaluate".
    """

    def __init__(self, *, title: str) -> None:
        self.title = title

    def attach(self, engine: Engine) -> None:
        """Register on `engine`; only the first process draws."""
        if rank() == 0:
            pace = 0.2 if sys.stderr.isatty() else 30.0
            ProgressBar(persist=True, desc=self.title, mininterval=pace, file=sys.stderr).attach(engine)
