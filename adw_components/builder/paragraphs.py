"""Markdown with its paragraphs wrapped anew, whatever a template put into them. No torch here."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator

WIDTH = 130
# Lines that stand for themselves: headings, tables, pictures.
_WHOLE = ("#", "|", "![")
_ITEM = "- "
_CODE, _KEPT = re.compile("`[^`]*`"), "\0"


def wrapped(markdown: str) -> str:
    """`markdown` with paragraphs and list items wrapped, one empty line at most between blocks, no trailing spaces.

    Headings, table rows, pictures and fenced code stay as they are. Lists are those of "- ", not nested.
    """
    lines: list[str] = []
    for block in _blocks(markdown.splitlines()):
        if block or (lines and lines[-1]):
            lines.extend(block or [""])
    return "\n".join(lines).strip("\n") + "\n"


def _blocks(lines: list[str]) -> Iterator[list[str]]:
    """The lines of every block; an empty line is an empty block."""
    text: list[str] = []
    in_code = False
    for line in lines:
        is_fence = line.startswith("```")
        if in_code or is_fence or line.startswith(_WHOLE) or not line.strip():
            yield from _paragraph(text)
            text = []
            yield [line.rstrip()] if line.strip() or in_code else []
        elif line.startswith(_ITEM):
            yield from _paragraph(text)
            text = [line]
        else:
            text.append(line)
        in_code ^= is_fence
    yield from _paragraph(text)


def _paragraph(lines: list[str]) -> Iterator[list[str]]:
    if lines:
        indent = "  " if lines[0].startswith(_ITEM) else ""
        # The spaces of code in the text are no places to break a line.
        text = _CODE.sub(lambda code: code.group().replace(" ", _KEPT), " ".join(line.strip() for line in lines))
        broken = textwrap.wrap(text, WIDTH, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)
        yield [line.replace(_KEPT, " ") for line in broken]
