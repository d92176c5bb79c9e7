"""Where an export goes: nothing half-written, nothing of anybody's lost. No torch here."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from ..errors import UserError
from .archive import files_of, holds
from .large_files import LARGE_FILES
from .source import ExportSource


@dataclass(frozen=True, kw_only=True)
class Place:
    """The names of what an export writes, in one folder.

    Attributes:
        bundle: the bundle's folder, as a pull request to the zoo has it.
        archive: the whole bundle, NAME_vVERSION.zip.
        latest: the same, NAME.zip.
        large_files: folder of what is too large for the zoo's repository.
    """

    bundle: Path
    archive: Path
    latest: Path
    large_files: Path

    @classmethod
    def in_folder(cls, folder: Path, source: ExportSource) -> Place:
        """The place of an export in `folder`."""
        return cls(
            bundle=folder / source.name,
            archive=folder / f"{source.stem}.zip",
            latest=folder / f"{source.name}.zip",
            large_files=folder / f"{source.stem}_large_files",
        )


def require_free(place: Place, source: ExportSource) -> None:
    """Raise a `UserError` if an export would overwrite anything but an earlier export."""
    if place.bundle.resolve() == source.folder:
        raise UserError(f"output must be another folder than that of the bundle, got {place.bundle.parent}")
    if place.bundle.exists() and not _is_export(place.bundle, place.latest):
        raise UserError(
            f"{place.bundle} holds what no export wrote, such as runs or edits; move that, or give another --output"
        )


def _is_export(bundle: Path, archive: Path) -> bool:
    if not bundle.is_dir():
        return False
    return not files_of(bundle) or holds(archive, bundle, but=[LARGE_FILES])


@contextmanager
def staged(place: Place, source: ExportSource) -> Iterator[Place]:
    """Yield a temporary place beside `place`; what is there at the end of the block replaces it, unless it fails."""
    folder = place.bundle.parent / f".partial-{uuid.uuid4().hex[:12]}"
    temporary = Place.in_folder(folder, source)
    try:
        temporary.bundle.mkdir(parents=True)
        yield temporary
        for name in ("large_files", "bundle", "archive", "latest"):
            _replace(getattr(temporary, name), getattr(place, name))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        with suppress(OSError):  # made for this export, which has failed: it is empty
            folder.parent.rmdir()


def _replace(new: Path, old: Path) -> None:
    """Move `new`, which may not be there, to the place of `old`, which may be there."""
    if old.is_dir():
        old.rename(new.with_name(f"old-{new.name}"))
    if new.exists():
        new.replace(old)
