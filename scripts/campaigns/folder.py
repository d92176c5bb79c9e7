"""The folder of a campaign: one scale."""

from __future__ import annotations

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
