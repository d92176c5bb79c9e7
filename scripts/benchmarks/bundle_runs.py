"""Workflows of a bundle, run as a user types them, without the wait for imports."""

from __future__ import annotations

import multiprocessing
import os
import runpy
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from adw_components.errors import UserError

# What every workflow imports; the server imports it once, and every command is a fork of the server.
_IMPORTED = ["torch", "monai.bundle", "monai.engines", "monai.handlers", "monai.inferers", "monai.transforms"]


def run_workflow(
    workflow: str,
    *,
    bundle: Path,
    log: Path,
    options: Mapping[str, Any],
    overlays: Sequence[str] = (),
    threads: int | None = None,
) -> None:
    """`python -m monai.bundle run WORKFLOW` in the bundle's folder; its output is added to a log.

    Args:
        workflow: "search", "train", "evaluate" or "infer".
        bundle: folder of the bundle.
        log: file.
        options: key of the config -> value.
        overlays: configs after the workflow's own, without the suffix.
        threads: of the CPU; all of them if None.

    Raises:
        UserError: the command failed; its last line and the log are named.
    """
    config = {"infer": "inference"}.get(workflow, workflow)
    files = ", ".join(f"'configs/{name}.json'" for name in (config, *overlays))
    words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
    arguments = ["run", workflow, "--config_file", f"[{files}]", *words]
    log.parent.mkdir(parents=True, exist_ok=True)
    servers = multiprocessing.get_context("forkserver")
    servers.set_forkserver_preload(_IMPORTED)
    process = servers.Process(target=_command, args=(arguments, bundle, log, threads))
    process.start()
    process.join()
    if process.exitcode:
        last = log.read_text(errors="replace").rstrip().rsplit("\n", 1)[-1]
        raise UserError(f"{workflow} ended with status {process.exitcode}: {last} ({log} has all of it)")


def _command(arguments: Sequence[str], folder: Path, log: Path, threads: int | None) -> None:
    """What `python -m monai.bundle` does with these arguments."""
    with log.open("a") as output:
        os.dup2(output.fileno(), 1)
        os.dup2(output.fileno(), 2)
    os.chdir(folder)
    if threads is not None:
        import torch

        torch.set_num_threads(threads)
    sys.argv = ["monai.bundle", *arguments]
    try:
        runpy.run_module("monai.bundle", run_name="__main__", alter_sys=True)
    except Exception:
        # An interpreter that is not forked shows errors this way; a workflow of ours has put its own hook there.
        sys.excepthook(*sys.exc_info())
        sys.exit(1)
