"""Seeds: distinct, and the same cases and transforms for the same (seed, epoch, process)."""

import random
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from ignite.engine import Engine
from monai.data import DataLoader, Dataset
from monai.transforms import RandGaussianNoised

from adw_components.data.loaders import training_loader
from adw_components.engines import seeding
from adw_components.engines.seeding import EpochSeeds, derived_seed, seed_everything
from adw_components.errors import UserError


def loader(num_workers: int = 0) -> DataLoader:
    """Three batches of two out of eight cases, with random noise."""
    cases = [{"image": torch.full((1, 2, 2), float(number)), "number": number} for number in range(8)]
    transform = RandGaussianNoised(keys="image", prob=1.0)
    return training_loader(Dataset(cases, transform), batch_size=2, iterations=3, num_workers=num_workers)


def epoch_of(seeds: EpochSeeds, epoch: int) -> tuple[list[list[int]], torch.Tensor, tuple[float, float, float]]:
    """Numbers of the cases and images of an epoch, and what the global generators then give."""
    engine: Any = SimpleNamespace(state=SimpleNamespace(epoch=epoch))
    seeds(engine)
    noise = random.random(), float(np.random.rand()), float(torch.rand(()))
    batches = list(seeds.loaders[0])
    return [batch["number"].tolist() for batch in batches], torch.cat([batch["image"] for batch in batches]), noise


def test_derived_seeds_are_distinct_and_of_32_bits() -> None:
    paths = [(epoch, *rest) for epoch in range(100) for rest in ((), (1, 0), (1, 1), (2, 0), (2, 1))]
    seeds = {derived_seed(seed, *path) for seed in range(5) for path in paths}
    assert len(seeds) == 5 * len(paths)
    assert all(0 <= seed < 2**32 for seed in seeds)


def test_derived_seed_never_changes() -> None:
    """A change of these numbers would change every published run."""
    assert derived_seed(0, 1) == int(np.random.SeedSequence((0, 1)).generate_state(1)[0])
    assert derived_seed(0, 1) == derived_seed(0, 1) != derived_seed(1, 0)


@pytest.mark.parametrize("num_workers", [0, 2])
def test_epoch_is_reproducible_whatever_came_before(num_workers: int) -> None:
    first, second = (EpochSeeds(seed=3, loaders=[loader(num_workers)]) for _ in range(2))
    epoch_of(first, 1)
    numbers, images, noise = epoch_of(first, 2)
    torch.manual_seed(99)
    again = epoch_of(second, 2)
    assert (numbers, noise) == (again[0], again[2])
    assert torch.equal(images, again[1])


@pytest.mark.parametrize(("seed", "epoch"), [(3, 1), (4, 2)])
def test_other_seed_or_epoch_gives_other_batches(seed: int, epoch: int) -> None:
    numbers, images, noise = epoch_of(EpochSeeds(seed=3, loaders=[loader()]), 2)
    other = epoch_of(EpochSeeds(seed=seed, loaders=[loader()]), epoch)
    assert numbers != other[0] and noise != other[2]
    assert not torch.equal(images, other[1])


def test_process_changes_the_cases_but_not_the_common_noise(monkeypatch: pytest.MonkeyPatch) -> None:
    numbers, images, noise = epoch_of(EpochSeeds(seed=3, loaders=[loader()]), 2)
    monkeypatch.setattr(seeding, "rank", lambda: 1)
    other = epoch_of(EpochSeeds(seed=3, loaders=[loader()]), 2)
    assert noise == other[2]
    assert numbers != other[0] and not torch.equal(images, other[1])


def test_loaders_of_one_run_draw_different_cases() -> None:
    seeds = EpochSeeds(seed=3, loaders=[loader(), loader()])
    epoch_of(seeds, 1)
    assert seeds.loaders[0].generator.initial_seed() != seeds.loaders[1].generator.initial_seed()


def test_every_epoch_is_seeded_when_it_starts() -> None:
    drawn: list[float] = []
    engine = Engine(lambda *_: drawn.append(float(torch.rand(()))))
    EpochSeeds(seed=0).attach(engine)
    engine.run([0], max_epochs=2)
    assert drawn == [float(torch.rand((), generator=torch.Generator().manual_seed(derived_seed(0, e)))) for e in (1, 2)]


@pytest.mark.parametrize(("batch_size", "iterations"), [(0, 1), (1, 0), (-1, 1), (1, 2.5), ("2", 1)])
def test_loader_refuses_sizes_that_are_no_positive_integers(batch_size: Any, iterations: Any) -> None:
    with pytest.raises(UserError, match=r"(batch_size|iterations_per_epoch) must be a positive integer"):
        training_loader(Dataset([1]), batch_size=batch_size, iterations=iterations)


def test_loader_gives_the_asked_number_of_full_batches() -> None:
    numbers, _, _ = epoch_of(EpochSeeds(seed=0, loaders=[loader()]), 1)
    assert [len(batch) for batch in numbers] == [2, 2, 2]


def test_one_seed_fixes_all_global_generators() -> None:
    draws = []
    for seed in (0, 0, 1):
        seed_everything(seed=seed)
        draws.append((random.random(), float(np.random.rand()), float(torch.rand(()))))
    assert draws[0] == draws[1]
    assert all(first != other for first, other in zip(draws[0], draws[2], strict=True))
