"""Resampling of images whose data hold texts beside them."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

from monai.transforms import Spacingd


class SpacingOfImagesd(Spacingd):
    """MONAI's `Spacingd`, except that what an image's metadata cannot be is left alone.

    Since MONAI 1.6.0 `Spacingd` calls `update` on every item whose key begins with that of an image, as that of
    `image_meta_dict` does. MONAI Label puts the text `image_path` there.
    """

    def __call__(self, data: Mapping[Hashable, Any], lazy: bool | None = None) -> dict[Hashable, Any]:
        """data[key]: (C, *spatial) -> the same at the spacing; all other items as they are."""
        hidden = {key: value for key, value in data.items() if self._hides(key, value)}
        shown = {key: value for key, value in data.items() if key not in hidden}
        return {**super().__call__(shown, lazy=lazy), **hidden}

    def _hides(self, key: Hashable, value: Any) -> bool:
        beside = any(str(key).startswith(f"{own}_") for own in self.keys)
        return beside and key not in self.keys and not isinstance(value, dict)
