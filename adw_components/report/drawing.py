"""The derived U-Net as an SVG: every block as its convolutions inside the outline of the largest candidate."""

from __future__ import annotations

from dataclasses import dataclass
from xml.etree import ElementTree

from ..architecture import Architecture
from ..describe import block_names, block_stages, by, resolution_strides
from ..search_space import SearchSpace

BAR, GAP, HEIGHT = 40, 6, 58
_LABEL, _NUMBER, _ROW, _MARGIN = 36, 16, 150, 24
# Exponent of the encoder's way inward: 1 is a V, larger is rounder.
_BEND = 2.4
TIMES = "\N{MULTIPLICATION SIGN}"


@dataclass(frozen=True, kw_only=True)
class Block:
    """One block on the canvas; `x`, `y` is the top left corner of its outlines."""

    name: str
    note: str
    x: float
    y: float
    widths: tuple[int, ...]
    max_width: int
    max_depth: int

    @property
    def right(self) -> float:
        """Right edge of the outlines."""
        return self.x + _block_size(self.max_depth)

    @property
    def center(self) -> float:
        """Horizontal center."""
        return (self.x + self.right) / 2

    @property
    def middle(self) -> float:
        """Vertical center of the outlines."""
        return self.y + HEIGHT / 2


def unet_svg(
    architecture: Architecture,
    *,
    space: SearchSpace | None = None,
    in_channels: int | None = None,
    out_channels: int | None = None,
    name: str = "unet",
) -> str:
    """The U-Net as an SVG element: encoder down the left, bottleneck at the bottom, decoder up the right.

    Args:
        architecture: what to draw.
        space: the outlines are its largest candidates; without it, or if it lacks the architecture, the
            largest width at each resolution and the deepest block.
        in_channels: channels of the input, written at its arrow.
        out_channels: channels of the output, likewise.
        name: unique in the page; the identifiers inside begin with it.
    """
    blocks = _blocks(architecture, space if space is not None and architecture in space else None)
    n_stages = architecture.n_stages
    width, height = blocks[n_stages:][-1].right + _MARGIN, blocks[n_stages - 1].y + HEIGHT + _NUMBER + _MARGIN
    svg = ElementTree.Element(
        "svg", {"viewBox": f"0 0 {width:g} {height:g}", "role": "img", "class": "unet", "aria-label": "The U-Net"}
    )
    head = _arrow_head(svg, name)
    _ends(svg, blocks[0], blocks[-1], in_channels, out_channels)
    for stage in range(n_stages - 1):
        encoder, deeper, decoder = blocks[stage], blocks[stage + 1], blocks[-1 - stage]
        below = blocks[-2 - stage]
        stride = by(architecture.strides[stage + 1], TIMES)
        _skip(svg, encoder, decoder)
        _way(svg, encoder, deeper, f"↓ stride {stride}", down=True)
        _way(svg, decoder, below, f"↑ {stride}", down=False)
    for block in blocks:
        _draw_block(svg, block)
    for line in svg.iter("polyline"):
        line.set("marker-end", f"url(#{head})")
    return ElementTree.tostring(svg, encoding="unicode")


def _blocks(architecture: Architecture, space: SearchSpace | None) -> list[Block]:
    n_stages, stages = architecture.n_stages, block_stages(architecture.n_stages)
    max_depth = space.max_depth if space else max(map(len, architecture.blocks))
    size = _block_size(max_depth)
    width = max(1000.0, 5 * size + 2 * _MARGIN)
    strides = resolution_strides(architecture)
    placed = []
    for index, (name, stage) in enumerate(zip(block_names(n_stages), stages, strict=True)):
        inward = (width - size - 2 * _MARGIN) / 2 * (stage / (n_stages - 1)) ** _BEND
        placed.append(
            Block(
                name=name,
                note=f"÷{by(strides[stage], TIMES)}, kernel {by(architecture.kernel_sizes[stage], TIMES)}",
                x=_MARGIN + inward if index < n_stages else width - _MARGIN - size - inward,
                y=_MARGIN + _LABEL + 26 + stage * _ROW,
                widths=architecture.blocks[index],
                max_width=space.block_widths[index][-1] if space else _widest(architecture, stage),
                max_depth=max_depth,
            )
        )
    return placed


def _block_size(depth: int) -> float:
    return depth * BAR + (depth - 1) * GAP


