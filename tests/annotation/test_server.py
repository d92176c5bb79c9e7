"""The server of these tests is not left running."""

from __future__ import annotations

from pathlib import Path

import pytest

from .conftest import PLAIN, toy_bundle


def test_a_server_that_does_not_answer_in_time_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import psutil

    from . import server

    monkeypatch.setattr(server, "STARTS_WITHIN", 1)
    (tmp_path / "studies").mkdir()
    before = psutil.Process().children(recursive=True)
    with pytest.raises(RuntimeError, match="no server after 1 s"):
        server.Server(
            studies=tmp_path / "studies", bundles=[toy_bundle(PLAIN, tmp_path / "bundles")], home=tmp_path / "home"
        )
    assert psutil.Process().children(recursive=True) == before
