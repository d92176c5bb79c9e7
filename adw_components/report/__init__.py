"""One HTML page about a run: the derived network, the search, the retraining and the evaluation."""

from .page import build_report

__all__ = ["build_report"]
