"""Settings out of their range are named before any work."""

import re
from pathlib import Path
from typing import Any

import pytest

from adw_components.bundle.settings import require_choices, require_paths, require_settings
from adw_components.errors import UserError
from adw_components.search_space import SearchSpace

STRIDES = ((1, 1, 1), (2, 2, 2), (2, 2, 1))
LABELS = {"1": "Anterior", "2": "Posterior"}

Z_SCORE = {"scheme": "z_score", "nonzero": False}
AUGMENTED: dict[str, Any] = {
    "patch_size": [24, 32, 22],
    "rotate_range": [0.5, 0.5, 0.5],
    "scale_range": [0.4, 0.4, 0.4],
    "in_channels": 2,
    "normalization": [Z_SCORE, {"scheme": "ct", "low": -5, "high": 90, "mean": 40.5, "std": 9}],
}


def check(*, labels: dict[str, str] = LABELS, out_channels: int = 3, **settings: Any) -> None:
    require_settings(strides=STRIDES, labels=labels, out_channels=out_channels, **settings)


def test_sound_settings_pass() -> None:
    check(patch_size=[24, 32, 22], spacing=[1, 1, 1], mirror_axes=[0, 2], max_epochs=1, learning_rate=0.1, device="cpu")
    check(**AUGMENTED, cache_dir="cache", output_dir="runs/search")
    check(mirror_axes=[], momentum=0.9, overlap=0.5, seed=0, num_workers=0)


@pytest.mark.parametrize(
    ("name", "value", "rule"),
    [
        ("patch_size", [24, 30, 24], r"patch_size must be divisible by \(4, 4, 2\), got \(24, 30, 24\)"),
        ("patch_size", 24, "patch_size must be a list"),
        ("max_epochs", 0, "max_epochs must be a whole number from 1 to 1000000, got 0"),
        ("max_epochs", "two", "max_epochs must be a whole number from 1 to 1000000, got 'two'"),
        ("batch_size", True, "batch_size must be a whole number"),
        ("seed", -1, "seed must be a whole number from 0 to 4294967295, got -1"),
        ("learning_rate", "fast", "learning_rate must be a number above 0 and at most 1000, got 'fast'"),
        ("seed", 2**32, "seed must be a whole number from 0 to 4294967295, got 4294967296"),
        ("batch_size", 10**9, "batch_size must be a whole number from 1 to 4096, got 1000000000"),
        ("max_epochs", 10**9, "max_epochs must be a whole number from 1 to 1000000"),
        ("temperature_rate", 1.5, "temperature_rate must be a number above 0 and at most 1, got 1.5"),
        ("device", "meta", "device must be a device of this machine"),
        ("patch_size", [4, 4, 2], r"more than \(4, 4, 2\) along some axis, got \(4, 4, 2\): a single voxel is left"),
        ("patch_size", [4 * 10**6, 4, 2], "patch_size must hold"),
        ("spatial_dims", 2, "spatial_dims must be 3, the axes of strides, got 2"),
        ("batch_dice", "$print()", "batch_dice must be true or false"),
        ("learning_rate", 0.0, "learning_rate must be a number above 0"),
        ("overlap", 1.5, "overlap must be a number from 0 to below 1, got 1.5"),
        ("device", "gpu", "device must be a device of this machine"),
        ("amp_dtype", "half", "amp_dtype must be float16 or bfloat16, or left out for torch's own choice, got 'half'"),
        ("compile", 1, "compile must be true or false, got 1"),
        ("cudnn_benchmark", "maybe", "cudnn_benchmark must be true or false, got 'maybe'"),
        ("mirror_axes", [3], "mirror_axes must be a list of different axes from 0 to 2"),
        ("mirror_axes", 1, "mirror_axes must be a list"),
        ("mirror_axes", [[0]], "mirror_axes must be a list of different axes from 0 to 2"),
        ("spacing", [1, 1], r"spacing must be 3 numbers above 0 .*, got \[1, 1\]"),
        ("spacing", [1, 0, 1], "spacing must be 3 numbers above 0"),
        ("spacing", [1, -1, 1], "spacing must be 3 numbers above 0"),
        ("spacing", [1, float("inf"), 1], "spacing must be 3 numbers above 0"),
        ("spacing", [1, float("nan"), 1], "spacing must be 3 numbers above 0"),
        ("spacing", ["a", 1, 1], "spacing must be 3 numbers above 0"),
        ("spacing", 1.5, "spacing must be a list"),
        ("rotate_range", 0.5, "rotate_range must be a list with a number an axis, .* got 0.5"),
        ("rotate_range", ["x", 0, 0], "rotate_range must be a list with a number an axis"),
        ("rotate_range", "0.5", "rotate_range must be a list with a number an axis"),
        ("rotate_range", [0.5], "rotate_range must be an angle from 0 to pi for every axis"),
        ("rotate_range", [0.5, 4, 0], "rotate_range must be an angle from 0 to pi for every axis"),
        ("rotate_range", [float("nan")] * 3, "rotate_range must be an angle from 0 to pi for every axis"),
        ("scale_range", 0.4, "scale_range must be a list with a number an axis, .* got 0.4"),
        ("scale_range", None, "scale_range must be a list with a number an axis"),
        ("scale_range", [0.4, 0.4], "scale_range must be a number from 0 to below 1 for every axis"),
        ("scale_range", [1, 0, 0], "scale_range must be a number from 0 to below 1 for every axis"),
        ("mirror_axes", [True], r"mirror_axes must be a list of different axes from 0 to 2, got \[True\]"),
        ("mirror_axes", [0, 0], r"mirror_axes must be a list of different axes from 0 to 2, got \[0, 0\]"),
        ("momentum", 0, "momentum must be a number above 0 and below 1, got 0"),
        ("labels", {"1": "a<b", "2": "b"}, "labels.1 must not hold"),
        ("labels", {"1": 5, "2": "b"}, "labels.1 must be a text, got 5"),
        ("in_channels", 0, "in_channels must be a whole number from 1 to 16384, got 0"),
        ("normalization", Z_SCORE, "normalization must be a list with an object a channel, got"),
        ("normalization", [], "normalization must be a list with an object a channel"),
        ("normalization", ["z_score"], "normalization must be a list with an object a channel"),
        ("normalization", [{"scheme": "minmax"}], "normalization.scheme must be one of z_score, ct, got 'minmax'"),
        ("normalization", [{"scheme": "ct", "low": 3}], "normalization of scheme ct needs the numbers"),
        ("normalization", [{"zero": 1}], "normalization lacks the field"),
        ("normalization", [Z_SCORE] * 3, r"normalization must have an entry for each of the 2 channel\(s\), got 3"),
        ("cache_dir", "", "cache_dir must be the path of a folder, got ''"),
        ("output_dir", 5, "output_dir must be the path of a folder, got 5"),
        ("mask_placement", "after", "mask_placement must be after_norm or before_norm, got 'after'"),
    ],
)
def test_a_setting_out_of_range_is_named_with_its_rule(name: str, value: Any, rule: str) -> None:
    with pytest.raises(UserError, match=rule):
        check(**{**AUGMENTED, name: value})


