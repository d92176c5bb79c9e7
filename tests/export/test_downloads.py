"""What of an export is served: the zip file, the index, large files apart; and what the zoo checks."""

import hashlib
import json
import shutil
import sys
from collections.abc import Callable
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from types import SimpleNamespace

import monai.bundle.scripts
import pytest
from bundles.test_verify import SCHEMA
from monai.bundle import ConfigParser, download, download_large_files, verify_net_in_out
from monai.bundle.scripts import get_bundle_info, get_bundle_versions

from adw_components.export import archive, large_files
from adw_components.export.command import export_bundle

from .conftest import HIPPOCAMPUS, NAMES, bundle_of, read, write_weights

Exported = Callable[[str], Path]


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
