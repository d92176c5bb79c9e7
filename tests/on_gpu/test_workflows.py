"""The workflows of the bundle on a GPU, with the settings that users get."""

import gc
import json
import multiprocessing
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from benchmarks.network_costs import TrainingStep
from benchmarks.search_steps import random_batch
from benchmarks.timing import alternate
from bundles.conftest import run_bundle
from ignite.engine import Engine
from monai.inferers import SlidingWindowInferer

from adw_components.engines.checkpoint import RunCheckpoint
from adw_components.networks import AdwUNet
from adw_components.reference import nnunet_default
from adw_components.tasks import task

from .conftest import Scale

pytestmark = pytest.mark.gpu
Record = Callable[[str, object], None]
PLAN = task("Task04_Hippocampus").plan


def rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def watched(device: torch.device, work: Callable[[], None]) -> dict[str, float]:
    """Seconds, and GB at the allocator's peak."""
    gc.collect()  # engines refer to themselves
    before = 0
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
        before = torch.cuda.memory_allocated(device)
    started = time.perf_counter()
    work()
    figures = {"seconds": round(time.perf_counter() - started, 2)}
    if device.type == "cuda":
        figures["peak_gb"] = round((torch.cuda.max_memory_allocated(device) - before) / 1e9, 3)
    return figures


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("runs")


@pytest.fixture(scope="module")
def common(dataset: Path, folder: Path) -> dict[str, str]:
    """Paths; a few cases, so that preparing them takes no part of the minutes on a GPU."""
    cases = sorted(path.name.removesuffix(".nii.gz") for path in (dataset / "labelsTr").glob("[!.]*.nii.gz"))
    split = folder / "split.json"
    split.write_text(json.dumps({"0": {"training": cases[4:24], "validation": cases[:4]}}))
    return {"dataset_dir": str(dataset), "cache_dir": str(folder / "cache"), "split_file": str(split)}


@pytest.fixture(scope="module")
def trained(common: dict[str, str], folder: Path, scale: Scale, device: torch.device) -> tuple[Path, dict[str, float]]:
    """The folder of a short training of the bundle's own network, and what it took."""
    counts = {"max_epochs": 2, "iterations_per_epoch": scale.iterations, "val_interval": 2}
    output = folder / "train"
    work = partial(run_bundle, "train", "train", output_dir=str(output), **common, **counts, **scale.options)
    return output, watched(device, work)


def steps_a_second(device: str, base_width: int, patch: tuple[int, ...], batch: int, together: Any, found: Any) -> None:
    """In a process of its own: how many training steps it takes a second, once all processes have begun."""
    place = torch.device(device)
    architecture = nnunet_default(strides=PLAN.strides, kernel_sizes=PLAN.kernel_sizes, base_width=base_width)
    network = AdwUNet(3, PLAN.in_channels, PLAN.out_channels, architecture).to(place)
    step = TrainingStep(network, *random_batch(patch, batch, device=place, seed=0), plan=PLAN, amp=True)
    for _ in range(3):
        float(step())
    together.wait(60)
    started = time.perf_counter()
    count = 30 if place.type == "cuda" else 3
    for _ in range(count):
        loss = step()
    assert bool(torch.isfinite(loss))
    found.put(count / (time.perf_counter() - started))


