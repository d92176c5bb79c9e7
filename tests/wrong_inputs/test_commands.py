"""Wrong words and wrong files for the package's own commands end with one line, and nothing is written."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from .conftest import Ended
from .test_options import BUNDLE, require_one_line, snapshot

LONG = "x" * 300
# Words after `python -m adw_components`, in the folder that `scene` makes, and a part of the line.
COMMANDS = [
    ("plann", "plann"),
    ("plan", "--output"),
    ("plan p.json", "dataset_dir"),
    ("plan --output", "--output"),
    ("plan p.json --dataset_dir", "--dataset_dir"),
    ("plan p.json --dataset_dir nowhere", "nowhere"),
    ("plan p.json --dataset_dir text.txt", "text.txt"),
    ("plan p.json --dataset_dir 5", "5"),
    ("plan p.json --dataset_dir run", "run"),
    *(
        (f"plan p.json --dataset_dir data --memory_gb {value}", "memory_gb")
        for value in ("0", "-1", "many", "nan", "1e9", "[8]")
    ),
    *(
        (f"plan p.json --dataset_dir data --workers {value}", "workers")
        for value in ("0", "-1", "many", "1.5", "[1]", "1e9")
    ),
    ("plan data --dataset_dir data", "data"),
    ("plan data/dataset.json --dataset_dir data", "another file"),
    ("plan text.txt/p.json --dataset_dir data", "text.txt"),
    (f"plan {LONG}.json --dataset_dir data", "name"),
    (f"plan {LONG}/p.json --dataset_dir data", "name"),
    ("plan p.json --dataset_dir data --fingerprint fingerprint.json", "dataset_dir"),
    ("plan p.json --fingerprint fingerprint.json", "fingerprint"),
    ("plan p.json --fingerprint nowhere.json --dataset_json data/dataset.json", "nowhere.json"),
    ("plan p.json --fingerprint text.txt --dataset_json data/dataset.json", "text.txt"),
    ("plan p.json --fingerprint run --dataset_json data/dataset.json", "run"),
    ("plan p.json --fingerprint fingerprint.json --dataset_json nowhere.json", "nowhere.json"),
    ("plan p.json --fingerprint fingerprint.json --dataset_json text.txt", "text.txt"),
    ("plan p.json --fingerprint fingerprint.json --dataset_json data/dataset.json --workers 2", "workers"),
    ("plan p.json --data data", "--data"),
    ("build --plan nowhere.json --name a_segmentation --output out", "nowhere.json"),
    ("build --plan text.txt --name a_segmentation --output out", "text.txt"),
    ("build --plan run --name a_segmentation --output out", "run"),
    ("build --plan plan.json --output out", "name"),
    ("build --plan plan.json --name a_segmentation", "output"),
    *(
        (f"build --plan plan.json --output out --name {name}", "name")
        for name in (
            "kidney",
            "Kidney_segmentation",
            "a_v2_segmentation",
            "../a_segmentation",
            "a/segmentation",
            "5",
            f"{LONG}_segmentation",
        )
    ),
    ("build --plan plan.json --name a_segmentation --output text.txt", "text.txt"),
    (f"build --plan plan.json --name a_segmentation --output {LONG}", "name"),
    ("build --plan plan.json --name a_segmentation --output out --interactive maybe", "interactive"),
    ("build --plan plan.json --name a_segmentation --output out --common nowhere", "nowhere"),
    ("build --task Task99_Nothing --output out", "Task99_Nothing"),
    ("build --task Task09_Spleen", "output"),
    ("build --task Task09_Spleen --plan plan.json --output out", "--task"),
    ("build --check --plan plan.json", "--check"),
    ("build --check maybe", "check"),
    ("build --name a_segmentation", "--name"),
    ("export", "--bundle"),
    ("export nowhere --output out", "nowhere"),
    ("export text.txt --output out", "text.txt"),
    ("export data --output out", "data"),
    ("export BUNDLE --output text.txt", "text.txt"),
    (f"export BUNDLE --output {LONG}", "name"),
    ("export BUNDLE --output out --weights nowhere.pt", "nowhere.pt"),
    ("export BUNDLE --output out --weights run", "run"),
    ("export BUNDLE --output out --weights text.txt", "text.txt"),
    ("export BUNDLE --output out --evaluation nowhere", "nowhere"),
    ("export BUNDLE --output out --evaluation text.txt", "text.txt"),
    ("export BUNDLE --output out --evaluation data", "data"),
    ("describe", "--path"),
    ("describe nowhere.json", "nowhere.json"),
    ("describe data", "data"),
    ("describe 5", "5"),
    ("describe text.txt", "text.txt"),
    ("describe data/dataset.json", "dataset.json"),
    *(
        (f"describe ARCHITECTURE --in_channels {value}", "in_channels")
        for value in ("0", "x", "1.5", "[1]", "1000000000")
    ),
    *((f"describe ARCHITECTURE --out_channels {value}", "out_channels") for value in ("0", "x", "1.5")),
    *(
        (f"describe ARCHITECTURE --patch_size {value}", "patch_size")
        for value in ("5", "x", "[40,56]", "[40,56,30]", "[0,0,0]", "[1e9,1,1]")
    ),
    ("report", "--run_dir"),
    ("report nowhere", "nowhere"),
    ("report text.txt", "text.txt"),
    ("report run", "run"),
    (f"report FINISHED --output {LONG}.html", "name"),
    ("report FINISHED --output data", "data"),
    ("report FINISHED --output text.txt/page.html", "text.txt"),
    ("synthesize", "--output"),
    ("synthesize data", "data"),
    ("synthesize text.txt", "text.txt"),
    (f"synthesize {LONG}", "name"),
    ("synthesize new --task Task99_Nothing", "Task99_Nothing"),
    *((f"synthesize new --cases {value}", "cases") for value in ("0", "-1", "two", "1.5", "1000000000", "[1]")),
    *((f"synthesize new --test_cases {value}", "test_cases") for value in ("-1", "two", "1000000000")),
    *((f"synthesize new --seed {value}", "seed") for value in ("-1", "x", "1.5", str(2**70))),
    *(
        (f"synthesize new --size {value}", "size")
        for value in ("0", "x", "[1,2]", "[0,0,0]", "1e9", "[100000,100000,100000]", "nan")
    ),
    *(
        (f"synthesize new --task Task09_Spleen --{name}", name.split()[0])
        for name in ("modality [CT]", "labels [a]", "spacing [1,1,1]")
    ),
    *(
        (f"synthesize new --modality [MRI] --spacing {value}", "spacing")
        for value in ("0", "x", "[1,1]", "[1,1,0]", "[1,1,1e9]")
    ),
    *(
        (f"synthesize new --modality [MRI] --labels {value}", "labels")
        for value in ("[]", "[a,a]", "$x", "[a#b]", "[5,{}]")
    ),
    *((f"synthesize new --modality {value}", "modality") for value in ("[]", "$x", "[{}]")),
    ("synthesize new --modality [MRI] --empty_labels 99", "empty_labels"),
]
# Wrong content of a JSON file that a record is read from.
CONTENTS = {
    "list": "[]",
    "null": "null",
    "text": '"a text"',
    "number": "5",
    "empty": "",
    "cut": '{"a": ',
    "deep": "[" * 100_000 + "]" * 100_000,
    "bytes": b"\xff\xfe\x00{}",
    "object": "{}",
    "nan": '{"format_version": NaN}',
}
# Record -> how it is read, with FILE for its path, in the words of a command or of a workflow.
RECORDS = {
    "plan": "adw_components describe FILE",
    "architecture": "adw_components describe FILE",
    "built plan": "adw_components build --plan FILE --name a_segmentation --output out",
    "fingerprint": "adw_components plan p.json --fingerprint FILE --dataset_json data/dataset.json",
    "dataset.json": "adw_components plan p.json --fingerprint fingerprint.json --dataset_json FILE",
    "searched architecture": "train --architecture_path FILE",
    "split": "train --split_file FILE",
    "split of an evaluation": "evaluate --split_file FILE",
    "settings beside weights": "infer --model_dir FOLDER/settings.json",
    "architecture beside weights": "infer --model_dir FOLDER/architecture.json",
    "settings of exported weights": "adw_components export BUNDLE --output out --weights FOLDER/settings.json/model.pt",
    "settings of a run": "train --output_dir FOLDER/settings.json --resume true",
    "settings of fine-tuned weights": "train --model_dir FOLDER/settings.json --fine_tuning true",
    "dataset": "train --dataset_dir FOLDER/dataset.json",
    "planned dataset": "adw_components plan p.json --dataset_dir FOLDER/dataset.json",
}


def wrong_records() -> list[tuple[str, str]]:
    """Record and wrong content; weights whose settings are not known are used as the bundle's own, and so left out."""
    unknown = ("settings beside weights", "settings of exported weights", "settings of fine-tuned weights")
    return [
        (record, content) for record in RECORDS for content in CONTENTS if record not in unknown or content != "object"
    ]


