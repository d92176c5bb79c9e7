"""Check command lines of our own before fire runs them: it would run a command first and name what is unknown after."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping, Sequence

import fire

from .bundle.options import closest
from .errors import UserError

_HELP = ("-h", "--help")
Parameters = Mapping[str, inspect.Parameter]
# What fire takes for an option; a negative number is a value.
_OPTION = re.compile("--|-[a-zA-Z]")


def checked(commands: type, arguments: Sequence[str], *, program: str) -> list[str]:
    """The words for fire, if they name a command and options that it has; with --help no more than these two.

    Args:
        commands: its public methods are the commands, their arguments the options.
        arguments: the words after the program; what follows a lone `--` is fire's own.
        program: its name, for messages.

    Raises:
        UserError: no such command, no such option, or more values than the command takes.
    """
    words = list(arguments)
    if "--" in words:
        words = words[: len(words) - 1 - words[::-1].index("--")]
    if not words or words[0] in _HELP:
        return list(arguments)
    name = words[0]
    _check_command(commands, name)
    if any(word in _HELP for word in words):
        return [name, "--help"]
    parameters = dict([*inspect.signature(getattr(commands, name)).parameters.items()][1:])  # without self
    _check_words(name, words[1:], parameters, listed_by=f"{program} {name} --help lists them")
    return list(arguments)


def keep_texts(commands: type) -> None:
    """Tell fire to leave alone what is given for an argument that is a text: a folder 2024 is no number."""
    for name in _names(commands):
        method = getattr(commands, name)
        arguments = inspect.signature(method).parameters.values()
        texts = {argument.name: str for argument in arguments if argument.annotation in ("str", "str | None", str)}
        fire.decorators.SetParseFns(**texts)(method)


def _check_command(commands: type, name: str) -> None:
    known = _names(commands)
    if name not in known:
        raise UserError(f"the first word must be a command, got {name}; there are {', '.join(known)}")


def _names(commands: type) -> list[str]:
    kinds = commands.__mro__[:-1]  # without object
    return [command for kind in kinds for command in vars(kind) if not command.startswith("_")]


def _check_words(command: str, words: Sequence[str], parameters: Parameters, *, listed_by: str) -> None:
    options, values = _split(words)
    given = {_parameter(option, parameters) for option in options}
    unknown = [option for option in options if _parameter(option, parameters) is None]
    if unknown:
        faults = [f"{word} is no option of {command}{closest(_key(word), parameters, listed_by)}" for word in unknown]
        raise UserError("; ".join(faults))
    free = len(parameters) - len(given)
    if len(values) > free:
        extra = " ".join(values[free:])
        raise UserError(f"{command} takes {', '.join(parameters)}, got {extra} besides; quote a value that has spaces")
    others = [name for name in parameters if name not in given]
    missing = [name for name in others[len(values) :] if parameters[name].default is inspect.Parameter.empty]
    if missing:
        raise UserError(f"{command} needs --{' and --'.join(missing)}; {listed_by}")
    for option, has_value in options.items():
        name = _parameter(option, parameters)
        if name and not has_value and parameters[name].annotation not in ("bool", bool):
            raise UserError(f"{option} needs a value, such as {option} ...; {listed_by}")


def _split(words: Sequence[str]) -> tuple[dict[str, bool], list[str]]:
    """Options, each with whether a value follows, and the values that stand by themselves, as fire tells them apart."""
    options: dict[str, bool] = {}
    values, rest = [], list(words)
    while rest:
        word = rest.pop(0)
        if not _OPTION.match(word):
            values.append(word)
            continue
        follows = "=" not in word and bool(rest) and not _OPTION.match(rest[0])
        options[word.partition("=")[0]] = follows or "=" in word
        if follows:
            rest.pop(0)
    return options, values


def _key(option: str) -> str:
    return option.lstrip("-").replace("-", "_")


def _parameter(option: str, parameters: Parameters) -> str | None:
    """The argument that an option sets; a letter stands for the only argument that begins with it."""
    key = _key(option)
    if key in parameters:
        return key
    matching = [name for name in parameters if name[0] == key]
    return matching[0] if len(matching) == 1 else None
