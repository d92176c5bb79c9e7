"""Every epoch is seeded from (seed, epoch): a resumed run goes on as an uninterrupted one would."""

from __future__ import annotations

import random
from collections.abc import Sequence

import numpy as np
import torch
from ignite.engine import Engine, Events
from monai.data import DataLoader
from monai.data.utils import set_rnd

from ..distributed import rank


def derived_seed(seed: int, *path: int) -> int:
    """A seed that depends on `seed` and on every number of `path`, 32 bits."""
    return int(np.random.SeedSequence((seed, *path)).generate_state(1)[0])


def seed_everything(*, seed: int) -> None:
    """Seed the global generators, equally in all processes, before a network is built: its first weights follow."""
    random.seed(seed)
    np.random.seed(derived_seed(seed))
    torch.manual_seed(seed)


class EpochSeeds:
    """Seed all random numbers at the start of every epoch.

    The global generators get the same seed in all processes, so that these draw the same Gumbel noise; the
    loaders get one of their own per process, so that these draw different cases.

    Args:
        seed: of the run.
        loaders: training loaders, each with a `generator`.
    """

    def __init__(self, *, seed: int, loaders: Sequence[DataLoader] = ()) -> None:
        self.seed = seed
        self.loaders = loaders

    def attach(self, engine: Engine) -> None:
        """Register on `engine`; attach it before handlers that draw random numbers."""
        engine.add_event_handler(Events.EPOCH_STARTED, self)

    def __call__(self, engine: Engine) -> None:
        """Seed the epoch that begins."""
        # Searches that share a warm-up see the same random numbers after it.
        epoch = getattr(engine.state, "search_epoch", engine.state.epoch)
        seed_everything(seed=derived_seed(self.seed, epoch))
        for index, loader in enumerate(self.loaders):
            reseed(loader, derived_seed(self.seed, epoch, 1 + rank(), index))


def reseed(loader: DataLoader, seed: int) -> None:
    """Seed the order of the cases and the random transforms of `loader`.

    Worker processes seed their transforms from the generator; without workers MONAI seeds them only once.
    """
    assert loader.generator is not None, "a training loader needs a generator"
    loader.generator.manual_seed(seed)
    if loader.num_workers == 0:
        set_rnd(loader.dataset, seed)
