"""The commands as typed, in processes of their own: two processes at once, and what a mistake looks like."""

import json
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from .conftest import BUNDLE, BUNDLES, TOY_SEARCH, data_of, tiny, tiny_architecture

MONAI_BUNDLE = ["-m", "monai.bundle", "run"]


def options(values: dict) -> list[str]:
    pairs = [(f"--{name}", value if isinstance(value, str) else json.dumps(value)) for name, value in values.items()]
    return [word for pair in pairs for word in pair]


def command(*words: str, folder: Path = BUNDLE, **values: object) -> subprocess.CompletedProcess:
    environment = {**os.environ, "PYTHONWARNINGS": "ignore", "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        [sys.executable, *words, *options(values)], cwd=folder, capture_output=True, text=True, env=environment
    )


@pytest.fixture()
def broken_dataset(tmp_path: Path, generated_dataset: Path) -> Path:
    """Two faults: a missing label and a truncated image."""
    folder = tmp_path / "broken"
    shutil.copytree(generated_dataset, folder)
    (folder / "labelsTr" / "hippocampus_001.nii.gz").unlink()
    image = folder / "imagesTr" / "hippocampus_002.nii.gz"
    image.write_bytes(image.read_bytes()[:2000])
    return folder


def test_a_faulty_dataset_ends_a_command_with_a_line_per_fault_and_nothing_written(
    broken_dataset: Path, tmp_path: Path
) -> None:
    output = tmp_path / "runs"
    done = command(
        *MONAI_BUNDLE,
        "search",
        config_file="configs/search.json",
        dataset_dir=str(broken_dataset),
        output_dir=str(output),
        cache_dir=str(tmp_path / "cache"),
        **TOY_SEARCH,
    )
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    message = done.stderr[done.stderr.index("error: 2 faults") :].strip().splitlines()
    assert len(message) == 3
    assert "hippocampus_001" in done.stderr and "hippocampus_002" in done.stderr
    assert not output.exists()


@pytest.mark.parametrize(
    ("name", "kinds"),
    [
        ("hippocampus_mri_adwunet_segmentation", ("search", "train")),
        ("prostate_mri_adwunet_segmentation", ("search", "train")),
        ("hippocampus_mri_adwunet_deepedit", ("train",)),
    ],
)
def test_two_processes_search_and_train(
    name: str, kinds: tuple[str, ...], tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """An isotropic and an anisotropic task from mapped files that both processes prepare, and training with clicks."""
    (bundle,) = (bundle for bundle in BUNDLES if bundle.name == name)
    data, architecture = data_of(bundle, tmp_path_factory), tiny_architecture(bundle, tmp_path)
    for kind in kinds:
        search = {"cache_gb": 0, "step_order": "simultaneous", "weight_step": "single_path"}
        more = search if kind == "search" else {"architecture_path": str(architecture)}
        done = torchrun(bundle, kind, data, tmp_path, {"max_epochs": 2, **more})
        assert done.returncode == 0, done.stderr[-3000:]
        architecture = tmp_path / kind / "architecture.json"
    for kind in kinds:
        rows = [json.loads(line) for line in (tmp_path / kind / f"{kind}.jsonl").read_text().splitlines()]
        assert [row["epoch"] for row in rows] == [1, 2]
        assert rows[-1]["validation"]["mean_dice"] is not None
        # One process writes for TensorBoard: the name of a file ends with its process and a counter.
        events = [path.name.split(".") for path in (tmp_path / kind / "tensorboard").iterdir()]
        assert len({name[-2] for name in events}) == 1
    assert (tmp_path / "train" / "model.pt").exists()
    assert len(list((tmp_path / "cache").glob("*.pt"))) == (5 if "search" in kinds else 0)


def torchrun(bundle: Path, kind: str, data: Path, folder: Path, more: dict) -> subprocess.CompletedProcess:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    return command(
        *("-m", "torch.distributed.run", "--nproc_per_node=2", f"--master_port={port}"),
        *MONAI_BUNDLE,
        kind,
        folder=bundle,
        config_file=f"['configs/{kind}.json','configs/quick.json','configs/multi_gpu_{kind}.json']",
        dataset_dir=str(data),
        output_dir=f"{folder}/{kind}",
        **tiny(kind, folder) | more,
    )


def test_mlflow_tracks_a_search(generated_dataset: Path, tmp_path: Path) -> None:
    output = tmp_path / "search"
    toy = {**TOY_SEARCH, "max_epochs": 2}
    done = command(
        *MONAI_BUNDLE,
        "search",
        config_file="configs/search.json",
        dataset_dir=str(generated_dataset),
        output_dir=str(output),
        cache_dir=str(tmp_path / "cache"),
        tracking="mlflow",
        **toy,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    import mlflow

    client = mlflow.MlflowClient(f"sqlite:///{output}/mlruns.db")
    (run, *_) = client.search_runs([client.get_experiment_by_name("monai_experiment").experiment_id])
    assert {"train_loss", "weight_loss", "val_mean_dice"} <= set(run.data.metrics)
