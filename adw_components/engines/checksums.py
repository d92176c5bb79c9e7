"""Checksums of what a run writes: a file that was changed by accident is not taken for the run's."""

from __future__ import annotations

import hashlib
import re
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ..errors import UserError
from ..files import read_json_object, replacing, write_json
from ..record_fields import folder_name, shown

CHECKSUMS = "checksums.json"
# What may stand under a name: SHA-256 of its bytes, or None if it need not be there.
Valid = list[str | None]
_SUM = re.compile("[0-9a-f]{64}")


@contextmanager
def sealed(path: Path) -> Iterator[Path]:
    """As `replacing`, with the SHA-256 of the file in `checksums.json` beside it.

    Before the new file takes its name both checksums stand there, and one alone after it: a kill at any moment leaves
    a file and a checksum that belong together.
    """
    with replacing(path) as temporary:
        yield temporary
        new = sha256_of(temporary)
        before = checksums_in(path.parent).get(path.name) or [sha256_of(path) if path.is_file() else None]
        _note(path, [*before, new])
    _note(path, [new])


def require_intact(path: Path) -> None:
    """Raise a `UserError` unless the file at `path` is what its run has written.

    One without a checksum is checked by those that torch's own format, a zip archive, has for the parts of a file.
    """
    valid = checksums_in(path.parent).get(path.name)
    if valid is None:
        _require_sound_parts(path)
    elif sha256_of(path) not in valid:
        raise UserError(
            f"checkpoint {path} cannot be read: its checksum is not that in {CHECKSUMS}, so it is damaged or a "
            f"different file; put the right file back, or remove {CHECKSUMS} if this one is meant to be used"
        )


def require_all_intact(folder: Path, expected: Iterable[str] = ()) -> None:
    """Raise a `UserError` unless all that a run has written to `folder` is there and as it was.

    Args:
        folder: of the run.
        expected: names that must be there, with a checksum or not.
    """
    known = checksums_in(folder)
    for name in {**dict.fromkeys(expected), **known}:
        if (folder / name).is_file():
            require_intact(folder / name)
        elif None not in known.get(name, ()):
            raise UserError(
                f"{folder / name}, which the run has written, is missing; put it back, or choose another --output_dir"
            )


def checksums_in(folder: Path) -> dict[str, Valid]:
    """Name -> what may stand there, of every file of `folder` whose checksum is known."""
    path = folder / CHECKSUMS
    if not path.is_file():
        return {}
    known = read_json_object(path, "checksums")
    try:
        for name, valid in known.items():
            folder_name("a name in it", name)
            if not isinstance(valid, list) or not all(one is None or _SUM.fullmatch(str(one)) for one in valid):
                raise UserError(f"{name} must have a list of sums, got {shown(valid)}")
    except UserError as error:
        raise UserError(f"checksums file {path}: {error}; restore a copy or remove it") from error
    return known


def sha256_of(path: Path) -> str:
    """SHA-256 of the bytes of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _note(path: Path, valid: Valid) -> None:
    write_json(path.with_name(CHECKSUMS), {**checksums_in(path.parent), path.name: valid})


def _require_sound_parts(path: Path) -> None:
    if not zipfile.is_zipfile(path):
        return  # torch says what it is
    try:
        with zipfile.ZipFile(path) as archive:
            damaged = archive.testzip()
    except Exception as error:  # whatever the reader of damaged bytes runs into
        damaged = type(error).__name__
    if damaged:
        raise UserError(f"checkpoint {path} cannot be read: it is damaged ({damaged}); put the right file back")
