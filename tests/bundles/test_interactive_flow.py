"""Interactive bundles train, evaluate with clicks and infer; without clicks they are the plain bundles."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
import torch
from monai.bundle import ConfigParser, run

from adw_components.builder.build import new_bundle
from adw_components.builder.source import msd_source
from adw_components.data.dataset import read_dataset
from adw_components.errors import user_error_behind
from adw_components.interactive.corrections import correction_click
from adw_components.plan import Plan

from .conftest import BUNDLE, INTERACTIVE, TOY_PREDICTION, data_of, inside, tiny, tiny_architecture
from .test_every_bundle import check_prediction

# The committed bundle; 4 image channels; 2 channels and an anisotropic plan.
TASKS = ["Task04_Hippocampus", "Task01_BrainTumour", "Task05_Prostate"]


@dataclass(frozen=True, kw_only=True)
class Flow:
    """A bundle, its data, and the folder of its runs: train, evaluate, predictions."""

    bundle: Path
    data: Path
    folder: Path

    @property
    def plan(self) -> Plan:
        """Of the bundle's data."""
        return Plan.load(self.bundle / "configs" / "plan.json")

    def run(self, run_id: str, config: str, **options: Any) -> None:
        """A command with the small setting, made tiny."""
        files = [str(self.bundle / "configs" / f"{name}.json") for name in (config, "quick")]
        settings = {**tiny(config, self.folder), "dataset_dir": str(self.data), **options}
        with inside(self.folder):
            run(run_id, config_file=files, bundle_root=str(self.bundle), **settings)

    def json(self, name: str) -> Any:
        """Content of a file of the runs."""
        return json.loads((self.folder / name).read_text())


