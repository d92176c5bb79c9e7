"""Who may import whom (DESIGN.md, section 4), held by parsing every file of the package."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import adw_components

PACKAGE = Path(adw_components.__file__).parent
RECORDS = {"architecture", "record_fields", "search_space", "cost", "reference", "errors", "files", "json_record"}
RECORDS |= {"plan", "normalization", "dataset_description", "tasks", "describe", "describe_plan", "click_names"}
RECORDS |= {"cost_target", "cost_terms", "owners", "locks", "run_files"}
FILES = sorted(path.relative_to(PACKAGE) for path in PACKAGE.rglob("*.py"))


def layer(file: Path) -> str:
    """Top-level module or subpackage of a file of the package."""
    return file.parts[0].removesuffix(".py")


def imports(file: Path) -> Iterator[ast.Import | ast.ImportFrom]:
    """Every import statement of a file, those inside functions too."""
    for node in ast.walk(ast.parse((PACKAGE / file).read_text())):
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield node


def outside(file: Path) -> set[str]:
    """Top-level names of what a file imports from outside the package."""
    names: set[str] = set()
    for node in imports(file):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif node.level == 0 and node.module:
            names.add(node.module.partition(".")[0])
    return names


def inside(file: Path) -> set[str]:
    """Layers of the package that a file imports, its own left out."""
    found: set[str] = set()
    for node in imports(file):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = file.parts[: len(file.parts) - node.level]
            targets = [node.module.split(".")] if node.module else [[alias.name] for alias in node.names]
            found |= {layer(Path(*base, *target)) for target in targets}
    return found - {layer(file), "__version__"}


@cache
def layer_graph() -> dict[str, set[str]]:
    """Layer -> layers that it imports."""
    graph: dict[str, set[str]] = {}
    for file in FILES:
        graph.setdefault(layer(file), set()).update(inside(file))
    return graph


def reachable(start: str) -> set[str]:
    """`start` and all layers that it imports, however far."""
    graph, found, pending = layer_graph(), set[str](), [start]
    while pending:
        name = pending.pop()
        if name not in found:
            found.add(name)
            pending.extend(graph[name])
    return found


def files_of(*layers: str) -> list[Path]:
    """Files of these layers."""
    return [file for file in FILES if layer(file) in layers]


@pytest.mark.parametrize("file", FILES, ids=str)
def test_imports_inside_the_package_are_relative(file: Path) -> None:
    assert PACKAGE.name not in outside(file)


def test_every_imported_layer_exists() -> None:
    graph = layer_graph()
    assert set().union(*graph.values()) <= set(graph)


@pytest.mark.parametrize("file", files_of(*RECORDS), ids=str)
def test_records_need_the_standard_library_alone(file: Path) -> None:
    assert outside(file) <= sys.stdlib_module_names
    assert inside(file) <= RECORDS


@pytest.mark.parametrize("start", ["report", "describe", "builder", "synthesis"])
def test_what_reads_files_never_needs_the_networks(start: str) -> None:
    layers = reachable(start)
    assert not layers & {"networks", "search", "engines", "retrain", "inference", "distributed", "losses"}
    assert "interactive" not in layers
    for file in files_of(*layers):
        assert not outside(file) & {"torch", "monai", "ignite"}


def test_planning_knows_records_and_data_without_torch() -> None:
    for file in files_of("planning"):
        assert inside(file) <= RECORDS | {"data"}
        assert outside(file) <= sys.stdlib_module_names | {"numpy", "scipy", "nibabel", "tqdm"}


def test_networks_know_records_alone() -> None:
    for file in files_of("networks"):
        assert inside(file) <= RECORDS
        assert outside(file) <= sys.stdlib_module_names | {"torch", "monai"}


def test_search_knows_networks_engines_and_records() -> None:
    for file in files_of("search"):
        assert inside(file) <= RECORDS | {"networks", "engines", "distributed", "losses"}


def test_interactive_knows_what_all_share() -> None:
    for file in files_of("interactive"):
        assert inside(file) <= RECORDS | {"data", "engines", "evaluation", "distributed"}
        assert outside(file) <= sys.stdlib_module_names | {"torch", "monai", "ignite", "numpy", "scipy", "pandas"}
    assert not reachable("interactive") & {"search", "networks", "retrain", "inference", "builder", "report"}


@pytest.mark.parametrize("name", ["engines", "data", "distributed", "losses", "evaluation"])
def test_what_all_share_knows_neither_search_nor_networks(name: str) -> None:
    assert not reachable(name) & {"search", "networks", "interactive"}


def test_layers_import_each_other_in_one_direction() -> None:
    graph = layer_graph()
    assert not [(name, other) for name in graph for other in graph[name] if name in reachable(other)]


def test_export_is_imported_by_the_command_line_alone_and_reads_no_other_engine() -> None:
    assert [name for name, others in layer_graph().items() if "export" in others] == ["__main__"]
    for file in files_of("export"):
        assert inside(file) <= RECORDS | {"builder", "engines", "inference"}
        torch_is_needed = file.stem == "weights"
        assert ("torch" in outside(file)) is torch_is_needed


def test_what_runs_ahead_of_an_exported_bundle_imports_nothing_of_it() -> None:
    file = Path("bundle", "own_code.py")
    assert not inside(file) and outside(file) <= sys.stdlib_module_names


def test_the_command_line_loads_without_torch() -> None:
    check = f"import {PACKAGE.name}.__main__, sys; sys.exit('torch' in sys.modules or 'monai' in sys.modules)"
    subprocess.run([sys.executable, "-c", check], check=True, timeout=60)


def test_records_planning_builder_and_report_load_without_torch() -> None:
    files = [file.with_suffix("").parts for file in files_of("planning", "builder")]
    names = RECORDS | {"report"} | {".".join(parts) for parts in files if parts[-1] != "__init__"}
    modules = [f"{PACKAGE.name}.{name}" for name in sorted(names)]
    check = f"import {', '.join(modules)}, sys; sys.exit('torch' in sys.modules or 'monai' in sys.modules)"
    subprocess.run([sys.executable, "-c", check], check=True, timeout=60)
