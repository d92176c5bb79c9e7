"""Architecture: the record of a derived network. No torch here."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .errors import UserError
from .files import json_text, read_json, write_json

FORMAT_VERSION = 1

Widths = tuple[tuple[int, ...], ...]
PerStage = tuple[tuple[int, ...], ...]


@dataclass(frozen=True, kw_only=True)
class Architecture:
    """How deep and how wide every block of a U-Net with `S` encoder and `S - 1` decoder stages is.

    Two architectures are equal when they build the same network; where they come from does not count.

    Args:
        encoder_widths: output channels of every convolution, one tuple a block, shallow to deep.
        decoder_widths: the same of the decoder blocks, deep to shallow.
        strides: stride of the first convolution of every encoder stage, axes in the order of the
            network's input (x, y, z for a NIfTI image); the first stage keeps the resolution.
        kernel_sizes: kernel of the convolutions at the resolution of every stage, odd numbers.
        provenance: where it comes from: search settings, seed, data, package version, or the publication.

    Raises:
        UserError: a field is malformed; the message names the field, the value and the rule.
    """

    encoder_widths: Widths
    decoder_widths: Widths
    strides: PerStage
    kernel_sizes: PerStage
    provenance: Mapping[str, Any] = field(default_factory=dict, compare=False)

    def __post_init__(self) -> None:
        for name in ("encoder_widths", "decoder_widths", "strides", "kernel_sizes"):
            object.__setattr__(self, name, integer_rows(name, getattr(self, name)))
        check_geometry(self.strides, self.kernel_sizes)
        _check_count("encoder_widths", self.encoder_widths, self.n_stages, "one block for every entry of strides")
        _check_count("decoder_widths", self.decoder_widths, self.n_stages - 1, "one block less than encoder_widths")
        _check_provenance(self.provenance)
        object.__setattr__(self, "provenance", dict(self.provenance))

    @property
    def n_stages(self) -> int:
        """Number of encoder stages, S."""
        return len(self.strides)

    @property
    def spatial_dims(self) -> int:
        """2 or 3."""
        return len(self.strides[0])

    @property
    def blocks(self) -> Widths:
        """Widths of all 2 S - 1 blocks: encoder shallow to deep, then decoder deep to shallow."""
        return self.encoder_widths + self.decoder_widths

    @property
    def total_stride(self) -> tuple[int, ...]:
        """Factor between the input's and the deepest stage's resolution, per axis."""
        return total_stride(self.strides)

    def structure(self) -> dict[str, Any]:
        """What the network is built from, without the provenance, as plain JSON values."""
        names = ("encoder_widths", "decoder_widths", "strides", "kernel_sizes")
        return {name: [list(row) for row in getattr(self, name)] for name in names}

    def to_dict(self) -> dict[str, Any]:
        """The record as plain JSON values."""
        return {"format_version": FORMAT_VERSION, **self.structure(), "provenance": dict(self.provenance)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Architecture:
        """The record that `to_dict` gave.

        Raises:
            UserError: a field is missing, unknown or malformed, or the format is a later one.
        """
        check_fields(
            "architecture",
            values,
            required=("format_version", "encoder_widths", "decoder_widths", "strides", "kernel_sizes"),
            optional=("provenance",),
        )
        check_format_version("architecture", values["format_version"], FORMAT_VERSION)
        return cls(**{name: value for name, value in values.items() if name != "format_version"})

    def save(self, path: str | Path) -> None:
        """Write the record as JSON to `path`, whole or not at all."""
        write_json(path, self.to_dict())

    @classmethod
    def load(cls, path: str | Path) -> Architecture:
        """Read the record that `save` wrote.

        Raises:
            UserError: the file is missing, no JSON, or a field is malformed; the message names the file.
        """
        values = read_json(path, "architecture")
        try:
            return cls.from_dict(values)
        except UserError as error:
            raise UserError(f"{path}: {error}") from error


def check_fields(what: str, values: Any, *, required: Sequence[str], optional: Sequence[str]) -> None:
    """Raise a `UserError` unless `values` is an object with exactly the fields of a record."""
    if not isinstance(values, Mapping):
        raise UserError(f"{what} must be a JSON object, got {type(values).__name__}")
    missing = [name for name in required if name not in values]
    if missing:
        raise UserError(f"{what} lacks the field(s) {', '.join(missing)}")
    unknown = sorted(set(values) - set(required) - set(optional))
    if unknown:
        raise UserError(f"{what} has unknown field(s) {', '.join(unknown)}; known: {', '.join([*required, *optional])}")


def check_format_version(what: str, version: Any, known: int) -> None:
    """Raise a `UserError` unless this package can read format `version`."""
    if isinstance(version, bool) or not isinstance(version, int) or not 1 <= version <= known:
        raise UserError(
            f"{what} format_version must be from 1 to {known}, got {version!r}; "
            "a later format needs a later adw_components"
        )


def integer_rows(name: str, value: Any) -> tuple[tuple[int, ...], ...]:
    """`value` as a tuple of non-empty tuples of positive integers."""
    if not _is_sequence(value) or not value:
        raise UserError(f"{name} must be a non-empty list of lists of positive integers, got {value!r}")
    return tuple(positive_integers(f"{name}[{index}]", row) for index, row in enumerate(value))


def positive_integers(name: str, value: Any) -> tuple[int, ...]:
    """`value` as a non-empty tuple of positive integers."""
    if not _is_sequence(value) or not value:
        raise UserError(f"{name} must be a non-empty list of positive integers, got {value!r}")
    for number in value:
        if isinstance(number, bool) or not isinstance(number, int) or number < 1:
            raise UserError(f"{name} must hold positive integers, got {number!r} in {list(value)}")
    return tuple(value)


def check_geometry(strides: PerStage, kernel_sizes: PerStage) -> None:
    """Raise a `UserError` unless strides and kernels describe one 2D or 3D U-Net."""
    if len(strides) < 2:
        raise UserError(f"strides must have at least 2 stages, got {len(strides)}")
    spatial_dims = len(strides[0])
    if spatial_dims not in (2, 3):
        raise UserError(f"strides[0] must have 2 or 3 axes, got {list(strides[0])}")
    _check_count("kernel_sizes", kernel_sizes, len(strides), "one entry for every entry of strides")
    for name, rows in (("strides", strides), ("kernel_sizes", kernel_sizes)):
        for index, row in enumerate(rows):
            if len(row) != spatial_dims:
                raise UserError(f"{name}[{index}] must have {spatial_dims} axes like strides[0], got {list(row)}")
    if any(step != 1 for step in strides[0]):
        raise UserError(f"strides[0] must be all 1 (the first stage keeps the resolution), got {list(strides[0])}")
    for index, row in enumerate(kernel_sizes):
        if any(size % 2 == 0 for size in row):
            raise UserError(f"kernel_sizes[{index}] must be odd, got {list(row)}")


def total_stride(strides: PerStage) -> tuple[int, ...]:
    """Product of the strides of all stages, per axis."""
    return tuple(math.prod(axis) for axis in zip(*strides, strict=True))


def check_patch_size(patch_size: Sequence[int], strides: PerStage) -> tuple[int, ...]:
    """`patch_size` as a tuple, after checking that every stage divides it.

    Raises:
        UserError: an axis is missing or not divisible by the product of its strides.
    """
    size = positive_integers("patch_size", patch_size)
    factor = total_stride(strides)
    if len(size) != len(factor) or any(length % step for length, step in zip(size, factor, strict=True)):
        raise UserError(f"patch_size must be divisible by {factor}, got {size}")
    return size


def _check_count(name: str, rows: PerStage, expected: int, rule: str) -> None:
    if len(rows) != expected:
        raise UserError(f"{name} must have {expected} entries ({rule}), got {len(rows)}")


def _check_provenance(provenance: Any) -> None:
    if not isinstance(provenance, Mapping):
        raise UserError(f"provenance must be a JSON object, got {type(provenance).__name__}")
    try:
        json_text(dict(provenance))
    except (TypeError, ValueError) as error:
        raise UserError(f"provenance must hold JSON values only: {error}") from error


def _is_sequence(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str | bytes)
