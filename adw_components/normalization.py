"""How the intensities of one channel are normalized. No torch here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args

from .errors import UserError
from .record_fields import LARGEST_INTENSITY, check_fields, number, shown, true_or_false

Scheme = Literal["z_score", "ct"]
SCHEMES: tuple[str, ...] = get_args(Scheme)
_CT_FIELDS = ("low", "high", "mean", "std")


@dataclass(frozen=True, kw_only=True)
class Normalization:
    """The normalization of one channel (Isensee et al., Nature Methods 2021).

    Args:
        scheme: "z_score" subtracts an image's own mean and divides by its own deviation; "ct" clips to `low` and
            `high`, then subtracts `mean` and divides by `std`, the same for every image.
        nonzero: z_score only: whether the voxels that are 0 stay 0 and are left out.
        low: ct only: 0.5th percentile of the labelled voxels, Hounsfield units.
        high: ct only: 99.5th percentile.
        mean: ct only: of the labelled voxels.
        std: ct only: of the labelled voxels.
    """

    scheme: Scheme
    nonzero: bool = False
    low: float | None = None
    high: float | None = None
    mean: float | None = None
    std: float | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.scheme, str) or self.scheme not in SCHEMES:
            raise UserError(f"normalization.scheme must be one of {', '.join(SCHEMES)}, got {shown(self.scheme)}")
        true_or_false("normalization.nonzero", self.nonzero)
        values = [getattr(self, name) for name in _CT_FIELDS]
        if self.scheme == "ct":
            self._check_ct(values)
        elif any(value is not None for value in values):
            raise UserError(f"normalization.{', '.join(_CT_FIELDS)} belong to scheme ct, not to {self.scheme}")

    def _check_ct(self, values: list[Any]) -> None:
        if self.nonzero:
            raise UserError("normalization.nonzero belongs to scheme z_score, not to ct")
        if None in values:
            raise UserError(
                f"normalization of scheme ct needs the numbers {', '.join(_CT_FIELDS)}, got {shown(values)}"
            )
        for name, value in zip(_CT_FIELDS, values, strict=True):
            number(f"normalization.{name}", value, low=-LARGEST_INTENSITY, high=LARGEST_INTENSITY)
        low, high, _, std = values
        if not low < high or not std > 0:
            raise UserError(f"normalization needs low < high and std > 0, got {low}, {high} and {std}")

    def to_dict(self) -> dict[str, Any]:
        """The record as JSON values, with the fields of its scheme only."""
        if self.scheme == "ct":
            return {"scheme": "ct", **{name: getattr(self, name) for name in _CT_FIELDS}}
        return {"scheme": "z_score", "nonzero": self.nonzero}

    @classmethod
    def from_dict(cls, values: Any) -> Normalization:
        """The record that `to_dict` gave.

        Raises:
            UserError: a field is missing, unknown or malformed.
        """
        check_fields("normalization", values, required=("scheme",), optional=("nonzero", *_CT_FIELDS))
        return cls(**values)

    def value_range(self) -> tuple[float, float] | None:
        """Least and largest value after it; none for a z-score, which has no bound of use."""
        if self.low is None or self.high is None or self.mean is None or self.std is None:
            return None
        return (self.low - self.mean) / self.std, (self.high - self.mean) / self.std
