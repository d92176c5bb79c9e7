"""Write a label map with the header of the image that it belongs to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from monai.data import NibabelWriter

from ..files import replacing


class ImageHeaderWriter(NibabelWriter):
    """MONAI's NIfTI writer, except that the header is that of the source image.

    For `SaveImaged(writer=...)` after `Invertd`, when the prediction is on the image's own grid again: orientation
    codes, units and both affines stay as the scanner wrote them; the data type becomes uint8. The file appears
    whole or not at all.
    """

    def set_metadata(self, meta_dict: Any = None, resample: bool = True, **options: Any) -> None:
        """Remember the source image, and do what `NibabelWriter` does."""
        super().set_metadata(meta_dict, resample, **options)
        self.source = None if meta_dict is None else meta_dict.get("filename_or_obj")

    def write(self, filename: Any, verbose: bool = False, **obj_kwargs: Any) -> None:
        """Write the label map to `filename`."""
        with replacing(filename) as temporary:
            nib.save(self._image(np.asarray(self.data_obj).astype(np.uint8)), temporary)

    def _image(self, labels: np.ndarray) -> nib.Nifti1Image:
        source: Any = nib.load(self.source) if self.source and Path(self.source).exists() else None
        if source is None or labels.size != np.prod(source.shape[:3]):
            return nib.Nifti1Image(labels, self.affine)
        header = source.header.copy()
        header.set_data_dtype(np.uint8)
        header.set_slope_inter(1, 0)
        return nib.Nifti1Image(labels.reshape(source.shape[:3]), None, header)
