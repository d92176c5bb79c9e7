"""From what a scene shows to what a scanner stores, channel by channel. No torch here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from .fields import SmoothField, Volume, smooth_field
from .grid import Grid

AIR = -1000.0
# What CT scanners store outside the circle that they reconstruct, and the most that 12 bits hold.
_NOTHING, _MOST = -1024, 3071


class Scanner(Protocol):
    """Makes the voxels of one channel."""

    def scan(self, values: Volume, start: int) -> Volume:
        """Voxels as they are stored, of a slab (x, y, z) that begins at the slice `start`; may overwrite `values`."""


@dataclass(frozen=True)
class CT:
    """Hounsfield units with noise of the standard deviation `noise`, exactly -1024 outside the reconstructed circle."""

    noise: float
    rng: np.random.Generator

    def scan(self, values: Volume, start: int) -> Volume:
        """Voxels of a slab."""
        values += self.noise * _noise(values.shape, self.rng)
        voxels = np.clip(np.rint(values), _NOTHING, _MOST)
        voxels[_corners(values.shape)] = _NOTHING
        return voxels


@dataclass(frozen=True)
class MRI:
    """Magnitudes with Rician noise and a smooth bias; exactly 0 where the scene shows nothing.

    Args:
        noise: of the real and of the imaginary part.
        gain: factor of all magnitudes, since scanners scale as they like.
        bias: how the coil's sensitivity varies.
        rng: draws the noise.
        filled: first and last but one column along x that was measured; the others are exactly 0.
    """

    noise: float
    gain: float
    bias: SmoothField
    rng: np.random.Generator
    filled: tuple[int, int]

    def scan(self, values: Volume, start: int) -> Volume:
        """Voxels of a slab."""
        nothing = values <= 0
        real = values * np.exp(0.06 * self.bias.slab(start, start + values.shape[2]))
        real += self.noise * _noise(values.shape, self.rng)
        imaginary = self.noise * self.rng.standard_normal(values.shape, dtype=np.float32)
        voxels = np.maximum(np.rint(np.hypot(real, imaginary) * self.gain), 1)
        voxels[nothing] = 0
        first, end = self.filled
        voxels[:first] = 0
        voxels[end:] = 0
        return voxels


def mri(
    grid: Grid, noise: Sequence[float], spread: float, rng: np.random.Generator, filled: tuple[int, int] | None = None
) -> tuple[MRI, ...]:
    """Scanners of an MRI's channels: one coil, each with a gain that varies by the share `spread`."""
    filled = filled or (0, grid.shape[0])
    bias = smooth_field(grid.shape, 2, rng)
    gains = np.exp(spread * np.clip(rng.standard_normal(len(noise)), -2, 2) - spread**2 / 2).tolist()  # 1 on average
    return tuple(MRI(level, gain, bias, rng, filled) for level, gain in zip(noise, gains, strict=True))


def _corners(shape: tuple[int, ...]) -> NDArray[np.bool_]:
    x, y = (np.linspace(-1, 1, n) for n in shape[:2])
    return np.hypot(x[:, None], y) > 1


def _noise(shape: tuple[int, ...], rng: np.random.Generator) -> Volume:
    """Noise of standard deviation 1, a little smooth within a slice, as reconstruction leaves it."""
    noise = gaussian_filter(rng.standard_normal(shape, dtype=np.float32), (0.6, 0.6, 0))
    return noise / np.float32(0.5)  # what the filter leaves of 1
