"""Loaders for training: a fixed number of batches an epoch, cases drawn at random."""

from __future__ import annotations

import atexit
import gc

import torch
from monai.data import DataLoader, set_track_meta
from monai.data.utils import worker_init_fn
from torch.utils.data import Dataset, RandomSampler
from torch.utils.data.dataloader import _MultiProcessingDataLoaderIter

from ..errors import UserError
from ..owners import end_with_parent


def training_loader(
    dataset: Dataset, *, batch_size: int, iterations: int, num_workers: int = 0, pin_memory: bool = False
) -> DataLoader:
    """Batches of cases drawn with replacement, as in nnU-Net.

    The loader has a generator of its own, which `EpochSeeds` seeds anew for every epoch.

    Args:
        dataset: the cases, with random transforms.
        batch_size: cases of a batch.
        iterations: batches of an epoch.
        num_workers: processes that load, each with one thread; 0 loads in this one.
        pin_memory: whether batches lie in page-locked memory, for faster copies to a GPU.
    """
    for name, value in (("batch_size", batch_size), ("iterations_per_epoch", iterations)):
        if not isinstance(value, int) or value < 1:
            raise UserError(f"{name} must be a positive integer, got {value!r}")
    generator = torch.Generator()
    sampler = RandomSampler(dataset, replacement=True, num_samples=batch_size * iterations, generator=generator)  # type: ignore[arg-type]
    return DataLoader(
        dataset,
        batch_size=batch_size,
        sampler=sampler,
        num_workers=num_workers,
        generator=generator,
        pin_memory=pin_memory,
        drop_last=True,
        worker_init_fn=start_worker,
    )


def start_worker(worker_id: int) -> None:
    """Seed a worker's transforms, as MONAI does, let them keep no record of what they did, and end it with its parent.

    A batch needs none, and for small patches keeping it takes as long as the transforms themselves.
    """
    end_with_parent()
    worker_init_fn(worker_id)
    set_track_meta(False)


@atexit.register
def stop_workers() -> None:
    """End the workers, and the threads that pin memory, of every loader that an exception has left in use.

    A thread inside torch when Python shuts down would abort the process.
    """
    for item in gc.get_objects():
        if type(item) is _MultiProcessingDataLoaderIter:
            item._shutdown_workers()
