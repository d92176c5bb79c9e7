"""Training loaders: batches of plain tensors from workers, equal whether the workers keep records or not."""

from pathlib import Path

import pytest
import torch
from monai.data import DataLoader, Dataset, MetaTensor, get_track_meta
from monai.transforms import Compose, EnsureChannelFirstd, EnsureTyped, LoadImaged, RandFlipd, Spacingd

from adw_components.data.dataset import datalist, read_dataset
from adw_components.data.loaders import training_loader
from adw_components.data.mapped_dataset import MappedDataset
from adw_components.engines.seeding import reseed

KEYS = ["image", "label"]


def flipped() -> Compose:
    return Compose([RandFlipd(keys=KEYS, prob=0.5, spatial_axis=axis) for axis in range(2)])


def loader(num_workers: int) -> DataLoader:
    cases = [{key: torch.randn(1, 4, 5, generator=torch.Generator().manual_seed(n)) for key in KEYS} for n in range(6)]
    return training_loader(Dataset(cases, flipped()), batch_size=2, iterations=4, num_workers=num_workers)


def batches(loader: DataLoader, seed: int = 5) -> list[dict]:
    reseed(loader, seed)
    return list(loader)


def test_workers_give_plain_tensors_and_this_process_goes_on_tracking() -> None:
    for batch in batches(loader(2)):
        assert all(type(batch[key]) is torch.Tensor for key in KEYS)
    assert get_track_meta()
    assert isinstance(batches(loader(0))[0]["image"], MetaTensor)


def test_batches_are_those_of_workers_that_track(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = batches(loader(2))
    monkeypatch.setattr("adw_components.data.loaders.set_track_meta", lambda value: None)
    for one, other in zip(plain, batches(loader(2)), strict=True):
        assert isinstance(other["image"], MetaTensor)
        assert all(torch.equal(one[key], other[key].as_tensor()) for key in KEYS)


def test_a_worker_makes_a_damaged_file_again_as_it_was(generated_dataset: Path, tmp_path: Path) -> None:
    """Spacing is read off the metadata, which the transforms of a worker do not track."""
    dataset = read_dataset(generated_dataset)
    steps = [
        LoadImaged(keys=KEYS),
        EnsureChannelFirstd(keys=KEYS),
        Spacingd(keys=KEYS, pixdim=(2.0,) * 3, mode=("bilinear", "nearest")),
        EnsureTyped(keys=KEYS, track_meta=False),
        *flipped().transforms,
    ]
    cases = MappedDataset(datalist(dataset, dataset.case_ids[:1]), Compose(steps), tmp_path)
    (file,) = tmp_path.iterdir()
    whole = torch.load(file)
    file.write_bytes(file.read_bytes()[:1000])
    for _ in training_loader(cases, batch_size=1, iterations=1, num_workers=1):
        assert all(torch.equal(torch.load(file)[key], whole[key]) for key in KEYS)
