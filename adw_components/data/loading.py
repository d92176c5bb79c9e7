"""Loading images and labels: with nibabel's affine, which the check and the planner go by too."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
from monai.config import KeysCollection
from monai.data import NibabelReader
from monai.transforms import LoadImaged
from monai.utils import MetaKeys, ensure_tuple

from ..errors import UserError, raise_limits
from .dataset import is_nifti
from .headers import AFFINE_TOLERANCE, voxels_apart
from .volumes import Report, Task, check_voxels, open_image, voxels_of


class NiftiReader(NibabelReader):
    """MONAI's reader of NIfTI files, except that the affine is nibabel's: the sform if it has a code, else the qform.

    MONAI's own takes the qform wherever the voxel sizes of the sform are not exactly those of the header.
    """

    def verify_suffix(self, filename: Any) -> bool:
        """Tell whether all files are NIfTI files by their names."""
        return all(is_nifti(name) for name in ensure_tuple(filename))

    def read(self, data: Any, **kwargs: Any) -> Any:
        """Open one file, or several that are stacked as channels."""
        self.filenames = ensure_tuple(data)
        images = [nibabel.load(name, **{**self.kwargs, **kwargs}) for name in self.filenames]
        return images if len(images) > 1 else images[0]

    def _get_array_data(self, img: Any, filename: Any) -> Any:
        # Not `filename`, which is the reader's and so of whichever thread read last.
        return voxels_of(Path(img.get_filename()), img)


class LoadNiftid(LoadImaged):
    """MONAI's `LoadImaged`, with `NiftiReader` for NIfTI files.

    Args:
        keys: of the paths.
        options: of `LoadImaged`.
    """

    def __init__(self, keys: KeysCollection, **options: Any) -> None:
        super().__init__(keys, **options)
        self._loader.register(NiftiReader())  # the last that knows a file's suffix is taken


class LoadCased(LoadNiftid):
    """Load an image and its label, which takes the image's affine where both agree within the tolerance of the check.

    Args:
        keys: of the image's and of the label's path.
        options: of `LoadImaged`.
    """

    def __call__(self, data: Mapping[Hashable, Any], reader: Any = None) -> dict[Hashable, Any]:
        """data[key]: path -> (*spatial) or (*spatial, C), both on one grid to the last bit."""
        loaded: dict[Hashable, Any] = super().__call__(data, reader)
        image, label = (loaded[key] for key in self.keys)
        apart = voxels_apart(np.asarray(image.affine), np.asarray(label.affine), label.shape)
        if apart <= AFFINE_TOLERANCE:
            label.affine = image.affine.clone()
            label.meta[MetaKeys.ORIGINAL_AFFINE] = image.meta[MetaKeys.ORIGINAL_AFFINE]
        return loaded


class LoadSoundImaged(LoadNiftid):
    """Load images with a `UserError` for what is no image of the task.

    MONAI Label runs a bundle's transforms but none of its checks: this is where a wrong image is refused.

    Args:
        keys: of the images' paths.
        in_channels: channels of an image; a file with `spatial_dims` axes has one, else its last axis holds them.
        spatial_dims: 2 or 3.
        spacing: mm per axis to which the image will be resampled.
        normalization: of every channel, the fields of a `Normalization`.
        options: of `LoadImaged`.
    """

    def __init__(
        self,
        keys: KeysCollection,
        in_channels: int,
        spatial_dims: int = 3,
        spacing: Any = (),
        normalization: Any = (),
        **options: Any,
    ) -> None:
        super().__init__(keys, **options)
        self.task = Task.of_bundle(
            in_channels=in_channels, spatial_dims=spatial_dims, spacing=spacing, normalization=normalization
        )

    def __call__(self, data: Mapping[Hashable, Any], reader: Any = None) -> dict[Hashable, Any]:
        """data[key]: path -> (*spatial) or (*spatial, C).

        Raises:
            UserError: a file is missing, unreadable, or no sound image of the task, as `check_images` has it.
        """
        paths = {key: Path(str(data[key])) for key in self.key_iterator(dict(data))}
        for key, path in paths.items():
            # A server gives an empty path for an image that it does not know.
            if not data[key] or not path.exists():
                raise UserError(f"{key} must be the path or the name of an image, got {str(data[key])!r}; check it")
            if is_nifti(path):
                _refuse(open_image(path, self.task)[1])
        try:
            loaded: dict[Hashable, Any] = super().__call__(data, reader)
        except Exception as error:  # whatever a damaged file makes the decoders raise
            raise_limits(error)
            names = ", ".join(path.name for path in paths.values())
            raise UserError(f"{names} cannot be read as an image; download or convert it again") from error
        for key, path in paths.items():
            _refuse(check_voxels(path, np.asarray(loaded[key]), self.task))
        return loaded


def _refuse(report: Report) -> None:
    """Raise a `UserError` with the first fault, by the file's bare name: whoever asked a server knows no more."""
    for fault in report.faults:
        raise UserError(f"{Path(fault.file).name}: {fault.problem}; {fault.remedy}")
