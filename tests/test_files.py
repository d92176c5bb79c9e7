"""Files appear whole or not at all, under temporary names that no other process can have."""

from pathlib import Path

import pytest

from adw_components.files import replacing


def test_a_file_appears_when_the_block_ends(tmp_path: Path) -> None:
    path = tmp_path / "new" / "volume.nii.gz"
    with replacing(path) as temporary:
        temporary.write_text("x")
        assert not path.exists()
    assert [file.name for file in path.parent.iterdir()] == ["volume.nii.gz"] and path.read_text() == "x"


def test_an_error_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text("old")
    with pytest.raises(RuntimeError), replacing(path) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert [file.read_text() for file in tmp_path.iterdir()] == ["old"]


def test_temporary_names_differ_within_a_process_too_and_keep_prefix_and_suffix(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.getpid", lambda: 7)  # as on two machines that share the storage
    with replacing(tmp_path / "a.nii.gz") as first, replacing(tmp_path / "a.nii.gz") as second:
        assert first != second
        for temporary in (first, second):
            assert temporary.parent == tmp_path
            assert temporary.name.startswith(".partial-") and temporary.name.endswith("-a.nii.gz")
            temporary.write_text("x")
