"""The images of an inference: a folder of NIfTI files. No torch here."""

from __future__ import annotations

import logging
from pathlib import Path

from ..errors import UserError
from .dataset import case_id, is_litter, is_nifti, refuse_repeated, some, what_it_is

logger = logging.getLogger(__name__)


def find_images(folder: str | Path) -> list[dict[str, str]]:
    """MONAI's items `{"image": path, "case": id}` of a folder of NIfTI images, or of an MSD folder's `imagesTs`.

    Other files in it are named in a warning.

    Raises:
        UserError: no folder, no image in it, or two images of one case.
    """
    root = Path(folder)
    if not root.is_dir():
        raise UserError(f"a folder of images is needed, but {root} is {what_it_is(root)}; check the path")
    is_msd = (root / "dataset.json").is_file()
    images, others = _files(root / "imagesTs" if is_msd else root)
    if not images:
        raise UserError(_no_images(root, is_msd, others))
    if others:
        logger.warning("%s: left out, since they are no NIfTI files (.nii.gz, .nii): %s", root, some(others))
    refuse_repeated([case_id(path) for path in images], f"{root}: images of one case")
    return [{"image": str(path), "case": case_id(path)} for path in images]


def _no_images(root: Path, is_msd: bool, others: list[str]) -> str:
    if others:
        return f"{root} has no image (*.nii.gz or *.nii), but {some(others)}; convert them to NIfTI"
    if is_msd:
        return f"MSD folder {root} has no test images (imagesTs/*.nii.gz); give a folder of images, as {root}/imagesTr"
    return f"{root} has no image (*.nii.gz or *.nii); give the folder that holds the NIfTI files itself"


def _files(folder: Path) -> tuple[list[Path], list[str]]:
    """The NIfTI files of a folder, by case, and the names of its other files."""
    files = sorted(path for path in (folder.iterdir() if folder.is_dir() else ()) if not is_litter(path))
    others = [path.name for path in files if not is_nifti(path) and path.is_file() and not path.name.startswith(".")]
    return sorted(filter(is_nifti, files), key=case_id), others
