"""models/model.ts: MONAI's own export, run in the exported bundle, without what tells on which machine it was made."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

from ..files import replacing
from ..owners import module_bound_to_parent
from .archive import zip_entry

# Paths of source files for tracebacks, and a number made from all bytes; torch.jit.load needs neither.
_OF_THE_MACHINE = (".debug_pkl", ".data/serialization_id")
_MODULE = "monai.bundle"
_COMMAND = ("ckpt_export", "network_def", "--config_file", "configs/inference.json")
_FILES = {"meta_file": "configs/metadata.json", "ckpt_file": "models/model.pt", "filepath": "models/model.ts"}


def write_torchscript(bundle: Path) -> None:
    """Write `models/model.ts` of a bundle's folder from its `models/model.pt`.

    A process of its own does it: TorchScript numbers the types of a process, and the code must be the bundle's.

    Raises:
        RuntimeError: MONAI's export fails; the text is its own.
    """
    options = [word for name, path in _FILES.items() for word in (f"--{name}", path)]
    environment = {**os.environ, "PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1", "PYTHONWARNINGS": "ignore"}
    done = subprocess.run(
        [sys.executable, *module_bound_to_parent(_MODULE), *_COMMAND, *options],
        cwd=bundle,
        env=environment,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise RuntimeError(f"python -m {_MODULE} {' '.join(_COMMAND)} fails in the exported bundle:\n{done.stderr}")
    without_traces_of_the_machine(bundle / _FILES["filepath"])


def without_traces_of_the_machine(path: Path) -> None:
    """Write a TorchScript file anew, without the paths of the sources that it was compiled from."""
    with replacing(path) as temporary, zipfile.ZipFile(path) as made, zipfile.ZipFile(temporary, "w") as kept:
        for name in made.namelist():
            if not name.endswith(_OF_THE_MACHINE):
                kept.writestr(zip_entry(name), made.read(name))
