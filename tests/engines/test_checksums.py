"""A file that is not what its run has written is refused, wherever a bit of it was turned."""

import json
from pathlib import Path

import pytest
import torch

from adw_components.engines import checkpoint
from adw_components.engines.checkpoint import load_torch, save_torch, write_torch
from adw_components.engines.checksums import CHECKSUMS, checksums_in, require_all_intact, sealed, sha256_of
from adw_components.engines.run_folder import close_run, open_run
from adw_components.errors import UserError


def saved(path: Path, value: float = 0.0) -> Path:
    save_torch(path, {"weight": torch.full((100,), value)})
    return path


def turn_a_bit(path: Path, place: int) -> None:
    content = bytearray(path.read_bytes())
    content[place % len(content)] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize("place", [0, 70, 300, 700, -1, -30, -300])
def test_one_bit_anywhere_is_found(tmp_path: Path, place: int) -> None:
    turn_a_bit(saved(tmp_path / "model.pt"), place)
    with pytest.raises(UserError, match=r"model\.pt cannot be read: its checksum is not that in checksums\.json"):
        load_torch(tmp_path / "model.pt")


def test_without_a_checksum_those_of_the_format_count(tmp_path: Path) -> None:
    path = saved(tmp_path / "model.pt", value=3.0)
    (tmp_path / CHECKSUMS).unlink()
    assert load_torch(path)["weight"][0] == 3
    turn_a_bit(path, path.read_bytes().index(torch.full((100,), 3.0).numpy().tobytes()))
    with pytest.raises(UserError, match=r"model\.pt cannot be read: it is damaged"):
        load_torch(path)


def test_a_folder_is_called_one(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"is a folder; give a file in it"):
        load_torch(tmp_path)


@pytest.mark.parametrize("before", [False, True], ids=["first", "second"])
@pytest.mark.parametrize("step", ["before the rename", "after the rename"])
def test_a_kill_leaves_a_file_and_its_checksum(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, before: bool, step: str
) -> None:
    path = tmp_path / "model.pt"
    if before:
        saved(path, value=1.0)

    def killed(self: Path, target: Path) -> Path:
        if self.name.endswith("model.pt"):
            if step == "after the rename":
                rename(self, target)
            raise KeyboardInterrupt
        return rename(self, target)

    rename = Path.replace
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Path, "replace", killed)
        saved(path, value=2.0)
    require_all_intact(tmp_path)
    assert path.exists() is (before or step == "after the rename")
    saved(path, value=3.0)
    assert checksums_in(tmp_path) == {"model.pt": [sha256_of(path)]}


def test_other_files_are_sealed_too(tmp_path: Path) -> None:
    with sealed(tmp_path / "architecture.json") as temporary:
        temporary.write_text("{}")
    (tmp_path / "architecture.json").write_text("[]")
    with pytest.raises(UserError, match=r"architecture\.json cannot be read"):
        require_all_intact(tmp_path)


@pytest.mark.parametrize("name", ["checkpoint.pt", "model.pt", "model_last.pt", "supernet.pt", "architecture.json"])
@pytest.mark.parametrize("fault", ["missing", "cannot be read"])
def test_a_run_is_not_resumed_without_what_it_has_written(tmp_path: Path, name: str, fault: str) -> None:
    open_run(tmp_path, kind="train", settings={}, resume=False)
    for other in ("checkpoint.pt", "model.pt", "model_last.pt", "supernet.pt"):
        saved(tmp_path / other)
    with sealed(tmp_path / "architecture.json") as temporary:
        temporary.write_text("{}")
    open_run(tmp_path, kind="train", settings={}, resume=True)
    if fault == "missing":
        (tmp_path / name).unlink()
    else:
        turn_a_bit(tmp_path / name, -1)
    message = "missing" if name != "checkpoint.pt" else "."  # without one it is a run that has barely begun
    if name == "checkpoint.pt" and fault == "missing":
        (tmp_path / "train.jsonl").write_text('{"epoch": 1}\n{"epoch": 2}\n')
    with pytest.raises(UserError, match=message if fault == "missing" else fault) as raised:
        open_run(tmp_path, kind="train", settings={}, resume=True)
    assert name in str(raised.value) and "\n" not in str(raised.value)
    close_run()


def test_weights_without_a_checksum_must_be_there(tmp_path: Path) -> None:
    """Those of an earlier version."""
    open_run(tmp_path, kind="train", settings={}, resume=False)
    saved(tmp_path / "checkpoint.pt")
    (tmp_path / CHECKSUMS).unlink()
    with pytest.raises(UserError, match=r"model\.pt, which the run has written, is missing"):
        open_run(tmp_path, kind="train", settings={}, resume=True)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ([], "must hold a JSON object, got list"),
        ({"model.pt": "sum"}, r"model\.pt must have a list of sums, got 'sum'"),
        ({"model.pt": ["sum"]}, r"model\.pt must have a list of sums"),
        ({"../model.pt": [None]}, "a name in it must be the name of a folder"),
    ],
)
def test_checksums_of_another_kind_are_named(tmp_path: Path, content: object, problem: str) -> None:
    (tmp_path / CHECKSUMS).write_text(json.dumps(content))
    with pytest.raises(UserError, match=rf"checksums\.json.* {problem}"):
        checksums_in(tmp_path)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux has a disk that is always full")
def test_a_full_disk_is_an_os_error() -> None:
    with pytest.raises(OSError, match="No space left on device"):
        write_torch(Path("/dev/full"), {"weight": torch.zeros(100_000)})


def test_what_is_no_error_of_the_disk_stays_what_it_is(tmp_path: Path) -> None:
    with pytest.raises(AttributeError):
        write_torch(tmp_path / "x.pt", {"function": lambda: checkpoint})