@pytest.fixture(scope="module")
def scene(place: Path, run_module: Callable[..., Ended]) -> Path:
    """The dataset with a plan, a fingerprint, an empty run folder and a text beside it."""
    assert run_module("adw_components", "plan", "plan.json", "--dataset_dir", "data", folder=place).status == 0
    (place / "plan_fingerprint.json").rename(place / "fingerprint.json")
    (place / "run").mkdir()
    (place / "text.txt").write_text("no JSON")
    finished = place / "finished"
    finished.mkdir()
    (finished / "settings.json").write_text(json.dumps({"kind": "train"}))
    (finished / "train.jsonl").write_text(
        '{"epoch": 1, "loss": 1.0, "learning_rate": 0.1, "seconds": 1.0, "validation": null}\n'
    )
    return place


def words_of(line: str, scene: Path) -> list[str]:
    names = {"BUNDLE": BUNDLE, "ARCHITECTURE": BUNDLE / "configs" / "architecture.json", "FINISHED": scene / "finished"}
    return [str(names.get(word, word)) for word in line.split()]


@pytest.mark.parametrize(("line", "part"), COMMANDS, ids=[f"{line:.70}" for line, _ in COMMANDS])
def test_wrong_words_are_one_line_and_nothing_is_written(
    line: str, part: str, scene: Path, run_module: Callable[..., Ended]
) -> None:
    before = snapshot(scene)
    message = require_one_line(run_module("adw_components", *words_of(line, scene), folder=scene))
    assert part in message
    assert snapshot(scene) == before


