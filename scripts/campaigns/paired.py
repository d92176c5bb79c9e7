"""Two networks on the same cases: how much better is one, and could it be chance?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats


@dataclass(frozen=True, kw_only=True)
class Paired:
    """The differences of Dice, case by case, of one network less another.

    Attributes:
        mean: of the differences.
        low: lower end of the mean's 95 % confidence interval (Student's t).
        high: its upper end.
        p_value: of Wilcoxon's signed-rank test, two-sided; 1 where no case differs.
        wins: cases on which the first network is better.
        n_cases: in all.
    """

    mean: float
    low: float
    high: float
    p_value: float
    wins: int
    n_cases: int


def paired(one: pd.Series, other: pd.Series) -> Paired:
    """Compare the Dice of two networks.

    Args:
        one: Dice by case.
        other: Dice by case, of the same cases.

    Raises:
        ValueError: the cases are not the same.
    """
    if set(one.index) != set(other.index):
        raise ValueError(f"not the same cases: {len(one)} and {len(other)}")
    differences = (one - other[one.index]).to_numpy(dtype=float)
    mean = float(differences.mean())
    margin = 0.0
    if len(differences) > 1:
        error = differences.std(ddof=1) / np.sqrt(len(differences))
        margin = float(stats.t.ppf(0.975, len(differences) - 1) * error)
    p_value = float(stats.wilcoxon(differences).pvalue) if differences.any() else 1.0
    return Paired(
        mean=mean,
        low=mean - margin,
        high=mean + margin,
        p_value=p_value,
        wins=int((differences > 0).sum()),
        n_cases=len(differences),
    )
