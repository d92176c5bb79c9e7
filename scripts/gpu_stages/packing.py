"""Small files that come back from a machine, and go to the next one: how much there is, and checkpoints that fit."""

from __future__ import annotations

import io
import subprocess
import tarfile
from collections.abc import Sequence
from pathlib import Path

import torch

from adw_components.errors import UserError

MEGABYTE = 2**20
# Of what comes back, and must fit beside what the next machine is given.
MOST_FILES, MOST_BYTES, MOST_TOGETHER = 8, 16 * MEGABYTE, 36 * MEGABYTE
# Of what a bare machine is given.
MOST_CARRIED = 60 * MEGABYTE
_PARTS = "checkpoints.tar"
_PART_BYTES = 15 * MEGABYTE
# What a retraining goes on from; the weights beside it are made of the checkpoint's.
_KEPT = ("checkpoint.pt", "train.jsonl", "settings.json", "architecture.json")
_WEIGHTS = ("model.pt", "model_last.pt")


def pack(folders: Sequence[Path], root: Path, output: Path) -> list[Path]:
    """Put as many of the retrainings as fit, in their order, into `checkpoints.tar.0`, `.1` ... of `output`.

    Args:
        folders: of retrainings, below `root`.
        root: by which they are named.
        output: folder of the results, whose other files count.

    Returns:
        The folders that went in.
    """
    for old in output.glob(f"{_PARTS}.*"):
        old.unlink()
    others = [path.stat().st_size for path in output.iterdir() if path.is_file()]
    room = min((MOST_FILES - len(others)) * _PART_BYTES, MOST_TOGETHER - sum(others))
    taken = []
    content = b""
    for folder in folders:
        tried = _tar([*taken, folder], root)
        if len(tried) <= room:
            taken, content = [*taken, folder], tried
    for number, start in enumerate(range(0, len(content), _PART_BYTES)):
        (output / f"{_PARTS}.{number}").write_bytes(content[start : start + _PART_BYTES])
    return taken


def unpack(source: Path, root: Path) -> None:
    """Put what `pack` has left in the folder `source` below `root`; nothing where it has left nothing."""
    parts = sorted(source.glob(f"{_PARTS}.*"), key=lambda path: int(path.suffix[1:]))
    if parts:
        content = io.BytesIO(b"".join(path.read_bytes() for path in parts))
        with tarfile.open(fileobj=content) as archive:
            archive.extractall(root, filter="data")
            folders = {(root / name).parent for name in archive.getnames()}
        for folder in folders:
            weights = torch.load(folder / "checkpoint.pt", weights_only=True, map_location="cpu")["network"]
            for name in _WEIGHTS:
                torch.save(weights, folder / name)


def _tar(folders: Sequence[Path], root: Path) -> bytes:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as archive:
        for folder in folders:
            for path in (folder / name for name in _KEPT):
                if path.is_file():
                    archive.add(path, arcname=str(path.relative_to(root)))
    return content.getvalue()


def check_output(output: Path) -> str:
    """Say how much comes back; raise a `UserError` if it is too much."""
    sizes = [path.stat().st_size for path in output.iterdir() if path.is_file()]
    largest = max(sizes, default=0)
    if len(sizes) > MOST_FILES or largest > MOST_BYTES or sum(sizes) > MOST_TOGETHER:
        raise UserError(
            f"output {output} has {len(sizes)} files, the largest of {largest / MEGABYTE:.1f} MiB; "
            f"at most {MOST_FILES} of {MOST_BYTES // MEGABYTE} MiB come back: remove what is not the run's"
        )
    return f"results: {len(sizes)} files, {sum(sizes) / MEGABYTE:.2f} MiB, the largest {largest / MEGABYTE:.2f} MiB"


def check_carried(root: Path) -> str:
    """Say how much a bare machine is given, the checkout and `.gpu/`; raise a `UserError` if it is too much."""
    words = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        listed = subprocess.run(words, cwd=root, capture_output=True).stdout
    except OSError:  # a bare machine may have no git
        listed = b""
    tree = [root / name for name in listed.decode().split("\0") if name]
    laid = [path for path in (root / ".gpu").rglob("*") if path.is_file()]
    sizes = [sum(path.stat().st_size for path in paths if path.is_file()) for paths in (tree, laid)]
    if sum(sizes) > MOST_CARRIED:
        raise UserError(
            f"checkout and .gpu have {sum(sizes) / MEGABYTE:.1f} MiB, and a bare machine is given at most "
            f"{MOST_CARRIED // MEGABYTE}: leave some out of .gpu"
        )
    return f"carried: checkout {sizes[0] / MEGABYTE:.1f} MiB, .gpu {sizes[1] / MEGABYTE:.1f} MiB"
