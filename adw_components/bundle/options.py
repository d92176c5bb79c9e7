"""Misspelt options of `python -m monai.bundle run`: MONAI takes any name as a new key and goes on without a word."""

from __future__ import annotations

import ast
import difflib
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..errors import UserError

# Arguments of `monai.bundle.run`, and the keys that its MLflow tracking adds to a config.
_RUN_ARGUMENTS = ("run_id", "init_id", "final_id", "meta_file", "config_file", "logging_file", "tracking", "args_file")
_TRACKING_KEYS = ("tracking_uri", "experiment_name", "run_name", "save_execute_config", "is_not_rank0")


def require_known_options(arguments: Sequence[str] | None = None) -> None:
    """Refuse options of the command line that name no key of its config files, and values that do not get through.

    Args:
        arguments: the words after the program; those of this process by default, if it is `monai.bundle`.

    Raises:
        UserError: an option is unknown, and the message names the closest one; or a value holds #.
    """
    if arguments is None:
        if not sys.argv[0].endswith(str(Path("bundle", "__main__.py"))):
            return
        arguments = sys.argv[1:]
    given = dict(_options(arguments))
    _refuse_marks(given)
    if "config_file" not in given:
        return
    configs = [_config(path) for path in _paths(given["config_file"])]
    listed_by = "the bundle's docs/README.md lists them"
    wrong = [part for name in (*given, *_of_file(given)) if (part := _unknown(name, configs, listed_by))]
    if wrong:
        raise UserError("; ".join(wrong))


def _of_file(given: Mapping[str, str]) -> Iterable[str]:
    """The options that an args_file gives."""
    return _config(given["args_file"]) if given.get("args_file") else ()


def _unknown(name: str, configs: Sequence[Mapping[str, Any]], listed_by: str) -> str | None:
    """Return what is wrong with the name of an option: a key of no config, or one level down a misspelt one."""
    first, *below = re.split("#|::", name)
    known = {*_RUN_ARGUMENTS, *_TRACKING_KEYS, *(key for config in configs for key in config)}
    if first not in known:
        return f"--{name} is no option{closest(name, known, listed_by)}"
    found = [config[first] for config in configs if first in config]
    for depth, part in enumerate(below, start=1):
        objects = [value for value in found if isinstance(value, Mapping)]
        names = {key for value in objects for key in value}
        close = difflib.get_close_matches(part, sorted(names), n=1, cutoff=0.8)
        if objects and part not in names and (close or depth < len(below)):
            whole = "::".join([first, *below[: depth - 1], *close])
            return f"--{name} is no option{f'; did you mean --{whole}?' if close else f'; {listed_by}'}"
        found = [value[part] for value in objects if part in value]
    return None


def _refuse_marks(given: Mapping[str, str]) -> None:
    """Refuse values with a #: fire takes what follows for a comment, and MONAI makes :: of what is left."""
    marked = [name for name, value in given.items() if "#" in value and not value.startswith(("$", "@", "%"))]
    if marked:
        raise UserError(
            f"--{marked[0]} must not hold #, which MONAI's command line does not keep, got {given[marked[0]]}; "
            "rename the file or folder, or give a link to it"
        )


def _config(path: str) -> Mapping[str, Any]:
    """Read a config as MONAI does, JSON or YAML; a command line of ours gets by without MONAI."""
    from monai.bundle import ConfigParser

    content = ConfigParser.load_config_file(path)
    if not isinstance(content, Mapping):
        raise UserError(f"config file {path} must hold an object of options, got {type(content).__name__}")
    return content


def closest(name: str, known: Iterable[str], listed_by: str) -> str:
    """The remedy for an unknown option: the known one that is most like it, or else where they are listed."""
    close = difflib.get_close_matches(name, sorted(known), n=1)
    return f"; did you mean --{close[0]}?" if close else f"; {listed_by}"


def _options(arguments: Sequence[str]) -> Iterable[tuple[str, str]]:
    for index, word in enumerate(arguments):
        if re.match("--|-[A-Za-z_]", word):  # fire takes one dash as well
            name, _, value = word.lstrip("-").partition("=")
            yield name, value or (arguments[index + 1] if index + 1 < len(arguments) else "")


def _paths(value: str) -> list[str]:
    """The config files of an option: one path, or a list of paths as MONAI takes it."""
    if not value.startswith(("[", "(")):
        return [value]
    paths: Any = ast.literal_eval(value)
    return list(paths)
