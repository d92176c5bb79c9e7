"""The README's tables and sentences about keys against the configs of the bundles."""

import json
import re
from functools import cache
from typing import Any

import pytest
from test_documents import SOURCES, cells, every_bundle, readme

from adw_components.builder.build import bundle_files

LETTERS = {"S": "search", "T": "train", "E": "evaluate", "I": "inference"}


def letters_of(name: str) -> str:
    """The configs that a bundle has."""
    return "TEI" if SOURCES[name].interactive else "STEI"


@cache
def configs_of(name: str) -> dict[str, dict[str, Any]]:
    """Config -> its content."""
    files = bundle_files(SOURCES[name])
    return {LETTERS[letter]: json.loads(files[f"configs/{LETTERS[letter]}.json"]) for letter in letters_of(name)}


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


@pytest.mark.parametrize(("name", "letter"), [(name, letter) for name in SOURCES for letter in letters_of(name)])
def test_table_of_keys_is_that_of_the_config(name: str, letter: str) -> None:
    config = configs_of(name)[LETTERS[letter]]
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
    if SOURCES[name].interactive:
        assert {"T": "max_corrections", "E": "clicks", "I": "guidance_sigma"}[letter] in stated


@every_bundle
def test_no_other_config_is_named(name: str) -> None:
    text = readme(name)
    assert {letter for _, where, _ in key_rows(text) for group in where for letter in group.split()} == {
        *letters_of(name),
        *("In", "---"),
    }
    legend = text[text.index("## Keys") :].splitlines()[2]
    assert re.findall(r"(\w): `(\w+)\.json`", legend) == [(letter, LETTERS[letter]) for letter in letters_of(name)]


@every_bundle
def test_the_same_is_said_of_a_key_that_was_explained(name: str) -> None:
    explained: set[str] = set()
    for line in readme(name).splitlines():
        if line.startswith("| `"):
            keys, *_, meaning = cells(line)
            assert keys in explained or not meaning.startswith("the same"), line
            explained.add(keys)


@every_bundle
def test_figures_that_configs_hold_too(name: str) -> None:
    train, inference, text = configs_of(name)["train"], configs_of(name)["inference"], readme(name)
    assert f"over {inference['inferer']['inferer']['cpu_thresh'] // 10**6} million voxels" in text.replace("\n", " ")
    assert f"`cache_gb` ({train['cache_gb']})" in text
    # The default of a run that is no fine-tuning.
    assert f"{train['max_epochs']} x {train['iterations_per_epoch'].split()[-1]} |" in text


@pytest.mark.parametrize("name", [name for name in SOURCES if SOURCES[name].interactive])
def test_figures_about_clicks_are_those_of_the_configs(name: str) -> None:
    train, text = configs_of(name)["train"], " ".join(readme(name).split())
    assert f"none on {100 * train['automatic_share']:.0f} % of the patches" in text
    assert train["seed_share"] == 0.5 and "after a click in every class on half of them" in text
    assert f"up to {train['max_corrections']} corrections" in text
    assert f"`guidance_sigma`: {train['guidance_sigma']:g} voxels" in text
