"""What an exported bundle holds: its own code, the weights and what belongs to them, what the zoo asks for."""

import ast
import hashlib
import json
import re
import shutil
import sys
from collections.abc import Callable
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from types import SimpleNamespace
from typing import Any

import monai.bundle.scripts
import pytest
import torch
from bundles.conftest import BUNDLES, ROOT, quick_patch
from bundles.test_verify import SCHEMA
from monai.bundle import ConfigParser, download, download_large_files, load, verify_net_in_out
from monai.bundle.scripts import get_bundle_info, get_bundle_versions

from adw_components.architecture import Architecture
from adw_components.export import archive, large_files
from adw_components.export.command import export_bundle
from adw_components.networks import AdwUNet

from .conftest import HIPPOCAMPUS, NAMES, bundle_of, tiny_architecture, write_weights

Exported = Callable[[str], Path]
# Distributions whose package has another name.
DISTRIBUTIONS = {"ignite": "pytorch-ignite", "sklearn": "scikit-learn", "markupsafe": "jinja2"}


def read(bundle: Path, name: str) -> dict[str, Any]:
    return json.loads((bundle / "configs" / f"{name}.json").read_text())


def texts(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for item in value.values() for text in texts(item)]
    if isinstance(value, list):
        return [text for item in value for text in texts(item)]
    return [value] if isinstance(value, str) else []


def components(value: Any) -> list[dict[str, Any]]:
    items = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []
    own = [value] if isinstance(value, dict) and "_target_" in value else []
    return own + [component for item in items for component in components(item)]


