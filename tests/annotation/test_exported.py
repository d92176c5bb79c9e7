"""An exported bundle, whose code is its own `scripts`: segment, click, fine-tune, go on; then the server's end."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest

from .conftest import CLICKS, images_alone, toy_bundle
from .test_annotation import LABELS, check, first, name, save_labels


@pytest.fixture(scope="module")
def exported(work: Path) -> Path:
    """A toy bundle of random weights, exported, with a training of seconds."""
    from adw_components.export.command import export_bundle

    export_bundle(str(toy_bundle(CLICKS, work / "to_export")), output=str(work / "exported"))
    return work / "exported" / CLICKS


@pytest.fixture(scope="module")
def alone(studies_of_its_own: Path, exported: Path, work: Path) -> Iterator[Any]:
    """A server with nothing but the exported bundle."""
    from .server import Server

    running = Server(studies=studies_of_its_own, bundles=[exported], home=work / "home_of_exported")
    try:
        yield running
    finally:
        running.stop()


@pytest.fixture(scope="module")
def studies_of_its_own(work: Path, labelled: Path) -> Path:
    return images_alone(labelled, work / "studies_of_exported")


def test_its_code_is_its_own(alone: Any, exported: Path) -> None:
    assert "adw_components" not in (exported / "configs" / "train.json").read_text()
    info = alone.get("info/")
    assert {CLICKS, f"{CLICKS}_seg"} < set(info["models"]) and set(info["trainers"]) == {CLICKS}
    assert info["models"][CLICKS]["labels"] == {"background": 0, **LABELS}


def test_it_segments_and_takes_clicks(alone: Any, studies_of_its_own: Path) -> None:
    image = first(studies_of_its_own)
    automatic = alone.label_map(f"{CLICKS}_seg", name(image))
    check(automatic, image, {0, 1, 2})
    centre = [size // 2 for size in nib.load(image).shape]
    clicked = alone.label_map(CLICKS, name(image), anterior=[centre], posterior=[[1, 1, 1]])
    check(clicked, image, {0, 1, 2})
    assert np.any(clicked.get_fdata() != automatic.get_fdata())


def test_a_batch_goes_through_in_one_thread(alone: Any) -> None:
    """In several threads MONAI Label unloads and imports the bundle's code at once, and images fail."""
    done = alone.batch_infer(f"{CLICKS}_seg")
    assert done["status"] == "DONE", "\n".join(done["details"])
    listing = alone.get("datastore/", output="all")["objects"]
    assert listing and all("original" in entry["labels"] for entry in listing.values())
    assert "Max Workers" not in alone.log.read_text()


def test_it_is_fine_tuned_and_goes_on(alone: Any, labelled: Path, studies_of_its_own: Path) -> None:
    save_labels(alone, labelled, 3)
    image, weights = name(first(studies_of_its_own)), alone.weights(CLICKS)
    before, found = weights.read_bytes(), alone.label_map(CLICKS, image).get_fdata()
    assert weights.with_suffix(".ts").is_file()
    done = alone.train(CLICKS, max_epochs=2)
    assert done["status"] == "DONE", "\n".join(done["details"])
    run = weights.parents[1] / "runs" / "fine_tuning"
    assert next((run / "previous").glob("*.pt")).read_bytes() == before != weights.read_bytes()
    assert [*(run / "previous").glob("*.ts")] and not weights.with_suffix(".ts").exists()
    assert np.any(alone.label_map(CLICKS, image).get_fdata() != found)


def test_a_running_training_ends_with_the_server_and_changes_nothing(alone: Any) -> None:
    """The last of this file."""
    import psutil

    before, runs = alone.weights(CLICKS).read_bytes(), alone.weights(CLICKS).parents[1] / "runs"
    alone.start_training(CLICKS, max_epochs=1000)
    end = time.monotonic() + 60
    # The training before has made room, and the first epoch of this one is over.
    while not ((runs / "fine_tuning_001").is_dir() and (runs / "fine_tuning" / "train.jsonl").is_file()):
        assert time.monotonic() < end
        time.sleep(0.2)
    started = psutil.Process(alone.process.pid).children(recursive=True)
    assert started
    alone.stop()
    assert not any(process.is_running() and process.status() != psutil.STATUS_ZOMBIE for process in started)
    assert alone.weights(CLICKS).read_bytes() == before
