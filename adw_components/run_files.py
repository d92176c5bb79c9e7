"""Read the settings and epochs of a run, checked. No torch here."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from .architecture import Architecture
from .cost_target import CostTarget
from .errors import UserError
from .files import read_json_lines, read_json_object
from .normalization import Normalization
from .record_fields import (
    MOST_BATCH,
    MOST_CASES,
    MOST_CHANNELS,
    MOST_EPOCHS,
    MOST_LABELS,
    Check,
    is_list,
    number,
    patch,
    plain_name,
    plain_text,
    plain_values,
    positive_numbers,
    shown,
    true_or_false,
    whole_number,
)
from .search_space import FORMAT_VERSION, SearchSpace

_MOST_SEED = 2**64 - 1


def read_settings(path: str | Path) -> dict[str, Any]:
    """The content of the `settings.json` of a search or a training, every setting of its type and in its range.

    Raises:
        UserError: the file is missing, no JSON object, or a setting is malformed; the message names the file.
    """
    values = read_json_object(path, "settings")
    check_settings(values, str(path), "; restore the file, or use another run")
    return values


def settings_beside(model_dir: str | Path) -> dict[str, Any]:
    """Settings of the retraining whose weights lie in `model_dir`; none for weights that stand alone."""
    path = Path(model_dir) / "settings.json"
    return read_settings(path) if path.is_file() else {}


def read_epochs(path: str | Path) -> list[dict[str, Any]]:
    """The rows of a `search.jsonl` or `train.jsonl`, whose epochs are whole numbers; none where there is no file.

    Raises:
        UserError: the file is damaged, or a row has no epoch.
    """
    rows = read_json_lines(path)
    for count, row in enumerate(rows, start=1):
        for name in ("epoch", "search_epoch"):
            if name == "epoch" or name in row:
                whole_number(f"{path} line {count}: {name}", row.get(name), high=MOST_EPOCHS)
    return rows


def check_settings(values: Any, where: str, remedy: str = "") -> None:
    """Raise a `UserError` that names `where` and the `remedy` unless `values` are settings of a run.

    Those that this version does not know, such as another version's, must be plain values.
    """
    try:
        if not isinstance(values, Mapping):
            raise UserError(f"settings must be a JSON object, got {type(values).__name__}")
        plain_values("settings", values)
        for name, value in values.items():
            if name in _CHECKS:
                _CHECKS[name](name, value)
    except UserError as error:
        raise UserError(f"{where}: {error}{remedy}") from error


def _optional(check: Check) -> Check:
    return lambda name, value: None if value is None else check(name, value)


def _one_of(*known: str) -> Check:
    def check(name: str, value: Any) -> None:
        if not isinstance(value, str) or value not in known:
            raise UserError(f"{name} must be {' or '.join(known)}, got {shown(value)}")

    return check


def _each(check: Check, *, least: int = 0, most: int) -> Check:
    def check_all(name: str, value: Any) -> None:
        if not is_list(value) or not least <= len(value) <= most:
            raise UserError(f"{name} must be a list of {least} to {most} entries, got {shown(value)}")
        for index, entry in enumerate(value):
            check(f"{name}[{index}]", entry)

    return check_all


def _fold(name: str, value: Any) -> None:
    if isinstance(value, str):
        plain_name(name, value)
    else:
        whole_number(name, value, high=MOST_CASES)


def _switch(name: str, value: Any) -> None:
    """Accept a boolean, or the text that a command line gives for one."""
    if not (isinstance(value, str) and value.lower() in ("true", "false")):
        true_or_false(name, value)


def _labels(name: str, value: Any) -> None:
    if not isinstance(value, Mapping) or list(value) != [str(count) for count in range(1, len(value) + 1)]:
        raise UserError(f"{name} must map 1, 2, 3, ... to names, got {shown(value)}")
    for count, label in value.items():
        plain_name(f"{name}.{count}", label)


def _structure(name: str, value: Any) -> None:
    Architecture.from_dict({"format_version": 1, **_object(name, value)})


def _search_space(name: str, value: Any) -> None:
    SearchSpace.from_dict({"format_version": FORMAT_VERSION, **_object(name, value)})


def _object(name: str, value: Any) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise UserError(f"{name} must be a JSON object, got {type(value).__name__}")
    return value


def _spacing(name: str, value: Any) -> None:
    positive_numbers(name, value, len(value) if is_list(value) and len(value) in (2, 3) else 3)


_count = partial(whole_number, low=1)
_share = partial(number, low=0, high=1)
_rate = partial(number, low=0, high=1e6, above=True)

_CHECKS: Mapping[str, Check] = {
    "kind": _one_of("search", "train"),
    **dict.fromkeys(("package_version", "task", "dataset", "device"), plain_text),
    **dict.fromkeys(("split_file", "supernet_path", "architecture_path", "amp_dtype"), _optional(plain_text)),
    "checkpoints": _each(plain_text, most=1000),
    "n_cases": partial(_count, high=MOST_CASES),
    "fold": _fold,
    "seed": partial(whole_number, high=_MOST_SEED),
    "architecture": _structure,
    "search_space": _search_space,
    "targets": _each(lambda _, value: CostTarget.from_dict(value), most=100),
    "step_order": _one_of("simultaneous", "sequential"),
    "weight_step": _one_of("mixture", "single_path"),
    "mask_placement": _one_of("after_norm", "before_norm"),
    **dict.fromkeys(("max_epochs", "warmup_epochs"), partial(whole_number, high=MOST_EPOCHS)),
    **dict.fromkeys(("iterations_per_epoch", "val_interval"), partial(_count, high=MOST_EPOCHS)),
    "architecture_interval": partial(_count, high=MOST_EPOCHS),
    "batch_size": partial(_count, high=MOST_BATCH),
    "num_workers": partial(whole_number, high=10_000),
    "max_corrections": partial(whole_number, high=1000),
    "patch_size": patch,
    "spacing": _spacing,
    "mirror_axes": _each(partial(whole_number, high=2), most=3),
    "rotate_range": _each(partial(number, low=0, high=3.15), least=1, most=3),
    "scale_range": _each(_share, least=2, most=3),
    **dict.fromkeys(("in_channels", "network_channels"), partial(_count, high=MOST_CHANNELS)),
    "out_channels": partial(whole_number, low=2, high=MOST_LABELS),
    "labels": _labels,
    "normalization": _each(lambda _, value: Normalization.from_dict(value), least=1, most=MOST_LABELS),
    **dict.fromkeys(("learning_rate", "architecture_learning_rate"), _rate),
    **dict.fromkeys(("initial_temperature", "temperature_rate", "guidance_sigma"), _rate),
    **dict.fromkeys(("momentum", "overlap", "automatic_share", "seed_share", "target_rate", "target_ramp"), _share),
    "stop_entropy": _optional(_share),
    **dict.fromkeys(("batch_dice", "inherit", "amp", "mirror_tta"), true_or_false),
    **dict.fromkeys(("compile", "cudnn_benchmark"), _switch),
}