@pytest.fixture(scope="module")
def without_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All bundles of the repository, exported without weights."""
    folder = tmp_path_factory.mktemp("all")
    for bundle in BUNDLES:
        assert "no weights: " in export_bundle(str(bundle), output=str(folder))
    return folder


@pytest.mark.parametrize("bundle", BUNDLES, ids=lambda path: path.name)
def test_the_code_is_the_packages_and_all_that_the_configs_name(bundle: Path, without_weights: Path) -> None:
    folder = without_weights / bundle.name
    for path in (folder / "scripts").rglob("*.*"):
        if path.name != "__main__.py":
            source = ROOT / "adw_components" / path.relative_to(folder / "scripts")
            assert path.read_bytes() == source.read_bytes()
    for config in (folder / "configs").glob("*.json"):
        found = texts(json.loads(config.read_text()))
        assert not [text for text in found if "adw_components" in text and "search by" not in text]
        for component in components(json.loads(config.read_text())):
            named = [text for text in component.values() if str(text).startswith("scripts.")]
            assert ("$@own_code()" in texts(component.get("_requires_"))) is bool(named)
    assert not list(folder.rglob("__pycache__")) and not (folder / "models").exists()


@pytest.mark.parametrize("bundle", BUNDLES, ids=lambda path: path.name)
def test_the_code_has_all_that_it_imports_and_the_metadata_name_every_package(
    bundle: Path, without_weights: Path
) -> None:
    scripts, metadata = without_weights / bundle.name / "scripts", read(without_weights / bundle.name, "metadata")
    known = {"torch", "monai", "numpy", "scripts", *metadata["required_packages_version"]}
    for file in scripts.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.level:
                folder = file.parents[node.level - 1].joinpath(*(node.module or "").split("."))
                assert folder.is_dir() or folder.with_suffix(".py").is_file(), f"{file}: {ast.unparse(node)}"
            elif isinstance(node, ast.ImportFrom):
                names = [str(node.module)]
            outside = {name.partition(".")[0] for name in names} - sys.stdlib_module_names
            assert {DISTRIBUTIONS.get(name, name) for name in outside} <= known, file


def test_what_the_configs_do_not_need_stays_behind(without_weights: Path) -> None:
    scripts = without_weights / HIPPOCAMPUS / "scripts"
    assert not [name for name in ("builder", "export", "planning") if (scripts / name).exists()]


@pytest.mark.parametrize("bundle", BUNDLES, ids=lambda path: path.name)
def test_the_readme_names_no_command_or_file_that_is_not_there(bundle: Path, without_weights: Path) -> None:
    folder = without_weights / bundle.name
    readme = " ".join((folder / "docs" / "README.md").read_text().split())
    assert "adw_components" not in readme and "pip install ." not in readme
    assert "No weights ship" in readme and "own_code" in readme
    for path in re.findall(r"(?:configs|scripts|docs)/[\w./]*\w", readme):
        assert (folder / path).exists(), path


def test_the_readme_describes_the_network_that_ships(exported: Exported) -> None:
    readme = (exported(HIPPOCAMPUS) / "docs" / "README.md").read_text()
    parameters = sum(value.numel() for value in network(HIPPOCAMPUS).parameters())
    assert f"{parameters:,} parameters" in readme and "of this origin: a test" in readme
    assert "weights ship" not in readme and "`model.ts`" in readme
    drawing = (exported(HIPPOCAMPUS) / "docs" / "architecture.svg").read_text()
    assert drawing != (bundle_of(HIPPOCAMPUS) / "docs" / "architecture.svg").read_text()


def test_a_readme_that_somebody_wrote_stays(tmp_path: Path) -> None:
    bundle = Path(shutil.copytree(bundle_of(HIPPOCAMPUS), tmp_path / HIPPOCAMPUS))
    (bundle / "docs" / "README.md").write_text("Mine. Run `python -m adw_components report runs`.\n")
    assert "docs/README.md is not the builder's" in export_bundle(str(bundle), output=str(tmp_path / "out"))
    text = (tmp_path / "out" / HIPPOCAMPUS / "docs" / "README.md").read_text()
    assert text == "Mine. Run `python -m scripts report runs`.\n"


def network(name: str) -> AdwUNet:
    config = read(bundle_of(name), "inference")
    architecture = tiny_architecture(name)
    sizes = {part: config[part] for part in ("in_channels", "out_channels")}
    return AdwUNet(spatial_dims=3, architecture=architecture, deep_supervision=False, **sizes).eval()


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
    assert settings == {"kind": "train", "patch_size": patch, "spacing": read(bundle, "inference")["spacing"]}
    assert f"the patch is {'x'.join(map(str, patch))}." in " ".join((bundle / "docs" / "README.md").read_text().split())
    before = read(bundle_of(name), "metadata")
    assert {key for key, value in read(bundle, "metadata").items() if value != before[key]} == {"network_data_format"}


@pytest.mark.parametrize("name", NAMES)
def test_torchscript_and_weights_give_the_same_logits(name: str, exported: Exported) -> None:
    bundle, plain = exported(name), network(name)
    plain.load_state_dict(torch.load(bundle / "models" / "model.pt", weights_only=True))
    scripted, metadata, _ = load(bundle.name, load_ts_module=True, bundle_dir=bundle.parent, device="cpu")
    x = torch.randn(1, read(bundle, "inference")["in_channels"], *quick_patch(bundle_of(name)))
    with torch.no_grad():
        torch.testing.assert_close(scripted(x), plain(x), rtol=0, atol=1e-5)
    assert metadata["version"] == read(bundle, "metadata")["version"]


def test_own_weights_of_the_bundle_are_the_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adw_components.export.command.write_torchscript", lambda _: None)
    bundle = Path(shutil.copytree(bundle_of(HIPPOCAMPUS), tmp_path / HIPPOCAMPUS))
    weights = write_weights(tmp_path / "train", HIPPOCAMPUS)
    (bundle / "models").mkdir()
    shutil.copy(weights, bundle / "models")
    tiny_architecture(HIPPOCAMPUS).save(bundle / "configs" / "architecture.json")
    assert "no weights" not in export_bundle(str(bundle), output=str(tmp_path / "out"))
    assert (tmp_path / "out" / HIPPOCAMPUS / "models" / "model.pt").is_file()
    # Without settings beside the weights the patch is the bundle's.
    assert read(tmp_path / "out" / HIPPOCAMPUS, "inference")["shipped_patch_size"] == [40, 56, 40]


def test_large_files_lie_apart_and_monai_gets_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(large_files, "LIMIT", 100_000)
    monkeypatch.setattr("adw_components.export.command.write_torchscript", lambda _: None)
    output = tmp_path / "out"
    weights, address = write_weights(tmp_path / "train", HIPPOCAMPUS, width=16), tmp_path.as_uri()
    options = {"output": str(output), "weights": str(weights)}
    told = export_bundle(str(bundle_of(HIPPOCAMPUS)), **options)
    assert "models/model.pt" in told and "--large_file_url" in told
    whole = (output / HIPPOCAMPUS / "models" / "model.pt").read_bytes()
    zipped = (output / f"{HIPPOCAMPUS}.zip").read_bytes()

    export_bundle(str(bundle_of(HIPPOCAMPUS)), large_file_url=f"{address}/uploaded/", **options)
    assert (output / f"{HIPPOCAMPUS}.zip").read_bytes() == zipped  # a download is whole
    bundle, (apart,) = output / HIPPOCAMPUS, output.glob("*_large_files")
    assert not (bundle / "models" / "model.pt").exists()
    entries = {
        entry["path"]: entry for entry in ConfigParser.load_config_file(bundle / "large_files.yml")["large_files"]
    }
    entry = entries["models/model.pt"]
    assert entry["url"] == f"{address}/uploaded/model.pt" and entry["hash_type"] == "sha256"
    assert entry["hash_val"] == hashlib.sha256(whole).hexdigest()
    apart.rename(tmp_path / "uploaded")
    download_large_files(bundle_path=str(bundle))
    assert (bundle / "models" / "model.pt").read_bytes() == whole
    export_bundle(str(bundle_of(HIPPOCAMPUS)), **options)  # an export that has got its files is one still
    assert not (bundle / "large_files.yml").exists()


def test_the_index_lists_every_version(tmp_path: Path) -> None:
    bundle = Path(shutil.copytree(bundle_of(HIPPOCAMPUS), tmp_path / HIPPOCAMPUS))
    versions = [read(bundle, "metadata")["version"], "9.0.0"]
    export_bundle(str(bundle), output=str(tmp_path / "out"), url="http://here:1/models/")
    metadata = read(bundle, "metadata")
    changed = {**metadata, "version": "9.0.0", "changelog": {**metadata["changelog"], "9.0.0": "more"}}
    (bundle / "configs" / "metadata.json").write_text(json.dumps(changed))
    export_bundle(str(bundle), output=str(tmp_path / "out"))
    index = json.loads((tmp_path / "out" / "model_info.json").read_text())
    archives = [tmp_path / "out" / f"{HIPPOCAMPUS}_v{version}.zip" for version in versions]
    assert list(index) == [path.stem for path in archives]
    assert [entry["checksum"] for entry in index.values()] == [
        hashlib.sha1(path.read_bytes()).hexdigest() for path in archives
    ]
    assert [entry["source"] for entry in index.values()] == [
        f"http://here:1/models/{archives[0].name}",
        archives[1].name,
    ]
    assert (tmp_path / "out" / f"{HIPPOCAMPUS}.zip").read_bytes() == archives[1].read_bytes()


def test_the_schema_of_the_script_is_that_of_the_tests() -> None:
    assert json.loads(Path(__file__).with_name("metadata_schema.json").read_text()) == SCHEMA


def test_monai_reads_the_index_as_that_of_its_zoo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    export_bundle(str(bundle_of(HIPPOCAMPUS)), output=str(tmp_path), url="http://here:1")
    answer = SimpleNamespace(text=(tmp_path / "model_info.json").read_text(), raise_for_status=lambda: None)
    monkeypatch.setattr(monai.bundle.scripts.requests, "get", lambda *_, **__: answer)
    version = read(bundle_of(HIPPOCAMPUS), "metadata")["version"]
    assert get_bundle_versions(HIPPOCAMPUS) == {"latest_version": version, "all_versions": [version]}
    url = get_bundle_info(HIPPOCAMPUS)["browser_download_url"]
    assert url == f"http://here:1/{HIPPOCAMPUS}_v{version}.zip" and (tmp_path / Path(url).name).is_file()


def test_the_zip_file_downloads_over_http(exported: Exported, tmp_path: Path) -> None:
    served = exported(HIPPOCAMPUS).parent
    handler = partial(SimpleHTTPRequestHandler, directory=str(served))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/{HIPPOCAMPUS}.zip"
        download(name=HIPPOCAMPUS, url=url, bundle_dir=tmp_path, progress=False)
        server.shutdown()
    assert archive.files_of(tmp_path / HIPPOCAMPUS) == archive.files_of(served / HIPPOCAMPUS)
    assert archive.holds(served / f"{HIPPOCAMPUS}.zip", tmp_path / HIPPOCAMPUS)


def test_the_zoos_check_runs_from_its_own_folder(exported: Exported, monkeypatch: pytest.MonkeyPatch) -> None:
    """There the bundles lie in `models`, and each is told where by bundle_root."""
    bundle = exported(NAMES[1])
    monkeypatch.chdir(bundle.parents[1])
    monkeypatch.setattr(sys, "path", list(sys.path))
    root = str(bundle.relative_to(bundle.parents[1]))
    verify_net_in_out(
        net_id="network_def",
        meta_file=f"{root}/configs/metadata.json",
        config_file=f"{root}/configs/inference.json",
        bundle_root=root,
        device="cpu",
    )
    assert Path(sys.modules["scripts"].__path__[0]) == bundle / "scripts"
    for name in [name for name in sys.modules if name.partition(".")[0] == "scripts"]:
        del sys.modules[name]
