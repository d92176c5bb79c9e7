"""A bundle that ships the result of a search: its record, its figures, what its documents say."""

import json
import shutil
from pathlib import Path

import pytest

from adw_components.builder.build import COMMON, bundle_files
from adw_components.builder.source import msd_source
from adw_components.errors import UserError
from adw_components.search_space import SearchSpace

SOURCE = msd_source("Task09_Spleen")
METRICS = {"weights_sha256": "0" * 64, "unseen": {"mean_dice": 0.5, "folds": [1, 2]}}


@pytest.fixture
def common(tmp_path: Path) -> Path:
    """A source of the bundles in which the spleen's ships a random architecture."""
    common = Path(shutil.copytree(COMMON, tmp_path / "common"))
    folder = common / "shipped" / SOURCE.name
    space = SearchSpace(strides=SOURCE.plan.strides, kernel_sizes=SOURCE.plan.kernel_sizes)
    space.sample(3).save(folder / "architecture.json")
    (folder / "metrics.json").write_text(json.dumps(METRICS))
    return common


def test_record_and_metrics_are_the_shipped_ones(common: Path) -> None:
    files = bundle_files(SOURCE, common)
    record = (common / "shipped" / SOURCE.name / "architecture.json").read_text()
    assert json.loads(files["configs/architecture.json"]) == json.loads(record)
    assert json.loads(files["configs/metadata.json"])["eval_metrics"] == METRICS
    drawn = files["docs/architecture.svg"]
    assert drawn != bundle_files(SOURCE)["docs/architecture.svg"] and "<svg" in drawn


def test_readme_speaks_of_the_weights(common: Path) -> None:
    before, after = (bundle_files(SOURCE, folder)["docs/README.md"] for folder in (COMMON, common))
    assert "No weights ship" in before and "starting point" in before
    assert "`models/` holds its weights, `model.pt`." in after and "random sample" in after
    assert "weights ship" not in after and "starting point" not in after


def test_only_configs_that_speak_of_the_network_change(common: Path) -> None:
    before, after = bundle_files(SOURCE), bundle_files(SOURCE, common)
    assert {name for name in before if before[name] != after[name]} == {
        "configs/architecture.json",
        "configs/metadata.json",
        "docs/README.md",
        "docs/architecture.svg",
    }


def test_an_architecture_without_metrics_is_one_line(common: Path) -> None:
    (common / "shipped" / SOURCE.name / "metrics.json").unlink()
    with pytest.raises(UserError, match=r"metrics file .*metrics\.json does not exist"):
        bundle_files(SOURCE, common)