def _widest(architecture: Architecture, stage: int) -> int:
    stages = block_stages(architecture.n_stages)
    return max(max(block) for block, at in zip(architecture.blocks, stages, strict=True) if at == stage)


def _draw_block(svg: ElementTree.Element, block: Block) -> None:
    group = ElementTree.SubElement(svg, "g", {"data-block": block.name})
    _text(group, block.x, block.y - 21, block.name, "name")
    _text(group, block.right, block.y - 21, f"max {block.max_width}", "note", "end")
    _text(group, block.x, block.y - 7, block.note, "note")
    for index in range(block.max_depth):
        x = block.x + index * (BAR + GAP)
        if index < len(block.widths):
            _draw_convolution(group, x, block, block.widths[index])
        # The outline comes last: it stays visible around a full bar.
        _box(group, x, block.y, HEIGHT, {"class": "ghost"})


def _draw_convolution(group: ElementTree.Element, x: float, block: Block, width: int) -> None:
    height = HEIGHT * width / block.max_width
    _box(group, x, block.y + HEIGHT - height, height, {"class": "conv", "data-width": str(width)})
    _text(group, x + BAR / 2, block.y + HEIGHT + 13, str(width), "channels", "middle")


def _box(group: ElementTree.Element, x: float, y: float, height: float, attributes: dict[str, str]) -> None:
    place = {"x": f"{x:g}", "y": f"{y:.2f}", "width": str(BAR), "height": f"{height:.2f}"}
    ElementTree.SubElement(group, "rect", {**place, "rx": "2", **attributes})


def _skip(svg: ElementTree.Element, encoder: Block, decoder: Block) -> None:
    _line(svg, [(encoder.right + 8, encoder.middle), (decoder.x - 8, decoder.middle)], "skip")
    place = (encoder.right + decoder.x) / 2
    _text(svg, place, encoder.middle - 6, f"skip {encoder.widths[-1]} channels", "note", "middle")


def _way(svg: ElementTree.Element, upper: Block, lower: Block, label: str, *, down: bool) -> None:
    """The arrow between two neighbours of one side: straight if one stands below the other, else round the corner."""
    start, inset = upper.y + HEIGHT + _NUMBER + 4, BAR / 3
    x = min(max(upper.center, lower.x + inset), lower.right - inset)
    if upper.x + inset <= x <= upper.right - inset:
        way = [(x, start), (x, lower.y - _LABEL)]
    else:
        x = upper.center
        side = lower.x - 8 if lower.x > x else lower.right + 8
        way = [(x, start), (x, lower.middle), (side, lower.middle)]
    _line(svg, way if down else way[::-1], "way")
    left = upper.x <= lower.x
    _text(svg, x + (-8 if left else 8), start + 17, label, "note", "end" if left else "start")


def _ends(
    svg: ElementTree.Element, first: Block, last: Block, in_channels: int | None, out_channels: int | None
) -> None:
    top = _MARGIN - 14
    for block, name, channels in ((first, "input", in_channels), (last, "output", out_channels)):
        text = name if channels is None else f"{name}: {channels} channel{'s' if channels > 1 else ''}"
        side, anchor = (8, "start") if block is first else (-8, "end")
        way = [(block.center, top), (block.center, block.y - _LABEL)]
        _line(svg, way if block is first else way[::-1], "way")
        _text(svg, block.center + side, top + 12, text, "note", anchor)


def _arrow_head(svg: ElementTree.Element, name: str) -> str:
    identifier = f"{name}-arrow"
    attributes = {"viewBox": "0 0 8 8", "refX": "7", "refY": "4", "markerWidth": "7", "markerHeight": "7"}
    marker = ElementTree.SubElement(
        ElementTree.SubElement(svg, "defs"), "marker", {"id": identifier, "orient": "auto", **attributes}
    )
    ElementTree.SubElement(marker, "path", {"d": "M0 0L8 4L0 8z", "class": "head"})
    return identifier


def _line(svg: ElementTree.Element, points: list[tuple[float, float]], kind: str) -> None:
    way = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    ElementTree.SubElement(svg, "polyline", {"points": way, "class": kind})


def _text(parent: ElementTree.Element, x: float, y: float, text: str, kind: str, anchor: str = "start") -> None:
    place = {"x": f"{x:.1f}", "y": f"{y:.1f}", "class": kind, "text-anchor": anchor}
    ElementTree.SubElement(parent, "text", place).text = text
