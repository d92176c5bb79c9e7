"""The images of an inference: a folder of NIfTI files. No torch here."""

from __future__ import annotations

from pathlib import Path

from ..errors import UserError
from .dataset import SUFFIXES, case_id, is_litter, refuse_repeated, what_it_is


def find_images(folder: str | Path) -> list[dict[str, str]]:
    """MONAI's items `{"image": path, "case": id}` of a folder of NIfTI images, or of an MSD folder's `imagesTs`.

    Raises:
        UserError: no folder, no image in it, or two images of one case.
    """
    root = Path(folder)
    if not root.is_dir():
        raise UserError(f"a folder of images is needed, but {root} is {what_it_is(root)}; check the path")
    is_msd = (root / "dataset.json").is_file()
    images = _nifti_files(root / "imagesTs" if is_msd else root)
    if not images:
        raise UserError(_no_images(root, is_msd))
    refuse_repeated([case_id(path) for path in images], f"{root}: images of one case")
    return [{"image": str(path), "case": case_id(path)} for path in images]


def _no_images(root: Path, is_msd: bool) -> str:
    if is_msd:
        return f"MSD folder {root} has no test images (imagesTs/*.nii.gz); give a folder of images, as {root}/imagesTr"
    return f"{root} has no image (*.nii.gz or *.nii); give the folder that holds the NIfTI files itself"


def _nifti_files(folder: Path) -> list[Path]:
    files = folder.iterdir() if folder.is_dir() else iter(())
    return sorted((path for path in files if path.name.endswith(SUFFIXES) and not is_litter(path)), key=case_id)
