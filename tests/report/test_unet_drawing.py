"""The drawing against the architecture and the search space."""

from xml.etree import ElementTree

import pytest
from fabricated_runs import DERIVED, SPACE

from adw_components.architecture import Architecture
from adw_components.describe import block_names
from adw_components.reference import published
from adw_components.report.drawing import HEIGHT, unet_svg
from adw_components.search_space import SearchSpace


@pytest.mark.parametrize(
    ("architecture", "space"),
    [
        (DERIVED, SPACE),
        (published("Task01_BrainTumour"), None),
        (SearchSpace(strides=((1, 1),) + ((2, 2),) * 6, kernel_sizes=((3, 3),) * 7).sample(seed=1), None),
    ],
)
def test_drawing_shows_every_block_and_width(architecture: Architecture, space: SearchSpace | None) -> None:
    svg = ElementTree.fromstring(unet_svg(architecture, space=space))
    groups = {group.get("data-block"): group for group in svg.findall("g")}
    assert tuple(groups) == block_names(architecture.n_stages)
    max_depth = space.max_depth if space else max(map(len, architecture.blocks))
    for group, widths in zip(groups.values(), architecture.blocks, strict=True):
        bars = [box for box in group.findall("rect") if box.get("class") == "conv"]
        outlines = [box for box in group.findall("rect") if box.get("class") == "ghost"]
        assert tuple(int(bar.get("data-width", "")) for bar in bars) == widths
        assert [text.text for text in group.findall("text") if text.get("class") == "channels"] == list(
            map(str, widths)
        )
        assert len(outlines) == max_depth
        per_channel = {round(float(bar.get("height", "")) / width, 2) for bar, width in zip(bars, widths, strict=True)}
        assert max(per_channel) - min(per_channel) < 0.02


def test_drawing_outlines_are_the_candidate_maximum() -> None:
    svg = ElementTree.fromstring(unet_svg(DERIVED, space=SPACE))
    for group, widths, candidates in zip(svg.findall("g"), DERIVED.blocks, SPACE.block_widths, strict=True):
        assert f"max {candidates[-1]}" in [text.text for text in group.findall("text")]
        bar = next(box for box in group.findall("rect") if box.get("class") == "conv")
        assert float(bar.get("height", "")) == pytest.approx(HEIGHT * widths[0] / candidates[-1], abs=0.01)


def test_drawing_is_a_symmetric_u_without_overlap() -> None:
    architecture = published("Task05_Prostate")
    svg = ElementTree.fromstring(unet_svg(architecture))
    width = float(svg.get("viewBox", "").split()[2])
    boxes = [[box for box in group.findall("rect") if box.get("class") == "ghost"] for group in svg.findall("g")]
    left = [float(row[0].get("x", "")) for row in boxes]
    right = [float(row[-1].get("x", "")) + float(row[-1].get("width", "")) for row in boxes]
    top = [float(row[0].get("y", "")) for row in boxes]
    encoder, decoder = (
        range(architecture.n_stages - 1),
        range(2 * architecture.n_stages - 2, architecture.n_stages - 1, -1),
    )
    for down, up in zip(encoder, decoder, strict=True):
        assert top[down] == top[up] < top[down + 1]
        assert right[down] < left[up]
        assert left[down] == pytest.approx(width - right[up], abs=0.01)
