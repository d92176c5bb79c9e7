"""Search, derive and retrain U-Nets (AdwU-Net) through MONAI bundles."""

__version__ = "0.6.0"
