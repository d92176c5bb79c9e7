"""The checks of fields that the records share: a type, a range, and texts that are no syntax. No torch here.

A record's texts reach MONAI's configs, documents and folders. MONAI evaluates a text that begins with $ (Python),
follows one that begins with @ (a reference) or % (another file), and turns # into ::, its mark in paths of keys.
"""

from __future__ import annotations

import math
import re
import reprlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from .errors import UserError

PerStage = tuple[tuple[int, ...], ...]
# Raises a `UserError` unless the value does for the field of this name; some give the value in the record's own type.
Check = Callable[[str, Any], Any]

# No network or dataset of use comes near these bounds; what lies beyond, a slip or an attack, hangs or fills memory.
MOST_STAGES, MOST_CONVOLUTIONS, MOST_CHANNELS = 12, 32, 16384
MOST_STRIDE, MOST_KERNEL, MOST_BATCH, MOST_LABELS, MOST_CASES, MOST_EPOCHS = 32, 31, 4096, 256, 10**7, 10**7
MOST_IN_AN_AXIS, MOST_VOXELS = 2**14, 2**31
# More is no GPU's memory, but a number in MB or bytes.
MOST_GB = 1000
# Squares of larger intensities overflow in float32.
LARGEST_INTENSITY = 1e15
INTENSITY_STATISTICS = ("mean", "median", "std", "min", "max", "percentile_00_5", "percentile_99_5")
# A whole number of JSON may be beyond every float.
_HUGE, _MOST_MM = 1e300, 1e6
_LONGEST_NAME, _LONGEST_TEXT = 200, 10_000
_DEEPEST, _MOST_VALUES, _MOST_AXES = 12, 20_000, 10

_MARKS = ("$", "@", "%")
_RELATIVE_ID = re.compile("[@%](#|::)")
_NOT_IN_A_NAME = re.compile("#|::|[<>`]")
# Such as _target_, by which MONAI makes an object a call; or +x, by which it adds to another key.
_KEY_OF_A_CONFIG = re.compile(r"_.*_|[+$@%].*|.*(#|::).*", re.DOTALL)

_short = reprlib.Repr()
_short.maxlevel, _short.maxlist, _short.maxtuple, _short.maxdict = 3, 12, 12, 6
_short.maxstring = _short.maxother = _short.maxlong = 80


def shown(value: Any) -> str:
    """`value` in a message: on one line, and short, however large, deep or hostile it is."""
    return _short.repr(value)[:300]


def check_fields(what: str, values: Any, *, required: Sequence[str], optional: Sequence[str]) -> None:
    """Raise a `UserError` unless `values` is an object with exactly the fields of a record."""
    if not isinstance(values, Mapping):
        raise UserError(f"{what} must be a JSON object, got {type(values).__name__}")
    missing = [name for name in required if name not in values]
    if missing:
        raise UserError(f"{what} lacks the field(s) {', '.join(missing)}")
    unknown = sorted(map(str, set(values) - set(required) - set(optional)))
    if unknown:
        names = ", ".join(name if name.isidentifier() and len(name) < 80 else shown(name) for name in unknown[:6])
        raise UserError(f"{what} has unknown field(s) {names}; known: {', '.join([*required, *optional])}")


def check_format_version(what: str, version: Any, known: int) -> None:
    """Raise a `UserError` unless this package can read format `version`."""
    if isinstance(version, bool) or not isinstance(version, int) or not 1 <= version <= known:
        raise UserError(
            f"{what} format_version must be from 1 to {known}, got {shown(version)}; "
            "a later format needs a later adw_components"
        )


def check_axis_order(what: str, value: Any, *, remedy: str) -> None:
    """Raise a `UserError` unless the axes of a record run x, y, z."""
    if not isinstance(value, str) or not value.startswith("xyz"):
        raise UserError(f"{what}.axis_order must be xyz, got {shown(value)}; {remedy}")


def whole_number(name: str, value: Any, *, low: int = 0, high: int) -> int:
    """Return `value` if it is a whole number from `low` to `high`, which true is not, else raise a `UserError`."""
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise UserError(f"{name} must be a whole number from {low} to {high}, got {shown(value)}")
    return value


def number(
    name: str, value: Any, *, low: float = -_HUGE, high: float = _HUGE, above: bool = False, below: bool = False
) -> float:
    """Return `value` if it is a finite number from `low` (or `above` it) to `high` (or `below` it).

    Raises:
        UserError: it is none.
    """
    if not _is_finite(value) or not low <= value <= high or (above and value == low) or (below and value == high):
        start = f"above {low:g} and {'below' if below else 'at most'}" if above else f"from {low:g} to"
        end = f"below {high:g}" if below and not above else f"{high:g}"
        kind = "finite number" if (low, high) == (-_HUGE, _HUGE) else f"number {start} {end}"
        raise UserError(f"{name} must be a {kind}, got {shown(value)}")
    return value


