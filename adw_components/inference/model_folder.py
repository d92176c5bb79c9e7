"""Where a prediction's network and files come from, and where they must not go."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..errors import UserError
from ..files import read_json


def architecture_of(*, model_dir: str | Path, shipped: str | Path) -> str:
    """Path of the architecture of the weights in `model_dir`: the record beside them, else the one that ships.

    Args:
        model_dir: folder of a retraining, or of a bundle's weights.
        shipped: the bundle's own `architecture.json`.
    """
    beside = Path(model_dir) / "architecture.json"
    return str(beside if beside.is_file() else shipped)


def patch_size_of(*, model_dir: str | Path, shipped: Sequence[int]) -> list[int]:
    """Patch size that the weights in `model_dir` were trained with, by the settings beside them; else `shipped`.

    Instance norm takes its statistics over the patch: another size at prediction costs accuracy.
    """
    settings = Path(model_dir) / "settings.json"
    known = read_json(settings, "settings") if settings.is_file() else {}
    return list(known.get("patch_size", shipped))


def require_other_folder(*, output_dir: str | Path, items: Sequence[Mapping[str, Any]]) -> None:
    """Raise a `UserError` if predictions would overwrite the images, whose names they have.

    Args:
        output_dir: folder of the predictions.
        items: the images, with their path in "image".
    """
    folders = {Path(item["image"]).resolve().parent for item in items}
    if Path(output_dir).resolve() in folders:
        raise UserError(
            f"output_dir {output_dir} is the folder of the images, whose names the predictions have; choose another"
        )
