"""The run that waits for a GPU, rehearsed on a CPU at toy size: cut, gone on with, failing."""

import json
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import gpu
import pytest
import torch
from gpu_stages.campaign import NETWORKS, unfinished
from gpu_stages.packing import MEGABYTE, MOST_FILES, check_carried, check_output, pack, unpack
from gpu_stages.processes import in_child
from gpu_stages.stage import Place, Stage, TimeUp, steps_of, time_limit

from adw_components.errors import UserError

ROOT = Path(__file__).parents[1]


def command(output: Path, *more: str) -> list[str]:
    return ["bash", str(ROOT / "scripts" / "gpu.sh"), "--toy", "--output", str(output), *more]


def steps(path: Path) -> dict[str, dict]:
    return json.loads(path.read_text())["steps"] if path.is_file() else {}


def test_a_rehearsal_that_is_cut_goes_on_at_the_stage_that_was_cut(tmp_path: Path) -> None:
    """And all of it takes less than ten minutes on two cores."""
    first, second, work = (tmp_path / name for name in ("first", "second", "work"))
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "ADW_GPU_WORK": str(work)}
    log = (tmp_path / "log").open("w")
    started = time.monotonic()
    running = subprocess.Popen(
        command(first), stdout=log, stderr=log, env=environment, start_new_session=True, cwd=tmp_path
    )
    while not any("result" in row for row in steps(first / "benchmarks.json").values()):
        assert running.poll() is None and time.monotonic() - started < 400, (tmp_path / "log").read_text()[-3000:]
        time.sleep(0.2)
    os.killpg(running.pid, signal.SIGKILL)
    running.wait()
    done = [str(path) for path in sorted(first.glob("*.json"))]
    smoke, begun = steps(first / "smoke.json"), steps(first / "benchmarks.json")
    assert len(done) == 2 and len(smoke) > 10

    def go_on(output: Path, *more: str) -> str:
        shutil.rmtree(work)  # as on another machine
        ended = subprocess.run(command(output, *more), capture_output=True, text=True, env=environment, cwd=tmp_path)
        assert ended.returncode == 0, ended.stdout[-3000:] + ended.stderr[-3000:]
        return ended.stdout

    said = go_on(second, "--done", *done)
    assert time.monotonic() - started < 600
    assert steps(second / "smoke.json") == smoke  # its seconds too: nothing was run again
    after = steps(second / "benchmarks.json")
    assert after.items() >= {name: row for name, row in begun.items() if "result" in row}.items()
    assert after.keys() >= {
        "passes",
        "iterations",
        "dints",
        "switch together",
        "networks",
        "memory",
        "search, 1 workers",
    }
    campaign = steps(second / "campaign.json")
    assert {*NETWORKS, "search"} <= campaign.keys()
    for name in NETWORKS:
        result = campaign[name]["result"]
        dice = result["dice_of_cases"].values()
        assert len(dice) == 2 and result["mean_dice"] == pytest.approx(sum(dice) / 2, abs=1e-4)
    assert not any("error" in row for rows in (smoke, after, campaign) for row in rows.values())
    assert len(list(second.iterdir())) <= MOST_FILES and "results: 4 files" in said and "carried: checkout" in said
    assert all(json.loads(path.read_text())["complete"] is True for path in second.glob("*.json"))

    # Had it been cut in the evaluation of the derived network, that training would have come back.
    place = Place(device=torch.device("cpu"), toy=True, output=second, work=work, dataset_dir=None)
    (folder,) = (work / "campaign" / "train" / "derived").iterdir()
    (folder / "done").unlink()
    shutil.rmtree(folder / "evaluation")
    assert pack(unfinished(place), work, second) == [folder]
    content = json.loads((second / "campaign.json").read_text())
    del content["steps"]["derived"]
    (second / "campaign.json").write_text(json.dumps(content))
    go_on(tmp_path / "third", "--stages", "campaign", "--done", str(second / "campaign.json"))
    again = steps(tmp_path / "third" / "campaign.json")
    assert again["derived"]["result"]["dice_of_cases"] == campaign["derived"]["result"]["dice_of_cases"]
    assert again["default"] == campaign["default"]


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["--stages", "smoke,sauna"], "stages must be some of smoke, benchmarks, campaign, got sauna"),
        (["--seconds", "soon"], "must be a whole number from 1 on, got 'soon'"),
        (["--done", "nowhere.json"], "nowhere.json does not exist"),
        (["--don", "x"], "--help lists the options"),
    ],
)
def test_wrong_words_are_one_line(tmp_path: Path, words: list[str], line: str) -> None:
    with pytest.raises(UserError, match=line) as error:
        gpu.run(gpu.parsed(["--toy", "--output", str(tmp_path / "out"), *words]))
    assert "\n" not in str(error.value)