def true_or_false(name: str, value: Any) -> bool:
    """Return `value` if it is true or false itself; no number, and no text, else raise a `UserError`."""
    if not isinstance(value, bool):
        raise UserError(f"{name} must be true or false, got {shown(value)}")
    return value


def printable(name: str, value: Any, *, longest: int = _LONGEST_TEXT, lines: bool = False) -> str:
    """Return `value` if it is a text without control characters, else raise a `UserError`; it may still be syntax.

    Only with `lines` may it have several lines.
    """
    if not isinstance(value, str):
        raise UserError(f"{name} must be a text, got {shown(value)}")
    if len(value) > longest:
        raise UserError(f"{name} must have at most {longest} characters, got {len(value)}; shorten it")
    if not ("".join(value.split()) if lines else value).isprintable():
        breaks = "" if lines else " or breaks of lines"
        raise UserError(f"{name} must not hold control characters{breaks}, got {shown(value)}; leave them out")
    return value


def plain_text(name: str, value: Any, *, longest: int = _LONGEST_TEXT, lines: bool = False) -> str:
    """Return `value` if it is a text that MONAI does not evaluate; `lines` as in `printable`.

    Raises:
        UserError: it is none.
    """
    text = printable(name, value, longest=longest, lines=lines)
    if text.lstrip().startswith(_MARKS):
        marks = f"{', '.join(_MARKS[:-1])} or {_MARKS[-1]}"
        raise UserError(
            f"{name} must not begin with {marks}, which MONAI evaluates, got {shown(text)}; choose another start"
        )
    if _RELATIVE_ID.search(text):
        raise UserError(
            f"{name} must not hold @ or % before # or ::, MONAI's references, got {shown(text)}; put a space between"
        )
    return text


def plain_name(name: str, value: Any) -> str:
    """Return `value` if it is a name, such as a label's, that is no syntax in a config, a document or a table.

    Raises:
        UserError: it is none.
    """
    text = plain_text(name, value, longest=_LONGEST_NAME)
    if not text.strip():
        raise UserError(f"{name} must not be empty, got {shown(text)}; give a name")
    found = _NOT_IN_A_NAME.search(text)
    if found:
        raise UserError(
            f"{name} must not hold # :: < > or `, which are syntax in configs and documents, but {shown(text)} holds "
            f"{found.group()}; rename it"
        )
    if _KEY_OF_A_CONFIG.fullmatch(text.strip()):
        raise UserError(
            f"{name} must not be like MONAI's own keys, such as _target_ or +x, got {shown(text)}; rename it"
        )
    return text


def folder_name(name: str, value: Any) -> str:
    """Return `value` if it is a plain name that leads to no other folder, else raise a `UserError`."""
    text = plain_name(name, value)
    if text.strip().startswith(".") or not {"/", "\\", ":"}.isdisjoint(text):
        raise UserError(
            f"{name} must be the name of a folder, without / \\ or : and no . in front, got {shown(text)}; rename it"
        )
    return text


def plain_values(name: str, value: Any) -> Any:
    """Return `value` if it is JSON of a bounded size whose texts are plain, and whose keys are none of a config's.

    Raises:
        UserError: it is none.
    """
    level, count = [(name, value)], 0
    for _ in range(_DEEPEST):
        count += len(level)
        if count > _MOST_VALUES:
            raise UserError(f"{name} must hold at most {_MOST_VALUES} values; leave some out")
        for where, item in level:
            _check_scalar(where, item)
        level = [entry for where, item in level for entry in _entries(where, item)]
        if not level:
            return value
    raise UserError(f"{name} must not be nested more than {_DEEPEST} deep; flatten it")


def _check_scalar(name: str, value: Any) -> None:
    if isinstance(value, str):
        plain_text(name, value, lines=True)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        number(name, value)
    elif value is not None and not isinstance(value, bool | Mapping | list | tuple):
        raise UserError(f"{name} must hold JSON values only, got {type(value).__name__}")


