"""A generated hippocampus: a random anatomy, and the image that a scanner would give of it. No torch here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from scipy.special import expit

Volume = NDArray[np.float64]

# Size of the real volumes in voxels of 1 mm: mean, standard deviation, least, most, per axis.
_SIZES = ((35.3, 1.9, 31, 42), (50.0, 3.2, 40, 58), (35.7, 3.0, 28, 45))
# Mean intensities, white matter near 1; every case varies them.
_TISSUES = {"white": 0.86, "deep": 0.78, "grey": 0.50, "hippocampus": 0.50, "fluid": 0.14, "stem": 0.98}
# How the scanners scaled the real images: stored type, factor, share of the cases.
_SCALES = (("uint8", 80.0, 0.22), ("float32", 800.0, 0.62), ("float32", 230000.0, 0.16))


@dataclass(frozen=True, kw_only=True)
class _Anatomy:
    """The random pose, shape and tissues of one case; lengths in mm."""

    shape: tuple[int, ...]
    front: float  # y of the anterior tip
    length: float
    split: float  # where along the length, from 0 to 1, the posterior part begins
    centre: tuple[float, float]  # x and z of the anterior tip
    rise: float  # how much higher the tail lies than the head
    arch: float
    sway: float
    tilt: float
    widths: tuple[float, float, float]  # half width of head, body and tail
    heights: tuple[float, float, float]
    horn: float  # thickness of the fluid around the hippocampus
    tissues: Mapping[str, float] = field(repr=False)


def hippocampus(rng: np.random.Generator) -> tuple[NDArray[np.generic], NDArray[np.uint8]]:
    """Image and label (0 background, 1 anterior, 2 posterior) of one case with voxels of 1 mm."""
    anatomy = _draw_anatomy(rng)
    grid = _bent_grid(anatomy.shape, rng)
    inside = np.minimum(_tube(anatomy, *grid), _uncus(anatomy, grid, rng))
    tissue = _paint_surroundings(anatomy, grid, inside, rng)
    tissue = _paint(tissue, inside, anatomy.tissues["hippocampus"])
    return _scan(tissue, rng), _label(anatomy, inside, rng)


def _draw_anatomy(rng: np.random.Generator) -> _Anatomy:
    shape = tuple(int(np.clip(round(rng.normal(mean, sd)), low, high)) for mean, sd, low, high in _SIZES)
    size = rng.normal(1.0, 0.07)
    rise = shape[2] - 19.0 + rng.normal(0, 1.0)
    return _Anatomy(
        shape=shape,
        front=shape[1] - 5.5 + rng.normal(0, 0.8),
        length=shape[1] - 11.0 + rng.normal(0, 1.0),
        split=rng.normal(0.39, 0.02),
        centre=(shape[0] / 2 + rng.normal(0.5, 1.0), 10.5 + rng.normal(0, 0.8)),
        rise=rise,
        arch=rng.normal(2.5, 1.0),
        sway=rng.normal(2.5, 1.2),
        tilt=rng.normal(-3.0, 1.5),
        widths=tuple(size * rng.normal((8.3, 7.3, 4.3), (0.6, 0.5, 0.4))),
        heights=tuple(size * rng.normal((4.5, 4.2, 3.2), (0.35, 0.35, 0.3))),
        horn=rng.uniform(0.5, 3.0),
        tissues={name: value + rng.normal(0, 0.03) for name, value in _TISSUES.items()},
    )


def _smooth_noise(shape: tuple[int, ...], sigma: float, rng: np.random.Generator) -> Volume:
    """Noise of standard deviation 1 that varies over about `sigma` voxels."""
    noise = gaussian_filter(rng.standard_normal(shape), sigma, mode="wrap")
    return noise / noise.std()


def _bent_grid(shape: tuple[int, ...], rng: np.random.Generator) -> tuple[Volume, ...]:
    """Coordinates x, y, z in mm of every voxel, bent smoothly so that no two cases have the same outlines."""
    axes = np.meshgrid(*map(np.arange, shape), indexing="ij")
    return tuple(axis + 0.9 * _smooth_noise(shape, 4.0, rng) for axis in axes)


def _course(anatomy: _Anatomy, along: Volume) -> tuple[Volume, Volume]:
    """x and z of the centre line where it is `along` of the length, 0 at the anterior tip and 1 at the tail."""
    bow = np.sin(np.pi * np.clip(along, -0.2, 1.2))
    x = anatomy.centre[0] + anatomy.tilt * along - anatomy.sway * bow
    z = anatomy.centre[1] + anatomy.rise * np.clip(along, -0.1, 1.1) - anatomy.arch * bow
    return x, z


def _radii(anatomy: _Anatomy, along: Volume) -> tuple[Volume, Volume]:
    """Half width and half height: a broad head that narrows where the posterior part begins, then a slow taper."""
    behind = expit((along - anatomy.split) / 0.03)
    taper = np.clip((along - anatomy.split) / (1 - anatomy.split), 0, 1)
    profiles = (anatomy.widths, anatomy.heights)
    width, height = (head + behind * (body - head + taper * (tail - body)) for head, body, tail in profiles)
    return width, height


def _tube(anatomy: _Anatomy, x: Volume, y: Volume, z: Volume, *, swell: float = 0.0) -> Volume:
    """About the distance in mm from the surface of the hippocampus, negative inside; `swell` thickens it."""
    along = (anatomy.front - y) / anatomy.length
    centre_x, centre_z = _course(anatomy, along)
    width, height = _radii(anatomy, along)
    ends = np.abs(2 * along - 1) ** 5
    across = np.hypot((x - centre_x) / (width + swell), (z - centre_z) / (height + swell))
    return (np.sqrt(across**2 + ends) - 1) * np.minimum(width, height)


def _uncus(anatomy: _Anatomy, grid: tuple[Volume, ...], rng: np.random.Generator) -> Volume:
    """The lobe on the medial side of the head, about the distance in mm from its surface."""
    x, z = _course(anatomy, np.array(0.24))
    centre = (float(x) + 7.0, anatomy.front - 0.24 * anatomy.length, float(z) + 1.5)
    return _ball(grid, tuple(rng.normal(centre, 0.7)), tuple(rng.normal((5.0, 4.5, 2.9), 0.3)))


def _ball(grid: tuple[Volume, ...], centre: tuple[float, ...], radii: tuple[float, ...]) -> Volume:
    """About the distance in mm from the surface of an ellipsoid, negative inside."""
    scaled = [(axis - at) / radius for axis, at, radius in zip(grid, centre, radii, strict=True)]
    return (np.sqrt(sum(axis**2 for axis in scaled)) - 1) * min(radii)


def _paint(tissue: Volume, distance: Volume, value: float) -> Volume:
    """Fill where `distance` is negative, with a soft edge of about a voxel."""
    return tissue + expit(-distance / 0.35) * (value - tissue)


def _paint_surroundings(
    anatomy: _Anatomy, grid: tuple[Volume, ...], inside: Volume, rng: np.random.Generator
) -> Volume:
    """White matter with deep grey above, folds of cortex below, fluid around the hippocampus, the brain stem beside."""
    x, y, z = grid
    centre_x, centre_z = _course(anatomy, (anatomy.front - y) / anatomy.length)
    side, up = x - centre_x, z - centre_z
    values = anatomy.tissues
    tissue = np.full(anatomy.shape, values["white"]) + 0.07 * _smooth_noise(anatomy.shape, 2.0, rng)
    tissue = _paint(tissue, np.abs(up - 17 - 0.05 * side**2) - 5, values["deep"])
    patches = 2.0 * (1.5 - _smooth_noise(anatomy.shape, 2.5, rng))
    tissue = _paint(tissue, np.maximum(patches, 6 - up), values["deep"] - 0.2)
    for fold in range(3):
        tissue = _paint(tissue, _fold(side, up, y, fold, rng), values["grey"])
    tissue = _paint(tissue, _amygdala(anatomy, grid, rng), values["grey"] + 0.04)
    tissue = _paint(tissue, _horn(anatomy, grid, side, up, rng), values["fluid"])
    stem = (anatomy.shape[0] + 3.0, 0.55 * anatomy.shape[1], 0.65 * anatomy.shape[2] + rng.normal(0, 2))
    cistern = _ball(grid, stem, (13.5, 15.0, 16.0)) + 0.5 * _smooth_noise(anatomy.shape, 2.0, rng)
    tissue = _paint(tissue, np.maximum(cistern, 0.5 - inside), values["fluid"])
    return _paint(tissue, _ball(grid, stem, (10.0, 11.5, 12.5)), values["stem"])


def _fold(side: Volume, up: Volume, y: Volume, number: int, rng: np.random.Generator) -> Volume:
    """A band of cortex under the hippocampus; the first one curls up and touches its medial edge."""
    curl = (0.055, 0.02, -0.02)[number] + rng.normal(0, 0.008)
    phase, wave = rng.uniform(0, 2 * np.pi), rng.uniform(0.5, 2.0)
    middle = -8.5 - 8.0 * number + curl * np.maximum(side + 2, 0) ** 2 + wave * np.sin(y / 5 + side / 7 + phase)
    return np.abs(up - middle) - rng.uniform(1.5, 2.8)


def _amygdala(anatomy: _Anatomy, grid: tuple[Volume, ...], rng: np.random.Generator) -> Volume:
    """Grey matter in front of and above the head, which it touches."""
    centre = (anatomy.centre[0] + 2.0, anatomy.front + 1.0, anatomy.centre[1] + 6.0)
    return _ball(grid, tuple(rng.normal(centre, 0.8)), tuple(rng.normal((7.0, 6.0, 4.5), 0.5)))


def _horn(anatomy: _Anatomy, grid: tuple[Volume, ...], side: Volume, up: Volume, rng: np.random.Generator) -> Volume:
    """Fluid over the hippocampus and on its lateral side, of uneven thickness."""
    uneven = 0.8 * _smooth_noise(anatomy.shape, 3.0, rng)
    shell = _tube(anatomy, *grid, swell=anatomy.horn) + uneven
    return np.maximum(shell, 0.4 * side - up)


def _label(anatomy: _Anatomy, inside: Volume, rng: np.random.Generator) -> NDArray[np.uint8]:
    """0 outside, 1 in front of a coronal plane, 2 behind; drawn with a rater's unsteady hand."""
    drawn = inside + 0.22 * _smooth_noise(anatomy.shape, 1.5, rng) < 0
    plane = anatomy.front - anatomy.split * anatomy.length + rng.normal(0, 0.35)
    posterior = np.arange(anatomy.shape[1])[None, :, None] < plane
    return (drawn * np.where(posterior, 2, 1)).astype(np.uint8)


def _scan(tissue: Volume, rng: np.random.Generator) -> NDArray[np.generic]:
    """The image that a scanner would give: blurred, texture, uneven coil, Rician noise, a scale of its own."""
    bias = np.exp(0.08 * _smooth_noise(tissue.shape, 12.0, rng))
    signal = gaussian_filter(tissue, 0.45) * bias + 0.03 * _smooth_noise(tissue.shape, 0.8, rng)
    level = rng.uniform(0.05, 0.09)
    noisy = np.hypot(signal + level * rng.standard_normal(tissue.shape), level * rng.standard_normal(tissue.shape))
    kind, factor, _ = _SCALES[rng.choice(len(_SCALES), p=[share for *_, share in _SCALES])]
    scaled = noisy * factor * rng.uniform(0.7, 1.3)
    return np.clip(scaled, 0, 255).astype(np.uint8) if kind == "uint8" else scaled.astype(np.float32)
