"""Require sound data of a config before any work: warnings are logged, faults end it. No torch here."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..errors import UserError
from .check import check_cases, check_dataset, check_images
from .dataset import given_files
from .volumes import Report

logger = logging.getLogger(__name__)


def require_sound_dataset(dataset_dir: str | Path, **expected: Any) -> None:
    """`check_dataset`, with the warnings logged and the faults raised.

    Args:
        dataset_dir: the MSD folder.
        expected: what `check_dataset` takes.

    Raises:
        UserError: there are faults; its text is one line for one, else a line with their count, then a line each.
    """
    _act_on(check_dataset(dataset_dir, **expected), f"dataset {dataset_dir}")


def require_sound_cases(
    training: Sequence[Mapping[str, Any]], validation: Sequence[Mapping[str, Any]], **expected: Any
) -> None:
    """`check_cases` of a training that has its cases from elsewhere, as `require_sound_dataset`.

    Args:
        training: items with the paths "image" and "label".
        validation: the same; it may be empty.
        expected: what `check_cases` takes.

    Raises:
        UserError: no case to train on, or faults.
    """
    if not training:
        raise UserError("training needs at least 1 labelled image, got 0; save a final label first")
    _act_on(check_cases(given_files([*training, *validation]), **expected), "the labelled images")


def require_sound_images(items: Sequence[Mapping[str, Any]], **expected: Any) -> None:
    """`check_images` of an inference, as `require_sound_dataset`.

    Args:
        items: with the path "image".
        expected: what `check_images` takes.

    Raises:
        UserError: there are faults.
    """
    _act_on(check_images(items, **expected), "the images")


def _act_on(report: Report, what: str) -> None:
    for warning in report.warnings:
        logger.warning("%s", warning)
    report.raise_faults(what)
