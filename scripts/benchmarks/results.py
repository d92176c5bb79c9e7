"""What a benchmark found: as a table to read, and as JSON with the device and the versions it was found on."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import monai
import torch

from adw_components.files import write_json

Cell = str | int | float | None


def device_facts(device: torch.device) -> dict[str, Any]:
    """On what was measured: kind and name of the device, torch's CPU threads, versions."""
    tensor_float = {
        "cudnn": torch.backends.cudnn.version(),
        "convolutions_in_tf32": torch.backends.cudnn.allow_tf32,
        "products_in_tf32": torch.backends.cuda.matmul.allow_tf32,
    }
    return {
        **(tensor_float if device.type == "cuda" else {}),
        "device": device.type,
        "name": torch.cuda.get_device_name(device) if device.type == "cuda" else _processor(),
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "monai": monai.__version__,
    }


def _processor() -> str:
    """The processor's name; Linux tells it in a file, other systems to Python."""
    facts = Path("/proc/cpuinfo")
    lines = facts.read_text(encoding="utf-8").splitlines() if facts.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def write(
    output: str | Path,
    *,
    device: torch.device,
    sizes: Mapping[str, Any],
    ratios: Mapping[str, float],
    figures: Mapping[str, Any],
) -> None:
    """Write what was measured as JSON.

    Args:
        output: path of the file; it appears whole or not at all.
        device: on which the benchmark ran; `device_facts` of it are written.
        sizes: of what was measured: task, patch, batch, widths, repeats.
        ratios: flat, by a name that says which figure stands over which, such as "derived_over_dynunet_time".
        figures: the figures behind them, per network or way of searching.
    """
    facts = device_facts(device)
    write_json(output, {"device": facts, "sizes": dict(sizes), "ratios": dict(ratios), "figures": dict(figures)})


def table(rows: Mapping[str, Mapping[str, Cell]]) -> str:
    """`rows`, each a name and its cells by column, as aligned text under a line of column names.

    Numbers are given to four digits, whole ones in full; what a row lacks, or has as None, is a dash.
    """
    columns = list(dict.fromkeys(column for cells in rows.values() for column in cells))
    lines = [["", *columns], *([name, *(_text(cells.get(c)) for c in columns)] for name, cells in rows.items())]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(_line(line, widths) for line in lines)


def _text(cell: Cell) -> str:
    if cell is None:
        return "-"
    return f"{cell:.4g}" if isinstance(cell, float) else str(cell)


def _line(cells: list[str], widths: list[int]) -> str:
    aligned = [cell.rjust(width) for cell, width in zip(cells, widths, strict=True)]
    return "  ".join([cells[0].ljust(widths[0]), *aligned[1:]])