@pytest.fixture(scope="module", params=TASKS)
def flow(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Flow:
    folder = tmp_path_factory.mktemp("interactive")
    source = msd_source(request.param, interactive=True)
    bundle = INTERACTIVE if source.name == INTERACTIVE.name else new_bundle(source, output=folder)
    flow = Flow(bundle=bundle, data=data_of(bundle, tmp_path_factory), folder=folder)
    # Every patch has clicks.
    batch = {"batch_size": 2, "automatic_share": 0, "max_corrections": 2}
    architecture = str(tiny_architecture(bundle, folder))
    flow.run("train", "train", output_dir="train", architecture_path=architecture, **batch)
    flow.run("evaluate", "evaluate", output_dir="evaluate", model_dir="train", clicks=[0, 1])
    flow.run("infer", "inference", output_dir="predictions", model_dir="train")
    return flow


def voxels(path: Path) -> np.ndarray:
    return np.asanyarray(nib.load(path).dataobj)


def test_weights_have_a_channel_a_class_beside_those_of_the_image(flow: Flow) -> None:
    (row,) = (json.loads(line) for line in (flow.folder / "train" / "train.jsonl").read_text().splitlines())
    assert np.isfinite(row["loss"]) and row["validation"]["mean_dice"] is not None
    weights = torch.load(flow.folder / "train" / "model.pt", weights_only=True)
    first = next(value for value in weights.values() if value.ndim == 5)
    assert first.shape[1] == flow.plan.in_channels + flow.plan.out_channels
    settings = flow.json("train/settings.json")
    assert (settings["automatic_share"], settings["max_corrections"], settings["guidance_sigma"]) == (0, 2, 2.0)


@pytest.mark.parametrize("flow", TASKS[:1], indirect=True)
@pytest.mark.parametrize(
    ("option", "value"), [("automatic_share", 1.5), ("max_corrections", 0), ("guidance_sigma", -1)]
)
def test_wrong_settings_of_the_clicks_are_refused_before_anything_is_written(
    flow: Flow, option: str, value: float
) -> None:
    with pytest.raises(RuntimeError) as caught:
        flow.run("train", "train", output_dir="refused", **{option: value})
    assert option.removeprefix("guidance_") in str(user_error_behind(caught.value))
    assert not (flow.folder / "refused").exists()


def test_curve_has_the_clicks_asked_for_and_begins_with_the_automatic_mode(flow: Flow) -> None:
    curve = flow.json("evaluate/clicks.json")["curve"]
    assert [point["clicks"] for point in curve] == [0, 1]
    cases, summary = flow.json("evaluate/cases.json")["cases"], flow.json("evaluate/summary.json")
    assert curve[0]["mean_dice"] == pytest.approx(summary["mean_dice"])
    table = pd.read_csv(flow.folder / "evaluate" / "clicks.csv")
    assert table["clicks"].tolist() == [0] * len(cases) + [1] * len(cases)
    assert table["case"].tolist() == [case["case"] for case in cases] * 2
    for label in flow.plan.dataset.labels[1:]:
        given = [np.nan if case["dice"][label] is None else case["dice"][label] for case in cases]
        np.testing.assert_allclose(table[f"dice {label}"][: len(cases)], given, atol=1e-6)
    assert table["mean_dice"].notna().all() and table["mean_dice"].between(0, 1).all()


def test_evaluated_and_inferred_label_maps_lie_on_the_grids_of_their_images(flow: Flow) -> None:
    cases = flow.json("evaluate/cases.json")["cases"]
    pairs = [(path, flow.folder / "predictions" / path.name) for path in read_dataset(flow.data).test]
    pairs += [(Path(case["image"]), flow.folder / "evaluate" / case["prediction"]) for case in cases]
    for image, prediction in pairs:
        check_prediction(nib.load(image), nib.load(prediction), flow.plan.out_channels)


def test_a_click_of_the_curve_is_a_click_of_a_request(flow: Flow) -> None:
    """Inference of the same clicks, as MONAI Label sends them, gives the Dice of the curve."""
    (case,) = flow.json("evaluate/cases.json")["cases"]
    label, automatic = voxels(case["label"]), voxels(flow.folder / "evaluate" / case["prediction"])
    click = correction_click(automatic, label)
    assert click is not None and label[click.voxel] == click.value != automatic[click.voxel]
    name = flow.plan.dataset.labels[click.value].lower()
    for folder, clicks in (("automatic", {}), ("corrected", {name: [list(click.voxel)]})):
        flow.run("infer", "inference", output_dir=folder, model_dir="train", data=[{"image": case["image"], **clicks}])
    found = {folder: voxels(flow.folder / folder / Path(case["image"]).name) for folder in ("automatic", "corrected")}
    np.testing.assert_array_equal(found["automatic"], automatic)
    assert (found["corrected"] != automatic).any()
    table = pd.read_csv(flow.folder / "evaluate" / "clicks.csv")
    for value, label_name in enumerate(flow.plan.dataset.labels[1:], start=1):
        predicted, true = found["corrected"] == value, label == value
        if predicted.any() or true.any():
            dice = 2 * (predicted & true).sum() / (predicted.sum() + true.sum())
            assert table[f"dice {label_name}"][1] == pytest.approx(dice, abs=1e-6)


@pytest.mark.parametrize("guidance_weights", [torch.zeros_like, torch.randn_like], ids=["zero", "any"])
def test_without_clicks_an_interactive_bundle_is_the_plain_one(
    guidance_weights: Callable[[torch.Tensor], torch.Tensor], generated_dataset: Path, tmp_path: Path
) -> None:
    """Their weights are the same, but for those of the guidance, which do not matter where there is none."""
    torch.manual_seed(0)
    architecture = str(tiny_architecture(BUNDLE, tmp_path))
    plain, interactive = (network_of(bundle, architecture) for bundle in (BUNDLE, INTERACTIVE))
    weights, wider = dict(plain.state_dict()), interactive.state_dict()
    (stem,) = (name for name in weights if weights[name].shape != wider[name].shape)
    widened = torch.cat([weights[stem], guidance_weights(wider[stem][:, 1:])], dim=1)
    interactive.load_state_dict({**weights, stem: widened})
    x = torch.randn(1, 1, 24, 32, 24)
    with torch.no_grad():
        logits, guided = plain.eval()(x), interactive.eval()(torch.cat([x, x.new_zeros(1, 3, 24, 32, 24)], dim=1))
    torch.testing.assert_close(guided, logits, rtol=0, atol=1e-5)

    found = {}
    for bundle, network in ((BUNDLE, plain), (INTERACTIVE, interactive)):
        folder = tmp_path / bundle.name
        folder.mkdir()
        torch.save(network.state_dict(), folder / "model.pt")
        options = {"architecture_path": architecture, "dataset_dir": str(generated_dataset), **TOY_PREDICTION}
        options["mirror_tta"] = False  # set for each bundle by what was measured with its weights
        with inside(bundle):
            run(
                "infer",
                config_file="configs/inference.json",
                model_dir=str(folder),
                output_dir=str(folder / "predictions"),
                **options,
            )
        found[bundle] = {path.name: voxels(path) for path in (folder / "predictions").glob("*.nii.gz")}
    assert found[BUNDLE].keys() == found[INTERACTIVE].keys() and len(found[BUNDLE]) == 2
    for name, expected in found[BUNDLE].items():
        np.testing.assert_array_equal(found[INTERACTIVE][name], expected)
        assert len(np.unique(expected)) > 1


def network_of(bundle: Path, architecture: str) -> torch.nn.Module:
    """The network of a bundle's inference, with random weights."""
    parser = ConfigParser()
    parser.read_config(str(bundle / "configs" / "inference.json"))
    parser["architecture_path"] = architecture
    return parser.get_parsed_content("network_def")
