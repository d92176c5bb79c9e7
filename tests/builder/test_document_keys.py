"""The README's tables and sentences about keys against the configs of the bundles."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from test_documents import BUNDLES, cells, readme

from adw_components.tasks import task, task_names

LETTERS = {"S": "search", "T": "train", "E": "evaluate", "I": "inference"}
every_task = pytest.mark.parametrize("name", task_names())


def config_of(name: str, kind: str) -> dict[str, Any]:
    path: Path = BUNDLES / task(name).bundle / "configs" / f"{kind}.json"
    return json.loads(path.read_text())


def as_json(text: str) -> Any:
    """The value that a cell shows; none for words."""
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return None


def key_rows(text: str) -> list[tuple[list[str], list[str], str]]:
    """Keys, the configs that each has, and the default; none for a component."""
    rows = [
        cells(line) for line in text[text.index("## Keys") : text.index("## What a run")].splitlines() if "|" in line
    ]
    return [(re.findall(r"`(\w+)`", row[0]), row[1].split("; "), row[2] if len(row) == 4 else "") for row in rows]


@every_task
@pytest.mark.parametrize("letter", LETTERS)
def test_table_of_keys_is_that_of_the_config(name: str, letter: str) -> None:
    config = config_of(name, LETTERS[letter])
    described, defaults = set(), {}
    for keys, where, default in key_rows(readme(name)):
        for index, key in enumerate(keys):
            if letter in where[min(index, len(where) - 1)].split():
                described.add(key)
                defaults[key] = default.strip("`")
    assert described == set(config)
    stated = {key: as_json(default) for key, default in defaults.items() if as_json(default) is not None}
    assert stated == {key: config[key] for key in stated}
    assert {"spacing", "sw_batch_size" if letter in "EI" else "batch_size"} <= set(stated)


@every_task
def test_figures_that_configs_hold_too(name: str) -> None:
    train, inference, text = config_of(name, "train"), config_of(name, "inference"), readme(name)
    assert f"over {inference['inferer']['inferer']['cpu_thresh'] // 10**6} million voxels" in text.replace("\n", " ")
    assert f"`cache_gb` ({train['cache_gb']})" in text
    assert f"{train['max_epochs']} x {train['iterations_per_epoch']} |" in text
