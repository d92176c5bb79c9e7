"""Check that a `dataset.json` names the channels and labels of a bundle, in its order. No torch here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .dataset import MSDDataset, some
from .volumes import Fault, Report


def check_channels(dataset: MSDDataset, in_channels: int, modality: Sequence[str]) -> Report:
    """Return what is wrong with the named channels: their number, or the bundle's names in another order."""
    given, expected = (tuple(name.casefold() for name in names) for names in (dataset.modality, modality))
    if len(given) != in_channels:
        rule, remedy = f"{in_channels} channel(s)", "give the bundle's own data, or plan and build a bundle for these"
    elif given != expected and sorted(given) == sorted(expected):
        rule, remedy = f"the order {', '.join(modality)}", "reorder the channels of the images and of dataset.json"
    else:
        return Report()
    problem = f"modality must name {rule}, got {len(given)}: {some(dataset.modality)}"
    return _of_description(dataset, problem, remedy)


def check_labels(dataset: MSDDataset, labels: Mapping[Any, str]) -> Report:
    """Return what is wrong with the labels: a value of the bundle is missing, or its names are at other values."""
    expected = {int(value): name for value, name in labels.items() if int(value)}
    names = {value: name.casefold() for value, name in expected.items()}
    if not set(expected) <= set(dataset.labels):
        found = {value: name for value, name in dataset.labels.items() if value}
        problem = f"labels must have the values of {_numbered(expected)}, got {_numbered(found) or 'none'}"
        remedy = "renumber the labels of the files and of dataset.json, or plan and build a bundle for these"
        return _of_description(dataset, problem, remedy)
    # The bundle's names wherever the dataset has them; what it calls background is none.
    given = {value: name.casefold() for value, name in dataset.labels.items() if name.casefold() in names.values()}
    if given == names or sorted(given.values()) != sorted(names.values()):
        return Report()
    found = {value: name for value, name in dataset.labels.items() if value or value in given}
    problem = f"labels must be {_numbered(expected)} in this order, got {_numbered(found)}"
    remedy = "renumber the labels of the files and of dataset.json"
    return _of_description(dataset, problem, remedy)


def _numbered(names: Mapping[int, str]) -> str:
    return ", ".join(f"{value} {name}" for value, name in sorted(names.items()))


def _of_description(dataset: MSDDataset, problem: str, remedy: str) -> Report:
    return Report(faults=(Fault(file=str(dataset.root / "dataset.json"), problem=problem, remedy=remedy),))
