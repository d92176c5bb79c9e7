"""The README of an exported bundle: true for a reader without the repository, and of the network that ships."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from bundles.conftest import BUNDLES

from adw_components.export.command import export_bundle

from .conftest import HIPPOCAMPUS, INTERACTIVE, NAMES, bundle_of, tiny_network, write_summary, write_weights

Exported = Callable[[str], Path]


@pytest.mark.parametrize("bundle", BUNDLES, ids=lambda path: path.name)
def test_the_readme_names_no_command_or_file_that_is_not_there(bundle: Path, without_weights: Path) -> None:
    folder = without_weights / bundle.name
    readme = text_of(folder)
    assert "adw_components" not in readme and "pip install ." not in readme
    assert "No weights ship" in readme and "own_code" in readme
    # Nothing sends the reader to what only a checkout has.
    assert "repository" not in readme and not re.search(r"benchmark_\w+|\b(method|monailabel)\.md", readme)
    for path in re.findall(r"(?:configs|scripts|docs)/[\w./]*\w", readme):
        assert (folder / path).exists(), path


@pytest.mark.parametrize("name", [HIPPOCAMPUS, INTERACTIVE])
def test_the_readme_describes_the_network_that_ships(name: str, exported: Exported) -> None:
    readme = (exported(name) / "docs" / "README.md").read_text()
    parameters = sum(value.numel() for value in tiny_network(name).parameters())
    assert f"{parameters:,} parameters" in readme and "of this origin: a test" in readme
    assert "weights ship" not in readme and "`model.ts`" in readme
    drawing = (exported(name) / "docs" / "architecture.svg").read_text()
    assert drawing != (bundle_of(name) / "docs" / "architecture.svg").read_text()


def test_a_readme_that_somebody_wrote_stays(tmp_path: Path) -> None:
    bundle = Path(shutil.copytree(bundle_of(HIPPOCAMPUS), tmp_path / HIPPOCAMPUS))
    (bundle / "docs" / "README.md").write_text("Mine. Run `python -m adw_components report runs`.\n")
    assert "docs/README.md is not the builder's" in export_bundle(str(bundle), output=str(tmp_path / "out"))
    text = (tmp_path / "out" / HIPPOCAMPUS / "docs" / "README.md").read_text()
    assert text == "Mine. Run `python -m scripts report runs`.\n"


def test_measured_figures_are_of_the_networks_that_they_name(
    exported: Exported, without_weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    of_others = "which need not be that of the weights in `models/`"
    of_these = "Those of the weights in `models/` are `eval_metrics`"
    for name, network in ((HIPPOCAMPUS, "225,828 | 1.186"), (INTERACTIVE, "a quarter of the default widths")):
        text = text_of(without_weights / name)
        section = text.partition("### Measured ")[2].partition("## ")[0]
        assert network in section and "this bundle" not in section
        assert of_others not in text and of_these not in text
        text = text_of(exported(name))
        assert of_others in text and of_these not in text and "repository" not in text
    assert of_others not in text_of(exported(NAMES[1]))  # of which nothing was measured

    monkeypatch.setattr("adw_components.export.command.write_torchscript", lambda _: None)
    weights = str(write_weights(tmp_path / "train", HIPPOCAMPUS))
    evaluation = str(write_summary(tmp_path / "evaluate", [weights]))
    export_bundle(str(bundle_of(HIPPOCAMPUS)), output=str(tmp_path / "out"), weights=weights, evaluation=evaluation)
    assert of_others in text_of(tmp_path / "out" / HIPPOCAMPUS) and of_these in text_of(tmp_path / "out" / HIPPOCAMPUS)


def text_of(bundle: Path) -> str:
    """The README in one line."""
    return " ".join((bundle / "docs" / "README.md").read_text().split())
