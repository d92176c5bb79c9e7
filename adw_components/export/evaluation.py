"""What an evaluation measured, for the metadata of the weights that it measured. No torch here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..errors import UserError
from ..files import read_json
from .large_files import hash_of

# What the figures depend on beside the weights; evaluate.json gives them again with the same.
_SETTINGS = ("fold", "mirror_tta", "mirror_axes", "overlap", "patch_size")


def measured(run_dir: str | Path, weights: Path) -> dict[str, Any]:
    """Mean Dice in all and by class, the number of cases, and the settings behind them.

    Args:
        run_dir: folder of a run of evaluate.json.
        weights: that are exported.

    Raises:
        UserError: the folder holds no evaluation, or one of other weights.
    """
    summary = read_json(Path(run_dir) / "summary.json", "evaluation")
    settings = summary.get("settings", {})
    evaluated = [Path(path) for path in settings.get("checkpoints", [])]
    if len(evaluated) != 1 or not _same(evaluated[0], weights):
        names = ", ".join(map(str, evaluated)) or "no weights"
        raise UserError(
            f"the evaluation must be one of {weights}, whose figures the metadata give, but {run_dir} is of {names}"
        )
    dice = {name: _rounded(values["mean"]) for name, values in summary["dice"].items()}
    known = {name: settings[name] for name in _SETTINGS if name in settings}
    return {"mean_dice": _rounded(summary["mean_dice"]), "dice": dice, "n_cases": summary["n_cases"], **known}


def _same(one: Path, other: Path) -> bool:
    return one.is_file() and (one.samefile(other) or hash_of(one, "sha256") == hash_of(other, "sha256"))


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
