"""What an evaluation measured, for the metadata of the weights that it measured. No torch here."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..errors import UserError
from ..files import read_json_object
from ..record_fields import MOST_CASES, number, plain_name, shown, whole_number
from ..run_files import check_settings
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
    path = Path(run_dir) / "summary.json"
    summary = read_json_object(path, "evaluation")
    settings = summary.get("settings", {})
    check_settings(settings, str(path))
    evaluated = [Path(path) for path in settings.get("checkpoints", [])]
    if len(evaluated) != 1 or not _same(evaluated[0], weights):
        names = ", ".join(map(str, evaluated)) or "no weights"
        raise UserError(
            f"the evaluation must be one of {weights}, whose figures the metadata give, but {run_dir} is of {names}"
        )
    try:
        return {**_figures(summary), **{name: settings[name] for name in _SETTINGS if name in settings}}
    except UserError as error:
        raise UserError(f"{path}: {error}; evaluate again") from error


def _figures(summary: Mapping[str, Any]) -> dict[str, Any]:
    dice = summary.get("dice")
    if not isinstance(dice, Mapping) or not all(isinstance(values, Mapping) for values in dice.values()):
        raise UserError(f"dice must map the classes to their statistics, got {shown(dice)}")
    names = [plain_name("a class of dice", name) for name in dice]
    return {
        "mean_dice": _score("mean_dice", summary.get("mean_dice")),
        "dice": {name: _score(f"dice.{name}", dice[name].get("mean")) for name in names},
        "n_cases": whole_number("n_cases", summary.get("n_cases"), low=1, high=MOST_CASES),
    }


def _same(one: Path, other: Path) -> bool:
    return one.is_file() and (one.samefile(other) or hash_of(one, "sha256") == hash_of(other, "sha256"))


def _score(name: str, value: Any) -> float | None:
    return None if value is None else round(number(name, value, low=0, high=1), 4)
