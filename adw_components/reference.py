"""Architectures to compare with: the four published ones, and nnU-Net's default in our terms."""

from __future__ import annotations

from pathlib import Path

from .architecture import Architecture
from .errors import UserError
from .record_fields import PerStage

_FOLDER = Path(__file__).parent / "published"


def published_tasks() -> tuple[str, ...]:
    """Tasks whose searched architecture the authors published."""
    return tuple(sorted(path.stem for path in _FOLDER.glob("*.json")))


def published(task: str) -> Architecture:
    """The architecture that the authors of AdwU-Net published for `task`, such as "Task01_BrainTumour".

    Raises:
        UserError: none was published for this task.
    """
    if task not in published_tasks():
        raise UserError(f"no architecture was published for {task!r}; there are {', '.join(published_tasks())}")
    return Architecture.load(_FOLDER / f"{task}.json")


def nnunet_default(
    *, strides: PerStage, kernel_sizes: PerStage, base_width: int = 32, max_width: int | None = None
) -> Architecture:
    """nnU-Net's default network in our terms: two convolutions a block, widths doubling up to a cap.

    Its convolutions are the same; our transposed convolutions and heads have no bias.

    Args:
        strides: per stage, as in `Architecture`.
        kernel_sizes: per stage, as in `Architecture`.
        base_width: channels of the first stage.
        max_width: cap; nnU-Net's is 320 in 3D and 512 in 2D (Isensee et al., Nature Methods 2021).
    """
    cap = max_width or (320 if len(strides[0]) == 3 else 512)
    encoder = tuple((min(base_width * 2**stage, cap),) * 2 for stage in range(len(strides)))
    return Architecture(
        encoder_widths=encoder,
        decoder_widths=encoder[-2::-1],
        strides=strides,
        kernel_sizes=kernel_sizes,
        provenance={"source": "nnU-Net default (Isensee et al., Nature Methods 2021)", "base_width": base_width},
    )
