"""Who has started a training."""

from __future__ import annotations

import sys
from collections.abc import Sequence

# The config that MONAI Label writes for a training on several GPUs, which it starts with torchrun.
_ITS_CONFIG = "monailabel_train.json"


def started_by_monailabel(arguments: Sequence[str] | None = None) -> bool:
    """Whether MONAI Label has started this training: in a process of its own, or through torchrun.

    It overrides some keys of a bundle's train.json, and has no way to ask for more.

    Args:
        arguments: the words of the command; those of this process by default.
    """
    words = sys.argv if arguments is None else arguments
    return "monailabel" in sys.modules or any(_ITS_CONFIG in word for word in words)
