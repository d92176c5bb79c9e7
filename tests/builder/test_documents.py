"""The documents of every bundle against the costs and the files that they speak of."""

import re
import shutil
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from adw_components.architecture import Architecture
from adw_components.builder.build import bundle_files, starting_architecture
from adw_components.builder.documents import documents
from adw_components.builder.source import BundleSource, msd_source, repository_sources
from adw_components.cost import count_activation_bytes, count_flops, count_parameters
from adw_components.dataset_description import DatasetDescription
from adw_components.normalization import Normalization
from adw_components.plan import Plan

ROOT = Path(__file__).parents[2]
COMMON = ROOT / "bundles" / "common"
OWN = Plan(
    dataset=DatasetDescription(
        name="Dataset700_Kidney Stones",
        modality=("CT", "MRI"),
        labels=("background", "kidney|left", "stone"),
        num_training=4,
    ),
    spacing_mm=(1, 0.5, 5),
    median_shape=(400, 300, 40),
    patch_size=(64, 64, 8),
    batch_size=3,
    strides=((1, 1, 1), (2, 2, 2)),
    kernel_sizes=((3, 3, 1), (3, 3, 3)),
    normalization=(
        Normalization(scheme="ct", low=-5, high=9.5, mean=2, std=4),
        Normalization(scheme="z_score", nonzero=True),
    ),
    batch_dice=True,
)


def own_source(*, interactive: bool) -> BundleSource:
    """A bundle of the made-up plan."""
    kind = "deepedit" if interactive else "segmentation"
    return BundleSource(name=f"kidney_ct_adwunet_{kind}", plan=OWN, interactive=interactive)


# An interactive bundle of several image channels, one with a published architecture, and both kinds of nobody's task.
_SOURCES = (
    *repository_sources(),
    *(msd_source(name, interactive=True) for name in ("Task01_BrainTumour", "Task02_Heart")),
    *(own_source(interactive=interactive) for interactive in (False, True)),
)
SOURCES = {source.name: source for source in _SOURCES}
every_bundle = pytest.mark.parametrize("name", SOURCES)


def texts_of(source: BundleSource, common: Path = COMMON) -> dict[str, str]:
    return documents(source, architecture=starting_architecture(source), common=common)


def readme(name: str) -> str:
    return texts_of(SOURCES[name])["docs/README.md"]


def cells(row: str) -> list[str]:
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", row)[1:-1]]


@every_bundle
def test_texts_are_whole_and_tidy(name: str) -> None:
    for path, text in texts_of(SOURCES[name]).items():
        assert not re.search(r"\{\{|\}\}|\{%|None|_target_|Undefined|\bxxxx\b", text), path
        assert "\n\n\n" not in text and not re.search(r"[ \t]\n", text), path
        assert text.endswith("\n") and not text.endswith("\n\n"), path
        # No sentence is left with a gap where a value is missing; code and dots for "and so on" aside.
        prose = re.sub(r"```.*?```|`[^`]*`|\.\.\.", "x", text, flags=re.DOTALL)
        assert path.endswith("svg") or not re.search(r" [,.;:]|\.\.|\(\)|\w  \w", prose), path


@every_bundle
def test_every_row_of_a_table_has_the_cells_of_its_header(name: str) -> None:
    tables = re.findall(r"(?:^\|.*\n)+", readme(name), re.MULTILINE)
    assert len(tables) >= 7
    for table in tables:
        assert len({len(cells(row)) for row in table.splitlines()}) == 1, table


@every_bundle
def test_figures_are_those_of_cost_py(name: str) -> None:
    source = SOURCES[name]
    plan, architecture = source.plan, starting_architecture(source)
    channels = {"in_channels": source.network_channels, "out_channels": plan.out_channels}
    size = {"patch_size": plan.patch_size}
    kept = count_activation_bytes(architecture, **channels, **size, batch_size=plan.batch_size)
    text = readme(name).replace("\n", " ")
    assert f" {count_parameters(architecture, **channels):,} parameters" in text
    assert f" {count_flops(architecture, **channels, **size):,} forward FLOPs" in text
    assert f" {kept / 1e9:.2f} GB of activations" in text
    assert f"| {count_parameters(architecture, **channels):,} |" in text


@every_bundle
def test_commands_name_files_of_the_bundle(name: str) -> None:
    there = {path.removeprefix("configs/") for path in bundle_files(SOURCES[name]) if path.startswith("configs/")}
    named = set(re.findall(r"configs/([\w.]+)", readme(name)))
    assert named <= there
    # All but what is no config to run.
    assert there - named <= {"logging.conf"}


