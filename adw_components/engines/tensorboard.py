"""TensorBoard files of one process."""

from __future__ import annotations

from typing import Any

from ignite.engine import Engine
from monai.handlers import TensorBoardStatsHandler

from ..distributed import rank


class TensorBoardOfFirstProcess:
    """MONAI's `TensorBoardStatsHandler` in the first of several processes; the others write nothing.

    Args:
        options: of `TensorBoardStatsHandler`.
    """

    def __init__(self, **options: Any) -> None:
        self.handler = TensorBoardStatsHandler(**options) if rank() == 0 else None

    def attach(self, engine: Engine) -> None:
        """Register on `engine`."""
        if self.handler is not None:
            self.handler.attach(engine)
