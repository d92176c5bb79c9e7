"""Interactive bundles are the plain ones and clicks, for every task."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from adw_components.architecture import Architecture
from adw_components.builder.build import COMMON, bundle_files
from adw_components.builder.command import build
from adw_components.builder.layout import laid_out
from adw_components.builder.shipped import shipped_with
from adw_components.builder.source import msd_source
from adw_components.click_names import guidance_names
from adw_components.reference import nnunet_default
from adw_components.tasks import task, task_names

every_task = pytest.mark.parametrize("name", task_names())
INTERACTIVE = "adw_components.interactive"

# What interactive bundles have besides, by its place in the config: the oracle, in words of its own.
TRAINING = ["guidance_sigma", "automatic_share", "seed_share", "max_corrections"]
KEYS = {
    "train": [
        *TRAINING,
        *(f"settings/{key}" for key in [*TRAINING, "network_channels"]),
        "click_simulation",
        "train/trainer/iteration_update",
        "validate/evaluator/iteration_update",
    ],
    "evaluate": [
        "guidance_sigma",
        "settings/guidance_sigma",
        "click_guidance",
        "clicks",
        "initialize/-1/settings/guidance_sigma",
    ],
    "inference": ["guidance_sigma", "click_guidance", "initialize/-1/settings/guidance_sigma"],
}


def configs(name: str, *, interactive: bool) -> dict[str, str]:
    return bundle_files(msd_source(name, interactive=interactive))


def at(config: Any, path: list[str]) -> Any:
    for part in path:
        config = config[int(part) if isinstance(config, list) else part]
    return config


def without_clicks(config: dict[str, Any], kind: str) -> str:
    """The text of a plain config, from an interactive one."""
    for place in KEYS[kind]:
        *path, key = place.split("/")
        del at(config, path)[key]
    without_guidance(config["network_def"])
    if kind != "train":
        assert config["preprocessing"]["transforms"].pop() == "@click_guidance"
    if kind == "train":
        without_check(config["initialize"])
    if kind == "evaluate":
        assert config["handlers"].pop()["_target_"] == f"{INTERACTIVE}.curve.ClickCurve"
    return laid_out(config)


def without_guidance(taker: dict[str, Any]) -> None:
    """Let a component take the channels of the images alone."""
    assert taker["in_channels"] == "$@in_channels + len(@labels) + 1"
    taker["in_channels"] = "@in_channels"


def without_inheriting(config: dict[str, Any]) -> dict[str, Any]:
    """A plain config without what starts from a supernet: a bundle that does not search has none."""
    for key in ("inherit", "supernet_path", "inherits"):
        config.pop(key, None)
    for key in ("inherit", "supernet_path"):
        config.get("settings", {}).pop(key, None)
    for components in (config.get("initialize", []), config.get("train", {}).get("handlers", [])):
        components[:] = [one for one in components if "supernet_path" not in one]
    return config


def without_check(initialize: list[Any]) -> None:
    """Take out that the settings of the clicks are checked, which comes before any file is read."""
    targets = [check if isinstance(check, str) else check["_target_"] for check in initialize]
    place = targets.index("@click_simulation")
    assert place < targets.index("adw_components.data.require.require_sound_dataset")
    del initialize[place]


@every_task
def test_without_clicks_the_configs_are_the_plain_ones(name: str) -> None:
    plain, interactive = (configs(name, interactive=interactive) for interactive in (False, True))
    gone = {f"configs/{name}.json" for name in ("search", "multi_gpu_search", "inference_trt")}
    assert interactive.keys() == plain.keys() - gone
    for kind in KEYS:
        path = f"configs/{kind}.json"
        expected, given = (json.loads(files[path]) for files in (plain, interactive))
        if kind != "train":
            # An annotator waits for every click.
            assert given["mirror_tta"] is False
            expected["mirror_tta"] = False
        assert without_clicks(given, kind) == laid_out(without_inheriting(expected))
    processes = json.loads(interactive["configs/multi_gpu_train.json"])
    without_check(processes["initialize"])
    assert processes == without_inheriting(json.loads(plain["configs/multi_gpu_train.json"]))
    own = {f"configs/{kind}.json" for kind in (*KEYS, "metadata", "architecture", "multi_gpu_train")}
    own |= {"docs/README.md", "docs/architecture.svg"}
    assert {path for path in interactive if interactive[path] != plain[path]} <= own
    networks = [
        Architecture.from_dict(json.loads(files["configs/architecture.json"])) for files in (plain, interactive)
    ]
    if shipped_with(task(name).bundle, COMMON):
        # What a search derived for the task without clicks stays there.
        strides, kernel_sizes = networks[0].strides, networks[0].kernel_sizes
        networks[0] = nnunet_default(strides=strides, kernel_sizes=kernel_sizes)
    assert networks[0] == networks[1]


@every_task
def test_all_configs_mean_the_same_clicks(name: str) -> None:
    files = configs(name, interactive=True)
    train, evaluate, inference = (json.loads(files[f"configs/{kind}.json"]) for kind in KEYS)
    assert train["guidance_sigma"] == evaluate["guidance_sigma"] == inference["guidance_sigma"]
    assert evaluate["click_guidance"] == inference["click_guidance"]
    guides = [train[part][engine]["iteration_update"]["guide"] for part, engine in ENGINES]
    assert guides[0] == "@click_simulation" and guides[1]["_target_"] == f"{INTERACTIVE}.simulation.NoClicks"
    assert train["click_simulation"]["_target_"] == f"{INTERACTIVE}.simulation.SimulatedClicks"
    # A name of a class that is also a key of MONAI's would make a bundle that no click can reach.
    names = guidance_names(inference["labels"])
    assert len(names) == inference["out_channels"]


ENGINES = (("train", "trainer"), ("validate", "evaluator"))


@every_task
def test_the_command_makes_one_of_every_task(name: str, tmp_path: Path) -> None:
    build(task=name, interactive=True, output=str(tmp_path))
    (folder,) = tmp_path.iterdir()
    assert folder.name == f"{task(name).bundle.removesuffix('segmentation')}deepedit"
    plan = task(name).plan
    metadata = json.loads((folder / "configs" / "metadata.json").read_text())
    formats = metadata["network_data_format"]
    assert formats["inputs"]["image"]["num_channels"] == plan.in_channels + plan.out_channels
    assert formats["outputs"]["pred"]["num_channels"] == plan.out_channels
    assert metadata["name"].endswith("AdwU-Net DeepEdit")
    text = (folder / "docs" / "README.md").read_text()
    for words in ("configs/search.json", "run search", "inference_trt", "multi_gpu_search"):
        assert words not in text
    links = [link for link in re.findall(r"\]\(([^)]+)\)", text) if not link.startswith("http")]
    files = [*re.findall(r"configs/[\w.]+", text), *(f"docs/{link}" for link in links), "LICENSE"]
    assert len(files) > 10 and [file for file in files if not (folder / file).is_file()] == []
