"""The parts of a campaign that need no training: options, nnU-Net's terms, components, what is put into the bundle."""

import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from campaigns.inference import largest_components
from campaigns.jobs import Job, run_all
from campaigns.nnunet import network_arguments, write_raw
from campaigns.scale import SCALES, Scale, scale_of

from adw_components.architecture import Architecture
from adw_components.data.dataset import read_dataset
from adw_components.errors import UserError
from adw_components.files import read_json
from adw_components.reference import nnunet_default

SCRIPT = Path(__file__).parents[2] / "scripts" / "campaign.py"


def test_options_of_a_scale() -> None:
    assert scale_of("cpu", {"train_epochs": 3, "patch_size": [16, 16, 16]}) == Scale(
        **{**vars(SCALES["cpu"]), "train_epochs": 3, "patch_size": (16, 16, 16)}
    )
    assert {name: scale.default_width for name, scale in SCALES.items()} == {"gpu": 32, "cpu": 8, "toy": 3}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            ["--toy", "--train_epoch", "3"],
            r"error: campaign.py has no option train_epoch; those of a scale: base_widths",
        ),
        (["--scale", "tpu"], r"error: scale must be of gpu, cpu, toy, got 'tpu'"),
        (["--toy", "--parts", "[search,ship]"], r"error: parts must be of search, .*, final, got ship"),
        ([], r"error: dataset_dir is missing; give the folder of Task04_Hippocampus, or --toy"),
        (["--dataset_dir", "nowhere"], r"error: dataset_dir must be a folder, but nowhere is not there"),
    ],
)
def test_a_mistake_is_one_line(options: list[str], message: str, tmp_path: Path) -> None:
    command = [sys.executable, SCRIPT, "--output_dir", tmp_path / "run", *options]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 1 and done.stdout == ""
    assert len(done.stderr.splitlines()) == 1 and re.search(message, done.stderr), done.stderr


def test_another_scale_in_the_same_folder_is_refused(tmp_path: Path) -> None:
    script = import_module("campaign")
    script.require_same_scale(tmp_path, {"batch_size": 2, "base_widths": (2, 3)})
    script.require_same_scale(tmp_path, {"batch_size": 2, "base_widths": (2, 3)})
    with pytest.raises(UserError, match=r"holds a campaign with batch_size 2, not 9; go on with its options, or"):
        script.require_same_scale(tmp_path, {"batch_size": 9, "base_widths": (2, 3)})


def test_jobs_are_done_once_and_an_error_stops_the_rest(tmp_path: Path) -> None:
    done: list[str] = []
    healthy = {"now": False}

    def work(folder: Path) -> None:
        if folder.name == "b" and not healthy["now"]:
            raise UserError("b cannot")
        done.append(folder.name)

    jobs = [Job(tmp_path / name, work) for name in "abc"]
    with pytest.raises(UserError, match="b cannot"):
        run_all(jobs, title="jobs", at_a_time=1, after_each=lambda: None)
    assert done == ["a"] or done == ["a", "c"]
    healthy["now"] = True
    run_all(jobs, title="jobs", at_a_time=1, after_each=lambda: None)
    assert sorted(done) == ["a", "b", "c"]


def test_default_network_in_the_terms_of_nnunets_plans() -> None:
    strides, kernels = ((1, 1, 1), (2, 2, 1)), ((3, 3, 1), (3, 3, 3))
    found = network_arguments(nnunet_default(strides=strides, kernel_sizes=kernels))
    assert found == {
        "n_stages": 2,
        "features_per_stage": [32, 64],
        "n_conv_per_stage": [2, 2],
        "n_conv_per_stage_decoder": [2],
        "strides": [[1, 1, 1], [1, 2, 2]],
        "kernel_sizes": [[1, 3, 3], [3, 3, 3]],
    }


def test_raw_dataset_as_nnunet_wants_it(generated_dataset: Path, tmp_path: Path) -> None:
    dataset = read_dataset(generated_dataset)
    write_raw(dataset, tmp_path)
    written = read_json(tmp_path / "dataset.json", "dataset")
    assert written["labels"] == {"background": 0, "Anterior": 1, "Posterior": 2}
    assert written["channel_names"] == {"0": "MRI"} and written["numTraining"] == 10
    for case in dataset.training:
        assert (tmp_path / "imagesTr" / f"{case.id}_0000.nii.gz").resolve() == case.image.resolve()
        assert (tmp_path / "labelsTr" / f"{case.id}.nii.gz").resolve() == case.label.resolve()


def test_largest_component_of_every_class_stays() -> None:
    volume = np.zeros((5, 5, 5), np.uint8)
    volume[0, 0, :3] = 1
    volume[4, 4, 0] = 1
    volume[2, 2, 2] = volume[3, 3, 3] = 2  # they touch by a corner
    volume[0, 4, 4] = 2
    kept = largest_components(volume)
    assert kept[0, 0, :3].tolist() == [1, 1, 1] and kept[4, 4, 0] == 0
    assert kept[2, 2, 2] == kept[3, 3, 3] == 2 and kept[0, 4, 4] == 0
    assert not largest_components(np.zeros((2, 2, 2), np.uint8)).any()


@pytest.mark.parametrize("name", SCALES)
def test_searches_of_a_scale_can_meet_its_target(name: str, tmp_path: Path) -> None:
    """Of depths alone, of widths alone, of both: the target lies between the smallest and the largest network."""
    from campaigns.campaign import Campaign
    from campaigns.cases import Cases

    scale = SCALES[name]
    campaign = Campaign(
        scale=scale, cases=Cases(dataset_dir=tmp_path, split_file=tmp_path / "folds.json"), folder=tmp_path
    )
    setting = campaign.setting
    target = scale.ratio * setting.flops(setting.default())
    position = scale.base_widths.index(scale.narrow_width)
    spaces = {
        "both": (setting.space.smallest, setting.space.largest),
        "depth": tuple(setting.space.uniform(width=position, depth=depth) for depth in (1, 3)),
        "width": tuple(setting.space.uniform(width=width, depth=2) for width in (0, len(scale.base_widths) - 1)),
    }
    for smallest, largest in spaces.values():
        assert isinstance(smallest, Architecture)
        assert setting.flops(smallest) < target < setting.flops(largest)