def test_without_a_gpu_the_script_says_so_in_one_line(tmp_path: Path) -> None:
    words = ["bash", str(ROOT / "scripts" / "gpu.sh"), "--output", str(tmp_path / "out")]
    ended = subprocess.run(words, capture_output=True, text=True, env={**os.environ, "CUDA_VISIBLE_DEVICES": ""})
    assert ended.returncode == 1 and "Traceback" not in ended.stderr
    assert "error: device must be one that torch finds here, such as cpu or cuda, got 'cuda:0'" in ended.stderr


@pytest.fixture()
def place(tmp_path: Path) -> Place:
    output, work = tmp_path / "output", tmp_path / "work"
    output.mkdir()
    return Place(device=torch.device("cpu"), toy=True, output=output, work=work, dataset_dir=None)


def test_a_step_that_fails_is_told_and_tried_again(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    def fail() -> None:
        raise ValueError("no luck\nand more")

    stage = Stage("smoke", place, 60, {})
    stage.run("first", fail)
    stage.run("second", lambda: {"figure": 1})
    assert stage.failed == ["first"] and "first failed: ValueError: no luck" in capsys.readouterr().err
    name, found = steps_of(place.output / "smoke.json", toy=True)
    assert name == "smoke" and found["first"]["error"] == "ValueError: no luck" and found["second"]["device"]
    again = Stage("smoke", place, 60, found)
    again.run("first", lambda: 2)
    again.run("second", fail)  # it is done
    assert again.result("first") == 2 and again.result("second") == {"figure": 1} and not again.failed


def test_time_that_is_over_ends_a_stage_and_keeps_what_it_has(place: Place) -> None:
    stage = Stage("smoke", place, 60, {})
    stage.run("first", lambda: 1)
    with pytest.raises(TimeUp), time_limit(0.1):
        stage.run("second", lambda: time.sleep(20))
    assert steps(place.output / "smoke.json").keys() == {"first"} and not stage.complete
    signal.alarm(0)


def test_files_of_another_kind_are_refused(tmp_path: Path, place: Place) -> None:
    (tmp_path / "a.json").write_text("{}")
    with pytest.raises(UserError, match="must name the JSON of a stage"):
        steps_of(tmp_path / "a.json", toy=True)
    Stage("smoke", place, 60, {})
    with pytest.raises(UserError, match="is of a run with --toy; run it as this one"):
        steps_of(place.output / "smoke.json", toy=False)


def test_checkpoints_that_fit_come_back(tmp_path: Path) -> None:
    work, output, other = tmp_path / "work", tmp_path / "output", tmp_path / "other"
    output.mkdir()
    folders = [work / "train" / name for name in ("large", "too_large", "fits")]
    for folder, size in zip(folders, (20, 22, 14), strict=True):
        folder.mkdir(parents=True)
        network = {"weight": torch.rand(size * MEGABYTE // 4)}
        torch.save({"network": network, "epoch": 1}, folder / "checkpoint.pt")
        torch.save(network, folder / "model.pt")
        (folder / "train.jsonl").write_text("{}\n")
    (output / "smoke.json").write_text("{}")
    assert pack(folders, work, output) == [folders[0], folders[2]]
    assert "results: 4 files, 34." in check_output(output)
    unpack(output, other)
    for folder in (folders[0], folders[2]):
        copy = other / folder.relative_to(work)
        assert (copy / "checkpoint.pt").read_bytes() == (folder / "checkpoint.pt").read_bytes()
        assert (copy / "train.jsonl").is_file()
        for name in ("model.pt", "model_last.pt"):
            assert torch.equal(torch.load(copy / name)["weight"], torch.load(folder / "model.pt")["weight"])
    assert not (other / "train" / "too_large").exists()
    assert pack([], work, output) == [] and len(list(output.iterdir())) == 1


def double(number: int) -> int:
    if number < 0:
        raise ValueError(f"{number} is below 0")
    return 2 * number


def test_work_in_a_process_of_its_own_gives_its_result_or_its_fault() -> None:
    assert in_child(double, 4) == 8
    with pytest.raises(RuntimeError, match="ValueError: -1 is below 0"):
        in_child(double, -1)
    with pytest.raises(RuntimeError, match="its process ended without a word"):
        in_child(os._exit, 3)


def test_more_than_comes_back_is_refused(tmp_path: Path) -> None:
    for number in range(MOST_FILES + 1):
        (tmp_path / str(number)).touch()
    with pytest.raises(UserError, match=r"has 9 files.*at most 8 of 16 MiB come back"):
        check_output(tmp_path)


def test_what_a_bare_machine_is_given_is_counted(tmp_path: Path) -> None:
    assert "carried: checkout" in check_carried(ROOT)
    (tmp_path / ".gpu").mkdir()
    with (tmp_path / ".gpu" / "wheel").open("wb") as file:
        file.truncate(61 * MEGABYTE)
    with pytest.raises(UserError, match=r"have 61\.0 MiB, and a bare machine is given at most 60"):
        check_carried(tmp_path)
    shutil.rmtree(tmp_path / ".gpu")
