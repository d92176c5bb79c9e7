"""Architecture: the record of a derived network. No torch here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from .errors import UserError
from .json_record import JsonRecord
from .record_fields import (
    MOST_CHANNELS,
    MOST_CONVOLUTIONS,
    PerStage,
    check_count,
    check_fields,
    check_format_version,
    checked_geometry,
    integer_rows,
    plain_values,
    total_stride,
)

FORMAT_VERSION = 1
# `source` in the provenance of what a search here derived.
SEARCHED = "search by adw_components"

Widths = tuple[tuple[int, ...], ...]


@dataclass(frozen=True, kw_only=True)
class Architecture(JsonRecord):
    """The depth and the widths of every block of a U-Net with `S` encoder and `S - 1` decoder stages.

    Two architectures are equal when they build the same network; where they come from does not count.

    Args:
        encoder_widths: output channels of every convolution, one tuple a block, shallow to deep.
        decoder_widths: the same of the decoder blocks, deep to shallow.
        strides: stride of the first convolution of every encoder stage, axes in the order of the
            network's input (x, y, z for a NIfTI image); the first stage keeps the resolution.
        kernel_sizes: kernel of the convolutions at the resolution of every stage, odd numbers.
        provenance: where it comes from: search settings, seed, data, package version, or the publication; plain JSON
            (`record_fields.plain_values`).

    Raises:
        UserError: a field is malformed; the message names the field, the value and the rule.
    """

    KIND: ClassVar[str] = "architecture"

    encoder_widths: Widths
    decoder_widths: Widths
    strides: PerStage
    kernel_sizes: PerStage
    provenance: Mapping[str, Any] = field(default_factory=dict, compare=False)

    def __post_init__(self) -> None:
        for name in ("encoder_widths", "decoder_widths"):
            rows = integer_rows(name, getattr(self, name), high=MOST_CHANNELS, longest=MOST_CONVOLUTIONS)
            object.__setattr__(self, name, rows)
        strides, kernel_sizes = checked_geometry(self.strides, self.kernel_sizes)
        object.__setattr__(self, "strides", strides)
        object.__setattr__(self, "kernel_sizes", kernel_sizes)
        check_count("encoder_widths", self.encoder_widths, self.n_stages, "one block for every entry of strides")
        check_count("decoder_widths", self.decoder_widths, self.n_stages - 1, "one block less than encoder_widths")
        if not isinstance(self.provenance, Mapping):
            raise UserError(f"provenance must be a JSON object, got {type(self.provenance).__name__}")
        object.__setattr__(self, "provenance", dict(plain_values("provenance", self.provenance)))

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
        """Return what the network is built from, without the provenance, as plain JSON values."""
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
