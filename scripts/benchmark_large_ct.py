"""Peak memory and time of predicting one full-size CT with the spleen bundle, its base width reduced.

    python scripts/benchmark_large_ct.py [--size 512 512 400] [--base_width 4] [--folder DIR] [--output F.json]

The volume is generated once into the folder and used again the next time. Weights are random: time and memory do not
depend on them.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from pathlib import Path

import torch

from adw_components.files import write_json
from adw_components.networks import AdwUNet
from adw_components.reference import nnunet_default
from adw_components.synthesis import synthesize
from adw_components.tasks import task

TASK = "Task09_Spleen"
BUNDLE = Path(__file__).parents[1] / "bundles" / task(TASK).bundle


def data(folder: Path, size: list[int]) -> Path:
    """An MSD folder with one case of `size`, generated if it is not there."""
    target = folder / "x".join(map(str, size))
    if not target.exists():
        synthesize(TASK, cases=1, output_dir=target, test_cases=0, size=size)
    return target / "imagesTr"


def model(folder: Path, base_width: int) -> Path:
    """A folder with random weights of nnU-Net's default network at another base width."""
    plan = task(TASK).plan
    target = folder / f"model_{base_width}"
    target.mkdir(parents=True, exist_ok=True)
    architecture = nnunet_default(strides=plan.strides, kernel_sizes=plan.kernel_sizes, base_width=base_width)
    architecture.save(target / "architecture.json")
    network = AdwUNet(3, plan.in_channels, plan.out_channels, architecture)
    torch.save(network.state_dict(), target / "model.pt")
    return target


def main() -> None:
    """Generate, predict, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, nargs=3, default=[512, 512, 400])
    parser.add_argument("--base_width", type=int, default=4)
    parser.add_argument("--folder", type=Path, default=Path("runs/large_ct"))
    parser.add_argument("--output", type=Path)
    given = parser.parse_args()
    folder = given.folder.resolve()
    images, weights = data(folder, given.size), model(folder, given.base_width)
    options = {"dataset_dir": images, "model_dir": weights, "output_dir": folder / "predictions", "num_workers": 0}
    words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
    started = time.perf_counter()
    command = [sys.executable, "-m", "monai.bundle", "run", "infer", "--config_file", "configs/inference.json", *words]
    subprocess.run(command, cwd=BUNDLE, check=True)
    result = {
        "size": given.size,
        "base_width": given.base_width,
        "patch_size": list(task(TASK).plan.patch_size),
        "device": torch.cuda.get_device_name() if torch.cuda.is_available() else "CPU",
        "threads": torch.get_num_threads(),
        "seconds": round(time.perf_counter() - started, 1),
        "peak_gigabytes": round(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024 / 1e9, 2),
    }
    if given.output:
        write_json(given.output, result)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
