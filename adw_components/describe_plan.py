"""A plan as plain text: its values, and why each was chosen. No torch here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from .describe import aligned, by
from .errors import UserError
from .files import read_json
from .normalization import Normalization
from .plan import Plan

_AXES = "xyz"


def kind_of(path: str | Path) -> str:
    """Whether the JSON file at `path` is an "architecture" or a "plan", by its fields; it may still be malformed.

    Raises:
        UserError: the file is missing, no JSON, or neither.
    """
    values = read_json(path, "architecture or plan")
    names = set(values) if isinstance(values, Mapping) else set()
    for kind, field in (("plan", "spacing_mm"), ("architecture", "encoder_widths")):
        if field in names:
            return kind
    raise UserError(f"{path} is neither a plan nor an architecture: it has no spacing_mm or encoder_widths; give one")


def describe_plan(path: str | Path) -> str:
    """The `plan.json` at `path` as a plain-text table, with a line a value that says why.

    Args:
        path: file that `Plan.save` wrote.

    Raises:
        UserError: the file is no plan.
    """
    plan = Plan.load(path)
    parts = [_dataset_lines(plan), _axis_lines(plan), _stage_lines(plan), _channel_lines(plan), _batch_lines(plan)]
    return "\n".join("\n".join(lines) for lines in [*_spread(parts), _reason_lines(plan.reasons)])


def _spread(parts: Sequence[list[str]]) -> list[list[str]]:
    """The parts, an empty line after each."""
    return [[*lines, ""] for lines in parts]


def _dataset_lines(plan: Plan) -> list[str]:
    data = plan.dataset
    cases = f"{data.num_training} training cases, {data.num_test} test images"
    return aligned([("dataset", data.name), ("cases", cases), ("classes", ", ".join(data.labels))])


def _axis_lines(plan: Plan) -> list[str]:
    rows: list[tuple[str, ...]] = [("axis", "spacing (mm)", "median shape", "patch size")]
    for axis, *values in zip(_AXES, plan.spacing_mm, plan.median_shape, plan.patch_size, strict=False):
        rows.append((axis, *(f"{value:g}" for value in values)))
    return aligned(rows)


def _stage_lines(plan: Plan) -> list[str]:
    rows: list[tuple[str, ...]] = [("stage", "stride", "kernel")]
    for stage, (stride, kernel) in enumerate(zip(plan.strides, plan.kernel_sizes, strict=True)):
        rows.append((str(stage), by(stride), by(kernel)))
    return aligned(rows)


def _channel_lines(plan: Plan) -> list[str]:
    rows: list[tuple[str, ...]] = [("channel", "name", "normalization")]
    for index, (name, channel) in enumerate(zip(plan.dataset.modality, plan.normalization, strict=True)):
        rows.append((str(index), name, _in_words(channel)))
    return aligned(rows)


def _in_words(channel: Normalization) -> str:
    if channel.scheme == "ct":
        return f"clip to {channel.low:g} ... {channel.high:g}, subtract {channel.mean:g}, divide by {channel.std:g}"
    return f"z-score of each image over {'the voxels that are not 0' if channel.nonzero else 'all voxels'}"


def _batch_lines(plan: Plan) -> list[str]:
    return aligned(
        [
            ("batch size", str(plan.batch_size)),
            ("Dice loss over", "the whole batch" if plan.batch_dice else "each patch"),
            ("planned for", f"{plan.memory_gb:g} GB of GPU memory"),
        ]
    )


def _reason_lines(reasons: Mapping[str, str]) -> list[str]:
    if not reasons:
        return ["No reasons are recorded."]
    return ["reasons", *(f"  {line}" for line in aligned(list(reasons.items())))]
