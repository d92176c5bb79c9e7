"""Every bundle of a task searches, trains, evaluates and infers on data of its own kind, from another folder."""

import json
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from monai.bundle import run

from adw_components.architecture import Architecture
from adw_components.data.dataset import read_dataset
from adw_components.plan import Plan

from .conftest import PLAIN, data_of, inside, tiny


def run_from(folder: Path, bundle: Path, run_id: str, config: str, **options: object) -> None:
    configs = [str(bundle / "configs" / f"{name}.json") for name in (config, "quick")]
    logging = str(bundle / "configs" / "logging.conf")
    with inside(folder):
        run(
            run_id,
            config_file=configs,
            logging_file=logging,
            bundle_root=str(bundle),
            **tiny(config, folder),
            **options,
        )


@pytest.mark.parametrize("bundle", PLAIN, ids=lambda path: path.name)
def test_the_whole_flow(bundle: Path, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    plan, data = Plan.load(bundle / "configs" / "plan.json"), data_of(bundle, tmp_path_factory)
    architecture = tmp_path / "search" / "architecture.json"
    common = {"dataset_dir": str(data)}
    run_from(tmp_path, bundle, "search", "search", output_dir="search", cache_gb=0, **common)
    storage = {"architecture_path": str(architecture), "cache_gb": 0}
    run_from(tmp_path, bundle, "train", "train", output_dir="train", **storage, **common)
    run_from(tmp_path, bundle, "evaluate", "evaluate", output_dir="evaluate", model_dir="train", **common)
    run_from(tmp_path, bundle, "infer", "inference", output_dir="predictions", model_dir="train", **common)

    assert Architecture.load(architecture).strides == plan.strides
    cases = json.loads((tmp_path / "evaluate" / "cases.json").read_text())["cases"]
    assert [set(case["dice"]) for case in cases] == [set(plan.dataset.labels[1:])] * len(cases)
    # The three datasets of a search, and the two of a retraining, share the prepared cases.
    assert len(list((tmp_path / "cache").glob("*.pt"))) == 5
    pairs = [(path, tmp_path / "predictions" / path.name) for path in read_dataset(data).test]
    pairs += [(Path(case["image"]), tmp_path / "evaluate" / case["prediction"]) for case in cases]
    for image, prediction in pairs:
        check_prediction(nib.load(image), nib.load(prediction), len(plan.dataset.labels))


def check_prediction(image: nib.Nifti1Image, prediction: nib.Nifti1Image, n_classes: int) -> None:
    assert prediction.shape == image.shape[:3]
    np.testing.assert_array_equal(prediction.affine, image.affine)
    assert prediction.get_data_dtype() == np.uint8
    assert set(np.unique(np.asanyarray(prediction.dataobj))) <= set(range(n_classes))
