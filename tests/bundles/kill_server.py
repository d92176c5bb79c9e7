"""Run a workflow, kill it at random moments, resume it; beside it the uninterrupted run.

A process of its own, because it forks: it imports MONAI once and computes nothing itself, so that each
fork starts at once and without threads.

Usage: python kill_server.py ARGUMENTS.json, with {"arguments": of monai.bundle.run, "folder", "kills", "seed",
"longest": seconds that a part may live}
"""

import json
import os
import random
import signal
import sys
import time
from pathlib import Path
from typing import Any

import torch
from monai.bundle import run


def start(arguments: dict[str, Any]) -> int:
    """A child that runs the workflow; its pid."""
    child = os.fork()
    if child == 0:
        torch.seed()  # forks would share the state of the generator, which processes of a user do not
        try:
            run(**arguments)
        except BaseException as error:
            print(f"the run failed: {error!r}", file=sys.stderr)
            os._exit(1)
        os._exit(0)
    return child


def main() -> None:
    """Write the number of kills that met a living run to the folder."""
    order = json.loads(Path(sys.argv[1]).read_text())
    folder, arguments = Path(order["folder"]), order["arguments"]
    draw = random.Random(order["seed"])
    started = time.monotonic()
    whole = start({**arguments, "output_dir": f"{folder}/whole"})
    assert os.waitpid(whole, 0)[1] == 0
    # On a fast machine parts must be short too, or the run ends before it was killed often enough.
    longest = min(order["longest"], 0.22 * (time.monotonic() - started))
    killed, resumed = 0, {**arguments, "output_dir": f"{folder}/killed", "resume": True}
    while killed < order["kills"]:
        child = start(resumed)
        time.sleep(draw.uniform(0.2, longest))
        os.kill(child, signal.SIGKILL)
        status = os.waitpid(child, 0)[1]
        if not os.WIFSIGNALED(status):
            print(f"ended after {killed} kills, at most {longest:.1f} s apart", file=sys.stderr)
            break
        killed += 1
    assert os.waitpid(start(resumed), 0)[1] == 0
    (folder / "kills").write_text(str(killed))


if __name__ == "__main__":
    main()
