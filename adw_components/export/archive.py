"""Zip files that are the same bytes wherever and whenever they are written."""

from __future__ import annotations

import shutil
import zipfile
import zlib
from collections.abc import Iterable
from pathlib import Path

# The first day that a zip file can name; stored, not compressed: zlib's bytes depend on its version.
_DAY = (1980, 1, 1, 0, 0, 0)
_CHUNK = 1 << 20
_UNIX, _FILE_MODE = 3, 0o100644 << 16


def write_zip(path: Path, folder: Path, files: Iterable[str]) -> None:
    """Write `files` of `folder`, by their paths in it, in alphabetical order under the folder's name.

    Args:
        path: of the zip file.
        folder: whose name is the single root in the zip file.
        files: paths inside `folder`, with slashes.
    """
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(files):
            entry = zip_entry(f"{folder.name}/{name}")
            entry.file_size = (folder / name).stat().st_size
            with (folder / name).open("rb") as content, archive.open(entry, "w") as target:
                shutil.copyfileobj(content, target, _CHUNK)


def zip_entry(name: str) -> zipfile.ZipInfo:
    """An entry that tells nothing of the machine or the time."""
    entry = zipfile.ZipInfo(name, _DAY)
    entry.create_system, entry.external_attr = _UNIX, _FILE_MODE
    return entry


def files_of(folder: Path) -> list[str]:
    """Return the paths of all files in `folder`, however deep; compiled Python is none of them."""
    paths = (path for path in folder.rglob("*") if path.is_file() and path.parent.name != "__pycache__")
    return sorted(path.relative_to(folder).as_posix() for path in paths)


def holds(archive: Path, folder: Path, but: Iterable[str] = ()) -> bool:
    """Whether a zip file holds every file of `folder`, unchanged; those in `but` do not count."""
    sums = sums_of(archive)
    return all(sums.get(f"{folder.name}/{name}") == crc_of(folder / name) for name in {*files_of(folder)} - {*but})


def is_written_here(path: Path, *, root: str) -> bool:
    """Whether a file is a zip file as `write_zip` writes it, of a bundle in the folder `root`."""
    entries = _entries(path)
    names = {entry.filename for entry in entries}
    own = all(_form(entry) == _form(zip_entry(entry.filename)) for entry in entries)
    return own and f"{root}/configs/metadata.json" in names and all(name.startswith(f"{root}/") for name in names)


def sums_of(archive: Path) -> dict[str, int]:
    """Name in a zip file -> checksum of the content; empty if the file is no zip file."""
    return {entry.filename: entry.CRC for entry in _entries(archive)}


def _entries(path: Path) -> list[zipfile.ZipInfo]:
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.infolist()
    except (OSError, zipfile.BadZipFile):
        return []


def _form(entry: zipfile.ZipInfo) -> tuple[object, ...]:
    return entry.date_time, entry.compress_type, entry.create_system, entry.external_attr


def crc_of(path: Path) -> int:
    """Checksum of a file as a zip file has it."""
    value = 0
    with path.open("rb") as content:
        while chunk := content.read(_CHUNK):
            value = zlib.crc32(chunk, value)
    return value
