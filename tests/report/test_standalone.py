"""A drawing as a file of its own."""

from xml.etree import ElementTree

from adw_components.reference import published
from adw_components.report.drawing import unet_svg
from adw_components.report.standalone import standalone_svg, unet_style

SVG = "{http://www.w3.org/2000/svg}"


def test_it_holds_all_that_was_drawn() -> None:
    drawn = ElementTree.fromstring(unet_svg(published("Task05_Prostate")))
    alone = ElementTree.fromstring(standalone_svg(ElementTree.tostring(drawn, encoding="unicode")))
    added = [f"{SVG}style", f"{SVG}rect"]
    assert [child.tag for child in alone] == [*added, *(SVG + child.tag for child in drawn)]
    texts = ([part.text for part in svg.iter() if part.tag.endswith("text")] for svg in (drawn, alone))
    assert next(texts) == next(texts)


def test_its_ground_covers_its_view() -> None:
    root = ElementTree.fromstring(standalone_svg(unet_svg(published("Task02_Heart"))))
    left, top, width, height = root.attrib["viewBox"].split()
    ground = root.find(f"{SVG}rect")
    assert ground is not None and (ground.attrib["x"], top) == (left, "0")
    assert (root.attrib["width"], root.attrib["height"]) == (width, height)


def test_every_class_of_the_drawing_has_a_colour_of_the_page() -> None:
    style = unet_style()
    assert "var(" not in style
    for name in ("conv", "ghost", "name", "channels", "note", "way", "skip", "head"):
        assert f".unet .{name}" in style
    assert "#2e6fdb" in style and "#4d8df0" not in style
