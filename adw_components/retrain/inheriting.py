"""A retraining that starts from the weights of the supernet that its architecture was found in."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from ignite.engine import Engine, Events
from torch import nn

from ..architecture import Architecture
from ..distributed import unwrapped
from ..engines.checkpoint import load_torch
from ..errors import UserError
from ..networks import AdwUNet, AdwUNetSupernet
from ..networks.record_buffer import record_of
from ..search_space import SearchSpace


class InheritWeights:
    """Give a derived network the leading channels of the supernet's weights when a retraining starts.

    Args:
        network: the derived network, wrapped for several processes or not.
        supernet_path: `supernet.pt` of the search, which lies beside its `architecture.json`.
        architecture: of `network`.
        output_dir: folder of the run; one that goes on from its checkpoint has weights of its own.
    """

    def __init__(
        self, *, network: nn.Module, supernet_path: str | Path, architecture: Architecture, output_dir: str | Path
    ) -> None:
        self.network = network
        self.supernet_path = Path(supernet_path)
        self.architecture = architecture
        self.output_dir = Path(output_dir)

    def attach(self, engine: Engine) -> None:
        """Register on `engine`."""
        engine.add_event_handler(Events.STARTED, self)

    def __call__(self, engine: Engine) -> None:
        """Load the weights, unless the run goes on from its own."""
        if _has_begun(self.output_dir):
            return
        network = unwrapped(self.network)
        assert isinstance(network, AdwUNet)
        supernet = _supernet(self.supernet_path, network)
        network.load_state_dict(supernet.inherit(self.architecture).state_dict())


def supernet_beside(*, architecture_path: str | Path) -> str:
    """Where a search puts the supernet of the architecture at `architecture_path`."""
    return str(Path(architecture_path).with_name("supernet.pt"))


def require_supernet(
    *,
    supernet_path: str | Path,
    architecture: Architecture,
    in_channels: int,
    out_channels: int,
    output_dir: str | Path,
    fine_tunes: bool = False,
) -> None:
    """Raise a `UserError` unless the file is there and holds a supernet that can give the network to train.

    Args:
        supernet_path: the file.
        architecture: to train.
        in_channels: channels of an image.
        out_channels: classes, background included.
        output_dir: folder of the run; one that goes on from its checkpoint needs no supernet any more.
        fine_tunes: whether the run starts from trained weights, and so cannot start from others.
    """
    if fine_tunes:
        raise UserError("inherit and fine_tuning each say from which weights to start; give one of them")
    if _has_begun(Path(output_dir)):
        return
    if not Path(supernet_path).exists():
        raise UserError(
            f"--inherit true starts from the supernet {supernet_path}, which does not exist; give the "
            "architecture.json that a search wrote as --architecture_path, or its supernet.pt as --supernet_path"
        )
    state = load_torch(Path(supernet_path))
    search_space = _search_space(state, supernet_path)
    channels = _channels(state, supernet_path)
    if channels != (in_channels, out_channels):
        raise UserError(
            f"{supernet_path} takes {channels[0]} channel(s) and tells {channels[1]} classes apart, this bundle "
            f"{in_channels} and {out_channels}; give the supernet.pt of a search of this bundle, or --inherit false"
        )
    if architecture not in search_space:
        raise UserError(
            f"the architecture to train is not in the search space of {supernet_path}; give the architecture.json "
            "beside it as --architecture_path, or --inherit false"
        )


def _supernet(path: Path, network: AdwUNet) -> AdwUNetSupernet:
    state = load_torch(path)
    search_space = _search_space(state, path)
    supernet = AdwUNetSupernet(search_space.spatial_dims, network.in_channels, network.out_channels, search_space)
    try:
        supernet.load_state_dict(state)
    except RuntimeError as error:
        raise _no_supernet(path) from error
    return supernet


def _has_begun(output_dir: Path) -> bool:
    return (output_dir / "checkpoint.pt").is_file()


def _search_space(state: Any, path: str | Path) -> SearchSpace:
    try:
        record = record_of(state) if isinstance(state, Mapping) else None
        if record is not None and "base_widths" in record:
            return SearchSpace.from_dict(record)
    except UserError as error:
        raise UserError(f"{path}: {error}") from error
    raise _no_supernet(path)


def _channels(state: Mapping[str, Any], path: str | Path) -> tuple[int, int]:
    """Of the supernet's image, and its classes."""
    first, last = state.get("encoder.0.layers.0.conv.weight"), state.get("heads.0.weight")
    if not isinstance(first, torch.Tensor) or not isinstance(last, torch.Tensor) or min(first.ndim, last.ndim) < 2:
        raise _no_supernet(path)
    return first.shape[1], last.shape[0]


def _no_supernet(path: str | Path) -> UserError:
    return UserError(f"{path} holds no supernet of a search; give the supernet.pt that a search wrote")
