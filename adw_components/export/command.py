"""The steps of `python -m adw_components export`."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..errors import UserError
from ..files import errors_about
from ..locks import held_folder
from .archive import files_of, write_zip
from .contents import contents
from .earlier import require_free
from .evaluation import measured
from .index import add_to_index, read_index
from .large_files import large_files, move_large_files
from .place import Place, output_folder, staged
from .source import ExportSource, read_source
from .stage import ended_by_sigterm
from .torchscript import write_torchscript
from .weights import own_weights, read_weights, stated_metrics

_NO_WEIGHTS = (
    "no weights: evaluate, infer and ckpt_export need a retraining first, MONAI Label leaves the bundle out, and the "
    "zoo does not take it; give --weights"
)


def export_bundle(
    bundle: str,
    *,
    output: str,
    weights: str | None = None,
    evaluation: str | None = None,
    large_file_url: str | None = None,
    url: str | None = None,
) -> str:
    """Export a bundle and say what was written.

    Args:
        bundle: its folder.
        output: folder that the export goes to, beside others.
        weights: model.pt of a retraining; by default that in the bundle's own `models`, if there is one.
        evaluation: folder of an evaluation of these weights, for the metadata.
        large_file_url: where the large files will be found; without it they stay in the bundle's folder.
        url: where `output` will be served, for the index.

    Raises:
        UserError: the bundle, the weights or the evaluation do not do, or the output holds something of somebody's.
    """
    _require_texts(bundle=bundle, output=output, weights=weights, evaluation=evaluation)
    _require_texts(large_file_url=large_file_url, url=url)
    source = read_source(bundle)
    place = Place.in_folder(output_folder(output), source)
    with ended_by_sigterm(), held_folder(place.archive.parent, "output"):
        return _export(source, place, weights=weights, evaluation=evaluation, large_file_url=large_file_url, url=url)


def _export(
    source: ExportSource,
    place: Place,
    *,
    weights: str | None,
    evaluation: str | None,
    large_file_url: str | None,
    url: str | None,
) -> str:
    require_free(place, source)
    read_index(place.archive.parent)
    path = _weights_path(source, weights)
    checked = read_weights(path, source) if path else None
    files, notes = contents(source, checked, _metrics(source, evaluation, path))
    with staged(place, source) as stage, errors_about(place.bundle):
        _write(stage.bundle, files)
        if checked:
            write_torchscript(stage.bundle)
        write_zip(stage.archive, stage.bundle, files_of(stage.bundle))
        shutil.copyfile(stage.archive, stage.latest)
        notes += _set_apart(stage, large_file_url, place)
    notes += [] if checked else [_NO_WEIGHTS]
    index = add_to_index(place.archive, url=url)
    written = [f"bundle: {place.bundle}", f"download: {place.latest}, {place.archive}", f"index: {index}"]
    return "\n".join([*notes, *written])


def _require_texts(**options: str | None) -> None:
    """The command line turns 5 into a number, and an option without a value into True."""
    for name, value in options.items():
        if value is not None and not isinstance(value, str):
            kind = "an address" if name.endswith("url") else f"a path, such as ./{value}"
            raise UserError(f"{name} must be {kind}, got {value!r}")


def _weights_path(source: ExportSource, weights: str | None) -> Path | None:
    own = own_weights(source)
    if weights is None:
        return own if own.is_file() else None
    if Path(weights).is_dir():
        raise UserError(f"weights must be a file, such as {Path(weights) / 'model.pt'}, got the folder {weights}")
    return Path(weights)


def _metrics(source: ExportSource, evaluation: str | None, weights: Path | None) -> Mapping[str, Any] | None:
    """Of the evaluation that is given; else what the bundle states of these very weights."""
    if evaluation is None:
        return stated_metrics(source, weights) if weights else None
    if weights is None:
        raise UserError("evaluation belongs to weights, which the bundle does not hold; give --weights")
    return measured(evaluation, weights)


def _write(folder: Path, files: Mapping[str, bytes]) -> None:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)


def _set_apart(stage: Place, url: str | None, place: Place) -> list[str]:
    names = large_files(stage.bundle)
    if not names:
        return []
    if url is None:
        return [f"{', '.join(names)}: over the 25 MB that the zoo's repository takes; --large_file_url sets apart"]
    move_large_files(stage.bundle, names, target=stage.large_files, url=url)
    return [f"to be uploaded to {url}: {place.large_files}"]
