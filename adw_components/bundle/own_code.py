"""Run by its path, ahead of all else in an exported bundle: `scripts` is the code of this bundle.

Every exported bundle calls its code `scripts`, as the model zoo asks, and Python keeps one module of a name. So each
component of an exported config first calls `use_own_code`, by `_requires_`. It imports nothing of the package.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from types import ModuleType

PACKAGE = Path(__file__).absolute().parents[1]
# Where the modules of other bundles wait, by the folder of their package; it outlives this file's own run.
_SHELF = "_bundles_set_aside"


def use_own_code() -> None:
    """Let the package's name stand for this folder: modules of another one are set aside, and come back if called."""
    root = str(PACKAGE.parent)
    if sys.path[:1] != [root]:
        sys.path[:] = [root, *(path for path in sys.path if path != root)]
    loaded = sys.modules.get(PACKAGE.name)
    if loaded is None or _folder(loaded) != PACKAGE.resolve():
        shelf = sys.modules.setdefault(_SHELF, ModuleType(_SHELF)).__dict__
        if loaded is not None:
            shelf[str(_folder(loaded))] = _taken_out()
        importlib.invalidate_caches()
        sys.modules.update(shelf.pop(str(PACKAGE.resolve()), {}))


def _folder(package: ModuleType) -> Path:
    """Where the code of a loaded package lies."""
    return Path(next(iter(package.__path__))).resolve() if hasattr(package, "__path__") else Path()


def _taken_out() -> dict[str, ModuleType]:
    names = [name for name in sys.modules if name.partition(".")[0] == PACKAGE.name]
    return {name: sys.modules.pop(name) for name in names}
