"""How large what is measured is, and smaller sizes to see how cost grows."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from adw_components.errors import UserError
from adw_components.record_fields import check_patch_size, total_stride
from adw_components.search_space import SearchSpace

from .dints import DIVISOR
from .search_steps import ITERATIONS

# Shares of the base widths and of the patch's axes at which growth is measured.
SHARES = (0.25, 0.5)
MIN_STAGES = 2


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """What is measured; it stands in the JSON as "sizes".

    Args:
        base_widths: candidate widths of the first stage.
        n_stages: stages of the encoder, with stride 2 and kernel 3 on every axis; depths 1 to 3 are searched.
        patch_size: voxels per axis.
        dints_patch_size: likewise, where DiNTS is compared with.
        batch_size: patches of a batch.
        repeats: how often everything is timed.
        iteration: which of `ITERATIONS` is taken for ours.

    Raises:
        UserError: a patch is not divisible by the strides, the widths do not rise, or `iteration` is unknown.
    """

    base_widths: tuple[int, ...] = (16, 24, 32, 40, 48)
    n_stages: int = 4
    patch_size: tuple[int, ...] = (40, 56, 40)
    dints_patch_size: tuple[int, ...] = (48, 64, 48)
    batch_size: int = 1
    repeats: int = 5
    iteration: str = "simultaneous"

    def __post_init__(self) -> None:
        for patch in (self.patch_size, self.dints_patch_size):
            check_patch_size(patch, self.search_space.strides)
        if any(length % DIVISOR for length in self.dints_patch_size):
            raise UserError(f"dints_patch_size must be divisible by {DIVISOR}, got {self.dints_patch_size}")
        if self.iteration not in ITERATIONS:
            raise UserError(f"iteration must be one of {', '.join(ITERATIONS)}, got {self.iteration!r}")

    @property
    def search_space(self) -> SearchSpace:
        """The space whose supernet is measured."""
        strides = ((1,) * 3, *((2,) * 3,) * (self.n_stages - 1))
        kernels = ((3,) * 3,) * self.n_stages
        return SearchSpace(strides=strides, kernel_sizes=kernels, base_widths=self.base_widths)

    def smaller(self) -> dict[str, Sizes]:
        """These sizes as "largest", and smaller ones in width, in patch and in stages, by names that say which."""
        narrow = [replace(self, base_widths=scaled_widths(self.base_widths, share)) for share in SHARES]
        strides = self.search_space.strides
        small = [replace(self, patch_size=scaled_patch(self.patch_size, total_stride(strides), s)) for s in SHARES]
        shallow = [replace(self, n_stages=n) for n in range(MIN_STAGES, self.n_stages)]
        return (
            {"largest": self}
            | {f"widths {size.base_widths[0]} to {size.base_widths[-1]}": size for size in narrow}
            | {"patch " + "x".join(map(str, size.patch_size)): size for size in small}
            | {f"{size.n_stages} stages": size for size in shallow}
        )


def scaled_widths(widths: tuple[int, ...], share: float) -> tuple[int, ...]:
    """`share` of every width; those that fall together count once."""
    return tuple(sorted({max(1, math.ceil(width * share)) for width in widths}))


def scaled_patch(patch: tuple[int, ...], strides: tuple[int, ...], share: float) -> tuple[int, ...]:
    """`share` of every axis, rounded up to what its stride divides at least twice."""
    return tuple(max(2, math.ceil(length * share / step)) * step for length, step in zip(patch, strides, strict=True))
