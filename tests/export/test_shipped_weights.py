"""The weights of an exported bundle, and what belongs to them."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from bundles.conftest import quick_patch
from monai.bundle import load

from adw_components.architecture import Architecture
from adw_components.export.command import export_bundle

from .conftest import (
    HIPPOCAMPUS,
    INTERACTIVE,
    NAMES,
    bundle_of,
    network_channels,
    read,
    tiny_architecture,
    tiny_network,
    write_weights,
)

Exported = Callable[[str], Path]


@pytest.mark.parametrize("name", NAMES)
def test_weights_come_with_their_architecture_and_patch(name: str, exported: Exported) -> None:
    bundle, patch = exported(name), quick_patch(bundle_of(name))
    assert Architecture.load(bundle / "configs" / "architecture.json").provenance == {"source": "a test"}
    weights = torch.load(bundle / "models" / "model.pt", weights_only=True)
    given = torch.load(bundle.parents[1] / "weights" / "model.pt", weights_only=True)
    assert list(weights) == list(given) and all(torch.equal(weights[key], given[key]) for key in given)
    for config in ("inference", "evaluate"):
        assert read(bundle, config)["shipped_patch_size"] == patch
    formats = read(bundle, "metadata")["network_data_format"]
    assert formats["inputs"]["image"]["spatial_shape"] == formats["outputs"]["pred"]["spatial_shape"] == patch
    settings = json.loads((bundle / "models" / "settings.json").read_text())
    sigma = {"guidance_sigma": 2.0} if name == INTERACTIVE else {}
    assert settings == {"kind": "train", "patch_size": patch, "spacing": read(bundle, "inference")["spacing"], **sigma}
    assert f"the patch is {'x'.join(map(str, patch))}." in " ".join((bundle / "docs" / "README.md").read_text().split())
    before = read(bundle_of(name), "metadata")
    assert {key for key, value in read(bundle, "metadata").items() if value != before[key]} == {"network_data_format"}


@pytest.mark.parametrize("name", NAMES)
def test_torchscript_and_weights_give_the_same_logits(name: str, exported: Exported) -> None:
    bundle, plain = exported(name), tiny_network(name)
    plain.load_state_dict(torch.load(bundle / "models" / "model.pt", weights_only=True))
    scripted, metadata, _ = load(bundle.name, load_ts_module=True, bundle_dir=bundle.parent, device="cpu")
    x = torch.randn(1, network_channels(name)["in_channels"], *quick_patch(bundle_of(name)))
    with torch.no_grad():
        torch.testing.assert_close(scripted(x), plain(x), rtol=0, atol=1e-5)
    assert metadata["version"] == read(bundle, "metadata")["version"]


def test_own_weights_of_the_bundle_are_the_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adw_components.export.command.write_torchscript", lambda _: None)
    bundle = Path(shutil.copytree(bundle_of(HIPPOCAMPUS), tmp_path / HIPPOCAMPUS))
    weights = write_weights(tmp_path / "train", HIPPOCAMPUS)
    (bundle / "models").mkdir(exist_ok=True)
    (bundle / "models" / "settings.json").unlink(missing_ok=True)
    shutil.copy(weights, bundle / "models")
    tiny_architecture(HIPPOCAMPUS).save(bundle / "configs" / "architecture.json")
    assert "no weights" not in export_bundle(str(bundle), output=str(tmp_path / "out"))
    assert (tmp_path / "out" / HIPPOCAMPUS / "models" / "model.pt").is_file()
    # Without settings beside the weights the patch is the bundle's.
    assert read(tmp_path / "out" / HIPPOCAMPUS, "inference")["shipped_patch_size"] == [40, 56, 40]
