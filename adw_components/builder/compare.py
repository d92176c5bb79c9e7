"""Whether the committed bundles are what their source gives. No torch here."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from pathlib import Path

from .build import BUNDLES, COMMON, bundle_files
from .source import BundleSource, repository_sources

# Folders of a bundle that are generated; a user's runs, weights and caches lie in others.
_GENERATED = ("configs", "docs")


def differences(bundles: Path = BUNDLES, common: Path = COMMON) -> list[str]:
    """A text for every file of the repository's bundles that is missing, unknown, or not what the source gives."""
    return [text for source in repository_sources() for text in _of_bundle(source, bundles / source.name, common)]


def _of_bundle(source: BundleSource, folder: Path, common: Path) -> Iterator[str]:
    expected = bundle_files(source, common)
    for name, text in expected.items():
        path = folder / name
        if not path.is_file():
            yield f"{path}: missing"
        elif path.read_bytes() != text.encode():
            yield _diff(path, text)
    for path in _present(folder):
        if path.relative_to(folder).as_posix() not in expected:
            yield f"{path}: not generated; remove it, or move its content to {common}"


def _present(folder: Path) -> list[Path]:
    return sorted(path for part in _GENERATED for path in (folder / part).rglob("*") if path.is_file())


def _diff(path: Path, expected: str) -> str:
    committed = path.read_text(encoding="utf-8", errors="replace")
    names = f"{path} (committed)", f"{path} (from the source)"
    lines = difflib.unified_diff(committed.splitlines(), expected.splitlines(), *names, lineterm="", n=1)
    return "\n".join(lines) or f"{path}: line endings or encoding differ"
