"""What tests look for in the text of a page."""

import re
from html import unescape
from html.parser import HTMLParser

# Tags that have no end.
_VOID = ("meta", "br", "img", "link")


def table(page: str, name: str) -> list[list[str]]:
    """The cells of a table's body, row by row, without their tags."""
    body = re.search(rf'<table id="{name}".*?<tbody>(.*?)</tbody>', page, re.DOTALL)
    assert body
    rows = re.findall(r"<tr>(.*?)</tr>", body.group(1), re.DOTALL)
    return [[_plain(cell) for cell in re.findall(r"<td[^>]*>(.*?)</td>", row, re.DOTALL)] for row in rows]


def _plain(cell: str) -> str:
    return unescape(re.sub(r"<[^>]*>", "", cell)).strip()


def missing_line(page: str) -> str:
    """The line that names what the run folder lacks."""
    found = re.search(r'id="missing">(.*?)</p>', page)
    return unescape(found.group(1)) if found else ""


def facts(page: str) -> dict[str, tuple[str, str]]:
    """The numbers of the headline: name -> value and note."""
    found = re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>(?:<dd>(.*?)</dd>)?", page)
    return {name: (unescape(value), unescape(note)) for name, value, note in found}


def notes(page: str) -> list[str]:
    """The remarks at the top."""
    return [unescape(note) for note in re.findall(r'<p class="note">(.*?)</p>', page)]


def figure_names(page: str) -> list[str]:
    """What the figures and drawings of a page show, for readers who cannot see it."""
    return [unescape(name) for name in re.findall(r'aria-label="([^"]*)"', page)]


class References(HTMLParser):
    """Collects what the page would load or link, and checks that every tag is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value or "" for name, value in attrs if name in ("src", "href", "xlink:href", "action")]
        if tag not in _VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value or "" for name, value in attrs if name in ("src", "href", "xlink:href", "action")]


def references(page: str) -> list[str]:
    """What a page, all of whose tags are closed, would load or link outside itself."""
    parser = References()
    parser.feed(page)
    assert parser.open == []
    return [found for found in parser.found if not found.startswith(("#", "data:image/png;base64,"))]


def check_identifiers(page: str) -> None:
    """Assert that references inside the page meet one target each."""
    identifiers = re.findall(r'\sid="([^"]*)"', page)
    used = set(re.findall(r"url\(#([^)]*)\)", page)) | set(re.findall(r'href="#([^"]*)"', page))
    assert used <= set(identifiers)
    assert len(identifiers) == len(set(identifiers))
