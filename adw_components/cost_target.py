"""Read the cost that a search aims at from the user's settings, and check it against the space. No torch here."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal
from typing import Any

from .cost import COST_KINDS, CostKind, count
from .errors import UserError
from .record_fields import check_fields, folder_name, is_list, number, shown
from .reference import nnunet_default
from .search_space import SearchSpace

# Numbers below are ratios to nnU-Net's default network; a U-Net with so few parameters, FLOPs or bytes is of no use.
RATIOS_BELOW = 100

# No network costs more.
_MOST = 1e30
_EXAMPLE = "such as \"{'flops': 0.5}\""
_UNITS: Mapping[CostKind, str] = {
    "flops": "FLOPs a patch",
    "parameters": "parameters",
    "memory": "bytes of activations a patch",
}


@dataclass(frozen=True, kw_only=True)
class CostTarget:
    """The cost that a search aims at.

    Args:
        kind: "flops", "parameters" or "memory", as in `cost_terms.contributions`.
        value: the cost itself: FLOPs or bytes of one patch, or parameters.
        ratio: to nnU-Net's default network with the same strides and kernels; None where `value` itself was given.
        name: kind and number as given, "flops_0.5" or "parameters_2000000"; a name for a folder.
    """

    kind: CostKind
    value: float
    ratio: float | None
    name: str

    def __post_init__(self) -> None:
        if not isinstance(self.kind, str) or self.kind not in COST_KINDS:
            raise UserError(f"target.kind must be one of {', '.join(COST_KINDS)}, got {shown(self.kind)}")
        number("target.value", self.value, low=0, above=True)
        if self.ratio is not None:
            number("target.ratio", self.ratio, low=0, high=RATIOS_BELOW, above=True)
        folder_name("target.name", self.name)

    def to_dict(self) -> dict[str, Any]:
        """The record as plain JSON values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Any) -> CostTarget:
        """The record that `to_dict` gave.

        Raises:
            UserError: a field is missing, unknown or malformed.
        """
        check_fields("target", values, required=("kind", "value", "ratio", "name"), optional=())
        return cls(**values)


def targets(
    *,
    target: Any = None,
    target_flops_ratio: Any = None,
    search_space: SearchSpace,
    in_channels: int,
    out_channels: int,
    patch_size: Sequence[int],
) -> tuple[CostTarget, ...]:
    """The targets that two keys of a config give, in their order; none where both are None.

    Args:
        target: a kind of cost and a number, `{"flops": 0.5}`; see `cost_target`.
        target_flops_ratio: a ratio of FLOPs, or a list of distinct ones.
        search_space: in which every target must be reachable.
        in_channels: channels of the image.
        out_channels: classes, background included.
        patch_size: voxels per axis.

    Raises:
        UserError: both are given, a value is malformed, or no architecture of the search space costs it.
    """
    if target is not None and target_flops_ratio is not None:
        raise UserError("target and target_flops_ratio are both given; a search takes one of them")
    network: dict[str, Any] = {
        "search_space": search_space,
        "in_channels": in_channels,
        "out_channels": out_channels,
        "patch_size": patch_size,
    }
    if target is not None:
        return (cost_target(target, **network),)
    ratios = () if target_flops_ratio is None else _ratios(target_flops_ratio)
    return tuple(cost_target({"flops": ratio}, given_as="target_flops_ratio", **network) for ratio in ratios)


def cost_target(
    given: Any,
    *,
    search_space: SearchSpace,
    in_channels: int,
    out_channels: int,
    patch_size: Sequence[int],
    given_as: str = "target",
) -> CostTarget:
    """The target that `given`, a mapping from one kind of cost to a number, describes.

    Args:
        given: `{"flops": 0.5}`; a number below 100 is a ratio to nnU-Net's default network.
        search_space: in which the target must be reachable.
        in_channels: channels of the image.
        out_channels: classes, background included.
        patch_size: voxels per axis.
        given_as: key of the config, for messages.

    Raises:
        UserError: `given` is malformed, or no architecture of the search space costs it.
    """
    kind, amount = _entry(given)
    channels = {"in_channels": in_channels, "out_channels": out_channels}
    default = nnunet_default(strides=search_space.strides, kernel_sizes=search_space.kernel_sizes)
    unit = count(kind, default, **channels, patch_size=patch_size)
    is_ratio = amount < RATIOS_BELOW
    value = amount * unit if is_ratio else amount
    # Every cost grows with every width and every depth.
    ends = (search_space.smallest, search_space.largest)
    smallest, largest = (count(kind, end, **channels, patch_size=patch_size) for end in ends)
    if not smallest <= value <= largest:
        low, high = _rounded(smallest / unit, ROUND_CEILING), _rounded(largest / unit, ROUND_FLOOR)
        times = " times nnU-Net's default network" if is_ratio else ""
        raise UserError(
            f"{given_as} is out of reach with {kind} {amount}{times}: architectures of this search space have "
            f"{smallest} to {largest} {_UNITS[kind]}, {low} to {high} times nnU-Net's default network; "
            f"change {given_as}, base_widths or depths"
        )
    return CostTarget(kind=kind, value=value, ratio=amount if is_ratio else None, name=_name(kind, amount))


def _entry(given: Any) -> tuple[CostKind, float]:
    if not isinstance(given, Mapping) or len(given) != 1:
        raise UserError(f"target must be one kind of cost and a number, {_EXAMPLE}, got {shown(given)}")
    ((kind, amount),) = given.items()
    if kind not in COST_KINDS:
        close = difflib.get_close_matches(str(kind).lower(), COST_KINDS, n=1)
        remedy = f"; did you mean {close[0]}?" if close else f", {_EXAMPLE}"
        raise UserError(f"target must name one of {', '.join(COST_KINDS)}, got {shown(kind)}{remedy}")
    if not _is_positive(amount):
        raise UserError(f"target must be a number above 0 for {kind}, {_EXAMPLE}, got {shown(amount)}")
    return kind, amount


def _ratios(given: Any) -> tuple[float, ...]:
    ratios = tuple(given) if is_list(given) else (given,)
    if not ratios or not all(_is_positive(ratio) and ratio < RATIOS_BELOW for ratio in ratios):
        raise UserError(
            f"target_flops_ratio must be a number above 0 and below {RATIOS_BELOW}, or a list of them, such as "
            f'"[0.25, 0.5, 1]", got {shown(given)}; a number of FLOPs is given as target'
        )
    # Every target has a folder of its own.
    if len({_name("flops", ratio) for ratio in ratios}) < len(ratios):
        raise UserError(f"target_flops_ratio must hold distinct numbers, got {list(ratios)}")
    return ratios


def _is_positive(amount: Any) -> bool:
    return isinstance(amount, int | float) and not isinstance(amount, bool) and 0 < amount <= _MOST


def _name(kind: CostKind, number: float) -> str:
    """A ratio has 6 digits, a cost all before the point."""
    short = f"{number:.6g}" if number < RATIOS_BELOW else round(number)
    return f"{kind}_{_digits(short)}"


def _digits(number: float | str) -> str:
    """A number without exponent and trailing zeros."""
    digits = format(Decimal(str(number)), "f")
    return digits.rstrip("0").rstrip(".") if "." in digits else digits


def _rounded(ratio: float, rounding: str) -> str:
    """3 digits of a ratio, so that an end of a range, rounded inwards, is still in it."""
    return _digits(str(Context(prec=3, rounding=rounding).create_decimal_from_float(ratio)))
