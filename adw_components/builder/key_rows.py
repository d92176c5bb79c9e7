"""The table of config keys, cut down to the configs that a bundle has. No torch here."""

from __future__ import annotations


def of_configs(table: str, letters: str) -> str:
    """The rows of a Markdown table for some configs.

    The first cell of a row names keys and the second the configs that have them by their letters, "S T E I"; where
    keys and configs are several groups they are divided by "; ", one config group a key. Text outside of rows stays.

    Args:
        table: Markdown; a row of keys begins with "| `".
        letters: of the bundle's configs, such as "TEI".
    """
    lines = (_row(line, letters) if line.startswith("| `") else line for line in table.splitlines())
    return "\n".join(line for line in lines if line is not None)


def _row(line: str, letters: str) -> str | None:
    keys, configs, rest = line.removeprefix("| ").split(" | ", 2)
    groups = [[letter for letter in group.split() if letter in letters] for group in configs.split("; ")]
    names = keys.split("; ") if len(groups) > 1 else [keys]
    kept = [(name, " ".join(group)) for name, group in zip(names, groups, strict=True) if group]
    if not kept:
        return None
    return f"| {'; '.join(name for name, _ in kept)} | {'; '.join(group for _, group in kept)} | {rest}"
