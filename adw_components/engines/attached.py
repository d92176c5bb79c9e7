"""A handler that stands under a key of its own in a config."""

from __future__ import annotations

from typing import Protocol

from ignite.engine import Engine


class Handler(Protocol):
    """What MONAI's engines take as a handler."""

    def attach(self, engine: Engine) -> None:
        """Register on `engine`."""
        ...


class Attached:
    """Attach `handler`, which other parts of a config refer to by its key.

    MONAI Label edits a list of handlers: it takes objects only, so that no reference can stand there; and where none
    has the `_target_` "CheckpointLoader", it puts its own in front, so that a position in the list says nothing.

    Args:
        handler: the handler.
    """

    def __init__(self, *, handler: Handler) -> None:
        self.handler = handler

    def attach(self, engine: Engine) -> None:
        """Register `handler` on `engine`."""
        self.handler.attach(engine)
