"""The search engine: mixed-level steps, the searcher, validation of the discretized network."""

from .searcher import ArchitectureSearcher

__all__ = ["ArchitectureSearcher"]
