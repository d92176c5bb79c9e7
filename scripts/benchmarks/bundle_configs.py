"""A bundle's own configs, as `monai.bundle run` reads them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from monai.bundle import ConfigParser
from monai.data import DataLoader

from adw_components.tasks import task

BUNDLES = Path(__file__).parents[2] / "bundles"


def parsed_config(name: str, task_name: str, **options: Any) -> ConfigParser:
    """`configs/NAME.json` of a task's bundle, with options as on the command line; nothing is built yet."""
    folder = BUNDLES / task(task_name).bundle
    parser = ConfigParser()
    parser.read_config(folder / "configs" / f"{name}.json")
    for key, value in {"bundle_root": str(folder), **options}.items():
        parser[key] = value
    return parser


def training_loaders(parser: ConfigParser, worker_counts: tuple[int, ...]) -> dict[int, DataLoader]:
    """The config's training loader with other numbers of workers, all over the same prepared cases."""
    for count in worker_counts:
        parser[f"loader_{count}"] = {**parser.get("train#dataloader"), "num_workers": count}
    return {count: parser.get_parsed_content(f"loader_{count}") for count in worker_counts}
