"""Every bundle passes MONAI's own checks, and its exports compute what its network computes."""

import json
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from monai.bundle import ConfigParser, ckpt_export, create_workflow, onnx_export, verify_metadata, verify_net_in_out

from adw_components.networks import AdwUNet

from .conftest import PATCH, ROOT, inside

BUNDLES = sorted(path.parent.parent for path in (ROOT / "bundles").glob("*/configs/metadata.json"))
EXPORTED = {
    "net_id": "network_def",
    "meta_file": "configs/metadata.json",
    "config_file": "configs/inference.json",
}
bundles = pytest.mark.parametrize("bundle", BUNDLES, ids=lambda path: path.name)

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


def test_there_is_a_bundle() -> None:
    assert BUNDLES


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> dict[Path, Path]:
    """Random weights of the network that each bundle ships."""
    paths = {}
    for bundle in BUNDLES:
        paths[bundle] = tmp_path_factory.mktemp(bundle.name) / "model.pt"
        torch.save(shipped_network(bundle).state_dict(), paths[bundle])
    return paths


def shipped_network(bundle: Path) -> AdwUNet:
    parser = ConfigParser()
    with inside(bundle):
        parser.read_config("configs/inference.json")
        return parser.get_parsed_content("network_def").eval()


def input_of(bundle: Path) -> torch.Tensor:
    metadata = json.loads((bundle / "configs" / "metadata.json").read_text())
    image = metadata["network_data_format"]["inputs"]["image"]
    return torch.randn(1, image["num_channels"], *image["spatial_shape"], generator=torch.Generator().manual_seed(0))


@bundles
def test_metadata_fits_the_schema_and_names_its_version(bundle: Path, tmp_path: Path) -> None:
    # The file is there already, so that the check does not ask the network for it.
    schema = tmp_path / "schema.json"
    schema.write_text(json.dumps(SCHEMA))
    verify_metadata(meta_file=str(bundle / "configs" / "metadata.json"), filepath=str(schema))
    metadata = json.loads((bundle / "configs" / "metadata.json").read_text())
    assert metadata["version"] in metadata["changelog"]
    assert metadata["schema"].endswith("meta_schema_20240725.json")


@bundles
@pytest.mark.parametrize("config", ["search", "train", "evaluate", "inference"])
def test_network_takes_and_gives_what_the_metadata_says(bundle: Path, config: str) -> None:
    with inside(bundle):
        verify_net_in_out(
            net_id="network_def",
            meta_file="configs/metadata.json",
            config_file=f"configs/{config}.json",
            device="cpu",
            **({"base_widths": [2, 3]} if config == "search" else {}),
        )


@bundles
def test_torchscript_gives_the_same_logits(bundle: Path, weights: dict[Path, Path], tmp_path: Path) -> None:
    with inside(bundle):
        ckpt_export(
            filepath=str(tmp_path / "model.ts"),
            ckpt_file=str(weights[bundle]),
            **EXPORTED,
        )
    network, x = loaded_network(bundle, weights), input_of(bundle)
    with torch.no_grad():
        torch.testing.assert_close(torch.jit.load(tmp_path / "model.ts")(x), network(x), rtol=0, atol=1e-4)


@bundles
def test_onnx_gives_the_same_logits(bundle: Path, weights: dict[Path, Path], tmp_path: Path) -> None:
    x = input_of(bundle)
    with inside(bundle):
        onnx_export(
            filepath=str(tmp_path / "model.onnx"),
            ckpt_file=str(weights[bundle]),
            **EXPORTED,
            input_shape=list(x.shape),
        )
    session = onnxruntime.InferenceSession(tmp_path / "model.onnx", providers=["CPUExecutionProvider"])
    given = session.run(None, {session.get_inputs()[0].name: x.numpy()})[0]
    with torch.no_grad():
        np.testing.assert_allclose(given, loaded_network(bundle, weights)(x).numpy(), rtol=0, atol=1e-4)


def loaded_network(bundle: Path, weights: dict[Path, Path]) -> AdwUNet:
    network = shipped_network(bundle)
    network.load_state_dict(torch.load(weights[bundle], weights_only=True))
    return network


@bundles
@pytest.mark.parametrize(
    ("config", "workflow_type"),
    [("search", "train"), ("train", "train"), ("evaluate", "infer"), ("inference", "infer")],
)
def test_all_required_properties_are_there(
    bundle: Path, config: str, workflow_type: str, generated_dataset: Path, tmp_path: Path
) -> None:
    toy = {"base_widths": [2, 3]} if config == "search" else {}
    with inside(bundle):
        workflow = create_workflow(
            config_file=f"configs/{config}.json",
            workflow_type=workflow_type,
            dataset_dir=str(generated_dataset),
            output_dir=str(tmp_path),
            patch_size=PATCH,
            num_workers=0,
            device="cpu",
            amp=False,
            **toy,
        )
        assert workflow.check_properties() == []
        workflow.finalize()


@bundles
def test_a_bundle_has_the_files_the_zoo_asks_for(bundle: Path) -> None:
    names = ["LICENSE", "docs/README.md", "docs/data_license.txt", "configs/logging.conf", "configs/architecture.json"]
    assert [name for name in names if not (bundle / name).is_file()] == []
