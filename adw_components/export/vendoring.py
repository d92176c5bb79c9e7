"""The package as the `scripts` of a bundle: what its configs and its README's commands import, no more. No torch here.

The files are byte for byte those of the package, since all imports inside it are relative; only `__main__.py` is
another one, with the commands that work without the repository.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path

from .source import PACKAGE

ROOT = Path(__file__).parents[1]
_ALWAYS = ("__init__.py", "commands.py", "bundle/own_code.py")
_MAIN = '''"""Command line: python -m scripts describe | report | synthesize."""

from .commands import BundleCommands, run_command

if __name__ == "__main__":
    run_command(BundleCommands, "python -m scripts")
'''


def vendored_files(targets: Iterable[str]) -> dict[str, bytes]:
    """Path inside `scripts` -> content, for configs that name `targets` ("adw_components.networks.AdwUNet").

    Package data ships as a whole, but for what lies in a folder of code that does not ship.
    """
    modules = closure([*_ALWAYS, *(_file(*name.split(".")[1:]) for name in targets)])
    folders = {Path(module).parent for module in modules}
    data = (path.relative_to(ROOT) for path in ROOT.rglob("*") if path.suffix in (".json", ".html", ".css"))
    kept = [path.as_posix() for path in data if _code_folder(path) in folders]
    files = {name: (ROOT / name).read_bytes() for name in sorted([*modules, *kept])}
    return {**files, "__main__.py": _MAIN.encode()}


def closure(files: Iterable[str]) -> set[str]:
    """`files` of the package, and all that they import, however far, with the `__init__.py` of every folder."""
    found, pending = set[str](), list(files)
    while pending:
        name = pending.pop()
        if name not in found:
            found.add(name)
            pending.extend(_imported(Path(name)))
            pending.extend((folder / "__init__.py").as_posix() for folder in Path(name).parents)
    return found


def _imported(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse((ROOT / file).read_bytes())):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = file.parts[: len(file.parts) - node.level]
            module = (*base, *(node.module.split(".") if node.module else ()))
            # A name that is imported may be a module, or something in it.
            yield from (_file(*module, alias.name) for alias in node.names)


def _file(*parts: str) -> str:
    """The file that a dotted name lies in."""
    for length in range(len(parts), 0, -1):
        path = Path(*parts[:length])
        for candidate in (path.with_suffix(".py"), path / "__init__.py"):
            if (ROOT / candidate).is_file():
                return candidate.as_posix()
    if parts and not parts[:-1]:  # such as __version__, of the package itself
        return "__init__.py"
    raise ModuleNotFoundError(f"{PACKAGE} has no {'.'.join(parts)}, which a config or a module names")


def _code_folder(path: Path) -> Path:
    """The nearest folder of code that a data file lies in."""
    return next(folder for folder in path.parents if (ROOT / folder / "__init__.py").is_file())
