"""Settings of a run, checked before any work: a mistake is one line and nothing is written."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch

from ..data.patch import check_ranges
from ..engines.acceleration import autocast_options
from ..errors import UserError
from ..flags import flag
from ..normalization import Normalization
from ..record_fields import (
    MOST_BATCH,
    MOST_CHANNELS,
    MOST_LABELS,
    Check,
    PerStage,
    check_patch_size,
    checked_geometry,
    number,
    plain_name,
    positive_numbers,
    shown,
    total_stride,
    whole_number,
)
from ..search_space import SearchSpace

# What the augmentation of a patch takes, with an entry an axis.
_RANGES = ("rotate_range", "scale_range")


def require_settings(*, strides: PerStage, labels: Mapping[str, str], out_channels: int, **settings: Any) -> None:
    """Check the settings of a run.

    Args:
        strides: of the network, per stage; they divide the patch.
        labels: label value -> name, background left out.
        out_channels: classes, background included.
        settings: further keys of the config, those of `CHECKS`.

    Raises:
        UserError: a setting is out of its range; the message names it, its value and the rule.
    """
    for name, value in settings.items():
        CHECKS[name](name, value)
    if "kernel_sizes" in settings:  # those of an architecture are checked when it is read
        strides, _ = checked_geometry(strides, settings["kernel_sizes"])
    if "patch_size" in settings:
        _check_patch(settings["patch_size"], strides)
    whole_number("out_channels", out_channels, low=2, high=MOST_LABELS)
    _check_labels(labels, out_channels)
    if settings.get("spatial_dims", len(strides[0])) != len(strides[0]):
        raise UserError(
            f"spatial_dims must be {len(strides[0])}, the axes of strides, got {settings['spatial_dims']!r}"
        )
    _check_axes(settings, len(strides[0]))
    _check_channels(settings)


def require_paths(**paths: Any) -> None:
    """Check the paths among the settings of a run; None stands for a path that is not given.

    Args:
        paths: setting -> a path, or a list of them.

    Raises:
        UserError: one is no text, is empty, or holds a mark that MONAI's configs do not leave alone.
    """
    for name, given in paths.items():
        several = isinstance(given, list | tuple) and given
        for path in given if several else () if given is None else (given,):
            _check_path(name, path)


def _check_path(name: str, path: Any) -> None:
    if not isinstance(path, str | Path) or not str(path).strip():
        raise UserError(f"{name} must be a path, got {path!r}; put quotes around a name that reads as a number or list")
    if "::" in str(path):  # what MONAI makes of every # in a config
        raise UserError(
            f"{name} must be a path without # and ::, which MONAI takes for parts of a config, got {path}; "
            "rename the folder, or give a link to it"
        )
    if not str(path).isprintable():
        raise UserError(f"{name} must be a path that can be printed, got {str(path)!r}; rename the file or folder")
    try:
        Path(path).lstat()
    except (FileNotFoundError, NotADirectoryError):
        pass
    except OSError as error:  # such as a name that is too long
        raise UserError(f"{name} cannot be used: {str(error.strerror).lower()}, got {path}; give another") from None


def _check_patch(patch_size: Any, strides: PerStage) -> None:
    size, factor = check_patch_size(patch_size, strides), total_stride(strides)
    if math.prod(length // step for length, step in zip(size, factor, strict=True)) < 2:
        raise UserError(
            f"patch_size must be more than {factor} along some axis, got {size}: a single voxel is left at the lowest "
            "resolution, where instance norm needs two; give a larger patch"
        )


def require_choices(search_space: SearchSpace) -> None:
    """Raise a `UserError` unless a search space leaves something to search."""
    if search_space.n_candidates == 1:
        raise UserError(
            "base_widths, depths and searched leave a single candidate and nothing to search; "
            "give several base_widths or depths"
        )


def _check_labels(labels: Mapping[str, str], out_channels: int) -> None:
    if not isinstance(labels, Mapping):
        raise UserError(f'labels must map values to names, such as {{"1": "spleen"}}, got {labels!r}')
    if [str(value) for value in labels] != [str(value) for value in range(1, out_channels)]:
        raise UserError(
            f"labels must name the values 1 to out_channels - 1 = {out_channels - 1} in this order, "
            f"got {shown(dict(labels))}"
        )
    for value, name in labels.items():
        plain_name(f"labels.{value}", name)


def _check_axes(settings: Mapping[str, Any], spatial_dims: int) -> None:
    if "spacing" in settings:
        positive_numbers("spacing", settings["spacing"], spatial_dims)
    axes = settings.get("mirror_axes", ())
    known = isinstance(axes, list | tuple) and all(type(axis) is int and 0 <= axis < spatial_dims for axis in axes)
    if not known or len({*axes}) < len(axes):
        raise UserError(f"mirror_axes must be a list of different axes from 0 to {spatial_dims - 1}, got {shown(axes)}")
    if settings.keys() >= {"patch_size", *_RANGES}:
        check_ranges(len(settings["patch_size"]), **{name: settings[name] for name in _RANGES})


def _check_channels(settings: Mapping[str, Any]) -> None:
    entries = settings.get("normalization", ())
    for fields in entries:
        Normalization.from_dict(fields)
    channels = settings.get("in_channels", len(entries))
    if "normalization" in settings and len(entries) != channels:
        raise UserError(f"normalization must have an entry for each of the {channels} channel(s), got {len(entries)}")


def _sequence(name: str, value: Any) -> None:
    if not isinstance(value, Sequence) or isinstance(value, str):
        raise UserError(f'{name} must be a list, such as "[0, 1]", got {shown(value)}')


def _numbers(name: str, value: Any) -> None:
    rows = value if isinstance(value, Sequence) else ()
    if not rows or not all(isinstance(entry, int | float) and not isinstance(entry, bool) for entry in rows):
        raise UserError(f'{name} must be a list with a number an axis, such as "[0.5, 0.5, 0.5]", got {shown(value)}')


def _mappings(name: str, value: Any) -> None:
    rows = value if isinstance(value, Sequence) else ()
    if not rows or not all(isinstance(entry, Mapping) for entry in rows):
        raise UserError(f"{name} must be a list with an object a channel, got {shown(value)}")


def _folder(name: str, value: Any) -> None:
    if not isinstance(value, str | Path) or not str(value):
        raise UserError(f"{name} must be the path of a folder, got {shown(value)}")
    path = Path(value).absolute()
    # What is not there yet is made in the nearest folder that is.
    nearest = next(folder for folder in (path, *path.parents) if os.path.lexists(folder))
    problem = "a file" if not nearest.is_dir() else "" if os.access(nearest, os.W_OK | os.X_OK) else "not writable"
    if problem:
        raise UserError(f"{name} must be a folder that can be written, but {nearest} is {problem}; give another")


def _device(name: str, value: Any) -> None:
    try:
        device = torch.device(value)
        torch.zeros(1, device=device).item()  # which a device that only counts shapes, such as meta, cannot give
    except (RuntimeError, AssertionError, TypeError, NotImplementedError) as error:
        reason = str(error).splitlines()[0]
        raise UserError(f"{name} must be a device of this machine (cpu, cuda:0), got {value} ({reason})") from None


def _one_of(*values: str) -> Check:
    def check(name: str, value: Any) -> None:
        if value not in values:
            raise UserError(f"{name} must be {' or '.join(values)}, got {shown(value)}")

    return check


def _switch(name: str, value: Any) -> None:
    flag(value, name=name)


def _amp_dtype(name: str, value: Any) -> None:
    autocast_options(amp_dtype=value)


_count = partial(whole_number, low=1)
_positive = partial(number, low=0, above=True)

CHECKS: Mapping[str, Check] = {
    **dict.fromkeys(("max_epochs", "iterations_per_epoch", "val_interval"), partial(_count, high=10**6)),
    **dict.fromkeys(("batch_size", "sw_batch_size"), partial(_count, high=MOST_BATCH)),
    "in_channels": partial(_count, high=MOST_CHANNELS),
    "spatial_dims": partial(whole_number, low=2, high=3),
    "warmup_epochs": partial(whole_number, high=10**6),
    "num_workers": partial(whole_number, high=1024),
    "seed": partial(whole_number, high=2**32 - 1),  # NumPy's range
    **dict.fromkeys(("learning_rate", "architecture_learning_rate"), partial(_positive, high=1e3)),
    "initial_temperature": partial(_positive, high=1e6),
    "temperature_rate": partial(_positive, high=1),
    "momentum": partial(_positive, high=1, below=True),  # Nesterov's needs one
    "overlap": partial(number, low=0, high=1, below=True),
    "cache_gb": partial(number, low=0, high=1e6),
    **dict.fromkeys(("patch_size", "spacing", "mirror_axes", "kernel_sizes"), _sequence),
    **dict.fromkeys(_RANGES, _numbers),
    "normalization": _mappings,
    **dict.fromkeys(("cache_dir", "output_dir"), _folder),
    "device": _device,
    "amp_dtype": _amp_dtype,
    **dict.fromkeys(("compile", "cudnn_benchmark", "batch_dice"), _switch),
    "mask_placement": _one_of("after_norm", "before_norm"),
}
