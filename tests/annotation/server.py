"""A MONAI Label server in a process of its own, and what a client asks of it."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any
from urllib.parse import quote

import nibabel as nib
import numpy as np
import requests

ROOT = Path(__file__).parents[2]
# Seconds; a busy machine of two cores needs 30 for a start and 60 for a toy training.
STARTS_WITHIN, TRAINS_WITHIN = 180, 600


class Server:
    """`scripts/monailabel.sh` on a folder of studies, in a process group of its own; ended by the id of that group."""

    def __init__(self, *, studies: Path, bundles: list[Path], home: Path) -> None:
        self.studies, self.home = studies, home
        self.port = _free_port()
        self.log = home.with_name(f"{home.name}.log")
        words = ["--studies", studies, "--home", home, "--port", self.port, "--bundles", ",".join(map(str, bundles))]
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                ["bash", str(ROOT / "scripts" / "monailabel.sh"), *map(str, words)],
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, "CUDA_VISIBLE_DEVICES": ""},
                start_new_session=True,
            )
        try:
            self._wait()
        except BaseException:
            self.stop()
            raise

    def _wait(self) -> None:
        end = time.monotonic() + STARTS_WITHIN
        while time.monotonic() < end and self.process.poll() is None:
            try:
                requests.get(f"{self.url}/info/", timeout=30).raise_for_status()
                return
            except requests.ConnectionError:
                time.sleep(0.5)
        raise RuntimeError(f"no server after {STARTS_WITHIN} s:\n{self.log.read_text()[-3000:]}")

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def stop(self) -> None:
        """End the server, and what it has started: a training outlives a signal to the server alone."""
        self._signal(signal.SIGTERM)
        try:
            self.process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self._signal(signal.SIGKILL)

    def _signal(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, number)

    def get(self, path: str, **query: Any) -> Any:
        answer = requests.get(f"{self.url}/{path}", params=query, timeout=60)
        answer.raise_for_status()
        return answer.json()

    def infer(
        self, model: str, image: str = "", *, file: Path | None = None, label_file: Path | None = None, **params: Any
    ) -> requests.Response:
        """The answer to an inference: of an image of the studies, or of a file that is sent along."""
        files = {name: path.open("rb") for name, path in (("file", file), ("label", label_file)) if path}
        return requests.post(
            f"{self.url}/infer/{quote(model)}",
            params={"image": image, "output": "image"},
            data={"params": json.dumps({"device": "cpu", **params})},
            files=files,
            timeout=300,
        )

    def label_map(self, model: str, image: str, **params: Any) -> nib.Nifti1Image:
        """The label map of an inference that succeeds."""
        return as_image(self.infer(model, image, **params))

    def save_label(self, image: str, label: Path) -> None:
        with label.open("rb") as content:
            query = {"image": image, "tag": "final"}
            requests.put(
                f"{self.url}/datastore/label", params=query, files={"label": content}, timeout=60
            ).raise_for_status()

    def train(self, model: str, **params: Any) -> dict[str, Any]:
        """Start a training, wait for its end, and give MONAI Label's record of it."""
        self.start_training(model, **params)
        return self._end_of("train/")

    def start_training(self, model: str, **params: Any) -> None:
        asked = {"device": "cpu", "max_epochs": 1, "multi_gpu": False, "val_split": 0.0, **params}
        requests.post(f"{self.url}/train/{model}", json=asked, timeout=60).raise_for_status()

    def batch_infer(self, model: str) -> dict[str, Any]:
        asked = {"device": "cpu", "multi_gpu": False, "save_label": True, "label_tag": "original"}
        query = {"images": "unlabeled"}
        requests.post(f"{self.url}/batch/infer/{model}", params=query, json=asked, timeout=60).raise_for_status()
        return self._end_of("batch/infer")

    def _end_of(self, path: str) -> dict[str, Any]:
        end = time.monotonic() + TRAINS_WITHIN
        while time.monotonic() < end:
            status: dict[str, Any] = self.get(path)
            if status["status"] not in ("SUBMITTED", "RUNNING"):
                return status
            time.sleep(1)
        raise RuntimeError(f"{path} did not end within {TRAINS_WITHIN} s")

    def weights(self, model: str) -> Path:
        return self.home / "monaibundle" / "model" / model / "models" / "model.pt"

    def state(self) -> dict[str, Any]:
        """What the datastore knows of every image (labels, tags, infos), and a digest of every file of the studies.

        Times are left out.
        """
        files = {path for path in self.studies.rglob("*") if path.is_file() and path.suffix not in (".json", ".lock")}
        digests = {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(files)}
        return {"objects": without_times(self.get("datastore/", output="all")["objects"]), "files": digests}


def without_times(value: Any) -> Any:
    """`value`, of JSON, without the keys `ts` in which MONAI Label keeps times."""
    if isinstance(value, dict):
        return {name: without_times(item) for name, item in value.items() if name != "ts"}
    return [without_times(item) for item in value] if isinstance(value, list) else value


def as_image(answer: requests.Response) -> nib.Nifti1Image:
    """The NIfTI file of an answer."""
    assert answer.status_code == 200, answer.text
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "label.nii.gz"
        path.write_bytes(answer.content)
        image = nib.load(path)
        return nib.Nifti1Image(np.asanyarray(image.dataobj), image.affine, image.header)


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])
