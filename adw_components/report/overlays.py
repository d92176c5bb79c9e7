"""Contours of label and prediction on three orthogonal slices of a case."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import nibabel as nib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from .figures import INK, inline_svg
from .records import Case, Evaluation

# Bright on grey images in light and in dark mode.
CLASS_COLOURS = ("#ff9f1c", "#2ec4ff", "#7ddf64", "#ff5d8f", "#ffe14d", "#b388ff")
N_CASES = 3
_MARGIN_MM = 6.0
View = tuple[str, int, int, int, str]
Pair = tuple[float, float]
Field = tuple[tuple[float, ...], float]
# Slicing axis, then the axes shown across and up, in RAS order; the letters stand left, right, bottom, top.
_VIEWS: tuple[View, ...] = (("axial", 2, 0, 1, "RLPA"), ("coronal", 1, 0, 2, "RLIS"), ("sagittal", 0, 1, 2, "APIS"))


@dataclass(frozen=True)
class Volumes:
    """One case in RAS orientation; `spacing` in mm per axis."""

    image: np.ndarray
    label: np.ndarray
    prediction: np.ndarray
    spacing: tuple[float, ...]


def best_and_worst(cases: Sequence[Case]) -> tuple[list[Case], list[Case]]:
    """Up to three cases each of highest and of lowest mean Dice, no case twice."""
    ranked = sorted((case for case in cases if case.mean_dice is not None), key=lambda case: -(case.mean_dice or 0.0))
    best = ranked[: min(N_CASES, (len(ranked) + 1) // 2)]
    return best, ranked[len(best) :][-N_CASES:][::-1]


def missing_files(case: Case) -> list[Path]:
    """The files of `case` that are not there."""
    return [path for path in (case.image, case.label, case.prediction) if not path.is_file()]


def overlay_figure(case: Case, evaluation: Evaluation) -> str:
    """The SVG of one case: axial, coronal and sagittal slice where the label has most foreground, at one scale.

    Raises:
        OSError, ValueError: an image cannot be read, or the three lie on different grids.
    """
    volumes = load_volumes(case)
    field = field_of_view(volumes)
    shown = [view for view in _VIEWS if min(volumes.image.shape[view[2]], volumes.image.shape[view[3]]) > 1]
    figure = Figure(figsize=(2.6 * len(shown), 2.85), layout="constrained")
    for index, view in enumerate(shown, start=1):
        axes = figure.add_subplot(1, len(shown), index)
        _slice(axes, volumes, view, field, evaluation.labels)
    title = f"Slices of {case.case} with the contours of label and prediction"
    return inline_svg(figure, name=f"overlay {case.case}", title=title)


def load_volumes(case: Case) -> Volumes:
    """The three images of `case`, axes turned to RAS; only the first channel of a multi-channel image."""
    image, label, prediction = (_canonical(path) for path in (case.image, case.label, case.prediction))
    arrays = [_volume(found) for found in (image, label, prediction)]
    shapes = [array.shape for array in arrays]
    if len(set(shapes)) > 1:
        raise ValueError(f"image, label and prediction must have the same shape, got {shapes}")
    spacing = tuple(float(length) for length in image.header.get_zooms()[:3])
    return Volumes(arrays[0], arrays[1], arrays[2], (*spacing, 1.0)[:3])


def _canonical(path: Path) -> nib.Nifti1Image:
    try:
        return nib.as_closest_canonical(nib.load(path))
    except nib.filebasedimages.ImageFileError as error:
        raise ValueError(str(error)) from error


def _volume(image: nib.Nifti1Image) -> np.ndarray:
    array = np.asanyarray(image.dataobj)
    return np.atleast_3d(array[..., 0] if array.ndim > 3 else array)


def fullest_slice(label: np.ndarray, axis: int) -> int:
    """Index along `axis` of the slice with most foreground; the middle one if there is none."""
    counts = (label > 0).sum(axis=tuple(other for other in range(3) if other != axis))
    return int(counts.argmax()) if counts.any() else label.shape[axis] // 2


def field_of_view(volumes: Volumes) -> Field:
    """Middle in mm per axis and half the side of the square that shows the whole label, or else the prediction."""
    foreground = volumes.label > 0 if (volumes.label > 0).any() else volumes.prediction > 0
    bounds = [_bounds(foreground, axis) for axis in range(3)]
    middle = tuple((start + end) / 2 * step for (start, end), step in zip(bounds, volumes.spacing, strict=True))
    longest = max((end - start) * step for (start, end), step in zip(bounds, volumes.spacing, strict=True))
    return middle, longest * 0.6 + _MARGIN_MM


def _bounds(foreground: np.ndarray, axis: int) -> tuple[int, int]:
    found = np.flatnonzero(foreground.any(axis=tuple(other for other in range(3) if other != axis)))
    return (int(found[0]), int(found[-1]) + 1) if len(found) else (0, foreground.shape[axis])


def _slice(axes: Axes, volumes: Volumes, view: View, field: Field, labels: Mapping[int, str]) -> None:
    name, through, across, up, letters = view
    index = fullest_slice(volumes.label if (volumes.label > 0).any() else volumes.prediction, through)
    # Transposed, since rows run upward.
    image, label, prediction = (
        np.take(array, index, axis=through).T for array in (volumes.image, volumes.label, volumes.prediction)
    )
    step = (volumes.spacing[across], volumes.spacing[up])
    middle, half = (field[0][across], field[0][up]), field[1]
    _grey(axes, image, step, middle, half)
    for colour, value in zip(itertools.cycle(CLASS_COLOURS), labels):
        _contours(axes, label == value, step, colour, "dashed")
        _contours(axes, prediction == value, step, colour, "solid")
    # Seen as radiologists do: the patient's right, or front, on the left.
    axes.set(xlim=(middle[0] + half, middle[0] - half), ylim=(middle[1] - half, middle[1] + half), aspect="equal")
    axes.set_title(f"{name}, slice {index}", fontsize=9, color=INK)
    _frame(axes, letters)


def _grey(axes: Axes, image: np.ndarray, step: Pair, middle: Pair, half: float) -> None:
    """Draw the part of `image` that the square shows: the page holds no voxel that is out of sight."""
    left, right = _visible(middle[0], half, step[0], image.shape[1])
    bottom, top = _visible(middle[1], half, step[1], image.shape[0])
    extent = (left * step[0], right * step[0], bottom * step[1], top * step[1])
    part = image[bottom:top, left:right].astype(float)
    low, high = np.percentile(part, (0.5, 99.5))
    limits = {"vmin": low, "vmax": max(high, low + 1e-6)}
    axes.imshow(part, cmap="gray", origin="lower", extent=extent, interpolation="none", **limits)


def _visible(middle: float, half: float, step: float, size: int) -> tuple[int, int]:
    return max(0, int((middle - half) // step)), min(size, int((middle + half) // step) + 1)


def _contours(axes: Axes, mask: np.ndarray, step: Pair, colour: str, style: str) -> None:
    if not mask.any():
        return
    # A border of background closes the contours at the edge of the image.
    part = np.pad(mask.astype(float), 1)
    x, y = ((np.arange(-1, size + 1) + 0.5) * length for size, length in zip(mask.shape[::-1], step, strict=True))
    axes.contour(x, y, part, levels=[0.5], colors=[colour], linewidths=1.3, linestyles=[style])


def _frame(axes: Axes, letters: str) -> None:
    axes.set_facecolor("black")
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set_visible(False)
    places = ((0.05, 0.5), (0.95, 0.5), (0.5, 0.05), (0.5, 0.95))
    for letter, (x, y) in zip(letters, places, strict=True):
        axes.text(x, y, letter, transform=axes.transAxes, ha="center", va="center", fontsize=8, color="#f0f0f0")
