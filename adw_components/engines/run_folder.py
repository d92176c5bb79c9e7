"""The folder of a run: what may be written there, and with which settings."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .. import __version__
from ..distributed import in_first_process
from ..errors import UserError
from ..files import write_json
from ..locks import LOCK, hold, release, release_all
from ..owners import sweep
from ..run_files import check_settings, read_epochs, read_settings
from .checksums import require_all_intact

logger = logging.getLogger(__name__)

# What every run with a checkpoint has written.
_WRITTEN = {"search": ("checkpoint.pt",), "train": ("checkpoint.pt", "model.pt", "model_last.pt")}
# What may change between the parts of one run.
_FREE_SETTINGS = (
    *("max_epochs", "val_interval", "num_workers", "device", "amp", "amp_dtype", "compile", "cudnn_benchmark"),
    *("supernet_path", "package_version"),
)


def open_run(
    output_dir: str | Path, *, kind: str, settings: Mapping[str, Any], resume: bool, anew: bool = False
) -> None:
    """Make sure that a run, and no other process, may write to `output_dir`, and write its `settings.json`.

    Args:
        output_dir: folder of the run.
        kind: "search" or "train".
        settings: all that the result depends on, as plain JSON values.
        resume: whether a run found there goes on.
        anew: whether a run found there makes room: its folder gets the next number, as `fine_tuning_001`.

    Raises:
        UserError: a setting is malformed; another process writes there; or the folder holds another run, a damaged one,
            files that ship with a bundle, or, when resuming, other settings.
    """
    # As it will be read: in JSON every key is a text.
    content = json.loads(json.dumps({"kind": kind, "package_version": __version__, **settings}))
    check_settings(content, "the settings of this run")
    in_first_process(lambda: _open(Path(output_dir), content, resume, anew))


def hold_run(output_dir: str | Path) -> None:
    """Let no other process write to the folder of a run until `close_run`, or until this one ends.

    What killed runs have left half-written there is removed.

    Raises:
        UserError: another process writes there; the message names it.
    """
    folder = Path(output_dir)
    hold(folder / LOCK, f"output_dir {folder}")
    sweep(folder, held=True)


def close_run() -> None:
    """Let others write to the folders that this process has held; a config's `finalize`."""
    release_all()


def _open(folder: Path, content: dict[str, Any], resume: bool, anew: bool) -> None:
    hold_run(folder)
    try:
        if anew and not resume:
            _make_room(folder)
        if (folder / "checkpoint.pt").exists():
            _require_same_run(folder, content, resume)
            _require_epochs_left(folder, content)
            _require_intact(folder, content)
        elif (folder / "settings.json").exists():
            _require_barely_begun(folder, content["kind"])
        else:
            _require_nothing_lost(folder)
        write_json(folder / "settings.json", content)
    except BaseException:
        release(folder / LOCK)
        raise


def _make_room(folder: Path) -> None:
    if (folder / "settings.json").exists():
        ends = [path.name.removeprefix(f"{folder.name}_") for path in folder.parent.glob(f"{folder.name}_*")]
        taken = [int(end) for end in ends if end.isdecimal()]
        room = folder.with_name(f"{folder.name}_{max(taken, default=0) + 1:03}")
        folder.rename(room)
        release(folder / LOCK, moved_to=room / LOCK)
        hold_run(folder)


def _require_intact(folder: Path, content: Mapping[str, Any]) -> None:
    require_all_intact(folder, _WRITTEN[content["kind"]])
    for target in content.get("targets", ()):
        require_all_intact(folder / target["name"])


def _require_nothing_lost(folder: Path) -> None:
    for name in ("architecture.json", "model.pt", "metadata.json"):
        if (folder / name).exists():
            raise UserError(
                f"output_dir {folder} holds {name}, which no run there has written and a run would overwrite; "
                "choose another --output_dir"
            )


def _require_barely_begun(folder: Path, kind: str) -> None:
    """Without a checkpoint a run was stopped in its first epoch and starts anew; a longer one has lost its own."""
    other = read_settings(folder / "settings.json").get("kind")
    if other != kind:
        raise UserError(f"output_dir {folder} is the folder of a run of kind {other}; choose another --output_dir")
    epochs = len(read_epochs(folder / f"{kind}.jsonl"))
    if epochs > 1:
        raise UserError(
            f"output_dir {folder} holds a run of {epochs} epochs whose checkpoint.pt is missing; "
            "put it back, or choose another --output_dir"
        )


def _require_epochs_left(folder: Path, content: Mapping[str, Any]) -> None:
    rows = read_epochs(folder / f"{content['kind']}.jsonl")
    # Several searches of one run count their own epochs.
    epochs = max((row.get("search_epoch", row["epoch"]) for row in rows), default=0)
    if epochs > content.get("max_epochs", epochs):
        raise UserError(f"max_epochs must be at least {epochs}, the epochs already in {folder}")


def _free_settings(folder: Path, content: Mapping[str, Any]) -> set[str]:
    """Return the settings that may change; not the end of a search that another one follows, or that ended early."""
    rows = read_epochs(folder / f"{content['kind']}.jsonl")
    is_fixed = len(content.get("targets", ())) > 1 or any(row.get("stopped_early") for row in rows)
    return {*_FREE_SETTINGS} - ({"max_epochs"} if is_fixed else set())


def _require_same_run(folder: Path, content: Mapping[str, Any], resume: bool) -> None:
    if not resume:
        raise UserError(
            f"output_dir {folder} already holds a run; "
            "add --resume true to go on with it, or choose another --output_dir"
        )
    before = read_settings(folder / "settings.json")
    changed = [name for name in content if name in before and before[name] != content[name]]
    free = _free_settings(folder, content)
    for name in [name for name in changed if name in free]:
        logger.warning("resuming with %s %s instead of %s", name, content[name], before[name])
    fixed = [f"{name} was {before[name]}, is {content[name]}" for name in changed if name not in free]
    if fixed:
        raise UserError(
            f"the run in {folder} has other settings ({'; '.join(fixed)}); resume it with its own, "
            "or choose another --output_dir"
        )
