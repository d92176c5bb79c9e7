"""The folder of a campaign: one scale, one process."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from adw_components.errors import UserError
from adw_components.files import read_json, write_json

from .scale import Scale


def require_same(folder: Path, scale: Scale) -> None:
    """Keep the scale with the results; raise a `UserError` if they have another: what is done is not done again."""
    path = folder / "scale.json"
    now = {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(scale).items()}
    before = read_json(path, "scale") if path.exists() else now
    changed = [name for name, value in now.items() if before.get(name) != value]
    if changed:
        name = changed[0]
        raise UserError(
            f"{folder} holds a campaign with {name} {before.get(name)}, not {now[name]}; "
            "go on with its options, or choose another --output_dir"
        )
    write_json(path, now)


@contextmanager
def kept_from_others(folder: Path) -> Iterator[None]:
    """Within the block no other campaign works in the folder.

    Raises:
        UserError: one does already.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise UserError(f"a campaign is running in {folder}; wait for it, or choose another --output_dir") from None
        yield
