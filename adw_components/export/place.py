"""Where an export goes: nothing half-written, nothing of anybody's lost. No torch here."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ..errors import UserError
from ..files import temporary_folder
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


def output_folder(output: str | Path) -> Path:
    """The folder that an export goes to, absolute; it need not be there.

    Raises:
        UserError: there is a file of that name, or of one of the folders above.
    """
    folder = Path(output).absolute()
    there = next(path for path in (folder, *folder.parents) if path.exists())
    if not there.is_dir():
        raise UserError(f"output must be a folder, got {output}, but {there} is a file; give another --output")
    return folder


@contextmanager
def staged(place: Place, source: ExportSource) -> Iterator[Place]:
    """Yield a temporary place beside `place`; what is there at the end of the block replaces it, unless it fails."""
    folder = place.bundle.parent
    with temporary_folder(folder / "export") as stage:
        temporary = Place.in_folder(stage, source)
        temporary.bundle.mkdir()
        yield temporary
        # In this order one of the two archives tells at every moment what the others are of.
        for name in ("archive", "bundle", "large_files", "latest"):
            _replace(getattr(temporary, name), getattr(place, name))


def _replace(new: Path, old: Path) -> None:
    """Move `new`, which may not be there, to the place of `old`, which may be there."""
    if old.is_dir():
        old.rename(new.with_name(f"old-{new.name}"))
    if new.exists():
        new.replace(old)
