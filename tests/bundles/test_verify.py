"""Every bundle passes MONAI's own checks, and its exports compute what its network computes."""

import json
import os
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from monai.bundle import ConfigParser, ckpt_export, create_workflow, onnx_export, verify_metadata, verify_net_in_out

from adw_components.networks import AdwUNet

from .conftest import BUNDLES, INTERACTIVE, PLAIN, data_of, inside, quick_patch, tiny

EXPORTED = {
    "net_id": "network_def",
    "meta_file": "configs/metadata.json",
    "config_file": "configs/inference.json",
}
bundles = pytest.mark.parametrize("bundle", BUNDLES, ids=lambda path: path.name)
WORKFLOWS = {"search": "train", "train": "train", "evaluate": "infer", "inference": "infer"}
# The configs of every bundle that has them.
workflows = pytest.mark.parametrize(
    ("bundle", "config"),
    [
        pytest.param(bundle, config, id=f"{bundle.name}-{config}")
        for bundle in BUNDLES
        for config in WORKFLOWS
        if config != "search" or bundle in PLAIN
    ],
)

TENSOR = {
    "type": "object",
    "required": ["type", "format", "num_channels", "spatial_shape", "dtype", "value_range"],
    "properties": {
        "num_channels": {"type": "integer"},
        "spatial_shape": {"type": "array", "items": {"type": ["string", "integer"]}},
        "value_range": {"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2},
        "channel_def": {"type": "object"},
        "is_patch_data": {"type": "boolean"},
    },
}
STRINGS = ["schema", "version", "monai_version", "pytorch_version", "numpy_version", "task", "description", "authors"]
STRINGS += ["copyright", "data_source", "data_type", "image_classes", "label_classes", "pred_classes", "intended_use"]
# What the zoo's schema 20240725 asks for, in our own words: the published file lies beyond an offline machine's reach.
SCHEMA = {
    "type": "object",
    "required": [*STRINGS, "changelog", "required_packages_version", "references", "network_data_format"],
    "properties": {
        **{name: {"type": "string"} for name in STRINGS},
        "changelog": {"type": "object"},
        "required_packages_version": {"type": "object"},
        "references": {"type": "array", "items": {"type": "string"}},
        "network_data_format": {
            "type": "object",
            "required": ["inputs", "outputs"],
            "properties": {
                name: {"type": "object", "minProperties": 1, "additionalProperties": TENSOR}
                for name in ("inputs", "outputs")
            },
        },
    },
}


def test_there_are_eleven_bundles_and_no_name_is_part_of_another() -> None:
    names = [bundle.name for bundle in BUNDLES]
    assert (len(names), len(PLAIN)) == (11, 10) and set(BUNDLES) - set(PLAIN) == {INTERACTIVE}
    assert not [(one, other) for one in names for other in names if one != other and one in other]
    assert not [name for name in names if "_v" in name]


@pytest.fixture
def weights(bundle: Path, tmp_path: Path) -> Path:
    """Random weights of the network that the bundle ships, the same in every run: some come near a bound's rounding."""
    path = tmp_path / "model.pt"
    torch.manual_seed(0)
    torch.save(shipped_network(bundle).state_dict(), path)
    return path


def shipped_network(bundle: Path) -> AdwUNet:
    parser = ConfigParser()
    with inside(bundle):
        parser.read_config("configs/inference.json")
        return parser.get_parsed_content("network_def").eval()


def loaded_network(bundle: Path, weights: Path) -> AdwUNet:
    network = shipped_network(bundle)
    network.load_state_dict(torch.load(weights, weights_only=True))
    return network


def image_format(bundle: Path) -> dict:
    metadata = json.loads((bundle / "configs" / "metadata.json").read_text())
    return metadata["network_data_format"]["inputs"]["image"]


def small_input(bundle: Path) -> torch.Tensor:
    """A batch of the small setting's patch: the plan's takes minutes on a CPU."""
    shape = (1, image_format(bundle)["num_channels"], *quick_patch(bundle))
    return torch.randn(shape, generator=torch.Generator().manual_seed(0))


@bundles
def test_metadata_fits_the_schema_and_names_its_version(bundle: Path, tmp_path: Path) -> None:
    # The file is there already, so that the check does not ask the network for it.
    schema = tmp_path / "schema.json"
    schema.write_text(json.dumps(SCHEMA))
    verify_metadata(meta_file=str(bundle / "configs" / "metadata.json"), filepath=str(schema))
    metadata = json.loads((bundle / "configs" / "metadata.json").read_text())
    assert metadata["version"] in metadata["changelog"]
    assert metadata["schema"].endswith("meta_schema_20240725.json")


@workflows
def test_network_takes_and_gives_what_the_metadata_says(bundle: Path, config: str, tmp_path: Path) -> None:
    small = tmp_path / "small.json"
    path = "network_data_format#{}#spatial_shape"
    small.write_text(json.dumps({path.format(of): quick_patch(bundle) for of in ("inputs#image", "outputs#pred")}))
    with inside(bundle):
        verify_net_in_out(
            net_id="network_def",
            meta_file=["configs/metadata.json", str(small)],
            config_file=f"configs/{config}.json",
            device="cpu",
        )


@pytest.mark.skipif("ADW_FULL_PATCH" not in os.environ, reason="ADW_FULL_PATCH asks for the minutes that it takes")
@bundles
def test_network_takes_and_gives_the_whole_patch(bundle: Path) -> None:
    with inside(bundle):
        verify_net_in_out(
            net_id="network_def",
            meta_file="configs/metadata.json",
            config_file="configs/inference.json",
            device="cpu",
        )


@bundles
def test_torchscript_gives_the_same_logits(bundle: Path, weights: Path, tmp_path: Path) -> None:
    with inside(bundle):
        ckpt_export(filepath=str(tmp_path / "model.ts"), ckpt_file=str(weights), **EXPORTED)
    network, x = loaded_network(bundle, weights), small_input(bundle)
    with torch.no_grad():
        torch.testing.assert_close(torch.jit.load(tmp_path / "model.ts")(x), network(x), rtol=0, atol=1e-4)


@bundles
def test_onnx_gives_the_same_logits(bundle: Path, weights: Path, tmp_path: Path) -> None:
    x = small_input(bundle)
    with inside(bundle):
        onnx_export(
            filepath=str(tmp_path / "model.onnx"), ckpt_file=str(weights), **EXPORTED, input_shape=list(x.shape)
        )
    session = onnxruntime.InferenceSession(tmp_path / "model.onnx", providers=["CPUExecutionProvider"])
    given = session.run(None, {session.get_inputs()[0].name: x.numpy()})[0]
    with torch.no_grad():
        np.testing.assert_allclose(given, loaded_network(bundle, weights)(x).numpy(), rtol=0, atol=1e-4)


@workflows
def test_all_required_properties_are_there(
    bundle: Path, config: str, tmp_path_factory: pytest.TempPathFactory, tmp_path: Path
) -> None:
    with inside(bundle):
        workflow = create_workflow(
            config_file=[f"configs/{config}.json", "configs/quick.json"],
            workflow_type=WORKFLOWS[config],
            dataset_dir=str(data_of(bundle, tmp_path_factory)),
            output_dir=str(tmp_path),
            **tiny(config, tmp_path),
        )
        assert workflow.check_properties() == []
        workflow.finalize()


@bundles
def test_a_bundle_has_the_files_the_zoo_asks_for(bundle: Path) -> None:
    names = ["LICENSE", "docs/README.md", "docs/data_license.txt", "configs/logging.conf", "configs/architecture.json"]
    names += ["configs/plan.json", "configs/quick.json", "docs/architecture.svg"]
    names += ["configs/inference_trt.json"] if bundle in PLAIN else []
    assert [name for name in names if not (bundle / name).is_file()] == []
