"""Tables in Markdown, and numbers with their spread."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from statistics import mean, stdev


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table with a newline at its end."""
    first, *rest = ["| " + " | ".join(cells) + " |" for cells in (header, *rows)]
    return "\n".join([first, "|" + "---|" * len(header), *rest]) + "\n"


def spread(values: Iterable[float], digits: int = 4) -> str:
    """Mean, and standard deviation if there are several values; a dash for none."""
    known = list(values)
    if not known:
        return "-"
    deviation = f" ± {stdev(known):.{digits}f}" if len(known) > 1 else ""
    return f"{mean(known):.{digits}f}{deviation}"
