"""Fine-tuning of a bundle's own weights on labels that annotators have corrected."""

from .publish import PublishWeights
from .started_by import started_by_monailabel
from .weights import architecture_to_train, mirror_axes_to_train, patch_size_to_train, require_weights

__all__ = [
    "PublishWeights",
    "architecture_to_train",
    "mirror_axes_to_train",
    "patch_size_to_train",
    "require_weights",
    "started_by_monailabel",
]
