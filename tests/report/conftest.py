"""A whole run, and its page."""

from pathlib import Path

import pytest
from fabricated_runs import whole_run

from adw_components.report import build_report


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = whole_run(tmp_path_factory.mktemp("run"))
    build_report(root)
    return root


@pytest.fixture(scope="session")
def page(run: Path) -> str:
    return (run / "report.html").read_text()