@every_bundle
def test_files_of_the_repository_are_there(name: str) -> None:
    named = set(re.findall(r"`((?:docs|scripts)/[\w./]+)`", readme(name)))
    assert "docs/method.md" in named and {path for path in named if not (ROOT / path).is_file()} == set()


@pytest.mark.parametrize("name", [name for name in SOURCES if SOURCES[name].interactive])
def test_an_interactive_bundle_speaks_of_no_search_of_its_own(name: str) -> None:
    text = readme(name)
    assert not re.findall(r"search\.json|run search|--searched|multi_gpu_search|runs/quick_search|TensorRT|_trt", text)
    # What others searched is named by where it lies: in the folder of the plain bundle.
    searched = re.findall(r"\S*runs/search\S*", text)
    assert searched == ["/path/to/the/plain/bundle/runs/search/architecture.json"]
    shape = [1, SOURCES[name].network_channels, *SOURCES[name].plan.patch_size]
    assert f'--input_shape "{shape}"' in text


@every_bundle
def test_links_lead_to_documents_of_the_bundle(name: str) -> None:
    texts = texts_of(SOURCES[name])
    links = [link for link in re.findall(r"\]\(([^)]+)\)", texts["docs/README.md"]) if not link.startswith("http")]
    assert {"architecture.svg", "data_license.txt"} == set(links)
    assert {f"docs/{link}" for link in links} <= set(texts)


@every_bundle
def test_drawing_shows_every_convolution_and_needs_no_stylesheet(name: str) -> None:
    text = texts_of(SOURCES[name])["docs/architecture.svg"]
    found = ElementTree.fromstring(text)
    widths = [int(bar.attrib["data-width"]) for bar in found.iter() if "data-width" in bar.attrib]
    assert sorted(widths) == sorted(width for block in starting_architecture(SOURCES[name]).blocks for width in block)
    assert found.tag == "{http://www.w3.org/2000/svg}svg" and "var(" not in text


@pytest.mark.parametrize("interactive", [False, True])
def test_own_data_read_as_well(interactive: bool) -> None:
    texts = texts_of(own_source(interactive=interactive))
    text, licence = (texts[f"docs/{name}"] for name in ("README.md", "data_license.txt"))
    assert "not stated in dataset.json" in text and "not stated in dataset.json" in licence
    assert not re.search(r"MSD test|Decathlon|synthesize|\[[345]\]", text + licence)
    assert "'Dataset700_Kidney Stones'" in text and "clipped to -5 to 9.5 HU" in text


def test_measured_and_memory_texts_are_taken_in(tmp_path: Path) -> None:
    shutil.copytree(COMMON, tmp_path / "common")
    (tmp_path / "common/docs/inference_memory.md").write_text("A window takes 3 GB.\n")
    (tmp_path / "common/docs/measured/spleen_ct_adwunet_segmentation.md").write_text("Dice 0.5.\n")
    text = texts_of(msd_source("Task09_Spleen"), tmp_path / "common")["docs/README.md"]
    assert "A window takes 3 GB." in text and "### Measured\n\nDice 0.5.\n\n##" in text
    assert "### Measured\n" in readme("hippocampus_mri_adwunet_segmentation")
    assert "### Measured\n" not in readme("liver_ct_adwunet_segmentation")


def test_architecture_of_a_search_is_called_so() -> None:
    source = msd_source("Task02_Heart")
    blocks = {**starting_architecture(source).structure(), "provenance": {"source": "search of seed 7"}}
    blocks["decoder_widths"] = [[17], *blocks["decoder_widths"][1:]]
    text = documents(source, architecture=Architecture(**blocks), common=COMMON)["docs/README.md"]
    assert "search of seed 7" in text and "the authors of AdwU-Net searched" not in text
    assert "dashed outlines" not in text


def test_texts_are_the_same_in_another_process_and_need_no_torch() -> None:
    code = (
        "import sys; from test_documents import *; import hashlib\n"
        "texts = [texts_of(source) for source in SOURCES.values()]\n"
        "print(hashlib.sha256(repr(texts).encode()).hexdigest(), 'torch' in sys.modules)"
    )
    runs = [
        subprocess.run(
            [sys.executable, "-c", code],
            cwd=Path(__file__).parent,
            env={"PYTHONHASHSEED": seed, "LC_ALL": "C"},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.split()
        for seed in ("1", "2")
    ]
    assert runs[0] == runs[1] and runs[0][1] == "False"
