"""Switches of torch that make a pass faster and leave its result the same up to rounding."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from ..errors import UserError
from ..flags import flag

_DTYPES = {"float16": torch.float16, "bfloat16": torch.bfloat16}


def autocast_options(*, amp_dtype: str | None) -> dict[str, Any]:
    """Options of `torch.autocast`.

    Args:
        amp_dtype: "float16" or "bfloat16"; None leaves it to torch: float16 on a GPU, bfloat16 on a CPU.

    Raises:
        UserError: it is none of these.
    """
    if amp_dtype is None:
        return {}
    if not isinstance(amp_dtype, str) or amp_dtype not in _DTYPES:
        raise UserError(f"amp_dtype must be float16 or bfloat16, or left out for torch's own choice, got {amp_dtype!r}")
    return {"dtype": _DTYPES[amp_dtype]}


def accelerate(*, network: nn.Module, compile: Any, cudnn_benchmark: Any, **options: Any) -> None:
    """Set the switches for a run that is about to begin.

    Args:
        network: whose forward pass is compiled, in place, at its first use; its names and its state stay the same.
        compile: whether it is.
        cudnn_benchmark: whether cuDNN tries its algorithms at every new shape and keeps the fastest: of use where
            shapes recur, a loss where they change all the time.
        options: further ones of `torch.compile`, such as `backend`.

    Raises:
        UserError: a switch is neither true nor false.
    """
    torch.backends.cudnn.benchmark = flag(cudnn_benchmark, name="cudnn_benchmark")
    if flag(compile, name="compile"):
        network.compile(**options)


def flush_tiny_numbers() -> None:
    """Let this process compute with 0 in place of numbers below 1e-38, which a CPU is a hundred times slower with.

    At a low tau the unlikely choices, and the momentum of what only they use, sink that low, and a search on a CPU
    stands still. Threads take this over from the one that starts them: call it before anything is computed in parallel.
    """
    torch.set_flush_denormal(True)
