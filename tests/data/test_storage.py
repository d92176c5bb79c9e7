"""Prepared cases: memory and mapped files give the same, and files are made once."""

import os
import threading
import time
from pathlib import Path

import pytest
import torch
from monai.data import CacheDataset
from monai.transforms import Compose, EnsureChannelFirstd, EnsureTyped, LoadImaged, RandFlipd, Spacingd, Transform

from adw_components.data import storage as stored
from adw_components.data.dataset import datalist, read_dataset
from adw_components.data.mapped_dataset import MappedDataset
from adw_components.data.storage import Storage, choose_storage, prepared_cases
from adw_components.errors import UserError

KEYS = ["image", "label"]


def transforms(spacing: float = 2.0) -> Compose:
    steps = [
        LoadImaged(keys=KEYS),
        EnsureChannelFirstd(keys=KEYS),
        Spacingd(keys=KEYS, pixdim=(spacing,) * 3, mode=("bilinear", "nearest")),
        EnsureTyped(keys=KEYS, dtype=(torch.float32, torch.uint8), track_meta=False),
        RandFlipd(keys=KEYS, prob=0.5, spatial_axis=0),
    ]
    return Compose(steps).set_random_state(0)


@pytest.fixture
def items(generated_dataset: Path) -> list[dict[str, str]]:
    dataset = read_dataset(generated_dataset)
    return datalist(dataset, dataset.case_ids[:3])


def test_the_budget_decides_and_the_estimate_is_the_size_of_the_prepared_cases(
    generated_dataset: Path, items: list, tmp_path: Path
) -> None:
    dataset = read_dataset(generated_dataset)
    options = {"spacing": (2.0,) * 3, "in_channels": 1, "cache_dir": tmp_path}
    cases = datalist(dataset, dataset.case_ids)
    small, large = (choose_storage(cases, cache_gb=gigabytes, **options) for gigabytes in (8, 0))
    assert (small.kind, large.kind) == ("memory", "mapped")
    prepared = MappedDataset(cases, transforms(), tmp_path)
    true = sum(case["image"].nelement() * 4 + case["label"].nelement() for case in prepared)
    assert small.gigabytes * 1e9 == pytest.approx(true, rel=0.1)
    assert isinstance(prepared_cases(items, transforms(), small, 0), CacheDataset)
    assert isinstance(prepared_cases(items, transforms(), large, 0), MappedDataset)


def test_mapped_cases_equal_those_in_memory(items: list, tmp_path: Path) -> None:
    mapped = MappedDataset(items, transforms(), tmp_path)
    memory = CacheDataset(items, transforms(), progress=False)
    for index in range(len(items)):
        for dataset in (mapped, memory):
            dataset.transform.set_random_state(index)
        one, other = mapped[index], memory[index]
        assert all(torch.equal(torch.as_tensor(one[key]), torch.as_tensor(other[key])) for key in KEYS)


def test_files_are_made_once_and_anew_for_another_transform_or_a_changed_image(items: list, tmp_path: Path) -> None:
    def names() -> set[str]:
        return {path.name for path in tmp_path.iterdir()}

    MappedDataset(items, transforms(), tmp_path)
    first = names()
    times = {path.name: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    MappedDataset(items, transforms(), tmp_path)
    assert {path.name: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == times
    MappedDataset(items[:2], transforms(spacing=3.0), tmp_path)
    assert len(names() - first) == 2 and first < names()
    os.utime(items[0]["image"], ns=(1, 1))
    MappedDataset(items, transforms(), tmp_path)
    assert len(names() - first) == 3


def test_a_full_disk_is_one_line_and_leaves_nothing(
    items: list, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(path: Path, _: object) -> None:
        Path(path).write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("adw_components.data.mapped_dataset.write_torch", fail)
    with pytest.raises(UserError, match="No space left on device; make room or give --cache_dir"):
        MappedDataset(items, transforms(), tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_mapped_case_may_be_changed_without_changing_its_file(items: list, tmp_path: Path) -> None:
    dataset = MappedDataset(items, Compose(list(transforms().transforms[:-1])), tmp_path)
    before = dataset[0]["image"].clone()
    dataset[0]["image"].zero_()
    assert torch.equal(dataset[0]["image"], before)


def test_a_damaged_file_is_made_again(items: list, tmp_path: Path) -> None:
    dataset = MappedDataset(items[:1], transforms(), tmp_path)
    (file,) = tmp_path.iterdir()
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])
    assert dataset[0]["image"].ndim == 4
    assert len(file.read_bytes()) == len(whole)


def test_names_do_not_depend_on_what_was_prepared_before_or_how_the_path_is_written(
    items: list, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared = transforms()
    MappedDataset(items[:2], shared, tmp_path)
    MappedDataset(items[1:], shared, tmp_path)
    root = Path(items[0]["image"]).parents[1]
    monkeypatch.chdir(root)
    relative = [{key: str(Path(item[key]).relative_to(root)) for key in KEYS} for item in items]
    MappedDataset(relative, shared, tmp_path)
    assert len(list(tmp_path.iterdir())) == 3
    CacheDataset(items, shared, progress=False)
    assert len(list(tmp_path.iterdir())) == 3


def test_processes_of_a_machine_share_the_budget(items: list, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    options = {"spacing": (2.0,) * 3, "in_channels": 1, "cache_dir": tmp_path}
    size = choose_storage(items, cache_gb=1, **options).gigabytes
    assert choose_storage(items, cache_gb=1.5 * size, **options).kind == "memory"
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "2")
    assert choose_storage(items, cache_gb=1.5 * size, **options).kind == "mapped"


class OneFails(Transform):
    """Fails at once for one case, while the others take their time."""

    def __init__(self) -> None:
        self.at_work: list[int] = []

    def __call__(self, item: dict[str, int]) -> dict[str, int]:
        if item["case"] == 0:
            time.sleep(0.05)
            raise ValueError("a header at fault")
        self.at_work.append(item["case"])
        time.sleep(0.3)
        self.at_work.remove(item["case"])
        return item


def test_no_thread_outlives_a_case_that_fails() -> None:
    """One that is inside torch when Python ends aborts the process."""
    others, transform = set(threading.enumerate()), OneFails()
    storage = Storage(kind="memory", folder=Path(), gigabytes=0.0)
    with pytest.raises(RuntimeError, match="applying transform"):
        prepared_cases([{"case": number} for number in range(4)], Compose([transform]), storage, num_workers=4)
    assert not transform.at_work and set(threading.enumerate()) <= others


def test_a_thread_that_waits_for_work_does_not_hold_a_failure_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stored, "_PATIENCE", 0.2)
    ended = threading.Event()
    with pytest.raises(MemoryError), stored._threads_ended():
        threading.Thread(target=ended.wait, daemon=True).start()
        raise MemoryError
    ended.set()
