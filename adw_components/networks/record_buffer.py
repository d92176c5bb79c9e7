"""A network carries the record that it was built from in its state dict.

A checkpoint so knows its architecture: loading it into another network says so in one line, and the
record can be read back from a bare `model.pt`. The buffer is uint8, which every consumer of a state dict
(TorchScript, ONNX, weights_only loading, MONAI's `copy_model_state`) takes like any other tensor.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from ..errors import UserError
from ..files import json_value
from ..record_fields import shown

BUFFER = "record_json"


def register_record(module: nn.Module, what: str, record: Mapping[str, Any]) -> None:
    """Store `record` in the state dict of `module` and compare it when a state dict is loaded."""
    text = json.dumps(record, sort_keys=True, separators=(",", ":"))
    module.register_buffer(BUFFER, torch.tensor(list(text.encode()), dtype=torch.uint8))

    def compare(_module: nn.Module, state_dict: Mapping[str, Any], prefix: str, *_: Any) -> None:
        stored = record_of(state_dict, prefix)
        if stored is not None and stored != dict(record):
            raise UserError(_difference(what, stored, record))

    module.register_load_state_dict_pre_hook(compare)


def record_of(state_dict: Mapping[str, Any], prefix: str = "") -> dict[str, Any] | None:
    """The record stored in a state dict; None where it holds none.

    Raises:
        UserError: what is stored there is no record.
    """
    buffer = state_dict.get(prefix + BUFFER)
    try:
        record = None if buffer is None else json_value(bytes(buffer.tolist()).decode())
    except (AttributeError, TypeError, ValueError) as error:
        raise UserError(f"the record in the weights is damaged: {shown(str(error))}; give other weights") from error
    if record is not None and not isinstance(record, dict):
        raise UserError(f"the record in the weights must be an object, got {shown(record)}; give other weights")
    return record


def _difference(what: str, stored: Mapping[str, Any], expected: Mapping[str, Any]) -> str:
    if set(stored) != set(expected):
        run = "search" if what == "search space" else "retraining"
        return f"the checkpoint holds a network of another kind, without {what}; give a checkpoint of a {run}"
    fields = [name for name in sorted({*stored, *expected}) if stored.get(name) != expected.get(name)]
    details = "; ".join(
        f"{name}: checkpoint {shown(stored.get(name))}, network {shown(expected.get(name))}" for name in fields
    )
    return f"the checkpoint belongs to another {what} ({details}); give the {what} that it was trained with"
