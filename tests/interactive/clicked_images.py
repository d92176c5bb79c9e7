"""NIfTI images of any orientation with a bright voxel to click on, and the preprocessing of a bundle with guidance."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import permutations, product
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import torch
from monai.bundle import ConfigParser
from monai.transforms import Compose
from nibabel.affines import apply_affine
from scipy.spatial.transform import Rotation

CONFIG = Path(__file__).parents[2] / "bundles/hippocampus_mri_adwunet_segmentation/configs/inference.json"
GUIDANCE = "adw_components.interactive.click_guidance.AddClickGuidanced"
BRIGHT = 30.0

ORIENTATIONS = tuple("".join(code) for axes in permutations(("LR", "PA", "IS")) for code in product(*axes))
Point = tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class ClickedImage:
    """A stored image: zeros around a block of noise, in which one voxel is bright."""

    path: Path
    point: Point
    first: Point
    last: Point

    @property
    def affine(self) -> np.ndarray:
        """Voxel -> world, as nibabel reads it."""
        return nib.load(self.path).affine

    @property
    def shape(self) -> Point:
        """Voxels per stored axis."""
        return nib.load(self.path).shape[:3]

    @property
    def ras_spacing(self) -> tuple[float, ...]:
        """Spacing after turning the axes, as nibabel does it."""
        canonical = nib.as_closest_canonical(nib.load(self.path))
        return tuple(np.linalg.norm(canonical.affine[:3, :3], axis=0).tolist())


def affine_of(code: str, spacing: Sequence[float], angles: Sequence[float], origin: Sequence[float]) -> np.ndarray:
    """Affine of an orientation such as "RAS", turned by `angles` (degrees) after that."""
    world = {"R": (0, 1), "L": (0, -1), "A": (1, 1), "P": (1, -1), "S": (2, 1), "I": (2, -1)}
    axes = np.zeros((3, 3))
    for column, letter in enumerate(code):
        row, sign = world[letter]
        axes[row, column] = sign * spacing[column]
    affine = np.eye(4)
    affine[:3, :3] = Rotation.from_euler("xyz", angles, degrees=True).as_matrix() @ axes
    affine[:3, 3] = origin
    return affine


def write_image(path: Path, code: str, seed: int, *, oblique: bool = False, channels: int = 0) -> ClickedImage:
    """A small image with random sizes, borders, spacing, origin and bright voxel."""
    draw = np.random.default_rng(seed)
    borders, core = draw.integers(0, 4, (2, 3)), draw.integers(5, 9, 3)
    first = borders[0]
    point = tuple(int(index) for index in first + draw.integers(0, core))
    values = np.zeros((*(borders.sum(axis=0) + core), *([channels] if channels else [])), np.float32)
    block = tuple(slice(start, start + size) for start, size in zip(first, core, strict=True))
    values[block] = draw.uniform(1, 2, values[block].shape)
    values[point] = BRIGHT
    angles = draw.uniform(-20, 20, 3) if oblique else (0, 0, 0)
    affine = affine_of(code, draw.uniform(0.4, 4, 3), angles, draw.uniform(-300, 300, 3))
    image = nib.Nifti1Image(values, affine)
    image.set_sform(affine, 1)
    image.set_qform(affine, 1)
    nib.save(image, path)
    last = tuple(int(index) for index in first + core - 1)
    return ClickedImage(path=path, point=point, first=tuple(int(index) for index in first), last=last)


def pipelines(
    spacing: Sequence[float], *, sigma: float = 1.5, reader: str | None = None, channels: int = 1
) -> tuple[Compose, Compose]:
    """The bundle's preprocessing with guidance at its end, and its way back to the stored grid."""
    bundle = json.loads(CONFIG.read_text())
    load, *steps = bundle["preprocessing"]["transforms"]
    guidance = {"_target_": GUIDANCE, "keys": "image", "labels": "@labels", "sigma": sigma}
    back = [step for step in bundle["postprocessing"]["transforms"] if step["_target_"] == "Invertd"]
    config = {key: value for key, value in bundle.items() if "_target_" not in str(value)}
    config |= {
        "spacing": list(spacing),
        "in_channels": channels,
        "normalization": bundle["normalization"] * channels,
        "preprocessing": {"_target_": "Compose", "transforms": [{**load, "reader": reader}, *steps, guidance]},
        "postprocessing": {"_target_": "Compose", "transforms": back},
    }
    parser = ConfigParser(config)
    return parser.get_parsed_content("preprocessing"), parser.get_parsed_content("postprocessing")


def peak(channel: Any) -> Point:
    """Voxel of the largest value, which must be the only one."""
    values = np.asarray(channel)
    assert (values == values.max()).sum() == 1
    return tuple(int(index) for index in np.unravel_index(values.argmax(), values.shape))


def nearest_voxel(stored: ClickedImage, point: tuple, image: torch.Tensor) -> tuple[int, ...]:
    """Of all voxels of the preprocessed image the one with its centre nearest to the clicked one's, millimetres."""
    voxels = np.stack(np.indices(image.shape[1:]), axis=-1).reshape(-1, 3)
    centres = apply_affine(image.affine.numpy(), voxels)
    away = np.linalg.norm(centres - apply_affine(stored.affine, point), axis=1)
    nearest = voxels[away < away.min() + 1e-4]
    return tuple(nearest[0].tolist())  # in a tie the lowest index, which np.indices gives first
