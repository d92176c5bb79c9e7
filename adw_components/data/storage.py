"""Keep prepared cases in memory if they fit, else in memory-mapped files."""

from __future__ import annotations

import logging
import math
import os
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import nibabel
from monai.data import CacheDataset
from monai.transforms import Compose
from nibabel.affines import voxel_sizes
from torch.utils.data import Dataset

from ..distributed import own_part
from .dataset import given_files
from .mapped_dataset import MappedDataset

logger = logging.getLogger(__name__)

# Seconds in which a thread prepares its case.
_PATIENCE = 10.0


@dataclass(frozen=True, kw_only=True)
class Storage:
    """The place of the prepared cases of a run.

    Args:
        kind: "memory", or "mapped" for files that are memory-mapped.
        folder: of the files.
        gigabytes: estimated size of all prepared cases.
    """

    kind: Literal["memory", "mapped"]
    folder: Path
    gigabytes: float


def choose_storage(
    items: Sequence[Mapping[str, Any]],
    *,
    spacing: Sequence[float],
    in_channels: int,
    cache_gb: float,
    cache_dir: str | Path,
) -> Storage:
    """Memory if the prepared cases fit into `cache_gb`, else mapped files.

    The estimate reads the headers only: float32 images and an 8-bit label at the plan's spacing, nothing cropped.

    Args:
        items: MONAI's items of all cases of the run, with the path "label".
        spacing: mm per axis, to which they are resampled.
        in_channels: of an image.
        cache_gb: memory for prepared cases on this machine, in 10^9 bytes, shared by its processes.
        cache_dir: folder for mapped files.
    """
    voxels = sum(_voxels(Path(item["label"]), spacing) for item in given_files(items))
    gigabytes = voxels * (4 * in_channels + 1) / 1e9
    # Every process of a machine keeps its own copy.
    kept = gigabytes * int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
    kind: Literal["memory", "mapped"] = "memory" if kept <= cache_gb else "mapped"
    logger.info("%d prepared cases, %.1f GB: %s", len(items), gigabytes, kind)
    return Storage(kind=kind, folder=Path(cache_dir), gigabytes=gigabytes)


def prepared_cases(
    data: Sequence[Mapping[str, Any]], transform: Compose, storage: Storage, num_workers: int, share: bool = False
) -> Dataset:
    """The dataset of `data` in its storage; `transform` is split at its first random part.

    Args:
        data: MONAI's items with the paths "image" and "label".
        transform: what prepares a case, then what is random.
        storage: as `choose_storage` gives it.
        num_workers: threads that prepare cases in memory; mapped ones are prepared one after the other.
        share: whether every one of several processes takes its own part of `data`.
    """
    data = given_files(own_part(data) if share else data)
    if storage.kind == "memory":
        with _threads_ended():
            return CacheDataset(data=data, transform=transform, num_workers=num_workers, progress=False)
    return MappedDataset(data=data, transform=transform, folder=storage.folder)


@contextmanager
def _threads_ended() -> Iterator[None]:
    """Where the block fails, wait for the threads that it has started, but not for those that wait for work.

    A pool that is broken off leaves its threads at their work. One that is inside torch when Python shuts down asks for
    the interpreter's lock, and that aborts the process: "terminate called without an active exception".
    """
    others = set(threading.enumerate())
    try:
        yield
    except BaseException:
        deadline = time.monotonic() + _PATIENCE
        for thread in set(threading.enumerate()) - others:
            thread.join(max(0.0, deadline - time.monotonic()))
        raise


def _voxels(path: Path, spacing: Sequence[float]) -> float:
    try:
        volume: Any = nibabel.load(path)
        zooms, shape = voxel_sizes(volume.affine)[: len(spacing)], volume.shape[: len(spacing)]
    except Exception:  # whatever is wrong with the file, the check of the dataset says it
        return 0.0
    return float(math.prod(size * zoom for size, zoom in zip(shape, zooms, strict=False)) / math.prod(spacing))
