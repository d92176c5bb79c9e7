"""The record of a run: a row an epoch, on disk after every epoch, cut back on resuming."""

import json
from pathlib import Path

import pytest
from ignite.engine import Engine

from adw_components.engines.checkpoint import RunCheckpoint
from adw_components.engines.epoch_record import EpochRecord
from adw_components.errors import UserError
from adw_components.files import read_json_lines


def record(folder: Path, epochs: int, *, resume: bool = False) -> EpochRecord:
    """The record of a run of `epochs`."""
    engine = Engine(lambda *_: None)
    kept = EpochRecord(path=folder / "run.jsonl", row=lambda engine: {"double": 2 * engine.state.epoch})
    kept.attach(engine)
    RunCheckpoint(path=folder / "checkpoint.pt", objects={"record": kept}, resume=resume).attach(engine)
    engine.run([0], max_epochs=epochs)
    return kept


def epochs_in(path: Path) -> list[int]:
    """Epochs of the rows of a file."""
    return [row["epoch"] for row in read_json_lines(path)]


def test_file_holds_one_row_an_epoch(tmp_path: Path) -> None:
    kept = record(tmp_path, 3)
    rows = [json.loads(line) for line in (tmp_path / "run.jsonl").read_text().splitlines()]
    assert rows == kept.rows
    assert [(row["epoch"], row["double"]) for row in rows] == [(1, 2), (2, 4), (3, 6)]
    assert all(list(row) == ["epoch", "double", "seconds"] and row["seconds"] >= 0 for row in rows)


def test_resuming_goes_on_after_the_rows_of_the_checkpoint(tmp_path: Path) -> None:
    record(tmp_path, 2)
    with (tmp_path / "run.jsonl").open("a") as file:
        file.write('{"epoch": 3, "left over": "by a kill before the checkpoint"}\n')
    record(tmp_path, 4, resume=True)
    assert epochs_in(tmp_path / "run.jsonl") == [1, 2, 3, 4]
    assert "left over" not in (tmp_path / "run.jsonl").read_text()


def test_row_that_is_no_json_is_refused_and_the_file_kept(tmp_path: Path) -> None:
    record(tmp_path, 2)
    before = (tmp_path / "run.jsonl").read_text()
    engine = Engine(lambda *_: None)
    EpochRecord(path=tmp_path / "run.jsonl", row=lambda _: {"loss": float("nan")}).attach(engine)
    with pytest.raises(ValueError, match="not JSON compliant"):
        engine.run([0], max_epochs=1)
    assert (tmp_path / "run.jsonl").read_text() == before


def test_damaged_record_is_named_and_a_missing_one_is_empty(tmp_path: Path) -> None:
    (tmp_path / "odd.jsonl").write_text('{"epoch": 1}\n{"epo')
    with pytest.raises(UserError, match=r"odd\.jsonl is damaged"):
        read_json_lines(tmp_path / "odd.jsonl")
    assert read_json_lines(tmp_path / "none.jsonl") == []
