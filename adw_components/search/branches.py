"""One run that searches several times after one warm-up: which epoch belongs to which search. Pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Branches:
    """`n` searches that share their first epochs, one after the other in a single count of epochs.

    The run has the warm-up once and then the remaining epochs of every search: epochs 1 to W, then `n` times M - W.

    Args:
        warmup_epochs: W, epochs that all searches share.
        max_epochs: M, epochs of one search, warm-up included.
        n: number of searches.
    """

    warmup_epochs: int
    max_epochs: int
    n: int = 1

    @property
    def n_epochs(self) -> int:
        """Epochs of the whole run."""
        return self.warmup_epochs + self.n * self._length

    def branch(self, epoch: int) -> int:
        """Number of the search, from 0, that `epoch`, from 1, belongs to; the warm-up belongs to the first."""
        return min(max(0, epoch - self.warmup_epochs - 1) // self._length, self.n - 1)

    def search_epoch(self, epoch: int) -> int:
        """The same epoch counted within its own search, from 1."""
        return epoch - self.branch(epoch) * self._length

    def is_first(self, epoch: int) -> bool:
        """Whether a search leaves the shared warm-up with `epoch`."""
        return self.search_epoch(epoch) == self.warmup_epochs + 1

    def last(self, epoch: int) -> int:
        """The last epoch of the search that `epoch` belongs to."""
        return self.warmup_epochs + (self.branch(epoch) + 1) * self._length

    @property
    def _length(self) -> int:
        return self.max_epochs - self.warmup_epochs
