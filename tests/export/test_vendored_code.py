"""The `scripts` of an exported bundle: the package's files, all that they import, and no more."""

import ast
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from bundles.conftest import BUNDLES, ROOT

from .conftest import HIPPOCAMPUS, read

# Distributions whose package has another name.
DISTRIBUTIONS = {"ignite": "pytorch-ignite", "sklearn": "scikit-learn", "markupsafe": "jinja2"}


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
