"""The networks: one U-Net skeleton, the derived network and the supernet built on it."""

from .adw_unet import AdwUNet
from .placement import placed
from .supernet import AdwUNetSupernet

__all__ = ["AdwUNet", "AdwUNetSupernet", "placed"]
