"""Lines over a logarithmic scale as an SVG that reads on a light page and on a dark one; panels one below the other."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

WIDTH, PANEL, LEFT, RIGHT, TOP, BOTTOM = 760, 300, 70, 200, 30, 40
COLOURS = ("#2a7de1", "#d9822b", "#7a8794", "#2e9e5b")


@dataclass(frozen=True, slots=True)
class Line:
    """A name and its points."""

    name: str
    points: tuple[tuple[float, float], ...]


def plot(across: str, panels: Sequence[tuple[str, Sequence[Line]]]) -> str:
    """The picture: each panel has what it counts, and its lines."""
    drawn = "".join(_panel(across, up, lines, at * PANEL) for at, (up, lines) in enumerate(panels))
    height = PANEL * len(panels)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
        f'font-family="sans-serif" font-size="12" fill="#7a8794">\n{drawn}</svg>\n'
    )


def _panel(across: str, up: str, lines: Sequence[Line], down: int) -> str:
    points = [point for line in lines for point in line.points]
    x = _Scale([p[0] for p in points], LEFT, WIDTH - RIGHT)
    y = _Scale([p[1] for p in points], down + PANEL - BOTTOM, down + TOP)
    parts = [f'<text x="{LEFT}" y="{down + 18}" font-weight="bold">{escape(up)}</text>']
    for value in x.decades():
        at = x(value)
        parts.append(f'<path d="M{at:.1f} {down + TOP}V{down + PANEL - BOTTOM}" stroke="#7a879444"/>')
        parts.append(f'<text x="{at:.1f}" y="{down + PANEL - BOTTOM + 18}" text-anchor="middle">{value:,g}</text>')
    for value in y.decades():
        at = y(value)
        parts.append(f'<path d="M{LEFT} {at:.1f}H{WIDTH - RIGHT}" stroke="#7a879444"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{at + 4:.1f}" text-anchor="end">{value:,g}</text>')
    parts.append(f'<text x="{WIDTH - RIGHT + 8}" y="{down + PANEL - BOTTOM + 18}">{escape(across)}</text>')
    names = _apart([y(line.points[-1][1]) + 4 for line in lines])
    for line, colour, name_at in zip(lines, COLOURS, names, strict=False):
        path = " ".join(f"{x(px):.1f},{y(py):.1f}" for px, py in line.points)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += [f'<circle cx="{x(px):.1f}" cy="{y(py):.1f}" r="3" fill="{colour}"/>' for px, py in line.points]
        parts.append(f'<text x="{WIDTH - RIGHT + 8}" y="{name_at:.1f}" fill="{colour}">{escape(line.name)}</text>')
    return "".join(f"{part}\n" for part in parts)


def _apart(heights: Sequence[float]) -> list[float]:
    """The same heights, moved down where one name would stand on another."""
    moved = list(heights)
    last = -math.inf
    for at in sorted(range(len(moved)), key=moved.__getitem__):
        last = moved[at] = max(moved[at], last + 14)
    return moved


class _Scale:
    """From a value to a place, by its logarithm, over whole decades."""

    def __init__(self, values: Sequence[float], start: float, end: float) -> None:
        above = [math.log10(value) for value in values if value > 0] or [0.0]
        self._low, self._high = math.floor(min(above)), max(math.ceil(max(above)), math.floor(min(above)) + 1)
        self._start, self._end = start, end

    def __call__(self, value: float) -> float:
        share = (math.log10(max(value, 10.0**self._low)) - self._low) / (self._high - self._low)
        return self._start + share * (self._end - self._start)

    def decades(self) -> list[float]:
        return [10.0**power for power in range(self._low, self._high + 1)]
