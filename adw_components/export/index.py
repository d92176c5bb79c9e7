"""model_info.json, the model zoo's list of what can be downloaded. No torch here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..files import read_json_object, write_json
from .large_files import hash_of

INDEX = "model_info.json"


def read_index(folder: Path) -> dict[str, Any]:
    """The entries of a folder's index, none where there is no such file.

    Raises:
        UserError: the index is no JSON object.
    """
    index = folder / INDEX
    return read_json_object(index, "index") if index.exists() else {}


def add_to_index(archive: Path, *, url: str | None) -> Path:
    """Enter a bundle's zip file NAME_vVERSION.zip into the index in its folder, and leave the other entries.

    Args:
        archive: the zip file.
        url: where its folder is served; without it the source is the file's name, which lies beside the index.

    Raises:
        UserError: as `read_index`.
    """
    index, entries = archive.parent / INDEX, read_index(archive.parent)
    source = f"{url.rstrip('/')}/{archive.name}" if url else archive.name
    entries[archive.stem] = {"checksum": hash_of(archive, "sha1"), "source": source}
    write_json(index, dict(sorted(entries.items())))
    return index
