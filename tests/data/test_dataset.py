"""Reading an MSD folder."""

import json
import os
from pathlib import Path

import pytest

from adw_components.data.dataset import case_id, datalist, given_files, read_dataset
from adw_components.data.image_folder import find_images
from adw_components.errors import UserError

ROWS = [{"image": f"./imagesTr/{name}.nii.gz", "label": f"./labelsTr/{name}.nii.gz"} for name in ("b_2", "a_1")]
VALUES = {
    "name": "Brain",
    "modality": {"10": "T2", "0": "FLAIR", "1": "T1w"},
    "labels": {"0": "background", "2": "oedema", "1": "core"},
    "training": ROWS,
    "test": ["./imagesTs/z.nii.gz", "./imagesTs/y.nii"],
}


def write(folder: Path, **changes: object) -> Path:
    values = {**VALUES, **changes}
    (folder / "dataset.json").write_text(json.dumps({k: v for k, v in values.items() if v is not None}))
    return folder


def test_reads_every_field_in_order(tmp_path: Path) -> None:
    dataset = read_dataset(write(tmp_path))
    assert dataset.name == "Brain"
    assert dataset.root == tmp_path
    assert dataset.modality == ("FLAIR", "T1w", "T2")  # by number, not as text
    assert dict(dataset.labels) == {0: "background", 1: "core", 2: "oedema"}
    assert dataset.case_ids == ("a_1", "b_2")
    assert dataset.training[0].image == tmp_path / "imagesTr" / "a_1.nii.gz"
    assert dataset.training[0].label == tmp_path / "labelsTr" / "a_1.nii.gz"
    assert dataset.test == (tmp_path / "imagesTs" / "y.nii", tmp_path / "imagesTs" / "z.nii.gz")


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("a/b/c_01.nii.gz", "c_01"),
        ("c.nii", "c"),
        ("v1.2.nii.gz", "v1.2"),
        ("c", "c"),
        ("B.NII.GZ", "B"),
        ("d.nii.GZ", "d"),
        ("e.NII", "e"),
        ("f.Nii", "f.Nii"),
    ],
)
def test_case_id_is_the_file_name_without_suffix(path: str, expected: str) -> None:
    assert case_id(path) == expected


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1"])
def test_letters_beyond_ascii_are_read_in_either_encoding(tmp_path: Path, encoding: str) -> None:
    text = json.dumps({**VALUES, "name": "Läsion", "relase": "1.0"}, ensure_ascii=False)
    (tmp_path / "dataset.json").write_bytes(text.encode(encoding))
    assert read_dataset(tmp_path).name == "Läsion"


def test_resource_forks_of_macos_are_no_cases(tmp_path: Path) -> None:
    fork = {"image": "./imagesTr/._a_1.nii.gz", "label": "./labelsTr/._a_1.nii.gz"}
    dataset = read_dataset(write(tmp_path, training=[*ROWS, fork], test=["./imagesTs/._z.nii.gz"]))
    assert dataset.case_ids == ("a_1", "b_2")
    assert dataset.test == ()


def test_name_and_test_images_may_be_absent(tmp_path: Path) -> None:
    dataset = read_dataset(write(tmp_path, name=None, test=None))
    assert (dataset.name, dataset.test) == (tmp_path.name, ())


def test_a_missing_folder_a_file_and_another_folder_are_told_apart(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match=r"absent is not there; an MSD folder holds dataset\.json"):
        read_dataset(tmp_path / "absent")
    with pytest.raises(UserError, match=r"file is a file; an MSD folder holds dataset\.json"):
        read_dataset(tmp_path / "file")
    with pytest.raises(UserError, match=r"has no dataset\.json; an MSD folder holds dataset\.json"):
        read_dataset(tmp_path)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"labels": {"background": 0, "core": 1}}, "labels must map numbers to names"),
        ({"labels": None}, "labels must map numbers to names.* got None"),
        ({"modality": ["MRI"]}, "modality must map numbers to names"),
        ({"modality": {}}, "modality must map numbers to names"),
        ({"training": None}, "training must be a list of cases, got None"),
        ({"training": []}, "training must list objects .* got none"),
        ({"training": [ROWS[0], "./imagesTr/x.nii.gz"]}, r"training must list objects .* got '\./imagesTr/x"),
        ({"training": [{"image": "./imagesTr/x.nii.gz"}]}, "training must list objects"),
        ({"test": [3]}, "test must list paths of images, got 3"),
        ({"training": [*ROWS, {"image": "./more/a_1.nii", "label": "l.nii"}]}, "more than once: a_1"),
    ],
)
def test_malformed_fields_are_named(tmp_path: Path, changes: dict[str, object], message: str) -> None:
    with pytest.raises(UserError, match=message) as caught:
        read_dataset(write(tmp_path, **changes))
    assert str(caught.value).startswith(str(tmp_path / "dataset.json"))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("text", "message"), [("{", "is not valid JSON"), ("[]", "must hold a JSON object")])
