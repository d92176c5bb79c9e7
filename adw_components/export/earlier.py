"""What an earlier export wrote, which alone a new one may replace. No torch here."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from ..errors import UserError
from .archive import crc_of, files_of, holds, is_written_here, sums_of
from .large_files import LARGE_FILES
from .place import Place
from .source import ExportSource


def require_free(place: Place, source: ExportSource) -> None:
    """Raise a `UserError` if an export would overwrite anything but an earlier export.

    Its zip files are known by their form, its folders by what these hold.
    """
    if place.bundle.resolve() == source.folder:
        raise UserError(f"output must be another folder than that of the bundle, got {place.bundle.parent}")
    archives = [path for path in _zip_files(place.bundle) if is_written_here(path, root=source.name)]
    for path in (place.archive, place.latest):
        if os.path.lexists(path) and path not in archives:
            raise UserError(f"{path} is not what an export wrote; move it, or give another --output")
    if os.path.lexists(place.bundle) and not _is_export(place.bundle, archives):
        raise _not_ours(place.bundle, place, archives)
    if os.path.lexists(place.large_files) and not _is_set_apart(place.large_files, archives):
        raise _not_ours(place.large_files, place, archives)


def _not_ours(folder: Path, place: Place, archives: Sequence[Path]) -> UserError:
    if archives:
        return UserError(
            f"{folder} holds what no export wrote, such as runs or edits; move that, or give another --output"
        )
    return UserError(
        f"{folder} is there, but neither {place.latest.name} nor {place.archive.name} beside it, by which an earlier "
        "export is known; put one back, move the folder, or give another --output"
    )


def _zip_files(bundle: Path) -> list[Path]:
    """NAME.zip and NAME_vVERSION.zip of all versions, beside the bundle's folder."""
    there = bundle.parent.glob("*.zip") if bundle.parent.is_dir() else ()
    return [path for path in there if path.stem == bundle.name or path.stem.startswith(f"{bundle.name}_v")]


def _is_export(bundle: Path, archives: Sequence[Path]) -> bool:
    if not bundle.is_dir():
        return False
    return not files_of(bundle) or any(holds(archive, bundle, but=[LARGE_FILES]) for archive in archives)


def _is_set_apart(folder: Path, archives: Sequence[Path]) -> bool:
    """Whether all files of a folder are in one archive, under their last name."""
    if not folder.is_dir():
        return False
    found = {(name, crc_of(folder / name)) for name in files_of(folder)}
    known = [{(Path(name).name, crc) for name, crc in sums_of(archive).items()} for archive in archives]
    return not found or any(found <= files for files in known)
