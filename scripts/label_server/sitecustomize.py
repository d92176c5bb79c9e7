"""Python runs this first in MONAI Label's server and in what that starts: scripts/monailabel.sh has it on PYTHONPATH.

torchvision's package from PyPI is built for CUDA. Beside a torch without CUDA its library cannot be loaded, and
importing torchvision then fails for want of two operators, which segmentation does not use. Here they are declared,
without a body.
"""

import importlib.util
from pathlib import Path

OPERATORS = ("nms", "qnms")
SCHEMA = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"


def declare_operators() -> None:
    """Declare what torchvision needs to be imported where its own library cannot be loaded."""
    found = importlib.util.find_spec("torchvision")
    if found is None or found.origin is None:
        return
    import torch

    try:
        for library in Path(found.origin).parent.glob("_C*"):
            torch.ops.load_library(str(library))
    except OSError:
        for name in OPERATORS:
            torch.library.define(f"torchvision::{name}", SCHEMA)


declare_operators()
