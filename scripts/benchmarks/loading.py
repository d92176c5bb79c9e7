"""How fast batches come, and where a patch's time goes."""

from __future__ import annotations

import statistics
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Any

from monai.bundle import ConfigParser
from monai.data import DataLoader, get_track_meta, set_track_meta
from monai.data.utils import set_rnd
from monai.transforms import Compose
from tqdm import tqdm

from adw_components.engines.seeding import reseed

from .timing import rotated


@dataclass(frozen=True, kw_only=True)
class Flow:
    """What a loader gives.

    Args:
        start_seconds: from the start of its workers to the first batch; at the beginning of every epoch.
        patches_per_second: after that.
    """

    start_seconds: float
    patches_per_second: float


def flow(loader: DataLoader, seed: int) -> Flow:
    """One epoch of `loader`, which does nothing else."""
    reseed(loader, seed)
    started = perf_counter()
    batches = iter(loader)
    next(batches)
    first = perf_counter()
    count = sum(1 for _ in batches)
    patches = count * (loader.batch_size or 1)
    return Flow(start_seconds=first - started, patches_per_second=patches / (perf_counter() - first))


def flows(loaders: Mapping[str, DataLoader], *, repeats: int) -> dict[str, Flow]:
    """Medians over epochs of every loader, taken in turn; every repeat begins one further."""
    names, found = list(loaders), defaultdict[str, list[Flow]](list)
    for index in tqdm(range(repeats), desc="loading", unit="repeat", disable=None):
        for name in rotated(names, index):
            found[name].append(flow(loaders[name], seed=index))
    return {
        name: Flow(
            start_seconds=statistics.median(epoch.start_seconds for epoch in found[name]),
            patches_per_second=statistics.median(epoch.patches_per_second for epoch in found[name]),
        )
        for name in names
    }


def transform_milliseconds(parser: ConfigParser, *, patches: int, repeats: int, cases: int = 3) -> dict[str, float]:
    """Mean time of every random transform of a patch, the median over the repeats, as a loader's worker runs them.

    Args:
        parser: a config with training transforms.
        patches: of a repeat.
        repeats: how often.
        cases: prepared cases that the patches are cut from.
    """
    prepare = Compose(parser.get_parsed_content("train#deterministic_transforms"))
    prepared = [prepare(item) for item in parser.get_parsed_content("train#dataset#data")[:cases]]
    steps: list[Any] = parser.get_parsed_content("train#random_transforms")
    tracked = get_track_meta()
    set_track_meta(False)
    try:
        rounds = [_profile(steps, prepared, patches, seed) for seed in range(repeats)]
    finally:
        set_track_meta(tracked)
    medians = [statistics.median(times) for times in zip(*rounds, strict=True)]
    return dict(zip(numbered([type(step).__name__ for step in steps]), medians, strict=True))


def _profile(steps: Sequence[Any], prepared: Sequence[Mapping[str, Any]], patches: int, seed: int) -> list[float]:
    set_rnd(list(steps), seed)
    totals = [0.0] * len(steps)
    for number in range(patches):
        item = dict(prepared[number % len(prepared)])
        for index, step in enumerate(steps):
            started = perf_counter()
            item = step(item)
            totals[index] += perf_counter() - started
    return [1e3 * total / patches for total in totals]


def numbered(names: Sequence[str]) -> list[str]:
    """The names, those that come again with a number."""
    seen: Counter[str] = Counter()
    found = []
    for name in names:
        seen[name] += 1
        found.append(name if seen[name] == 1 else f"{name} {seen[name]}")
    return found
