"""Prepared cases in files that are memory-mapped."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from copy import deepcopy
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import monai
import torch
from monai.data import PersistentDataset, get_track_meta, set_track_meta
from monai.transforms import Compose
from torch.distributed import get_rank, get_world_size, is_initialized
from tqdm import tqdm

from ..engines.checkpoint import write_torch
from ..errors import UserError
from ..files import replacing
from ..owners import sweep
from .transform_text import described


class MappedDataset(PersistentDataset):
    """Cases that are prepared once, kept as files, and read by memory mapping: a crop reads its own part only.

    A file's name depends on its image's and label's path, size and time, and on the transforms before the first random
    one. Files are prepared when the dataset is built, one after the other, so that memory holds one case at most;
    several processes share the work. What is there already is not prepared again.

    Args:
        data: MONAI's items with the paths "image" and "label".
        transform: what prepares a case, then what is random; the former must give plain tensors.
        folder: of the files.
    """

    def __init__(self, data: Sequence[Mapping[str, Any]], transform: Compose, folder: str | Path) -> None:
        # A copy that has not run: transforms keep what they met, which must not be part of the files' names.
        super().__init__(data=data, transform=deepcopy(transform), cache_dir=folder, hash_transform=_hash)
        self.prepare()

    def prepare(self) -> None:
        """Prepare the cases that have no file yet; what a killed process has left half-written goes."""
        sweep(Path(str(self.cache_dir)))
        missing = [item for item in self._own_order() if not self._file(item).is_file()]
        for item in tqdm(missing, "preparing cases", unit="case", disable=not missing):
            if not self._file(item).is_file():  # another process may have made it
                self._write(item)

    def _own_order(self) -> list[Any]:
        # Every process begins elsewhere, so that they meet where the others have been.
        start = len(self.data) * get_rank() // get_world_size() if is_initialized() else 0
        return [*self.data[start:], *self.data[:start]]

    def _file(self, item: Mapping[str, Any]) -> Path:
        stats = [(path, path.stat()) for path in (Path(item[key]).resolve() for key in ("image", "label"))]
        text = repr([(str(path), stat.st_size, stat.st_mtime_ns) for path, stat in stats]) + self.transform_hash
        assert self.cache_dir is not None
        return self.cache_dir / f"{hashlib.sha256(text.encode()).hexdigest()[:32]}.pt"

    def _write(self, item: Mapping[str, Any]) -> None:
        # Orientation and spacing are read off the metadata, which a loader's workers do not track.
        tracked = get_track_meta()
        set_track_meta(True)
        try:
            prepared = self._pre_transform(dict(item))
        finally:
            set_track_meta(tracked)
        try:
            with replacing(self._file(item)) as temporary:
                write_torch(temporary, prepared)
        except OSError as error:
            reason = error.strerror or error
            raise UserError(
                f"a prepared case cannot be written to {self.cache_dir}: {reason}; make room or give --cache_dir"
            ) from error

    def _cachecheck(self, item_transformed: Mapping[str, Any]) -> Any:
        """The prepared case behind an item, mapped."""
        file = self._file(item_transformed)
        try:
            return torch.load(file, weights_only=True, mmap=True)
        except (OSError, RuntimeError, EOFError, UnpicklingError):  # not there, or damaged
            self._write(item_transformed)
        return torch.load(file, weights_only=True, mmap=True)


def _hash(transforms: Sequence[Any]) -> bytes:
    text = f"{monai.__version__} {described(transforms)}"
    return hashlib.sha256(text.encode()).hexdigest()[:16].encode()
