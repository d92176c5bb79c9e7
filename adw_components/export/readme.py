"""The documents of an exported bundle: true for a reader without the repository. No torch here."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from ..architecture import Architecture
from ..builder.build import COMMON, repository_documents, require_source
from ..builder.delivery import Delivery
from ..builder.documents import documents
from ..builder.source import INTERACTIVE, BundleSource, repository_sources
from ..errors import UserError
from ..plan import Plan
from .archive import files_of
from .configs import VENDORED
from .source import PACKAGE, ExportSource


def document_files(
    source: ExportSource, *, architecture: Path, delivery: Delivery, common: Path = COMMON
) -> tuple[dict[str, bytes], list[str]]:
    """Path -> content of the documents, and the names of those that somebody has written, which stay as they are.

    A document that is what the builder gives for the bundle is made anew, for the architecture of the weights.

    Args:
        source: the bundle.
        architecture: the record that ships.
        delivery: what the documents have to say of it.
        common: folder of the templates.

    Raises:
        UserError: the templates are not there.
    """
    folder = source.folder / "docs"
    present = {f"docs/{name}": (folder / name).read_bytes() for name in files_of(folder)}
    plain, exported = _generated(source, architecture, delivery, common)
    written = [name for name, content in present.items() if plain.get(name) != content]
    files = {name: exported[name] for name in present if name not in written}
    return {**files, **{name: _with_own_commands(name, present[name]) for name in written}}, written


def _generated(
    source: ExportSource, architecture: Path, delivery: Delivery, common: Path
) -> tuple[dict[str, bytes], dict[str, bytes]]:
    """The documents that the builder gives: those of the bundle in the repository, and those of the exported one."""
    try:
        built_from = _built_from(source)
    except UserError:  # a bundle without a plan was not built here
        return {}, {}
    require_source(common)
    plain = repository_documents(built_from, common)
    shipped = Architecture.load(architecture)
    exported = documents(built_from, architecture=shipped, common=common, delivery=delivery)
    return _encoded(plain), _encoded(exported)


def _built_from(source: ExportSource) -> BundleSource:
    plan = Plan.load(source.folder / "configs" / "plan.json")
    of_task = next((known for known in repository_sources() if (known.name, known.plan) == (source.name, plan)), None)
    return of_task or BundleSource(name=source.name, plan=plan, interactive=INTERACTIVE in source.name)


def _with_own_commands(name: str, content: bytes) -> bytes:
    if not name.endswith(".md"):
        return content
    return content.replace(f"python -m {PACKAGE}".encode(), f"python -m {VENDORED}".encode())


def _encoded(texts: dict[str, str]) -> dict[str, bytes]:
    return {name: text.encode() for name, text in texts.items()}


def told(written: Iterable[str]) -> list[str]:
    """A line for every document that the export has left as somebody wrote it."""
    return [f"{name} is not the builder's: see that what it says holds without the repository" for name in written]
