"""Where a prediction's network and files come from, and where they must not go."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..errors import UserError
from ..run_files import settings_beside

logger = logging.getLogger(__name__)


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
    return list(settings_beside(model_dir).get("patch_size", shipped))


def mirror_axes_of(*, model_dir: str | Path, shipped: Sequence[int]) -> list[int]:
    """Axes that the training of the weights in `model_dir` mirrored, by the settings beside them; else `shipped`.

    An image mirrored along another axis is none that the network has learned.
    """
    return list(settings_beside(model_dir).get("mirror_axes", shipped))


def require_same_preparation(*, model_dir: str | Path, settings: Mapping[str, Any]) -> None:
    """Raise a `UserError` if a prediction prepares images otherwise than the retraining in `model_dir` did.

    Another fold or patch size is a warning: the first may be meant, the second costs accuracy.

    Args:
        model_dir: folder of the weights; without `settings.json` in it there is nothing to compare.
        settings: of the prediction, by the names of the retraining's.
    """
    trained = settings_beside(model_dir)
    # JSON turns tuples into lists and keys into texts.
    given = json.loads(json.dumps(dict(settings)))
    other = {name: value for name, value in given.items() if name in trained and trained[name] != value}
    for name in ("fold", "patch_size"):
        if name in other and trained[name] != "all":
            logger.warning(
                "%s is %s here, and was %s in the retraining in %s", name, other[name], trained[name], model_dir
            )
    wrong = [name for name in other if name not in ("fold", "patch_size")]
    if wrong:
        facts = "; ".join(f"{name} is {other[name]}, and was {trained[name]}" for name in wrong)
        raise UserError(f"{facts} in the retraining in {model_dir}; give the same, or other weights")


def require_other_folder(*, output_dir: str | Path, items: Sequence[Mapping[str, Any]]) -> None:
    """Raise a `UserError` if predictions would overwrite the images, whose names they have.

    Args:
        output_dir: folder of the predictions.
        items: the images, with their path in "image".
    """
    images = [Path(item["image"]) for item in items]
    # An image may be a link: the folder that the user sees is its own, that of the file behind it another.
    folders = {image.resolve().parent for image in images} | {image.parent.resolve() for image in images}
    if Path(output_dir).resolve() in folders:
        raise UserError(
            f"output_dir {output_dir} is the folder of the images, whose names the predictions have; choose another"
        )
