"""The folder of a run: nothing is overwritten, and nothing goes on with other settings unnoticed."""

import json
import logging
from pathlib import Path
from typing import Any

import pytest

from adw_components.engines.run_folder import open_run
from adw_components.errors import UserError

SETTINGS = {"seed": 0, "batch_size": 2, "max_epochs": 4, "num_workers": 0}


def begin(folder: Path, *, resume: bool = False, kind: str = "search", **changed: Any) -> None:
    """Open a run."""
    open_run(folder, kind=kind, settings=SETTINGS | changed, resume=resume)


def leave_checkpoint(folder: Path, **changed: Any) -> None:
    """What a run has written after its first epoch."""
    begin(folder, **changed)
    (folder / "checkpoint.pt").write_bytes(b"")
    (folder / "architecture.json").write_text("{}")


def settings_in(folder: Path) -> dict[str, Any]:
    """The settings on disk."""
    return json.loads((folder / "settings.json").read_text())


def test_new_folder_is_made_and_holds_the_settings(tmp_path: Path) -> None:
    begin(tmp_path / "runs" / "new")
    stored = settings_in(tmp_path / "runs" / "new")
    assert stored["kind"] == "search"
    assert stored["package_version"]
    assert {name: stored[name] for name in SETTINGS} == SETTINGS


def test_folder_of_a_run_that_wrote_no_checkpoint_may_be_used_again(tmp_path: Path) -> None:
    begin(tmp_path, kind="train")
    (tmp_path / "architecture.json").write_text("{}")
    begin(tmp_path, kind="train", seed=1)
    assert settings_in(tmp_path)["seed"] == 1


@pytest.mark.parametrize("resume", [False, True])
def test_a_longer_run_that_lost_its_checkpoint_is_not_overwritten(tmp_path: Path, resume: bool) -> None:
    begin(tmp_path)
    (tmp_path / "search.jsonl").write_text('{"epoch": 1}\n{"epoch": 2}\n')
    with pytest.raises(UserError, match=r"2 epochs whose checkpoint.pt is missing"):
        begin(tmp_path, resume=resume)


def test_a_run_stopped_between_its_first_row_and_its_checkpoint_starts_anew(tmp_path: Path) -> None:
    begin(tmp_path)
    (tmp_path / "search.jsonl").write_text('{"epoch": 1}\n')
    begin(tmp_path, resume=True)


def test_folder_with_a_run_is_refused_without_resume(tmp_path: Path) -> None:
    leave_checkpoint(tmp_path)
    with pytest.raises(UserError, match=r"already holds a run; add --resume true"):
        begin(tmp_path)


@pytest.mark.parametrize("name", ["architecture.json", "model.pt", "metadata.json"])
@pytest.mark.parametrize("resume", [False, True])
def test_folder_with_files_that_ship_is_refused(tmp_path: Path, name: str, resume: bool) -> None:
    (tmp_path / name).write_text("{}")
    with pytest.raises(UserError, match=f"holds {name}, which no run there has written"):
        begin(tmp_path, resume=resume)
    assert not (tmp_path / "settings.json").exists()


def test_run_is_resumed_with_its_own_settings(tmp_path: Path) -> None:
    leave_checkpoint(tmp_path)
    begin(tmp_path, resume=True)


def test_every_changed_setting_is_listed(tmp_path: Path) -> None:
    leave_checkpoint(tmp_path)
    with pytest.raises(UserError, match=r"kind was search, is train; seed was 0, is 1; batch_size was 2, is 3"):
        begin(tmp_path, resume=True, kind="train", seed=1, batch_size=3)
    assert settings_in(tmp_path)["seed"] == 0


def test_free_setting_may_change_with_a_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    leave_checkpoint(tmp_path)
    with caplog.at_level(logging.WARNING):
        begin(tmp_path, resume=True, max_epochs=8, num_workers=2)
    assert "resuming with max_epochs 8 instead of 4" in caplog.text
    assert "resuming with num_workers 2 instead of 0" in caplog.text
    assert settings_in(tmp_path)["max_epochs"] == 8


def test_checkpoint_without_settings_is_refused(tmp_path: Path) -> None:
    leave_checkpoint(tmp_path)
    (tmp_path / "settings.json").unlink()
    with pytest.raises(UserError, match=r"settings file .* does not exist"):
        begin(tmp_path, resume=True)


def test_fewer_epochs_than_there_are_is_refused(tmp_path: Path) -> None:
    leave_checkpoint(tmp_path)
    (tmp_path / "search.jsonl").write_text('{"epoch": 1}\n{"epoch": 2}\n')
    with pytest.raises(UserError, match="max_epochs must be at least 2"):
        begin(tmp_path, resume=True, max_epochs=1)


def test_epochs_of_several_searches_are_counted_by_search(tmp_path: Path) -> None:
    leave_checkpoint(tmp_path)
    rows = [{"epoch": epoch, "search_epoch": search_epoch} for epoch, search_epoch in ((1, 1), (2, 2), (3, 2), (4, 2))]
    (tmp_path / "search.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    begin(tmp_path, resume=True, max_epochs=2)
    with pytest.raises(UserError, match="max_epochs must be at least 2"):
        begin(tmp_path, resume=True, max_epochs=1)


def test_number_of_epochs_is_fixed_where_searches_follow_each_other(tmp_path: Path) -> None:
    targets = {"targets": [{"kind": "flops", "value": n, "ratio": None, "name": f"flops_{n}"} for n in (500, 1000)]}
    leave_checkpoint(tmp_path, **targets)
    with pytest.raises(UserError, match="max_epochs was 4, is 8"):
        begin(tmp_path, resume=True, max_epochs=8, **targets)


def test_the_folder_of_another_kind_of_run_is_refused(tmp_path: Path) -> None:
    begin(tmp_path, kind="train")
    with pytest.raises(UserError, match="of kind train"):
        begin(tmp_path, kind="search")


def test_a_run_that_begins_anew_makes_room(tmp_path: Path) -> None:
    for seed in range(3):
        open_run(tmp_path / "run", kind="train", settings=SETTINGS | {"seed": seed}, resume=False, anew=True)
        (tmp_path / "run" / "checkpoint.pt").write_bytes(b"")
    kept = {path.name: settings_in(path)["seed"] for path in tmp_path.iterdir()}
    assert kept == {"run_001": 0, "run_002": 1, "run": 2}


def test_there_is_room_beyond_a_thousand_runs(tmp_path: Path) -> None:
    for name in ("run_999", "run_1000", "run_of_mine"):
        (tmp_path / name).mkdir()
    for seed in (0, 1):
        open_run(tmp_path / "run", kind="train", settings=SETTINGS | {"seed": seed}, resume=False, anew=True)
    assert settings_in(tmp_path / "run_1001")["seed"] == 0


def test_a_run_that_begins_anew_refuses_files_that_ship(tmp_path: Path) -> None:
    (tmp_path / "model.pt").write_bytes(b"")
    with pytest.raises(UserError, match=r"holds model\.pt, which no run there has written"):
        open_run(tmp_path, kind="train", settings=SETTINGS, resume=False, anew=True)