def test_a_part_of_the_settings_is_checked_alone() -> None:
    check(normalization=[Z_SCORE] * 3)
    check(in_channels=1)
    check(rotate_range=[0, 0, 0])
    with pytest.raises(UserError, match="rotate_range must be a list"):
        check(rotate_range=0.5)


@pytest.mark.parametrize("name", ["cache_dir", "output_dir"])
def test_folders_can_be_written_or_made(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.chdir(tmp_path)
    for folder in (tmp_path, str(tmp_path / "a" / "b" / "c"), "runs/search"):
        check(**{name: folder})
    assert [path.name for path in tmp_path.iterdir()] == ["file"]  # the check makes none
    for folder in ("file", tmp_path / "file" / "below"):
        blocked = re.escape(f"{tmp_path / 'file'} is a file; give another")
        with pytest.raises(UserError, match=f"{name} must be a folder that can be written, but {blocked}"):
            check(**{name: folder})
    monkeypatch.setattr("os.access", lambda path, mode: False)
    with pytest.raises(UserError, match=re.escape(f"but {tmp_path} is not writable; give another")):
        check(**{name: tmp_path / "new"})


@pytest.mark.parametrize("labels", [{"1": "A"}, {"1": "A", "3": "B"}, {"2": "A", "1": "B"}])
def test_labels_must_fit_the_classes(labels: dict[str, str]) -> None:
    with pytest.raises(UserError, match="labels must name the values 1 to"):
        check(labels=labels)


def test_a_space_of_one_candidate_is_nothing_to_search() -> None:
    space = SearchSpace(base_widths=(4,), depths=(2,), strides=STRIDES, kernel_sizes=((3, 3, 3),) * 3)
    with pytest.raises(UserError, match="nothing to search"):
        require_choices(space)


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("/data/run::1", "output_dir must be a path without # and ::, .* got /data/run::1; rename the folder"),
        (5, "output_dir must be a path, got 5; put quotes"),
        ("", "output_dir must be a path, got ''"),
        (["/data", {"a": 1}], r"output_dir must be a path, got \{'a': 1\}"),
        ("/data/a\nb", r"a path that can be printed, got '/data/a\\nb'"),
    ],
)
def test_a_path_that_a_config_does_not_keep_is_refused(path: Any, message: str) -> None:
    with pytest.raises(UserError, match=message):
        require_paths(dataset_dir="/data", output_dir=path)


def test_paths_with_other_marks_and_paths_not_given_pass() -> None:
    require_paths(
        dataset_dir="/d @host/%5/$x/it's", split_file=None, checkpoint_path=["/a/model.pt", Path("/b/model.pt")]
    )
