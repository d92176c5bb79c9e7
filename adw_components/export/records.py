"""The JSON files of an exported bundle, which say what its weights are. No torch here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..builder.layout import laid_out
from .configs import self_contained
from .source import ExportSource


def config_files(source: ExportSource, *, patch_size: Sequence[int]) -> dict[str, str]:
    """Path -> text of the configs, with the patch that the weights were trained with; empty leaves the bundle's."""
    files = {}
    for name, config in source.configs.items():
        own = self_contained(config)
        if patch_size and "shipped_patch_size" in own:
            own["shipped_patch_size"] = list(patch_size)
        files[f"configs/{name}.json"] = laid_out(own)
    return files


def metadata_text(
    metadata: Mapping[str, Any], *, patch_size: Sequence[int], eval_metrics: Mapping[str, Any] | None
) -> str:
    """metadata.json with the patch and the figures of the weights, where they are known."""
    result = dict(metadata)
    if patch_size:
        formats = metadata["network_data_format"]
        result["network_data_format"] = {part: _of_patch(tensors, patch_size) for part, tensors in formats.items()}
    if eval_metrics is not None:
        result["eval_metrics"] = dict(eval_metrics)
    return laid_out(result)


def _of_patch(tensors: Mapping[str, Any], patch_size: Sequence[int]) -> dict[str, Any]:
    shape = {"spatial_shape": list(patch_size)}
    return {name: {**tensor, **shape} if tensor.get("is_patch_data") else tensor for name, tensor in tensors.items()}