def test_malformed_json_is_named(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "dataset.json").write_text(text)
    with pytest.raises(UserError, match=message):
        read_dataset(tmp_path)


def test_datalist_keeps_the_order_asked_for(tmp_path: Path) -> None:
    dataset = read_dataset(write(tmp_path))
    assert datalist(dataset, ["b_2", "a_1"]) == [
        {
            "image": str(tmp_path / "imagesTr" / f"{name}.nii.gz"),
            "label": str(tmp_path / "labelsTr" / f"{name}.nii.gz"),
            "case": name,
        }
        for name in ("b_2", "a_1")
    ]
    with pytest.raises(UserError, match="no training case c_3"):
        datalist(dataset, ["a_1", "c_3"])


def test_images_of_a_plain_folder(tmp_path: Path) -> None:
    for name in ("b.nii", "a.nii.gz", "._a.nii.gz", "notes.txt"):
        (tmp_path / name).touch()
    assert find_images(tmp_path) == [
        {"image": str(tmp_path / "a.nii.gz"), "case": "a"},
        {"image": str(tmp_path / "b.nii"), "case": "b"},
    ]


def test_images_of_an_msd_folder_are_its_test_images(tmp_path: Path) -> None:
    write(tmp_path)
    for name in ("imagesTr/a_1.nii.gz", "imagesTs/z.nii.gz"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).touch()
    assert find_images(tmp_path) == [{"image": str(tmp_path / "imagesTs" / "z.nii.gz"), "case": "z"}]


def test_folders_without_images_are_refused_with_a_remedy(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"absent is not there; check the path"):
        find_images(tmp_path / "absent")
    with pytest.raises(UserError, match=r"has no image .*; give the folder that holds the NIfTI files"):
        find_images(tmp_path)
    with pytest.raises(UserError, match=r"has no test images .*; give a folder of images, as .*imagesTr"):
        find_images(write(tmp_path))


def test_two_images_of_one_case_are_refused(tmp_path: Path) -> None:
    for name in ("a.nii", "a.nii.gz"):
        (tmp_path / name).touch()
    with pytest.raises(UserError, match="more than once: a;"):
        find_images(tmp_path)