def _entries(name: str, value: Any) -> list[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for key in value:
            printable(f"a key of {name}", key, longest=_LONGEST_NAME)
            if _KEY_OF_A_CONFIG.fullmatch(key):
                raise UserError(f"{name} must not have the key {shown(key)}, which MONAI takes for syntax; rename it")
        return [
            (f"{name}.{key}" if key.isidentifier() else f"{name}[{shown(key)}]", item) for key, item in value.items()
        ]
    if isinstance(value, list | tuple):
        return [(f"{name}[{index}]", item) for index, item in enumerate(value)]
    return []


def is_list(value: Any) -> bool:
    """Return True for a list or tuple, not for a text."""
    return isinstance(value, Sequence) and not isinstance(value, str | bytes)


def integer_rows(name: str, value: Any, *, high: int, longest: int) -> PerStage:
    """`value` as a tuple of tuples, one a stage or block, of up to `longest` integers from 1 to `high`."""
    most = 2 * MOST_STAGES - 1
    if not is_list(value) or not 0 < len(value) <= most:
        raise UserError(
            f"{name} must be a non-empty list of up to {most} lists of positive integers, got {shown(value)}"
        )
    return tuple(
        positive_integers(f"{name}[{index}]", row, high=high, longest=longest) for index, row in enumerate(value)
    )


def positive_integers(name: str, value: Any, *, high: int, longest: int) -> tuple[int, ...]:
    """`value` as a non-empty tuple of up to `longest` integers from 1 to `high`."""
    if not is_list(value) or not 0 < len(value) <= longest:
        raise UserError(f"{name} must be a non-empty list of up to {longest} positive integers, got {shown(value)}")
    for entry in value:
        if isinstance(entry, bool) or not isinstance(entry, int) or not 1 <= entry <= high:
            raise UserError(
                f"{name} must hold positive integers up to {high}, got {shown(entry)} in {shown(list(value))}"
            )
    return tuple(value)


def positive_numbers(name: str, value: Any, count: int) -> tuple[float, ...]:
    """`value` as a tuple of `count` numbers above 0 and up to 10^6, which are millimetres or voxels."""
    rows = list(value) if is_list(value) else []
    if len(rows) != count or not all(_is_finite(entry) and 0 < entry <= _MOST_MM for entry in rows):
        raise UserError(f"{name} must be {count} numbers above 0 and up to {_MOST_MM:g}, got {shown(value)}")
    return tuple(float(entry) for entry in rows)


def _is_finite(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and -math.inf < value < math.inf


def check_count(name: str, rows: PerStage, expected: int, rule: str) -> None:
    """Raise a `UserError` unless there are `expected` rows; `rule` says why."""
    if len(rows) != expected:
        raise UserError(f"{name} must have {expected} entries ({rule}), got {len(rows)}")


def checked_geometry(strides: Any, kernel_sizes: Any) -> tuple[PerStage, PerStage]:
    """Strides and kernels as tuples; raises a `UserError` unless they describe one 2D or 3D U-Net."""
    strides = integer_rows("strides", strides, high=MOST_STRIDE, longest=_MOST_AXES)
    kernel_sizes = integer_rows("kernel_sizes", kernel_sizes, high=MOST_KERNEL, longest=_MOST_AXES)
    if not 2 <= len(strides) <= MOST_STAGES:
        raise UserError(f"strides must have at least 2 stages and at most {MOST_STAGES}, got {len(strides)}")
    spatial_dims = len(strides[0])
    if spatial_dims not in (2, 3):
        raise UserError(f"strides[0] must have 2 or 3 axes, got {list(strides[0])}")
    check_count("kernel_sizes", kernel_sizes, len(strides), "one entry for every entry of strides")
    for name, rows in (("strides", strides), ("kernel_sizes", kernel_sizes)):
        for index, row in enumerate(rows):
            if len(row) != spatial_dims:
                raise UserError(f"{name}[{index}] must have {spatial_dims} axes like strides[0], got {list(row)}")
    if any(step != 1 for step in strides[0]):
        raise UserError(f"strides[0] must be all 1 (the first stage keeps the resolution), got {list(strides[0])}")
    for index, row in enumerate(kernel_sizes):
        if any(size % 2 == 0 for size in row):
            raise UserError(f"kernel_sizes[{index}] must be odd, got {list(row)}")
    return strides, kernel_sizes


def total_stride(strides: PerStage) -> tuple[int, ...]:
    """Product of the strides of all stages, per axis."""
    return tuple(math.prod(axis) for axis in zip(*strides, strict=True))


def patch(name: str, value: Any) -> tuple[int, ...]:
    """`value` as the 2 or 3 lengths of a patch that torch can index."""
    size = positive_integers(name, value, high=MOST_IN_AN_AXIS, longest=3)
    if len(size) < 2 or math.prod(size) > MOST_VOXELS:
        raise UserError(f"{name} must have 2 or 3 axes and at most {MOST_VOXELS} voxels, got {size}")
    return size


def check_patch_size(patch_size: Any, strides: PerStage) -> tuple[int, ...]:
    """`patch_size` as a tuple, after checking that every stage divides it.

    Raises:
        UserError: an axis is missing or not divisible by the product of its strides, or the patch is too large.
    """
    size = positive_integers("patch_size", patch_size, high=MOST_IN_AN_AXIS, longest=_MOST_AXES)
    factor = total_stride(strides)
    if len(size) != len(factor) or any(length % step for length, step in zip(size, factor, strict=True)):
        raise UserError(f"patch_size must be divisible by {factor}, got {size}")
    return patch("patch_size", size)
