"""What a transform does, as text that is the same in every process, which a pickle's bytes need not be."""

from __future__ import annotations

import marshal
from collections.abc import Iterable, Mapping
from enum import Enum
from functools import partial
from types import BuiltinFunctionType, FunctionType, MethodType
from typing import Any

import numpy as np
import torch


def described(value: Any) -> str:
    """Text of a transform that has not run yet, or of an argument of one; two that differ have different texts.

    Functions count by their code, arrays by their bytes, other objects by their class and attributes.
    """
    if value is None or isinstance(
        value, str | bytes | int | float | complex | np.generic | torch.dtype | torch.device
    ):
        return repr(value)
    if isinstance(value, type | BuiltinFunctionType | Enum | np.ufunc):
        return f"{type(value).__name__} {getattr(value, '__module__', '')} {value}"
    if isinstance(value, Mapping):
        return _joined(f"{key}: {described(item)}" for key, item in value.items())
    if isinstance(value, list | tuple):
        return _joined(map(described, value))
    if isinstance(value, set | frozenset):
        return _joined(sorted(map(described, value)))
    return _described_code(value) or _described_array(value) or _described_object(value)


def _described_code(value: Any) -> str:
    if isinstance(value, partial):
        return f"partial {described(value.func)} {described(value.args)} {described(value.keywords)}"
    if isinstance(value, MethodType):
        return f"{described(value.__func__)} of {described(value.__self__)}"
    if isinstance(value, FunctionType):
        inner = [cell.cell_contents for cell in value.__closure__ or ()]
        known = (value.__module__, value.__qualname__, value.__defaults__, value.__kwdefaults__, inner)
        return f"{described(known)} {marshal.dumps(value.__code__)!r}"
    return ""


def _described_array(value: Any) -> str:
    array = value.detach().cpu().numpy() if isinstance(value, torch.Tensor) else value
    return f"{array.dtype} {array.shape} {array.tobytes()!r}" if isinstance(array, np.ndarray) else ""


def _described_object(value: Any) -> str:
    kind = f"{type(value).__module__}.{type(value).__qualname__}"
    return f"{kind} {described(vars(value))}" if hasattr(value, "__dict__") else f"{kind} {value!r}"


def _joined(texts: Iterable[str]) -> str:
    return f"[{', '.join(texts)}]"