@pytest.mark.parametrize("processes", [1, 2])
def test_trainings_side_by_side_on_one_device(
    processes: int, device: torch.device, scale: Scale, record_property: Record
) -> None:
    context = multiprocessing.get_context("spawn")
    together, found = context.Barrier(processes), context.Queue()
    width = scale.base_widths[len(scale.base_widths) // 2]
    arguments = (str(device), width, scale.patch_size, scale.batch_size, together, found)
    children = [context.Process(target=steps_a_second, args=arguments) for _ in range(processes)]
    for child in children:
        child.start()
    rates = [found.get(timeout=90) for _ in children]
    for child in children:
        child.join()
    record_property("steps_per_second", round(sum(rates), 3))
    assert all(child.exitcode == 0 for child in children)


def test_a_search_with_default_settings(
    common: dict[str, str], folder: Path, scale: Scale, device: torch.device, record_property: Record
) -> None:
    counts = {"max_epochs": 2, "warmup_epochs": 1, "iterations_per_epoch": scale.iterations, "val_interval": 2}
    more = scale.options | ({} if device.type == "cuda" else {"base_widths": [2, 3]})
    figures = watched(
        device, partial(run_bundle, "search", "search", output_dir=str(folder / "search"), **common, **counts, **more)
    )
    last = rows(folder / "search" / "search.jsonl")[-1]
    record_property("figures", figures)
    record_property("iterations_per_second", round(scale.iterations / last["seconds"], 2))
    record_property("waits", last["data_wait"])
    assert np.isfinite(last["weight_loss"]) and np.isfinite(last["architecture_loss_b"])
    assert (folder / "search" / "architecture.json").is_file()


def test_a_training_with_default_settings(
    trained: tuple[Path, dict[str, float]], scale: Scale, record_property: Record
) -> None:
    output, figures = trained
    last = rows(output / "train.jsonl")[-1]
    record_property("figures", figures)
    record_property("network", "the one that ships, of a quarter of nnU-Net's widths")
    record_property("iterations_per_second", round(scale.iterations / last["seconds"], 2))
    record_property("waits", last["data_wait"])
    assert np.isfinite(last["loss"]) and (output / "model.pt").is_file()


@pytest.mark.parametrize(("workflow", "config"), [("infer", "inference"), ("evaluate", "evaluate")])
def test_inference_and_evaluation_with_default_settings(
    workflow: str,
    config: str,
    trained: tuple[Path, dict[str, float]],
    common: dict[str, str],
    folder: Path,
    device: torch.device,
    record_property: Record,
) -> None:
    output, images = folder / workflow, folder / "images"
    options = {"model_dir": str(trained[0]), "output_dir": str(output)}
    if workflow == "infer":
        images.mkdir()
        for image in sorted((Path(common["dataset_dir"]) / "imagesTr").glob("*.nii.gz"))[:4]:
            (images / image.name).symlink_to(image)
        options["dataset_dir"] = str(images)
    else:
        options |= common
    more = {} if device.type == "cuda" else {"num_workers": 0, "mirror_tta": False}
    figures = watched(device, partial(run_bundle, workflow, config, **options, **more))
    record_property("figures", figures)
    found = list(output.rglob("*.nii.gz")) if workflow == "infer" else rows_of_cases(output)
    assert len(found) == 4


def rows_of_cases(output: Path) -> list[dict[str, Any]]:
    return json.loads((output / "cases.json").read_text())["cases"]


def test_a_resumed_training_ends_as_one_that_went_through(
    common: dict[str, str], folder: Path, scale: Scale, record_property: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bit for bit on a CPU; on a GPU up to the order of its sums, and the figure says by how much."""
    counts = {"iterations_per_epoch": 4, "val_interval": 4, "max_epochs": 4, "cudnn_benchmark": False}

    def run(name: str, resume: bool = False) -> list[float]:
        options = {**common, **counts, **scale.options, "output_dir": str(folder / name), "resume": resume}
        run_bundle("train", "train", **options)
        return [row["loss"] for row in rows(folder / name / "train.jsonl")]

    def stopped(checkpoint: RunCheckpoint, engine: Engine) -> None:
        saved(checkpoint, engine)
        if engine.state.epoch == 2:
            raise KeyboardInterrupt

    saved = RunCheckpoint.save
    torch.use_deterministic_algorithms(True, warn_only=True)
    try:
        whole, again = run("whole"), run("again")
        with monkeypatch.context() as patch, pytest.raises((KeyboardInterrupt, RuntimeError)):
            patch.setattr(RunCheckpoint, "save", stopped)
            run("parts")
        assert len(rows(folder / "parts" / "train.jsonl")) == 2
        parts = run("parts", resume=True)
    finally:
        torch.use_deterministic_algorithms(False)
    record_property("losses", {"whole": whole, "again": again, "parts": parts})
    apart = max(abs(one / other - 1) for one, other in zip(parts, whole, strict=True))
    # What two runs from one seed differ by is nothing that resuming does.
    noise = max(abs(one / other - 1) for one, other in zip(again, whole, strict=True))
    record_property("largest_relative_difference", {"resumed": apart, "run twice": noise})
    assert apart <= max(1e-6, 10 * noise) and apart < 0.05


def test_stitching_on_the_cpu_gives_what_the_gpu_gives(
    device: torch.device, scale: Scale, record_property: Record
) -> None:
    torch.manual_seed(0)
    architecture = nnunet_default(strides=PLAN.strides, kernel_sizes=PLAN.kernel_sizes, base_width=scale.base_widths[0])
    network = AdwUNet(3, PLAN.in_channels, PLAN.out_channels, architecture, deep_supervision=False).to(device).eval()
    image = torch.randn(1, PLAN.in_channels, *scale.volume_size)
    made = partial(SlidingWindowInferer, scale.patch_size, sw_batch_size=4, overlap=0.5, mode="gaussian")
    inferers = {"cpu": made(sw_device=device, device="cpu"), "gpu": made(sw_device=device, device=device)}
    found: dict[str, torch.Tensor] = {}

    def stitch(name: str) -> None:
        with torch.inference_mode():
            found[name] = inferers[name](image.to(device) if name == "gpu" else image, network)

    seconds = alternate({name: partial(stitch, name) for name in inferers}, repeats=2, device=device)
    record_property("seconds", {name: round(value, 3) for name, value in seconds.items()})
    apart = float((found["cpu"].cpu() - found["gpu"].cpu()).abs().max())
    record_property("largest_difference", apart)
    assert apart < 1e-3 * float(found["gpu"].abs().max())
