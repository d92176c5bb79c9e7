"""How large a campaign is: widths, batch, patch and iterations, the same for every network in it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, get_type_hints

from adw_components.errors import UserError

# Networks that every fold has; a derived one is then that of a search on the fold's own training cases.
FINALISTS = ("derived", "default", "uniform_2")
_MAY_BE_0 = ("warmup_epochs", "n_random", "num_workers")


def _require(name: str, value: Any, kind: Any) -> None:
    """Raise a `UserError` unless the value is of the kind of its field."""
    least = 0 if name in _MAY_BE_0 else 1
    if kind is int and not (_is_number(value, int) and value >= least):
        raise UserError(f"{name} must be a whole number from {least} on, got {value!r}")
    if kind is float and not (_is_number(value, int | float) and value > 0):
        raise UserError(f"{name} must be a number above 0, got {value!r}")
    if kind == tuple[int, ...] and not (
        isinstance(value, tuple) and all(_is_number(item, int) and item >= 0 for item in value)
    ):
        raise UserError(f"{name} must be a list of whole numbers, such as [2,3,4], got {value!r}")


def _is_number(value: Any, kind: Any) -> bool:
    return isinstance(value, kind) and not isinstance(value, bool)


@dataclass(frozen=True, kw_only=True)
class Scale:
    """The budget of all searches and retrainings.

    Attributes:
        base_widths: candidates of the search at the first stage; the middle one is the default network's.
        narrow_width: base width of the search of depths alone, whose networks must be able to meet the target.
        patch_size: voxels per axis.
        batch_size: patches a batch.
        mirror_axes: axes that the augmentation mirrors, and the averaging at inference.
        learning_rate: first one of the weights' SGD.
        momentum: of the weights' SGD.
        warmup_epochs: epochs of a search that train the weights only.
        search_epochs: epochs that train alpha and beta as well.
        search_iterations: iterations an epoch of a search.
        architecture_learning_rate: of alpha and beta.
        train_epochs: epochs of a retraining.
        train_iterations: iterations an epoch of a retraining.
        longer_epochs: epochs of a longer budget.
        final_epochs: epochs of the network that ships, on all cases.
        ratio: FLOPs aimed at, over those of the default network.
        n_random: random networks of the derived network's FLOPs.
        n_seeds: retrainings of a finalist on the fold of development.
        confirming_folds: on which the finalists are retrained once more.
        device: "cpu" or "cuda:0".
        num_workers: processes that load data, beside each job.
    """

    base_widths: tuple[int, ...]
    narrow_width: int
    patch_size: tuple[int, ...]
    batch_size: int
    mirror_axes: tuple[int, ...] = (0,)
    learning_rate: float = 0.1
    momentum: float = 0.9
    warmup_epochs: int
    search_epochs: int
    search_iterations: int
    architecture_learning_rate: float = 0.01
    train_epochs: int
    train_iterations: int
    longer_epochs: int
    final_epochs: int
    ratio: float = 0.5
    n_random: int = 4
    n_seeds: int = 2
    confirming_folds: tuple[int, ...] = (2, 3, 4)
    device: str = "cpu"
    num_workers: int = 0

    def __post_init__(self) -> None:
        for name, kind in get_type_hints(Scale).items():
            _require(name, getattr(self, name), kind)
        if not set(self.confirming_folds) <= {2, 3, 4}:
            raise UserError(f"confirming_folds must be of 2, 3 and 4, got {list(self.confirming_folds)}")

    @property
    def default_width(self) -> int:
        """Base width of the default network at this scale."""
        return self.base_widths[len(self.base_widths) // 2]


SCALES = {
    # nnU-Net's own widths and batch. Nobody has run it yet.
    "gpu": Scale(
        base_widths=(16, 24, 32, 40, 48),
        narrow_width=24,
        patch_size=(40, 56, 40),
        batch_size=9,
        mirror_axes=(0, 1, 2),
        learning_rate=0.01,
        momentum=0.99,
        warmup_epochs=10,
        search_epochs=15,
        search_iterations=250,
        architecture_learning_rate=0.004,
        train_epochs=10,
        train_iterations=250,
        longer_epochs=40,
        final_epochs=100,
        device="cuda:0",
        num_workers=8,
    ),
    # A quarter of nnU-Net's widths: what two cores of a CPU carry in hours. Mirrored from front to back, anterior looks
    # like posterior, and a training spends its first thousand iterations telling them apart. The step of a momentum of
    # 0.9 is as long in the end as that of 0.99 at a tenth of the rate, and there sooner.
    "cpu": Scale(
        base_widths=(4, 6, 8, 10, 12),
        narrow_width=6,
        patch_size=(40, 56, 40),
        batch_size=2,
        warmup_epochs=10,
        search_epochs=12,
        search_iterations=50,
        train_epochs=6,
        train_iterations=250,
        longer_epochs=24,
        final_epochs=48,
    ),
    "toy": Scale(
        base_widths=(2, 3, 4),
        narrow_width=2,
        patch_size=(16, 16, 16),
        batch_size=2,
        warmup_epochs=1,
        search_epochs=1,
        search_iterations=1,
        train_epochs=1,
        train_iterations=2,
        longer_epochs=2,
        final_epochs=2,
        n_random=2,
        confirming_folds=(2,),
    ),
}


def scale_of(name: str, changes: dict[str, Any]) -> Scale:
    """The scale of this name with some of its values changed.

    Raises:
        UserError: there is no such scale, or no such value of it.
    """
    if name not in SCALES:
        raise UserError(f"scale must be of {', '.join(SCALES)}, got {name!r}")
    known = get_type_hints(Scale)
    unknown = [given for given in changes if given not in known]
    if unknown:
        raise UserError(f"campaign.py has no option {unknown[0]}; those of a scale: {', '.join(known)}")
    return replace(SCALES[name], **{given: _tuple_of(value) for given, value in changes.items()})


def _tuple_of(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
