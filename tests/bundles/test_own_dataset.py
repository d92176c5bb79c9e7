"""A dataset that is nobody's task, from its plan to a prediction, as the README says."""

import json
import shutil
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from monai.bundle import run

from adw_components.__main__ import Commands
from adw_components.data.dataset import read_dataset
from adw_components.plan import Plan

from .conftest import inside, tiny
from .test_every_bundle import check_prediction

NAME = "unseen_mixed_adwunet_segmentation"
LABELS = ["organ", "duct", "cyst", "tumour"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("own")
    commands = Commands()
    commands.synthesize(
        output=f"{folder}/Unseen",
        modality=["T1", "T2", "CT"],
        labels=LABELS,
        spacing=[[0.9, 0.9, 3.0], [0.7, 0.8, 2.5]],
        size=[61, 47, 23],
        empty_labels=1,
        cases=6,
        test_cases=1,
    )
    commands.plan(output=f"{folder}/plan.json", dataset_dir=f"{folder}/Unseen", workers=1)
    commands.build(plan=f"{folder}/plan.json", name=NAME, output=f"{folder}/bundles")
    return folder


def test_the_plan_tells_what_was_generated(folder: Path) -> None:
    plan = Plan.load(folder / "plan.json")
    assert plan.dataset.modality == ("T1", "T2", "CT") and plan.dataset.labels == ("background", *LABELS)
    assert [channel.scheme for channel in plan.normalization] == ["z_score", "z_score", "ct"]
    np.testing.assert_allclose(plan.spacing_mm, (0.8, 0.85, 2.75), atol=1e-6)  # the median of two spacings
    text = Commands().describe(str(folder / "plan.json"))
    assert all(name in text for name in ("spacing", "patch", "batch", "strides", "normalization"))


def test_its_bundle_goes_all_the_way(folder: Path) -> None:
    bundle, data = folder / "bundles" / NAME, folder / "Unseen"
    flow = [
        ("search", "search", {}),
        ("train", "train", {"architecture_path": "runs/search/architecture.json"}),
        ("evaluate", "evaluate", {"model_dir": "runs/train"}),
        ("infer", "inference", {"model_dir": "runs/train"}),
    ]
    with inside(bundle):
        for run_id, config, more in flow:
            files = [f"configs/{config}.json", "configs/quick.json"]
            run(run_id, config_file=files, dataset_dir=str(data), **tiny(config, folder) | more)
    (image,) = read_dataset(data).test
    prediction = bundle / "runs" / "predictions" / image.name
    check_prediction(nib.load(image), nib.load(prediction), len(LABELS) + 1)
    cases = json.loads((bundle / "runs" / "evaluate" / "cases.json").read_text())["cases"]
    assert [set(case["dice"]) for case in cases] == [set(LABELS)] * len(cases)


def test_another_dataset_is_refused_by_its_bundle(folder: Path, generated_dataset: Path, tmp_path: Path) -> None:
    with inside(folder / "bundles" / NAME), pytest.raises(RuntimeError) as raised:
        run("search", config_file=["configs/search.json", "configs/quick.json"], dataset_dir=str(generated_dataset))
    assert "modality must name 3 channel(s), got 1" in str(raised.value.__cause__)
    shutil.rmtree(tmp_path)
