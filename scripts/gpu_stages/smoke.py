"""The tests that are marked gpu, each a step with the figures that it recorded."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from adw_components.errors import UserError

from .stage import Stage

ROOT = Path(__file__).parents[2]


def smoke(stage: Stage) -> None:
    """Run the tests that are not done; what each says is kept as soon as it ends."""
    place = stage.place
    report, log = place.work / "smoke.jsonl", place.work / "smoke.log"
    report.unlink(missing_ok=True)
    done = [word for step in stage.steps for word in ("--deselect", step)]
    words = [sys.executable, "-m", "pytest", "-m", "gpu", "tests/on_gpu", "-q", "-p", "no:cacheprovider", *done]
    environment = {"ADW_GPU_DEVICE": str(place.device), "ADW_GPU_REPORT": str(report)}
    if place.dataset_dir is not None:
        environment["ADW_GPU_DATASET"] = str(place.dataset_dir)
    with log.open("w") as output:
        process = subprocess.Popen(
            words,
            cwd=ROOT,
            env={**os.environ, **environment},
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        read = 0
        while process.poll() is None:
            read = _keep_new(stage, report, read)
            with suppress(subprocess.TimeoutExpired):
                process.wait(timeout=0.5)
        _keep_new(stage, report, read)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            _keep_new(stage, report, 0)
    if process.returncode not in (0, 1, 5):  # 5: nothing was left to run
        raise UserError(f"pytest ended with status {process.returncode}; {log} says why")


def _keep_new(stage: Stage, report: Path, read: int) -> int:
    """Keep the rows of the report from number `read` on; how many there are now."""
    rows = report.read_text().splitlines(keepends=True) if report.exists() else []
    whole = [row for row in rows if row.endswith("\n")]
    for row in map(json.loads, whole[read:]):
        told = {"result": row["figures"]}
        if row["outcome"] != "passed":
            told = {"error": row["reason"], "figures": row["figures"]}
        print(f"smoke: {row['test']} {row['outcome']} ({row['seconds']} s)", flush=True)
        stage.keep(row["test"], {**told, "seconds": row["seconds"]})
    return len(whole)
