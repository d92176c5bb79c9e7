"""The command line of a benchmark: options, and the device that they name."""

from __future__ import annotations

import argparse
from typing import NoReturn

import torch

from adw_components.errors import UserError


class Parser(argparse.ArgumentParser):
    """A parser that says what is wrong in one line."""

    def error(self, message: str) -> NoReturn:
        """Raise `message` as a `UserError`."""
        raise UserError(f"{message}; --help lists the options")


def whole_number(text: str) -> int:
    """A whole number from 1 on."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be a whole number from 1 on, got {text!r}")
    return int(text)


def whole_numbers(text: str) -> tuple[int, ...]:
    """Whole numbers from 1 on, written as "[16,24]" or "16,24"."""
    return tuple(whole_number(part.strip()) for part in text.strip().removeprefix("[").removesuffix("]").split(","))


def found_device(name: str) -> torch.device:
    """The device `name`, if torch can compute on it here."""
    try:
        device = torch.device(name)
        torch.empty(1, device=device).cpu()
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise UserError(f"device must be one that torch finds here, such as cpu or cuda, got {name!r}") from error
    return device
