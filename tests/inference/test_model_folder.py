"""Which architecture belongs to a folder of weights, and where predictions must not go."""

import json
import os
from pathlib import Path

import pytest

from adw_components.errors import UserError
from adw_components.inference import (
    architecture_of,
    mirror_axes_of,
    patch_size_of,
    require_other_folder,
    require_same_preparation,
)


def test_architecture_beside_the_weights_comes_first(tmp_path: Path) -> None:
    shipped = tmp_path / "configs" / "architecture.json"
    assert architecture_of(model_dir=tmp_path, shipped=shipped) == str(shipped)
    (tmp_path / "architecture.json").write_text("{}")
    assert architecture_of(model_dir=tmp_path, shipped=shipped) == str(tmp_path / "architecture.json")


def test_folder_of_that_name_is_no_architecture(tmp_path: Path) -> None:
    (tmp_path / "architecture.json").mkdir()
    assert architecture_of(model_dir=str(tmp_path), shipped="shipped.json") == "shipped.json"


@pytest.mark.parametrize("spelling", ["images", "images/", "out/../images", "link"])
def test_predictions_may_not_go_where_the_images_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spelling: str
) -> None:
    for name in ("images", "out"):
        (tmp_path / name).mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "images")
    monkeypatch.chdir(tmp_path)
    items = [{"image": tmp_path / "images" / "a.nii.gz"}, {"image": os.fspath(tmp_path / "images" / "b.nii.gz")}]
    with pytest.raises(UserError, match=f"output_dir {spelling} is the folder of the images"):
        require_other_folder(output_dir=spelling, items=items)


def test_a_folder_of_links_is_the_images_folder_too(tmp_path: Path) -> None:
    for folder in ("real", "links"):
        (tmp_path / folder).mkdir()
    (tmp_path / "real" / "a.nii.gz").touch()
    (tmp_path / "links" / "a.nii.gz").symlink_to(tmp_path / "real" / "a.nii.gz")
    (tmp_path / "alias").symlink_to(tmp_path / "links")
    for given in ("links", "alias"):
        items = [{"image": tmp_path / given / "a.nii.gz"}]
        for folder in ("real", "links", "alias"):
            with pytest.raises(UserError, match="is the folder of the images"):
                require_other_folder(output_dir=tmp_path / folder, items=items)


def test_any_other_folder_will_do(tmp_path: Path) -> None:
    items = [{"image": tmp_path / "images" / "a.nii.gz"}]
    for folder in (tmp_path, tmp_path / "images" / "predictions", tmp_path / "new"):
        require_other_folder(output_dir=folder, items=items)


def test_patch_size_is_that_of_the_retraining_beside_the_weights(tmp_path: Path) -> None:
    assert patch_size_of(model_dir=tmp_path, shipped=[40, 56, 40]) == [40, 56, 40]
    (tmp_path / "settings.json").write_text('{"kind": "train", "patch_size": [32, 48, 32]}')
    assert patch_size_of(model_dir=tmp_path, shipped=[40, 56, 40]) == [32, 48, 32]


def test_mirrored_axes_are_those_of_the_retraining_beside_the_weights(tmp_path: Path) -> None:
    assert mirror_axes_of(model_dir=tmp_path, shipped=[0, 1, 2]) == [0, 1, 2]
    (tmp_path / "settings.json").write_text('{"kind": "train", "mirror_axes": [0]}')
    assert mirror_axes_of(model_dir=tmp_path, shipped=[0, 1, 2]) == [0]


def trained(folder: Path, **settings: object) -> dict:
    (folder / "settings.json").write_text(
        json.dumps({"spacing": [1.0, 2.0], "fold": 0, "patch_size": [8, 8], **settings})
    )
    return {"model_dir": folder}


def test_the_preparation_of_the_retraining_is_asked_for(tmp_path: Path) -> None:
    folder = trained(tmp_path, labels={"1": "a"})
    require_same_preparation(**folder, settings={"spacing": (1.0, 2.0), "labels": {1: "a"}, "new": 3})
    with pytest.raises(UserError, match=r"spacing is \[1.0, 3.0\], and was \[1.0, 2.0\] in the retraining"):
        require_same_preparation(**folder, settings={"spacing": [1.0, 3.0]})
    require_same_preparation(model_dir=tmp_path / "absent", settings={"spacing": [1.0, 3.0]})


def test_another_fold_or_patch_is_a_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    require_same_preparation(**trained(tmp_path), settings={"fold": 3, "patch_size": [8, 8]})
    assert [record.message.split(",")[0] for record in caplog.records] == ["fold is 3 here"]
    caplog.clear()
    require_same_preparation(**trained(tmp_path, fold="all"), settings={"fold": 3, "patch_size": [4, 8]})
    assert [record.message.split(",")[0] for record in caplog.records] == ["patch_size is [4"]
