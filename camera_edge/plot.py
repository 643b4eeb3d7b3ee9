"""Draws a line chart as one SVG: lines, bands behind them, marks, two axes with ticks, a legend.

Invariant: pure, and the answer is well-formed XML that refers to nothing outside of itself, whatever the texts and
numbers are. Lines differ by colour and by dashes, so that none needs to be told by colour alone.

    chart = Chart("score", Axis("time, s"), Axis("score"), lines=[Line("motion", [(0.0, 0.1), (1.0, 0.7)])])
    text = svg(chart)           # "<svg ...>...</svg>", for a file of its own or for the middle of an HTML page
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from xml.sax.saxutils import escape

Point = tuple[float, float]

# Okabe and Ito, "Color Universal Design", 2008: told apart by people of any colour vision; yellow, too light, left out
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")
DASHES = ("", "7 3", "2 2", "9 3 2 3")
_BANDS = ("#e69f00", "#56b4e9", "#999999")
_LETTER_PX = 6.6
_TICKS = 6
_MARK_ROWS = 4


@dataclass(frozen=True, slots=True)
class Axis:
    """`low`, `high`: where it begins and ends; None: as far as the data goes.

    ticks: what is written where; None: round numbers.
    """

    name: str
    low: float | None = None
    high: float | None = None
    ticks: Mapping[float, str] | None = None


@dataclass(frozen=True, slots=True)
class Palette:
    """Colours of all but the bands, as SVG has them: `currentColor` takes the one of the page around."""

    ink: str
    grid: str
    paper: str
    lines: Sequence[str] = COLOURS


ON_PAPER = Palette(ink="#333333", grid="#dddddd", paper="#ffffff")


@dataclass(frozen=True, slots=True)
class Line:
    """Points in order, in the units of the axes. Where a number is not finite the line has a gap."""

    name: str
    points: Sequence[Point]


@dataclass(frozen=True, slots=True)
class Band:
    """A stretch of the x axis, shaded over the whole height; bands of one name stand in the legend once."""

    name: str
    begin: float
    end: float


@dataclass(frozen=True, slots=True)
class Mark:
    """A dashed vertical line with a few words at its top."""

    at: float
    text: str = ""


@dataclass(frozen=True, slots=True)
class Chart:
    """What is drawn. `lines` beyond the colours of the palette begin them again, with other dashes."""

    title: str
    x: Axis
    y: Axis
    lines: Sequence[Line] = ()
    bands: Sequence[Band] = ()
    marks: Sequence[Mark] = ()
    width_px: int = 760
    height_px: int = 300
    palette: Palette = ON_PAPER


def svg(chart: Chart) -> str:
    """The chart as an SVG element, with its title for those who have it read to them."""
    frame = _Frame.of(chart)
    width, height = chart.width_px, frame.bottom + 44 + _LEGEND_ROW_PX * len(_legend_rows(chart))
    title, palette = escape(_printable(chart.title)), chart.palette
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'role="img" font-family="sans-serif" font-size="12" fill="{palette.ink}"><title>{title}</title>'
        f'<rect width="{width}" height="{height}" fill="{palette.paper}"/>'
        f'<text x="{frame.left}" y="20" font-size="14" font-weight="bold">{title}</text>',
        *_bands(chart, frame),
        *_axes(chart, frame),
        *_lines(chart, frame),
        *_marks(chart, frame),
        *_legend(chart, frame),
        "</svg>",
    ]
    return "\n".join(parts)


def ticks(low: float, high: float, most: int = _TICKS) -> list[float]:
    """Round numbers from `low` to `high`, at most about `most`: steps of 1, 2 or 5 times a power of ten."""
    if not (math.isfinite(low) and math.isfinite(high)) or high <= low:
        return []
    rough = (high - low) / most
    power = 10.0 ** math.floor(math.log10(rough)) if rough > 0 else 0.0
    if power <= 0:
        return [low, high]
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough * 0.999999)
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [round(number * step, 12) for number in range(first, last + 1)]


_LEGEND_ROW_PX = 18


@dataclass(frozen=True, slots=True)
class _Frame:
    """The inside of the axes in pixels, and what it spans."""

    left: float
    right: float
    top: float
    bottom: float
    x: tuple[float, float]
    y: tuple[float, float]

    @classmethod
    def of(cls, chart: Chart) -> _Frame:
        points = [point for line in chart.lines for point in line.points if _is_finite(point)]
        edges = [edge for band in chart.bands for edge in (band.begin, band.end)] + [each.at for each in chart.marks]
        xs = [x for x, _ in points] + [edge for edge in edges if math.isfinite(edge)]
        x = _span(chart.x, xs, margin=0.0)
        y = _span(chart.y, [y for _, y in points], margin=0.05)
        labels = _labels(chart.y, y).values()
        left = 34 + _LETTER_PX * max((len(label) for label in labels), default=3)
        return cls(left, chart.width_px - 18, 34, chart.height_px - 44, x, y)

    def across(self, x: float) -> float:
        low, high = self.x
        return self.left + (min(max(x, low), high) - low) / (high - low) * (self.right - self.left)

    def up(self, y: float) -> float:
        low, high = self.y
        return self.bottom - (min(max(y, low), high) - low) / (high - low) * (self.bottom - self.top)


def _span(axis: Axis, values: Sequence[float], margin: float) -> tuple[float, float]:
    """From where to where an axis goes; never of no length."""
    low = axis.low if axis.low is not None else min(values, default=0.0)
    high = axis.high if axis.high is not None else max(values, default=1.0)
    room = (high - low) * margin
    low, high = low - (room if axis.low is None else 0), high + (room if axis.high is None else 0)
    if not high - low > 1e-12 * max(abs(low), abs(high), 1e-300):
        return low - max(abs(low), 1.0) * 0.5, low + max(abs(low), 1.0) * 0.5
    return low, high


def _axes(chart: Chart, frame: _Frame) -> list[str]:
    parts, ink, grid = [], chart.palette.ink, chart.palette.grid
    for value, text in _labels(chart.x, frame.x).items():
        at = _px(frame.across(value))
        parts.append(f'<path d="M{at} {frame.top}V{frame.bottom}" stroke="{grid}"/>')
        parts.append(f'<text x="{at}" y="{frame.bottom + 16}" text-anchor="middle">{text}</text>')
    for value, text in _labels(chart.y, frame.y).items():
        at = _px(frame.up(value))
        parts.append(f'<path d="M{_px(frame.left)} {at}H{frame.right}" stroke="{grid}"/>')
        parts.append(f'<text x="{_px(frame.left - 6)}" y="{at}" dy="4" text-anchor="end">{text}</text>')
    left, middle = _px(frame.left), _px((frame.top + frame.bottom) / 2)
    parts.append(f'<path d="M{left} {frame.top}V{frame.bottom}H{frame.right}" fill="none" stroke="{ink}"/>')
    x_name, y_name = escape(_printable(chart.x.name)), escape(_printable(chart.y.name))
    parts.append(f'<text x="{frame.right}" y="{frame.bottom + 34}" text-anchor="end">{x_name}</text>')
    parts.append(f'<text transform="translate(14 {middle}) rotate(-90)" text-anchor="middle">{y_name}</text>')
    return parts


def _labels(axis: Axis, span: tuple[float, float]) -> dict[float, str]:
    """What is written along an axis, where."""
    if axis.ticks is None:
        return {value: _number(value) for value in ticks(*span)}
    return {value: escape(_printable(text)) for value, text in axis.ticks.items() if span[0] <= value <= span[1]}


def _bands(chart: Chart, frame: _Frame) -> list[str]:
    colours = _band_colours(chart)
    parts = []
    for band in chart.bands:
        if not (math.isfinite(band.begin) and math.isfinite(band.end)):
            continue
        begin, end = frame.across(min(band.begin, band.end)), frame.across(max(band.begin, band.end))
        parts.append(
            f'<rect x="{_px(begin)}" y="{frame.top}" width="{_px(max(end - begin, 1.0))}" '
            f'height="{frame.bottom - frame.top}" fill="{colours[band.name]}" fill-opacity="0.3">'
            f"<title>{escape(_printable(band.name))}</title></rect>"
        )
    return parts


def _lines(chart: Chart, frame: _Frame) -> list[str]:
    parts = []
    for number, line in enumerate(chart.lines):
        path = " ".join(_stroke(run) for run in _runs(line.points, frame))
        if path:
            parts.append(f'<path d="{path}" fill="none" stroke-width="1.6" {_look(number, chart.palette)}/>')
    return parts


def _runs(points: Sequence[Point], frame: _Frame) -> list[list[Point]]:
    """The stretches between gaps, in pixels, and no finer than can be seen."""
    runs: list[list[Point]] = [[]]
    for point in points:
        if _is_finite(point):
            runs[-1].append((frame.across(point[0]), frame.up(point[1])))
        elif runs[-1]:
            runs.append([])
    return [_thinned(run) for run in runs if run]


def _thinned(run: list[Point]) -> list[Point]:
    """Of the points of one pixel column the first, lowest, highest and last: an hour of scores is a small picture."""
    if len(run) < 2000 or any(later[0] < earlier[0] for earlier, later in pairwise(run)):
        return run
    columns: dict[int, list[Point]] = {}
    for point in run:
        columns.setdefault(round(point[0]), []).append(point)
    kept: list[Point] = []
    for column in columns.values():
        extremes = {0, len(column) - 1}
        extremes |= {pick(range(len(column)), key=lambda at: column[at][1]) for pick in (min, max)}  # noqa: B023
        kept += [column[at] for at in sorted(extremes)]
    return kept


def _stroke(run: list[Point]) -> str:
    if len(run) == 1:
        return f"M{_px(run[0][0] - 2)} {_px(run[0][1])}h4"
    return "M" + "L".join(f"{_px(x)} {_px(y)}" for x, y in run)


def _look(number: int, palette: Palette) -> str:
    colour = palette.lines[number % len(palette.lines)]
    dash = DASHES[number % len(DASHES)]
    return f'stroke="{colour}"' + (f' stroke-dasharray="{dash}"' if dash else "")


def _marks(chart: Chart, frame: _Frame) -> list[str]:
    parts, ink = [], chart.palette.ink
    # of each row of words, where those that stand in it begin and end
    rows: list[list[tuple[float, float]]] = []
    for mark in chart.marks:
        if math.isfinite(mark.at):
            at, text = frame.across(mark.at), escape(_printable(mark.text))
            to_the_right = at < (frame.left + frame.right) / 2
            anchor, shift = ("start", 4) if to_the_right else ("end", -4)
            wide = _LETTER_PX * len(mark.text) + 8
            row = _free_row(rows, (at, at + wide) if to_the_right else (at - wide, at))
            parts.append(f'<path d="M{_px(at)} {frame.top}V{frame.bottom}" stroke="{ink}" stroke-dasharray="3 3"/>')
            down = frame.top + 11 + 13 * row
            parts.append(f'<text x="{_px(at + shift)}" y="{down}" text-anchor="{anchor}">{text}</text>')
    return parts


def _free_row(rows: list[list[tuple[float, float]]], place: tuple[float, float]) -> int:
    """The first row with room between two x, which is taken; a new one, or the last of a few, crowded."""
    for number, row in enumerate(rows):
        if all(place[1] <= begin or end <= place[0] for begin, end in row) or number == _MARK_ROWS - 1:
            row.append(place)
            return number
    rows.append([place])
    return len(rows) - 1


def _legend_rows(chart: Chart) -> list[list[tuple[str, str]]]:
    """Swatches and names, in as many rows as they need."""
    entries = [(_swatch(number, chart.palette), line.name) for number, line in enumerate(chart.lines) if line.name]
    entries += [(_block(colour), name) for name, colour in _band_colours(chart).items() if name]
    rows: list[list[tuple[str, str]]] = []
    room = 0.0
    for entry in entries:
        width = 44 + _LETTER_PX * len(entry[1])
        if not rows or room < width:
            rows.append([])
            room = chart.width_px - 60.0
        rows[-1].append(entry)
        room -= width
    return rows


def _legend(chart: Chart, frame: _Frame) -> list[str]:
    parts = []
    for number, row in enumerate(_legend_rows(chart)):
        across, down = frame.left, frame.bottom + 44 + _LEGEND_ROW_PX * number
        for swatch, name in row:
            parts.append(f'<g transform="translate({_px(across)} {_px(down)})">{swatch}')
            parts.append(f'<text x="28" y="4">{escape(_printable(name))}</text></g>')
            across += 44 + _LETTER_PX * len(name)
    return parts


def _swatch(number: int, palette: Palette) -> str:
    return f'<path d="M0 0H22" stroke-width="2" {_look(number, palette)}/>'


def _block(colour: str) -> str:
    return f'<rect y="-6" width="22" height="12" fill="{colour}" fill-opacity="0.3"/>'


def _band_colours(chart: Chart) -> dict[str, str]:
    names = dict.fromkeys(band.name for band in chart.bands)
    return {name: _BANDS[number % len(_BANDS)] for number, name in enumerate(names)}


def _is_finite(point: Point) -> bool:
    return math.isfinite(point[0]) and math.isfinite(point[1])


def _px(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


def _number(value: float) -> str:
    return f"{value:.6g}"


def _printable(text: str) -> str:
    """Without the control characters that XML forbids."""
    return "".join(letter if letter.isprintable() or letter in "\t\n" else "\ufffd" for letter in text)
