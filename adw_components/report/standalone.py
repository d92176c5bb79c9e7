"""A drawing as an SVG file of its own: the page's light colours inside, a white ground."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from xml.etree import ElementTree

_CSS = Path(__file__).with_name("page.css")
_NAMESPACE = "http://www.w3.org/2000/svg"
# Room at both sides for the labels of the arrows, which a wide font makes long.
_MARGIN = 16
_FONT = 'svg { font-family: system-ui, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }'


def standalone_svg(svg: str) -> str:
    """The SVG element that `unet_svg` gives as the text of a file, which needs no stylesheet from outside.

    Its colours are the light ones whatever the viewer's preference, since the page around the image is not known.
    """
    root = ElementTree.fromstring(svg)
    left, top, width, height = map(float, root.attrib["viewBox"].split())
    left, width = left - _MARGIN, width + 2 * _MARGIN
    box = f"{left:g} {top:g} {width:g} {height:g}"
    root.attrib.update({"xmlns": _NAMESPACE, "viewBox": box, "width": f"{width:g}", "height": f"{height:g}"})
    style = ElementTree.Element("style")
    style.text = unet_style()
    root.insert(0, style)
    root.insert(
        1, ElementTree.Element("rect", {"x": f"{left:g}", "width": "100%", "height": "100%", "fill": "#ffffff"})
    )
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode") + "\n"


@cache
def unet_style() -> str:
    """The rules of page.css for a drawing of a U-Net, with the light colours in place of the variables."""
    css = _CSS.read_text(encoding="utf-8")
    colours = dict(re.findall(r"(--[\w-]+): ([^;]+);", css[: css.index("@media")]))
    rules = [line for line in css.splitlines() if line.startswith(".unet ")]
    return re.sub(r"var\((--[\w-]+)\)", lambda name: colours[name.group(1)], "\n".join([_FONT, *rules]))
