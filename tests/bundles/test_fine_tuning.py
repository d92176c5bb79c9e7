"""A training as MONAI Label starts it: the keys that it overrides, and no MSD folder."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from monai.bundle import ConfigParser, run

from adw_components.errors import user_error_behind

from .conftest import BUNDLE, TOY_TRAIN, inside

SMALL = {name: value for name, value in TOY_TRAIN.items() if name not in ("max_epochs", "val_interval", "patch_size")}
ALL_LABELS = 6


@pytest.fixture
def bundle(tmp_path: Path, runs: Path) -> Path:
    """A copy of the bundle with the weights of a toy retraining, and what its folder says about them."""
    folder = tmp_path / "a_segmentation"
    shutil.copytree(BUNDLE / "configs", folder / "configs")
    (folder / "models").mkdir()
    for name in ("model.pt", "architecture.json", "settings.json"):
        shutil.copyfile(runs / "train" / name, folder / "models" / name)
    return folder


@pytest.fixture
def studies(tmp_path: Path, generated_dataset: Path) -> list[dict[str, str]]:
    """Images and labels in one folder, as MONAI Label's datastore keeps them."""
    (tmp_path / "studies" / "labels" / "final").mkdir(parents=True)
    items = []
    for image in sorted((generated_dataset / "imagesTr").glob("*.nii.gz"))[:ALL_LABELS]:
        copy, label = tmp_path / "studies" / image.name, tmp_path / "studies" / "labels" / "final" / image.name
        shutil.copyfile(image, copy)
        shutil.copyfile(generated_dataset / "labelsTr" / image.name, label)
        items.append({"image": str(copy), "label": str(label)})
    return items


def fine_tune(bundle: Path, training: list, validation: list, **changed: Any) -> None:
    """What `monailabel.tasks.train.bundle` does, for 2 epochs."""
    config = str(bundle / "configs" / "train.json")
    parser = ConfigParser()
    parser.read_config(config)
    handlers = parser.get("train#handlers", [])
    assert [handler for handler in handlers if handler.get("_target_") == "CheckpointLoader"]
    overrides = {
        "bundle_root": str(bundle),
        "train#trainer#max_epochs": 2,
        "train#dataset#data": training,
        "validate#dataset#data": validation,
        "train#handlers": handlers,
    }
    with inside(bundle.parent):
        run("run", config_file=config, **{**overrides, "fine_tuning": True, **SMALL, **changed})


def weights(path: Path) -> dict[str, torch.Tensor]:
    return torch.load(path, weights_only=True)


def are_equal(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return all(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize("n_validation", [2, 0])
def test_the_weights_go_on_from_those_of_the_bundle_and_replace_them(
    bundle: Path, studies: list, n_validation: int
) -> None:
    before, published = weights(bundle / "models" / "model.pt"), bundle / "models" / "model.pt"
    cut = ALL_LABELS - n_validation
    fine_tune(bundle, studies[:cut], studies[cut:])
    folder = bundle / "runs" / "fine_tuning"
    rows = [json.loads(line) for line in (folder / "train.jsonl").read_text().splitlines()]
    assert [row["epoch"] for row in rows] == [1, 2]
    assert [row["validation"] is not None for row in rows] == [False, bool(n_validation)]
    assert are_equal(weights(published), weights(folder / "model.pt"))
    assert not are_equal(weights(published), before)
    assert are_equal(weights(*(folder / "previous").iterdir()), before)
    settings = json.loads((folder / "settings.json").read_text())
    assert (settings["max_epochs"], settings["n_cases"], settings["dataset"]) == (2, ALL_LABELS, "studies")
    assert settings["learning_rate"] == rows[0]["learning_rate"] == 0.001
    assert settings["patch_size"] == json.loads((bundle / "models" / "settings.json").read_text())["patch_size"]
    assert [path.name for path in (bundle / "models").glob("*.pt")] == ["model.pt"]


def test_a_step_of_no_length_leaves_the_weights_that_it_starts_from(bundle: Path, studies: list) -> None:
    """So it starts from them: nothing else could give them back."""
    before = weights(bundle / "models" / "model.pt")
    fine_tune(bundle, studies, [], learning_rate=1e-30)
    assert are_equal(weights(bundle / "models" / "model.pt"), before)


def test_every_fine_tuning_keeps_its_folder(bundle: Path, studies: list) -> None:
    first = weights(bundle / "models" / "model.pt")
    kept = []
    for _ in range(2):
        kept.append(weights(bundle / "models" / "model.pt"))
        fine_tune(bundle, studies, [])
    runs = bundle / "runs"
    assert sorted(path.name for path in runs.iterdir()) == ["fine_tuning", "fine_tuning_001"]
    names = ["fine_tuning_001", "fine_tuning"]
    for name, weight in zip(names, kept, strict=True):
        assert are_equal(weights(*(runs / name / "previous").iterdir()), weight)
    assert are_equal(weights(*(runs / "fine_tuning_001" / "previous").iterdir()), first)


def test_a_case_with_a_mark_of_configs_in_its_name_is_trained_on(bundle: Path, studies: list) -> None:
    """MONAI turns # into :: in every text of a config, and these paths come as texts."""
    for item in studies[:2]:
        for key, path in item.items():
            item[key] = str(Path(path).rename(Path(path).with_name(f"x#{Path(path).name}")))
    fine_tune(bundle, studies[1:4], studies[:1], cache_gb=0)
    settings = json.loads((bundle / "runs" / "fine_tuning" / "settings.json").read_text())
    assert (settings["n_cases"], settings["dataset"]) == (4, "studies")


def test_a_label_of_another_task_is_named_and_nothing_changes(bundle: Path, studies: list) -> None:
    before = (bundle / "models" / "model.pt").read_bytes()
    with pytest.raises(RuntimeError) as raised:
        fine_tune(bundle, [*studies, {"image": studies[0]["image"], "label": studies[1]["image"]}], [])
    message = str(user_error_behind(raised.value))
    assert message.startswith("2 faults in the labelled images:") and "label values must be 0, 1, 2" in message
    assert (bundle / "models" / "model.pt").read_bytes() == before and not (bundle / "runs").exists()


@pytest.mark.parametrize(("missing", "message"), [("labels", "at least 1 labelled image"), ("weights", "starts from")])
def test_without_labels_or_weights_there_is_a_line(bundle: Path, studies: list, missing: str, message: str) -> None:
    if missing == "weights":
        (bundle / "models" / "model.pt").unlink()
    with pytest.raises(RuntimeError) as raised:
        fine_tune(bundle, [] if missing == "labels" else studies, [])
    assert message in str(user_error_behind(raised.value))


def test_a_retraining_knows_nothing_of_it(runs: Path) -> None:
    settings = json.loads((runs / "train" / "settings.json").read_text())
    assert settings["learning_rate"] == 0.01 and not (runs / "train" / "previous").exists()
