"""Draws what was right and what was wrong in a frame, and tables of it, as SVG: areas and boxes, never the footage.

Invariant: pure, and the answer is well-formed XML that refers to nothing outside of itself. Inks differ by brightness
or by dashes too, so that none needs to be told by colour alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

import numpy as np
from numpy.typing import NDArray

LETTER_PX = 6.6
_MARGIN, _TITLE, _ROW = 16, 34, 18


@dataclass(frozen=True, slots=True)
class Ink:
    """What something is, and how it is drawn; colours after Okabe and Ito, "Color Universal Design", 2008."""

    name: str
    colour: str
    dash: str = ""
    width_px: float = 2


RIGHT = Ink("found", "#0072b2")
TRUTH = Ink("truth", "#999999", width_px=1.2)
FALSE = Ink("found too much", "#d55e00", "6 3")
MISSED = Ink("missed", "#000000", "2 2")
UNJUDGED = Ink("not judged", "#dddddd")


@dataclass(frozen=True, slots=True)
class Area:
    """Pixels (height, width) that are true."""

    ink: Ink
    pixels: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Outline:
    """`sides`: left, top, width, height in fractions of the picture."""

    ink: Ink
    sides: Sequence[float]
    text: str = ""


@dataclass(frozen=True, slots=True)
class Sketch:
    """A frame of so many pixels, of which every area has the size. `notes`: lines of text below it."""

    title: str
    width_px: int
    height_px: int
    areas: Sequence[Area] = ()
    outlines: Sequence[Outline] = ()
    notes: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Cell:
    text: str
    ink: Ink | None = None


@dataclass(frozen=True, slots=True)
class Grid:
    """A table; each row has its name and a cell for each column."""

    title: str
    columns: Sequence[str]
    rows: Sequence[tuple[str, Sequence[Cell]]]
    notes: Sequence[str] = ()


def svg(sketch: Sketch) -> str:
    """The frame, what is what in it, and the notes."""
    inks = dict.fromkeys([*(each.ink for each in sketch.areas), *(each.ink for each in sketch.outlines)])
    filled = {each.ink for each in sketch.areas}
    width, height = sketch.width_px, sketch.height_px
    below = _TITLE + height + _ROW
    legend, legend_px = _legend(list(inks), filled, (_MARGIN, below), max(width, 360))
    texts = [_text(note, _MARGIN, below + legend_px + _ROW * at + 4) for at, note in enumerate(sketch.notes)]
    total = max([width, 360, round(LETTER_PX * max((len(note) for note in sketch.notes), default=0))]) + 2 * _MARGIN
    return _page(
        sketch.title,
        (max(total, _width_of(sketch.title)), below + legend_px + _ROW * len(sketch.notes)),
        [
            f'<g transform="translate({_MARGIN} {_TITLE})">',
            f'<rect width="{width}" height="{height}" fill="#ffffff" stroke="#333333"/>',
            *(_runs(each) for each in sketch.areas),
            *(_box(each, width, height) for each in sketch.outlines),
            "</g>",
            *legend,
            *texts,
        ],
    )


def svg_of_grid(grid: Grid) -> str:
    first = 10 + LETTER_PX * max((len(name) for name, _ in grid.rows), default=0)
    words = [*grid.columns, *(cell.text for _, cells in grid.rows for cell in cells)]
    step = 14 + LETTER_PX * max((len(word) for word in words), default=0)
    parts = [_text(name, _MARGIN + first + step * (at + 0.5), 54, "middle") for at, name in enumerate(grid.columns)]
    for row, (name, cells) in enumerate(grid.rows):
        top = 64 + 24 * row
        parts.append(_text(name, _MARGIN, top + 16))
        for at, cell in enumerate(cells):
            left = _MARGIN + first + step * at
            colour = "#ffffff" if cell.ink is None else cell.ink.colour
            letters = "#ffffff" if cell.ink in (MISSED, FALSE, RIGHT) else "#333333"
            parts.append(
                f'<rect x="{left:.1f}" y="{top}" width="{step:.1f}" height="24" fill="{colour}" stroke="#bbbbbb"/>'
            )
            parts.append(_text(cell.text, left + step / 2, top + 16, "middle", letters))
    bottom = 64 + 24 * len(grid.rows)
    parts += [_text(note, _MARGIN, bottom + _ROW * (at + 1)) for at, note in enumerate(grid.notes)]
    across = [first + step * len(grid.columns), *(LETTER_PX * len(note) for note in grid.notes)]
    width = max(round(max(across)) + 2 * _MARGIN, _width_of(grid.title))
    return _page(grid.title, (width, bottom + _ROW * (len(grid.notes) + 1)), parts)


def _page(title: str, size: tuple[int, int], parts: Sequence[str]) -> str:
    width, height = size
    words = _escaped(title)
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
            f'role="img" font-family="sans-serif" font-size="12" fill="#333333"><title>{words}</title>',
            f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
            f'<text x="{_MARGIN}" y="22" font-size="14" font-weight="bold">{words}</text>',
            *parts,
            "</svg>",
        ]
    )


def _width_of(title: str) -> int:
    """Of a line in the size and weight of titles."""
    return round(8.2 * len(title)) + 2 * _MARGIN


def _legend(inks: Sequence[Ink], filled: set[Ink], at: tuple[float, float], room_px: float) -> tuple[list[str], int]:
    """The parts, and how high they are; a new row where there is no more room."""
    left, top = at
    parts, x, row = [], left, 0
    for ink in inks:
        wide = 44 + LETTER_PX * len(ink.name)
        if x > left and x + wide > left + room_px:
            x, row = left, row + 1
        y = top + _ROW * row
        if ink in filled:
            parts.append(f'<rect x="{x:.1f}" y="{y - 10}" width="22" height="12" fill="{ink.colour}"/>')
        else:
            parts.append(f'<rect x="{x:.1f}" y="{y - 10}" width="22" height="12" fill="none" {_stroke(ink)}/>')
        parts.append(_text(ink.name, x + 28, y))
        x += wide
    return parts, _ROW * (row + 1) if inks else 0


def _runs(area: Area) -> str:
    """Each row's runs of true pixels as strokes one pixel high: small, and sharp at any size."""
    edges = np.diff(np.pad(area.pixels, ((0, 0), (1, 1))).astype(np.int8), axis=1)
    rows, begins = np.nonzero(edges == 1)
    _, ends = np.nonzero(edges == -1)
    runs = zip(rows.tolist(), begins.tolist(), ends.tolist(), strict=True)
    path = "".join(f"M{begin} {row}.5h{end - begin}" for row, begin, end in runs)
    return f'<path d="{path}" stroke="{area.ink.colour}" shape-rendering="crispEdges"/>' if path else ""


def _box(outline: Outline, width_px: int, height_px: int) -> str:
    left, top, width, height = outline.sides
    x, y = left * width_px, top * height_px
    parts = [
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{width * width_px:.1f}" height="{height * height_px:.1f}" '
        f'fill="none" {_stroke(outline.ink)}/>'
    ]
    if outline.text:
        # above the box, or inside where there is no room
        parts.append(_text(outline.text, x + 2, y - 3 if y > 14 else y + 12, colour=outline.ink.colour))
    return "".join(parts)


def _stroke(ink: Ink) -> str:
    dash = f' stroke-dasharray="{ink.dash}"' if ink.dash else ""
    return f'stroke="{ink.colour}" stroke-width="{ink.width_px}"{dash}'


def _text(words: str, x: float, y: float, anchor: str = "start", colour: str = "") -> str:
    fill = f' fill="{colour}"' if colour else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{fill}>{_escaped(words)}</text>'


def _escaped(words: str) -> str:
    """Without the control characters that XML forbids."""
    return escape("".join(letter if letter.isprintable() else "\ufffd" for letter in words))
