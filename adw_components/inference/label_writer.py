"""Write a label map with the header of the image that it belongs to."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from monai.config import KeysCollection
from monai.data import NibabelWriter
from monai.transforms import SaveImaged

from ..data.dataset import case_id
from ..files import replacing


class ImageHeaderWriter(NibabelWriter):
    """MONAI's NIfTI writer, except that the header is that of the source image.

    For `SaveLabelMapd` after `Invertd`, when the prediction is on the image's own grid again: orientation codes, units
    and both affines stay as the scanner wrote them; the data type becomes uint8. The file appears whole or not at all.

    Args:
        failures: to which an `OSError` is added that ends the writing.
        options: of `NibabelWriter`.
    """

    def __init__(self, failures: list[OSError], **options: Any) -> None:
        super().__init__(**options)
        self._failures = failures

    def set_metadata(self, meta_dict: Any = None, resample: bool = True, **options: Any) -> None:
        """Remember the source image, and do what `NibabelWriter` does."""
        super().set_metadata(meta_dict, resample, **options)
        self.source = None if meta_dict is None else meta_dict.get("filename_or_obj")

    def set_data_array(
        self, data_array: Any, channel_dim: int | None = 0, squeeze_end_dims: bool = False, **options: Any
    ) -> None:
        """Take the label map, (1, *spatial), with all its axes: MONAI's writer drops last ones of one voxel."""
        super().set_data_array(data_array, channel_dim, squeeze_end_dims=False, **options)
        self.data_obj = self.data_obj[..., 0]

    def write(self, filename: Any, verbose: bool = False, **obj_kwargs: Any) -> None:
        """Write the label map to `filename`."""
        try:
            with replacing(filename) as temporary:
                nib.save(self._image(np.asarray(self.data_obj).astype(np.uint8)), temporary)
        except OSError as error:
            self._failures.append(error)
            raise

    def _image(self, labels: np.ndarray) -> nib.Nifti1Image:
        source: Any = nib.load(self.source) if self.source and Path(self.source).exists() else None
        if source is None or labels.size != np.prod(source.shape[:3]):
            return nib.Nifti1Image(labels, self.affine)
        header = source.header.copy()
        header.set_data_dtype(np.uint8)
        header.set_slope_inter(1, 0)
        return nib.Nifti1Image(labels.reshape(source.shape[:3]), None, header)


class SaveLabelMapd(SaveImaged):
    """Save label maps as NIfTI files that have the names of their images' cases and their images' headers.

    MONAI's `SaveImaged`, which MONAI Label leaves out as such, but for three things: the header, the ending .nii.gz of
    images whose own has capitals, and that an `OSError` of the writer, such as a full disk, is raised as it is.

    Args:
        keys: of the label maps, (1, *spatial) on the grids of their images.
        output_dir: folder of the files.
    """

    def __init__(self, keys: KeysCollection, output_dir: str | Path) -> None:
        self._failures: list[OSError] = []
        super().__init__(
            keys,
            output_dir=output_dir,
            output_postfix="",
            output_ext=".nii.gz",
            output_name_formatter=_file_of_case,
            separate_folder=False,
            resample=False,
            output_dtype=np.uint8,
            print_log=False,
        )
        self.saver.writers = (partial(ImageHeaderWriter, failures=self._failures),)

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Write data[key] of every key, and return `data`."""
        try:
            return super().__call__(data)
        except RuntimeError as error:  # in which MONAI keeps the text of what its writers raised, but not the error
            if self._failures:
                raise self._failures.pop() from error
            raise


def _file_of_case(meta_dict: Any, saver: Any) -> dict[str, Any]:
    return {"subject": f"{case_id(meta_dict['filename_or_obj'])}.nii.gz"}
