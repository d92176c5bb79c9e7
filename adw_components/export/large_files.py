"""Files that the model zoo does not take into its repository: they lie elsewhere, and large_files.yml says where."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from .archive import files_of

LARGE_FILES = "large_files.yml"
# The zoo's limit for one file, 25 MB.
LIMIT = 25_000_000


def large_files(bundle: Path) -> list[str]:
    """Paths inside a bundle's folder of the files over the limit."""
    return [name for name in files_of(bundle) if (bundle / name).stat().st_size > LIMIT]


def move_large_files(bundle: Path, names: Sequence[str], *, target: Path, url: str) -> None:
    """Move files out of a bundle, and write its large_files.yml, by which MONAI's download_large_files gets them.

    Args:
        bundle: its folder.
        names: paths of the files in it.
        target: folder that they go to, under their last name.
        url: where that folder's files will be found.
    """
    target.mkdir()
    entries = ["large_files:"]
    for name in names:
        path = target / Path(name).name
        (bundle / name).replace(path)
        entries += [
            f'  - path: "{name}"',
            f'    url: "{url.rstrip("/")}/{path.name}"',
            f'    hash_val: "{hash_of(path, "sha256")}"',
            '    hash_type: "sha256"',
        ]
    (bundle / LARGE_FILES).write_text("\n".join(entries) + "\n", encoding="utf-8")


def hash_of(path: Path, kind: str) -> str:
    """Hash of a file's bytes, as hexadecimal digits."""
    with path.open("rb") as content:
        return hashlib.file_digest(content, kind).hexdigest()
