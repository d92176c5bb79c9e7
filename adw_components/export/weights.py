"""The weights that an exported bundle ships: which they are, and whether they are its network's."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from textwrap import shorten
from typing import Any

import torch
from monai.bundle import ConfigParser
from torch import nn

from ..engines.checkpoint import load_torch
from ..errors import UserError, user_error_behind
from ..inference import architecture_of, patch_size_of, require_same_preparation
from ..run_files import settings_beside
from .large_files import hash_of
from .source import ExportSource

# What decides how an image looks to the network; a retraining and the bundle must agree on it.
_PREPARATION = ("in_channels", "labels", "spacing", "normalization", "guidance_sigma")
_OF_THE_MACHINE = ("device", "num_workers", "split_file", "cache_dir", "output_dir", "dataset_dir", "model_dir")


@dataclass(frozen=True, kw_only=True)
class Weights:
    """Weights that fit the bundle's network.

    Attributes:
        content: of model.pt, a bare state dict.
        architecture: the record that they belong to.
        patch_size: that they were trained with.
        settings: of their retraining, but for what is of its machine; empty where they are not known.
        own: whether they are those of which the bundle's metadata and documents speak.
    """

    content: bytes
    architecture: Path
    patch_size: tuple[int, ...]
    settings: Mapping[str, Any]
    own: bool


def own_weights(source: ExportSource) -> Path:
    """Where a bundle has its weights, if it ships any."""
    return source.folder / "models" / "model.pt"


def stated_metrics(source: ExportSource, path: Path) -> Mapping[str, Any] | None:
    """What the bundle's metadata say of these very weights; None if they speak of others, or of none."""
    stated = source.metadata.get("eval_metrics") or {}
    known = stated.get("weights_sha256")
    return stated if known is not None and path.is_file() and known == hash_of(path, "sha256") else None


def read_weights(path: Path, source: ExportSource) -> Weights:
    """Read the weights of a retraining, with the `architecture.json` and `settings.json` beside them.

    Raises:
        UserError: the file is no bare state dict, belongs to another architecture, has other channels, or was trained
            on images that were prepared otherwise.
    """
    tensors = _state_dict(path)
    config = source.configs["inference"]
    architecture = Path(architecture_of(model_dir=path.parent, shipped=source.folder / "configs" / "architecture.json"))
    settings = {name: config[name] for name in _PREPARATION if name in config}
    require_same_preparation(model_dir=path.parent, settings=settings)
    network = _network(source, architecture)
    _load(network, tensors, path, source.name)
    shipped = config.get("shipped_patch_size", ())
    patch_size = tuple(patch_size_of(model_dir=path.parent, shipped=shipped))
    return Weights(
        content=saved_bytes(network.state_dict()),
        architecture=architecture,
        patch_size=patch_size,
        settings=of_any_machine(settings_beside(path.parent)),
        own=stated_metrics(source, path) is not None,
    )


def of_any_machine(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings of a run without the paths and the number of workers of the machine that it was on."""
    return {name: value for name, value in settings.items() if name not in _OF_THE_MACHINE}


def _state_dict(path: Path) -> Mapping[str, torch.Tensor]:
    content = load_torch(path)
    if isinstance(content, Mapping) and content and all(isinstance(item, torch.Tensor) for item in content.values()):
        return content
    beside = "the checkpoint of a run" if isinstance(content, Mapping) and "network" in content else "of another kind"
    raise UserError(f"weights must be a bare state dict, but {path} is {beside}; give the model.pt of a retraining")


def _network(source: ExportSource, architecture: Path) -> nn.Module:
    """The network of inference.json, built from another architecture if need be."""
    parser = ConfigParser()
    parser.read_config(source.folder / "configs" / "inference.json")
    parser["bundle_root"] = str(source.folder)
    if "architecture_path" in parser:
        parser["architecture_path"] = str(architecture)
    try:
        return parser.get_parsed_content("network_def")
    except Exception as error:
        mistake = user_error_behind(error)
        if mistake is None:
            raise
        raise mistake from error


def _load(network: nn.Module, tensors: Mapping[str, torch.Tensor], path: Path, name: str) -> None:
    try:
        network.load_state_dict(tensors)
    except UserError as error:
        raise UserError(f"{path}: {error}, as architecture.json beside the weights") from error
    except RuntimeError as error:
        first = shorten(str(error).strip().splitlines()[-1], 200)
        raise UserError(
            f"{path} does not fit the network of {name} ({first}); give weights of a retraining with this bundle"
        ) from error


def saved_bytes(state: Mapping[str, torch.Tensor]) -> bytes:
    """A state dict as torch.save writes it without a file, whose name it would keep: the same state, the same bytes."""
    content: dict[str, Any] = {name: value.detach().cpu().contiguous() for name, value in state.items()}
    stream = io.BytesIO()
    torch.save(content, stream)
    return stream.getvalue()
