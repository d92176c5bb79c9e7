"""What an exported bundle holds, but for its TorchScript: path -> content, before anything is written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..builder.delivery import Delivery
from ..errors import UserError
from ..files import json_text
from .archive import files_of
from .configs import VENDORED, targets
from .readme import document_files, told
from .records import config_files, metadata_text
from .source import ExportSource
from .vendoring import vendored_files
from .weights import Weights


def contents(
    source: ExportSource, weights: Weights | None, eval_metrics: Mapping[str, Any] | None
) -> tuple[dict[str, bytes], list[str]]:
    """The files of an exported bundle, and what the user has to know of them.

    Raises:
        UserError: a config names the package where the exporter cannot rename it, or a file is a link.
    """
    _refuse_links(source)
    patch_size = weights.patch_size if weights else ()
    shipped = weights.architecture if weights else source.folder / "configs" / "architecture.json"
    delivery = Delivery(
        exported=True,
        weights=weights is not None,
        own_weights=weights is not None and weights.own,
        metrics=eval_metrics is not None,
        patch_size=patch_size,
    )
    documents, by_hand = document_files(source, architecture=shipped, delivery=delivery)
    texts = {
        **config_files(source, patch_size=patch_size),
        "configs/metadata.json": metadata_text(source.metadata, patch_size=patch_size, eval_metrics=eval_metrics),
    }
    code = {f"{VENDORED}/{name}": content for name, content in vendored_files(targets(source.configs)).items()}
    files = {
        **_copied(source),
        **documents,
        **{name: text.encode() for name, text in texts.items()},
        **code,
        "configs/architecture.json": shipped.read_bytes(),
        **(_of_weights(weights) if weights else {}),
    }
    return files, told(by_hand)


def _refuse_links(source: ExportSource) -> None:
    """Raise a `UserError` for a link, behind which there may be what nobody means to publish."""
    parts = [source.folder / name for name in ("LICENSE", "configs", "docs")]
    links = [path for part in parts for path in (part, *part.rglob("*")) if path.is_symlink()]
    if links:
        raise UserError(f"{links[0]} is a link, which an export does not follow; put the file itself there")


def _copied(source: ExportSource) -> dict[str, bytes]:
    """The files that ship as they are, until another entry of their name replaces them."""
    names = ["LICENSE", *(f"configs/{name}" for name in files_of(source.folder / "configs"))]
    return {name: (source.folder / name).read_bytes() for name in names if (source.folder / name).is_file()}


def _of_weights(weights: Weights) -> dict[str, bytes]:
    settings = json_text(dict(weights.settings)) + "\n"
    return {
        "models/model.pt": weights.content,
        **({"models/settings.json": settings.encode()} if weights.settings else {}),
    }
