"""model_info.json, the model zoo's list of what can be downloaded. No torch here."""

from __future__ import annotations

from pathlib import Path

from ..files import read_json, write_json
from .large_files import hash_of

INDEX = "model_info.json"


def add_to_index(archive: Path, *, url: str | None) -> Path:
    """Enter a bundle's zip file NAME_vVERSION.zip into the index in its folder, and leave the other entries.

    Args:
        archive: the zip file.
        url: where its folder is served; without it the source is the file's name, which lies beside the index.

    Raises:
        UserError: the index is no JSON.
    """
    index = archive.parent / INDEX
    entries = read_json(index, "index") if index.is_file() else {}
    source = f"{url.rstrip('/')}/{archive.name}" if url else archive.name
    entries[archive.stem] = {"checksum": hash_of(archive, "sha1"), "source": source}
    write_json(index, dict(sorted(entries.items())))
    return index
