"""One progress bar for a whole run: loss, Dice, temperature, wait for data, time left."""

from __future__ import annotations

import sys
from typing import Any

from ignite.engine import Engine, Events
from monai.engines import Evaluator
from tqdm import tqdm

from ..distributed import rank


class RunProgress:
    """Draw a bar over all iterations of a run, with what a person wants to see beside it.

    ignite's own bar starts anew with every epoch, so that it cannot tell when the run will end.

    Args:
        title: what runs, such as "search".
        validator: evaluator whose last key metric is shown as Dice.
    """

    def __init__(self, *, title: str, validator: Evaluator | None = None) -> None:
        self.title = title
        self.validator = validator
        self.bar: tqdm | None = None

    def attach(self, engine: Engine) -> None:
        """Register on `engine`, after the handler that resumes the run; only the first process draws."""
        if rank() != 0:
            return
        engine.add_event_handler(Events.STARTED, self._open)
        engine.add_event_handler(Events.ITERATION_COMPLETED, self._advance)
        engine.add_event_handler(Events.COMPLETED, self._close)
        engine.add_event_handler(Events.EXCEPTION_RAISED, self._fail)

    def _open(self, engine: Engine) -> None:
        # A terminal gets a smooth bar, a log file a line twice a minute.
        pace = 0.2 if sys.stderr.isatty() else 30.0
        self.bar = tqdm(
            desc=self.title,
            total=(engine.state.max_epochs or 0) * (engine.state.epoch_length or 0),
            initial=engine.state.iteration,
            mininterval=pace,
            maxinterval=2 * pace,
            unit="it",
            dynamic_ncols=True,
        )

    def _advance(self, engine: Engine) -> None:
        assert self.bar is not None
        self.bar.set_postfix(self._status(engine), refresh=False)
        self._move(engine)

    def _status(self, engine: Engine) -> dict[str, str]:
        output: Any = engine.state.output
        loss = float(output[0]["loss"])
        status = {"epoch": f"{engine.state.epoch}/{engine.state.max_epochs}", "loss": f"{loss:.3f}"}
        if hasattr(engine.state, "tau"):
            status["tau"] = f"{engine.state.tau:.2f}"
        if self.validator is not None and self.validator.state.key_metric_name in self.validator.state.metrics:
            status["Dice"] = f"{self.validator.state.metrics[self.validator.state.key_metric_name]:.3f}"
        if hasattr(engine.state, "data_wait"):
            status["wait"] = f"{engine.state.data_wait:.0%}"
        return status

    def _move(self, engine: Engine) -> None:
        """To the count of the run, which passes over the epochs that a settled search saves."""
        assert self.bar is not None
        self.bar.update(engine.state.iteration - self.bar.n)

    def _close(self, engine: Engine) -> None:
        if self.bar is not None:
            self._move(engine)
            self.bar.close()

    def _fail(self, engine: Engine, error: BaseException) -> None:
        self._close(engine)
        raise error
