"""The bundle that is exported, as its folder holds it. No torch here."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import UserError
from ..files import read_json_object
from ..record_fields import plain_values, shown

PACKAGE = Path(__file__).parents[1].name


@dataclass(frozen=True, kw_only=True)
class ExportSource:
    """A bundle's folder, its metadata, and its other configs by their name without .json."""

    folder: Path
    metadata: Mapping[str, Any]
    configs: Mapping[str, Any]

    @property
    def name(self) -> str:
        """Of the bundle, by which it is downloaded."""
        return self.folder.name

    @property
    def version(self) -> str:
        """Of the bundle, as its metadata say."""
        return str(self.metadata["version"])

    @property
    def stem(self) -> str:
        """What the zoo calls one version of the bundle."""
        return f"{self.name}_v{self.version}"


def read_source(folder: str | Path) -> ExportSource:
    """Read a bundle.

    Raises:
        UserError: the folder is no bundle of this package, its name does not do for MONAI's tools, or its version is
            not a key of its changelog.
    """
    path = Path(folder).resolve()
    for needed in ("configs/metadata.json", "configs/inference.json"):
        if not (path / needed).is_file():
            raise UserError(f"{folder} must be the folder of a bundle, but has no {needed}; give one of bundles/")
    metadata = read_json_object(path / "configs" / "metadata.json", "metadata")
    try:
        plain_values("metadata", metadata)
    except UserError as error:
        raise UserError(f"{path / 'configs' / 'metadata.json'}: {error}") from error
    _check_version(path, metadata)
    if "_v" in path.name or "." in path.name:
        raise UserError(f"a bundle's name must be without _v and dots, at which MONAI splits it, got {path.name}")
    configs = {file.stem: read_json_object(file, "config") for file in sorted((path / "configs").glob("*.json"))}
    return ExportSource(folder=path, metadata=metadata, configs=_workflows(configs))


def _workflows(configs: Mapping[str, Any]) -> dict[str, Any]:
    records = ("metadata", "architecture", "plan")
    return {name: config for name, config in configs.items() if name not in records}


def _check_version(folder: Path, metadata: Mapping[str, Any]) -> None:
    version, changelog = metadata.get("version"), metadata.get("changelog") or {}
    if not isinstance(version, str) or not re.fullmatch(r"[0-9A-Za-z.+-]{1,50}", version):
        raise UserError(
            f"version must be such as 0.2.0 in {folder / 'configs' / 'metadata.json'}, got {shown(version)}"
        )
    if not isinstance(changelog, Mapping) or version not in changelog:
        raise UserError(
            f"version must be a key of changelog in {folder / 'configs' / 'metadata.json'}, got {version} beside "
            f"{shown(changelog)}; say there what is new in {version}"
        )
