"""Boxes and arrows on a grid, as an SVG element for a page: what goes where, with numbers in it.

No font of its own, and widths are estimated from the letters: a box is a little too wide rather
than too narrow.
"""

from dataclasses import dataclass, field

import numpy as np
from markupsafe import Markup

from pgcxr.plots.figure import COLORS

LETTER, LINE, SIZE = 6.6, 16.0, 12  # of text, in CSS pixels
PADDING, GAP_X, GAP_Y, HEAD = 12.0, 62.0, 34.0, 7.0
EDGE = COLORS[0]


@dataclass
class Diagram:
    """Boxes in the cells of a grid.

    Example:

        >>> drawn = Diagram().box("z", 0, 0, "Latent z").box("x", 1, 0, "Image", "64 px")
        >>> drawn.arrow("z", "x", "G").svg("how an image is made").startswith("<svg viewBox=")
        True
    """

    boxes: dict = field(default_factory=dict)
    arrows: list = field(default_factory=list)

    def box(self, name: str, column: int, row: int, *lines: str, color: str = EDGE) -> "Diagram":
        """A box; its first line is bold."""
        self.boxes[name] = (column, row, lines, color)
        return self

    def arrow(self, start: str, end: str, label: str = "") -> "Diagram":
        """An arrow between two boxes: straight in a row or a column, else first along the row."""
        self.arrows.append((start, end, label))
        return self

    def svg(self, title: str) -> Markup:
        """The element; `title` is for those who cannot see it."""
        placed, width, height = self._placed()
        parts = [_arrow(placed[start], placed[end], label) for start, end, label in self.arrows]
        parts += [
            _box(placed[name], lines, color) for name, (_, _, lines, color) in self.boxes.items()
        ]
        return Markup(
            '<svg viewBox="0 0 {w} {h}" width="{w}" height="{h}" role="img" aria-label="{title}" '
            'font-size="{size}" font-family="inherit">{parts}</svg>'
        ).format(
            w=round(width),
            h=round(height),
            title=title,
            size=SIZE,
            parts=Markup("").join(parts),
        )

    def _placed(self) -> tuple[dict, float, float]:
        """({name: (left, top, width, height)}, width and height of all)."""
        wide: dict[int, float] = {}
        high: dict[int, float] = {}
        for column, row, lines, _ in self.boxes.values():
            own = max(map(len, lines)) * LETTER + 2 * PADDING
            wide[column] = max(wide.get(column, 0), own)
            high[row] = max(high.get(row, 0), len(lines) * LINE + 1.4 * PADDING)
        left, top = _starts(wide, GAP_X), _starts(high, GAP_Y)
        placed = {
            name: (left[column], top[row], wide[column], high[row])
            for name, (column, row, _, _) in self.boxes.items()
        }
        return (
            placed,
            max(left[column] + wide[column] for column in wide) + 2,
            max(top[row] + high[row] for row in high) + 2,
        )


def _starts(sizes: dict[int, float], gap: float) -> dict[int, float]:
    found, at = {}, 2.0
    for place in sorted(sizes):
        found[place] = at
        at += sizes[place] + gap
    return found


def _box(place: tuple, lines: tuple, color: str) -> Markup:
    left, top, width, height = place
    first = top + (height - len(lines) * LINE) / 2 + LINE * 0.75
    texts = Markup("").join(
        Markup('<text x="{}" y="{}" text-anchor="middle"{}>{}</text>').format(
            round(left + width / 2, 1),
            round(first + LINE * number, 1),
            Markup(' font-weight="600"') if number == 0 else "",
            line,
        )
        for number, line in enumerate(lines)
    )
    frame = Markup(
        '<rect x="{}" y="{}" width="{}" height="{}" rx="7" fill="#fff" stroke="{}" '
        'stroke-width="1.6"/>'
    ).format(*(round(each, 1) for each in place), color)
    return frame + texts


def _arrow(start: tuple, end: tuple, label: str) -> Markup:
    """From the middle of an edge to the middle of one."""
    (x, y, w, h), (to_x, to_y, to_w, to_h) = start, end
    middle, to_middle = (x + w / 2, y + h / 2), (to_x + to_w / 2, to_y + to_h / 2)
    right, down = to_x > x, to_y > y
    if y == to_y:
        points = [(x + w * right, middle[1]), (to_x + to_w * (not right), middle[1])]
    elif x == to_x:
        points = [(middle[0], y + h * down), (middle[0], to_y + to_h * (not down))]
    else:
        points = [(x + w * right, middle[1]), (to_middle[0], middle[1])]
        points.append((to_middle[0], to_y + to_h * (not down)))
    line = Markup('<polyline points="{}" fill="none" stroke="#333" stroke-width="1.2"/>').format(
        _points(points)
    )
    (px, py), (tx, ty) = points[-2:]
    ux, uy = np.sign(tx - px) * HEAD, np.sign(ty - py) * HEAD  # along the last stretch
    tip = [(tx, ty), (tx - ux - uy / 2, ty - uy - ux / 2), (tx - ux + uy / 2, ty - uy + ux / 2)]
    line += Markup('<polygon points="{}" fill="#333"/>').format(_points(tip))
    if not label:
        return line
    (ax, ay), (bx, by) = points[:2]
    # Beside an arrow that goes down, above one that goes along.
    at = (ax + 6, (ay + by) / 2 + 4, "start") if ax == bx else ((ax + bx) / 2, ay - 6, "middle")
    return line + Markup('<text x="{:.1f}" y="{:.1f}" text-anchor="{}">{}</text>').format(
        *at, label
    )


def _points(points: list[tuple[float, float]]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
