"""The parts of a campaign that need no training: options, nnU-Net's terms, components, what is put into the bundle."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import fire
import numpy as np
import pytest
from campaigns.campaign import Campaign
from campaigns.cases import Cases
from campaigns.folder import require_same
from campaigns.jobs import Job, run_all
from campaigns.label_maps import largest_components
from campaigns.nnunet import network_arguments, write_raw
from campaigns.scale import SCALES, Scale, scale_of

from adw_components.architecture import Architecture
from adw_components.data.dataset import read_dataset
from adw_components.errors import UserError
from adw_components.files import read_json
from adw_components.locks import held_folder
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
        (["--toy", "--train_epoch", "3"], r"campaign.py has no option train_epoch; those of a scale: base_widths"),
        (["--toy", "--train_epochs", "0"], r"train_epochs must be a whole number from 1 on, got 0"),
        (["--toy", "--base_widths", "4"], r"base_widths must be a list of whole numbers, such as \[2,3,4\], got 4"),
        (["--toy", "--ratio", "half"], r"ratio must be a number above 0, got 'half'"),
        (["--toy", "--confirming_folds", "[0]"], r"confirming_folds must be of 2, 3 and 4, got \[0\]"),
        (["--scale", "tpu"], r"scale must be of gpu, cpu, toy, got 'tpu'"),
        (["--toy", "--jobs", "two"], r"jobs must be a whole number from 1 on, got 'two'"),
        (["--toy", "--parts", "[search,ship]"], r"parts must be of search, .*, final, got \['search', 'ship'\]"),
        (["--toy", "--parts", "3"], r"parts must be of search, .*, final, got 3"),
        (["--toy", "--parts", "nnunet"], r"the part nnunet needs --nnunet_python"),
        (["--toy", "--nnunet_python", "nowhere"], r"nnunet_python must be a Python interpreter, got 'nowhere'"),
        (["--toy", "--ship"], r"a toy campaign's network is not worth shipping"),
        ([], r"dataset_dir is missing; give the folder of Task04_Hippocampus, or --toy"),
        (["--dataset_dir", "nowhere"], r"dataset_dir must be a folder, but nowhere is not there"),
    ],
)
def test_a_mistake_is_one_line(
    options: list[str],
    message: str,
    tmp_path: Path,
    generated_dataset: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As fire hands the words over; the process around it is the same for all."""
    script = import_module("campaign")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(script, "toy_dataset", lambda _: generated_dataset)
    with pytest.raises(UserError, match=message):
        fire.Fire(script.main, command=["--output_dir", "run", *options])
    assert not (tmp_path / "run" / "scale.json").exists()


def test_a_mistake_ends_the_script_without_a_trace(tmp_path: Path) -> None:
    command = [sys.executable, str(SCRIPT), "--scale", "tpu"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "error: scale must be of gpu, cpu, toy, got 'tpu'\n"


def test_another_scale_in_the_same_folder_is_refused(tmp_path: Path) -> None:
    toy = SCALES["toy"]
    require_same(tmp_path, toy)
    require_same(tmp_path, toy)
    with pytest.raises(UserError, match=r"holds a campaign with batch_size 2, not 9; go on with its options, or"):
        require_same(tmp_path, replace(toy, batch_size=9))


def test_a_folder_takes_one_campaign_at_a_time(tmp_path: Path) -> None:
    words = [sys.executable, str(SCRIPT), "--toy", "--output_dir", str(tmp_path), "--parts", "[search]"]
    with held_folder(tmp_path, "output_dir"):
        other = subprocess.run(words, capture_output=True, text=True)
    assert other.returncode == 1 and "Traceback" not in other.stderr
    assert f"error: output_dir {tmp_path} is being written by process {os.getpid()} on " in other.stderr
    assert not list(tmp_path.iterdir())


class Work:
    """Jobs that write down that they were done; some of them cannot."""

    def __init__(self, folder: Path, *, failing: str = "") -> None:
        self.jobs = [Job(folder / name, self.do) for name in "abcd"]
        self.failing, self.done, self.reports = failing, [], 0
        self.lock = threading.Lock()

    def do(self, folder: Path) -> None:
        if folder.name == self.failing:
            raise UserError(f"{folder.name} cannot")
        with self.lock:
            self.done.append(folder.name)

    def report(self) -> None:
        self.reports += 1


@pytest.mark.parametrize("at_a_time", [1, 3])
def test_jobs_are_done_once_and_reported(at_a_time: int, tmp_path: Path) -> None:
    work = Work(tmp_path)
    for _ in range(2):
        run_all(work.jobs, title="jobs", at_a_time=at_a_time, after_each=work.report)
    assert sorted(work.done) == list("abcd") and 1 <= work.reports <= 4


def test_a_job_that_fails_stops_those_after_it_and_is_tried_again(tmp_path: Path) -> None:
    first = Work(tmp_path, failing="b")
    with pytest.raises(UserError, match="b cannot"):
        run_all(first.jobs, title="jobs", at_a_time=1, after_each=first.report)
    assert first.done == ["a"]
    second = Work(tmp_path)
    run_all(second.jobs, title="jobs", at_a_time=1, after_each=second.report)
    assert second.done == list("bcd")


def test_an_interruption_is_one_line_and_leaves_no_process(tmp_path: Path) -> None:
    options = ["--toy", "--output_dir", str(tmp_path / "run"), "--search_iterations", "9999"]
    command = [sys.executable, str(SCRIPT), *options]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, preexec_fn=_interruptible)
    log = tmp_path / "run" / "search" / "fold_1" / "derived" / "search.log"
    # Its settings are written when the search begins.
    while not (log.parent / "settings.json").exists() and process.poll() is None:
        time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    _, told = process.communicate()
    assert process.returncode == 1 and told.rstrip().endswith("interrupted; the same command goes on")
    assert "Traceback" not in told
    assert processes_with(str(tmp_path)) == []


def _interruptible() -> None:
    """A shell that starts commands in the background has them ignore it."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def processes_with(word: str) -> list[str]:
    """Command lines of the running processes with a word."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            line = path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
            found += [line] if word in line else []
    return found


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