@pytest.mark.parametrize(("record", "content"), wrong_records())
def test_a_record_of_the_wrong_kind_is_one_line_that_names_the_file(
    record: str, content: str, scene: Path, run_module: Callable[..., Ended]
) -> None:
    words = RECORDS[record].split()
    name = next((word.split("/")[1] for word in words if word.startswith("FOLDER/")), "record.json")
    folder = scene / "wrong"
    folder.mkdir()
    text = CONTENTS[content]
    (folder / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    shutil.copyfile(BUNDLE / "models" / "model.pt", folder / "model.pt")
    words = [word.replace(f"FOLDER/{name}", str(folder)).replace("FILE", str(folder / name)) for word in words]
    if words[0] != "adw_components":
        config = {"infer": "inference"}.get(words[0], words[0])
        given = " ".join(words)
        common = {
            "config_file": BUNDLE / "configs" / f"{config}.json",
            "bundle_root": BUNDLE,
            "dataset_dir": scene / "data" / ("imagesTr" if words[0] == "infer" else ""),
            "output_dir": scene / "out",
            "device": "cpu",
            "num_workers": 0,
            **({} if words[0] == "infer" else {"cache_dir": scene / "cache"}),
        }
        more = [f"--{key}={value}" for key, value in common.items() if f"--{key} " not in given]
        words = ["monai.bundle", "run", *words, *more]
    try:
        before = snapshot(scene)
        ended = run_module(*(str({"BUNDLE": BUNDLE}.get(word, word)) for word in words), folder=scene)
        message = require_one_line(ended)
        assert name in message or str(folder) in message
        assert snapshot(scene) == before
    finally:
        shutil.rmtree(folder)
