"""The names under which clicks arrive, one a class, and what a class must not be called. Standard library only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .errors import UserError
from .record_fields import shown

BACKGROUND = "background"

# What the data hold beside the clicks: items of our datasets, and requests of MONAI Label with what it adds to them.
RESERVED = {"image", "label", "pred", "case"}
RESERVED |= {"model", "device", "description", "labels", "params", "session", "annotations", "logging", "timeout"}
RESERVED |= {"roi", "slice", "reset_state", "save_label", "model_filename", "logits", "latencies"}
RESERVED |= {"result", "result_extension", "result_dtype", "result_compress"}
# MONAI keeps metadata under keys that begin with the name of an image; its Spacingd updates whatever it finds there.
_RESERVED_PREFIXES = ("image_", "pred_")


def guidance_names(labels: Mapping[str, str]) -> tuple[str, ...]:
    """Names of the guidance channels: background, then the labels by their value.

    The one order in training and inference.

    Args:
        labels: label value -> name, background left out, such as {"1": "Anterior", "2": "Posterior"}.

    Raises:
        UserError: the values are not 1, 2, 3, ..., or a name cannot be the key of a click: it is empty, differs from
            another by case alone, or is a key that MONAI uses.
    """
    by_value = {str(value): name for value, name in labels.items()}
    values = [str(value) for value in range(1, len(labels) + 1)]
    if not values or by_value.keys() != set(values):
        raise UserError(f"labels must name the values 1, 2, 3, ... without a gap, got {shown(dict(labels))}")
    names = (BACKGROUND, *(by_value[value] for value in values))
    _check_names(names)
    return names


def _check_names(names: Sequence[Any]) -> None:
    seen: set[str] = set()
    for name in names:
        if not isinstance(name, str) or not name.strip():
            raise UserError(f"labels must have names that are not empty, got {shown(name)}")
        key = name.casefold()
        if key in RESERVED or key.startswith(_RESERVED_PREFIXES):
            raise UserError(
                f"a label to click must not have the name of a key that MONAI uses, got {shown(name)}; rename it"
            )
        if key in seen:
            raise UserError(f"labels to click must differ by more than case, got {shown(name)} twice; rename one")
        seen.add(key)