@pytest.mark.skipif("ADW_MSD_ROOT" not in os.environ, reason="ADW_MSD_ROOT names no folder with Task04_Hippocampus")
def test_real_dataset() -> None:
    dataset = read_dataset(Path(os.environ["ADW_MSD_ROOT"]) / "Task04_Hippocampus")
    assert (dataset.name, dataset.modality) == ("Hippocampus", ("MRI",))
    assert dict(dataset.labels) == {0: "background", 1: "Anterior", 2: "Posterior"}
    assert all(case.image.is_file() and case.label.is_file() for case in dataset.training)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"labels": {"0": "background", "1": "core", "2": "IGNORE"}}, "labels must be classes, got 'IGNORE', which"),
        ({"labels": {"background": 0, "core": 1, "ignore": 2}}, "labels must be classes, got 'ignore', which"),
        ({"labels": {"background": 0, "whole": [1, 2], "core": 2}}, "regions of several: whole; give every class"),
        (
            {"modality": None, "channel_names": {"0": "MRI"}, "labels": {"background": 0, "core": 1}, "training": None},
            r"this is the dataset\.json of an nnU-Net 2 folder .*; write modality, labels .* as the MSD does",
        ),
        (
            {"training": [{"image": "imagesTr/../../x.nii.gz", "label": "l.nii.gz"}]},
            r"must stay in the dataset's folder, got 'imagesTr/\.\./\.\./x\.nii\.gz'; write an absolute path",
        ),
        ({"training": [{"image": "a.nii.gz", "label": "../l.nii.gz"}]}, "must stay in the dataset's folder"),
        ({"training": [{"image": "a\0.nii.gz", "label": "l.nii.gz"}]}, "without control characters, got 'a.x00.nii"),
        ({"test": ["a\n.nii.gz"]}, "must be without control characters, got 'a.n.nii.gz'; rename the file"),
        (
            {"training": [*ROWS, {"image": "imagesTr/.nii.gz", "label": "x"}]},
            "training must name images, got",
        ),
        ({"name": "$1"}, "name must not begin with"),
        ({"name": "a\nb"}, "name must not hold control characters"),
        ({"name": {"a": 1}}, "name must be a text"),
        ({"name": "x" * 201}, "name must have at most 200 characters"),
        ({"labels": {"0": "background", "9" * 5000: "x"}}, "labels must map numbers to names"),
        ({"labels": {"0": "background", "1": "x", "01": "y"}}, "labels must map numbers to names"),
        ({"test": ["../../etc/x.nii.gz"]}, "must stay in the dataset's folder"),
    ],
)
def test_what_would_go_wrong_without_a_word_is_refused_in_a_line(
    tmp_path: Path, changes: dict[str, object], message: str
) -> None:
    with pytest.raises(UserError, match=message) as caught:
        read_dataset(write(tmp_path, **changes))
    assert str(caught.value).startswith(f"{tmp_path / 'dataset.json'}: ") and "\n" not in str(caught.value)


def test_absolute_paths_and_dots_within_the_folder_are_taken(tmp_path: Path) -> None:
    rows = [{"image": "/elsewhere/a.nii.gz", "label": "imagesTr/../labelsTr/a..1.nii.gz"}]
    (case,) = read_dataset(write(tmp_path, training=rows)).training
    assert case.image == Path("/elsewhere/a.nii.gz")
    assert case.label == tmp_path / "imagesTr/../labelsTr/a..1.nii.gz"


def test_images_end_in_letters_of_either_case_and_other_files_are_named(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("a.nii.gz", "B.NII.GZ", "c.nii.GZ", "d.nrrd", "e.mha", "f.Nii", "._a.nii.gz", ".DS_Store", ".nii.gz"):
        (tmp_path / name).touch()
    (tmp_path / "folder").mkdir()
    assert [item["case"] for item in find_images(tmp_path)] == ["B", "a", "c"]
    (record,) = caplog.records
    assert record.getMessage() == (
        f"{tmp_path}: left out, since they are no NIfTI files (.nii.gz, .nii): d.nrrd, e.mha, f.Nii"
    )


def test_only_other_files_are_named_in_the_error(tmp_path: Path) -> None:
    for name in ("d.nrrd", "e.mha"):
        (tmp_path / name).touch()
    with pytest.raises(UserError, match=r"has no image \(.*\), but d\.nrrd, e\.mha; convert them to NIfTI"):
        find_images(tmp_path)


@pytest.mark.parametrize("name", ["x#1.nii.gz", "x##1.nii.gz", "a::b#c.nii.gz", "p#q/r#s::t.nii.gz", "plain.nii.gz"])
def test_paths_that_a_config_has_changed_are_found_again(tmp_path: Path, name: str) -> None:
    for folder in ("imagesTr", "labelsTr"):
        (tmp_path / folder / name).parent.mkdir(parents=True)
        (tmp_path / folder / name).touch()
    item = {"image": str(tmp_path / "imagesTr" / name), "label": str(tmp_path / "labelsTr" / name)}
    changed = {key: path.replace("#", "::") for key, path in item.items()}
    assert given_files([{**changed, "case": "a::b"}, item]) == [{**item, "case": "a::b"}, item]
    absent = {"image": str(tmp_path / "no::where.nii.gz")}
    assert given_files([absent]) == [absent]
