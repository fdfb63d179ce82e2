"""The picture: bars of each peer's time as a multiple of isomount's, as SVG by hand."""

import math
from html import escape

from tests.benchmarks.results import ISOMOUNT, Results
from tests.benchmarks.targets import times

_COLOURS = (
    "#4c78a8",
    "#f58518",
    "#54a24b",
    "#b279a2",
    "#e45756",
    "#72b7b2",
    "#9d9d9d",
    "#cfcfcf",
)
_LOWEST, _HIGHEST = 0.1, 100.0  # the axis, a power of ten at either end
_LABELS, _WIDTH = 330, 620  # pixels
_BAR, _GAP, _TOP = 9, 10, 60


def draw(results: Results) -> str:
    """The chart of all rows in which isomount has a figure."""
    names = [name for name in results.versions if name != ISOMOUNT]
    colours = dict(zip(names, _COLOURS, strict=False))
    parts = _legend(names, colours)
    top = _TOP
    for row in results.rows.values():
        bars = [(name, ratio) for name in names if (ratio := row.ratio(name)) is not None]
        if not bars:
            continue
        middle = top + len(bars) * _BAR / 2 + 4
        parts.append(_text(_LABELS - 8, middle, row.title.replace("`", ""), "end"))
        for name, ratio in bars:
            parts += _bar(top, ratio, colours.get(name, "#000000"))
            top += _BAR
        top += _GAP
    return _page(top, [*_axis(top), *parts])


def _place(ratio: float) -> float:
    inside = min(max(ratio, _LOWEST), _HIGHEST)
    share = math.log10(inside / _LOWEST) / math.log10(_HIGHEST / _LOWEST)
    return _LABELS + share * _WIDTH


def _bar(top: float, ratio: float, colour: str) -> list[str]:
    left, right = sorted((_place(1), _place(ratio)))
    rectangle = (
        f'<rect x="{left:.1f}" y="{top}" width="{right - left:.1f}" height="{_BAR - 1}" '
        f'fill="{colour}"/>'
    )
    # A short bar to the left would run into its own figure.
    return [rectangle, _text(max(right, _place(1)) + 3, top + _BAR - 1.5, times(ratio), size=8)]


def _axis(bottom: float) -> list[str]:
    parts = []
    for power in range(round(math.log10(_LOWEST)), round(math.log10(_HIGHEST)) + 1):
        x, ratio = _place(10.0**power), 10.0**power
        colour = "#000000" if power == 0 else "#dddddd"
        parts.append(
            f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP - 8}" y2="{bottom}" stroke="{colour}"/>'
        )
        parts.append(_text(x, _TOP - 12, f"{ratio:g}x", "middle"))
    return parts


def _legend(names: list[str], colours: dict[str, str]) -> list[str]:
    parts = [_text(8, 18, "time as a multiple of isomount's (right of the line: slower)", size=13)]
    for number, name in enumerate(names):
        x = 8 + number * 120
        parts.append(
            f'<rect x="{x}" y="26" width="10" height="10" fill="{colours.get(name, "#000000")}"/>'
        )
        parts.append(_text(x + 14, 35, name))
    return parts


def _text(x: float, y: float, words: str, anchor: str = "start", size: int = 11) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}">'
        f"{escape(words)}</text>"
    )


def _page(bottom: float, parts: list[str]) -> str:
    width, height = _LABELS + _WIDTH + 60, bottom + 20
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" font-family="sans-serif">'
    )
    ground = f'<rect width="{width}" height="{height}" fill="#ffffff"/>'
    return "\n".join([head, ground, *parts, "</svg>"]) + "\n"
