"""The check of a NIfTI header, before any voxel is read, and how far two affines lie apart. No torch here.

The affine of a file is nibabel's everywhere: the sform if it has a code, else the qform.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import nibabel
import numpy as np
from nibabel.affines import apply_affine, voxel_sizes
from nibabel.orientations import io_orientation
from numpy.typing import NDArray

Affine = NDArray[np.float64]
# What is wrong, and what to do about it.
Problem = tuple[str, str]

# How far, in voxels, two affines may put a corner of one volume apart. The qform's quaternion of 32 bits costs
# hundredths of a voxel; a label that is off by more no longer lies on its image.
AFFINE_TOLERANCE = 0.1
# gzip (deflate) makes no more than this out of a byte.
_MOST_INFLATION = 1032
# Voxels of another unit than mm are off by 1000 on every axis; no two scanners differ by as much as this.
_FAR_SPACING = 50
_FAR_SPACING_OF_AN_AXIS = 1000
# A volume that grows to more voxels than this takes gigabytes for each of its copies.
_MANY_VOXELS = 2**31
_MANY_FOR_A_SMALL_FILE = 10**8
_MUCH_GROWTH = 1000
_NO_DIRECTION = ("the affine has no direction for some axis", "mend the header")


def size_problem(header: Any, *, file_bytes: int, compressed: bool) -> Problem | None:
    """Return what is wrong with a header's shape and data type, such as more voxels than its file can hold.

    Args:
        header: nibabel's.
        file_bytes: size of the file.
        compressed: whether it is a gzip file.
    """
    shape, dtype = tuple(int(size) for size in header.get_data_shape()), header.get_data_dtype()
    if dtype.kind not in "biuf" or len(shape) < 2:
        return f"must be a volume of real numbers, got type {dtype} and shape {shape}", "convert it"
    if min(shape) < 1:
        return f"an axis has no voxel (shape {shape})", "mend the header or export the image again"
    claimed = math.prod(shape) * dtype.itemsize
    held = file_bytes * (_MOST_INFLATION if compressed else 1)
    if claimed > held:
        problem = f"cannot be read as NIfTI: shape {shape} takes {claimed} bytes, but the file holds at most {held}"
        return problem, "download or convert it again"
    return None


def pixdim_problem(header: Any) -> Problem | None:
    """Return what is wrong with the voxel sizes of a header as it is stored, where the affine is made of them."""
    sizes = header["pixdim"][1:4][: len(header.get_data_shape())]
    return None if header["sform_code"] > 0 or sizes.all() else _NO_DIRECTION


def affine_problem(affine: Affine) -> Problem | None:
    """Return what is wrong with an affine: it holds no numbers, or gives no direction for an axis."""
    if not np.isfinite(affine).all():
        held = "NaN" if np.isnan(affine).any() else "an infinite number"
        return f"the affine holds {held}", "mend the header"
    sizes = voxel_sizes(affine)
    # Of unit columns the determinant is the volume that they span: 1 if perpendicular, 0 if one lies in the others'.
    if not sizes.all() or abs(np.linalg.det(affine[:3, :3] / sizes)) < 1e-3:
        return _NO_DIRECTION
    return None


def unit_problem(header: Any, affine: Affine) -> Problem | None:
    """Return what is wrong with the unit of length that a header names; none is taken for mm."""
    try:
        unit = header.get_xyzt_units()[0]
    except (AttributeError, KeyError):  # a code that NIfTI does not know
        return None
    if unit not in ("micron", "meter"):
        return None
    named = "micrometres" if unit == "micron" else "metres"
    return f"the header gives sizes in {named} ({_listed(voxel_sizes(affine))})", "convert the header to millimetres"


def spacing_problem(
    shape: Sequence[int], spacing: Sequence[float], target: Sequence[float], whose: str
) -> Problem | None:
    """Return what is wrong with a volume to resample: a spacing of another unit, or a grid that takes gigabytes.

    Args:
        shape: voxels per axis.
        spacing: mm per axis.
        target: mm per axis, the axes in the same order.
        whose: the target is, for the message.
    """
    ratios = np.asarray(spacing, float) / np.asarray(target, float)
    nearest = float(np.maximum(ratios, 1 / ratios).min())
    one_sided = bool((ratios > 1).all() or (ratios < 1).all())
    farthest = float(np.maximum(ratios, 1 / ratios).max())
    if (one_sided and nearest > _FAR_SPACING) or farthest > _FAR_SPACING_OF_AN_AXIS:
        problem = f"spacing {_listed(spacing)} mm is far from {whose} {_listed(target)} mm"
        return problem, "mend the sizes in the header, which must be in mm"
    stored = math.prod(shape)
    grown = math.prod(max(1.0, size * ratio) for size, ratio in zip(shape, ratios, strict=True))
    many = grown > _MANY_VOXELS and grown > 2 * stored
    if many or (grown > _MUCH_GROWTH * stored and grown > _MANY_FOR_A_SMALL_FILE):
        problem = (
            f"spacing {_listed(spacing)} mm and shape {tuple(shape)} give {grown:.2g} voxels at {whose} "
            f"{_listed(target)} mm"
        )
        return problem, "mend the sizes in the header, or crop the image"
    return None


def ras_order(affine: Affine) -> list[int]:
    """Return the stored axes in their order after the reorientation to RAS, for an affine without problem."""
    return [int(axis) for axis in np.argsort(io_orientation(affine)[:, 0])]


def form_warning(header: Any, shape: Sequence[int]) -> Problem | None:
    """Return a warning if a header's two affines disagree and both have a code: programs differ in their choice."""
    try:
        forms = [get(coded=True)[0] for get in (header.get_sform, header.get_qform)]
    except (AttributeError, ValueError, nibabel.spatialimages.HeaderDataError):  # no quaternion: there is no choice
        return None
    if any(form is None or affine_problem(form) for form in forms):
        return None
    apart = voxels_apart(forms[0], forms[1], shape)
    if apart <= AFFINE_TOLERANCE:
        return None
    return (
        f"sform and qform differ by up to {apart:.3g} voxels; the sform is used",
        "make sure that it is the right one, and write it as the qform too",
    )


def voxels_apart(affine: Affine, other: Affine, shape: Sequence[int]) -> float:
    """Measure, in voxels of `affine`, how far apart two affines put the corner that they put farthest apart."""
    shifts = np.linalg.solve(affine[:3, :3], _corner_shifts(affine, other, shape).T)
    return float(np.linalg.norm(shifts, axis=0).max())


def millimetres_apart(affine: Affine, other: Affine, shape: Sequence[int]) -> float:
    """Measure, in mm, how far apart two affines put the corner that they put farthest apart."""
    return float(np.linalg.norm(_corner_shifts(affine, other, shape), axis=1).max())


def _corner_shifts(affine: Affine, other: Affine, shape: Sequence[int]) -> Affine:
    corners = np.array(list(np.ndindex(2, 2, 2))) * (np.array((*shape, 1)[:3]) - 1)
    return np.asarray(apply_affine(np.asarray(affine) - np.asarray(other), corners))


def _listed(sizes: Sequence[float] | Affine) -> str:
    return " x ".join(f"{size:.4g}" for size in sizes)
