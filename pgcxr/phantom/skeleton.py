"""Bones of the frontal chest in cm: ribs, clavicles, spine, scapulae, humeri."""

from dataclasses import dataclass

import numpy as np

from pgcxr.phantom.canvas import Canvas, edges, ovals, smooth, strip
from pgcxr.phantom.outline import LEFT, RIGHT, Frontal

RIBS = 11
FRONT_RIBS = 8  # ribs whose anterior arc is bone as far as it is drawn
_BACK = np.linspace(0.02, 1.72, 15)  # angle along the rib, 0 at the spine, pi at the sternum
_FRONT = np.linspace(1.45, 2.52, 10)
_SIDES = np.repeat((RIGHT, LEFT), RIBS)


@dataclass(frozen=True)
class Ribs:
    """Center lines of all ribs, right ones first, from the top: cm, and their heights, cm."""

    back: np.ndarray  # [2 RIBS, 15, 2] posterior arcs, from the spine outwards
    front: np.ndarray  # [2 RIBS, 10, 2] anterior arcs, from the side inwards
    width: np.ndarray  # [2 RIBS]

    @property
    def has_front(self) -> np.ndarray:
        return np.tile(np.arange(RIBS) < FRONT_RIBS, 2)


def ribs(frontal: Frontal) -> Ribs:
    """Inclined half ellipses seen from the front.

    A rib leaves the spine almost level, reaches the lateral wall half of its fall lower, and comes
    back to the front below that: x = W sin(t), y = y0 + fall (1 - cos t) / 2.
    """
    p, s, breath = frontal.patient, frontal.size, frontal.exposure.inspiration
    wobble = np.random.default_rng([p.seed, 11]).normal(0, 0.12, 2 * RIBS) * s
    number = np.tile(np.arange(1, RIBS + 1), 2)
    start = (-0.9 + 2.2 * (number - 1) * (1 + 0.012 * breath)) * s
    fall = np.minimum(4.2 + 1.05 * number, 10.8) * p.rib_slope * (1 - 0.03 * breath) * s
    if frontal.view == "AP":  # the tube stands in front: anterior arcs project higher
        fall = fall * 0.86
    lateral = frontal.cage(start + 0.55 * fall) + 0.55 * s
    lateral = np.minimum(
        lateral, np.select([number == 1, number == 2], [6.1, 8.9], 99.0) * s * p.chest_width
    )
    hump = np.select([number == 1, number > 8], [0.2, 0.2], 0.55) * s
    steep = 1.3 * np.maximum(number - 8, 0) * s  # the lowest ribs hang

    def arcs(t):
        x = 1.6 * s + (lateral - 1.6 * s)[:, None] * np.sin(t) ** 0.72
        y = (start + wobble)[:, None] + fall[:, None] * (1 - np.cos(t)) / 2
        y = y - hump[:, None] * np.sin(2 * np.minimum(t, np.pi / 2))
        y = y + steep[:, None] * np.sin(np.minimum(t, np.pi / 2))
        return np.stack([_SIDES[:, None] * x, y], -1)

    return Ribs(arcs(_BACK), arcs(_FRONT), (0.95 + 0.05 * np.minimum(number, 7)) * s)


def rib_layers(canvas: Canvas, bones: Ribs, view: str) -> tuple[np.ndarray, np.ndarray]:
    """8-bit layers (posterior, anterior): filled shafts with denser cortex along both edges."""
    back = canvas.fill(strip(bones.back, bones.width[:, None]), value=0.6)
    # The upper and the lower edge change places from one side of the body to the other.
    one, other = edges(bones.back, 0.9 * bones.width[:, None])
    right = (_SIDES == RIGHT)[:, None, None]
    canvas.stroke(np.where(right, other, one), 0.16, layer=back, value=0.85)
    canvas.stroke(
        np.where(right, one, other), 0.13, layer=back, value=0.95 if view == "AP" else 0.75
    )
    shown = bones.has_front
    widths = bones.width[shown, None] * np.linspace(1.0, 1.22, len(_FRONT))
    front = canvas.fill(strip(bones.front[shown], 1.05 * widths), value=0.42)
    canvas.stroke(
        np.concatenate(edges(bones.front[shown], 0.95 * widths)), 0.12, layer=front, value=0.66
    )
    return back, front


def clavicles(frontal: Frontal) -> np.ndarray:
    """Outlines of both clavicles [2, N, 2]: S-shaped, with thick ends; they rise to the
    shoulder."""
    p, s = frontal.patient, frontal.size
    lift = (-1.0 if frontal.view == "AP" else 0.3) * s
    turn = 0.8 * frontal.exposure.turn * s
    rise = (2.1 - 0.55 * p.shoulder_drop) * s
    x = np.array((1.7, 3.9, 7.2, 10.6, 13.3, 15.6 * p.chest_width)) * s
    y = (
        np.array((3.9, 3.35, 2.75, 1.7, 1.1, 1.3)) * s
        + lift
        - rise * np.array((0, 0.1, 0.35, 0.75, 1, 1))
    )
    shift = turn * np.array((1, 0.7, 0, 0, 0, 0))
    lines = smooth(
        np.stack([np.stack([side * x + shift, y], 1) for side in (RIGHT, LEFT)]), closed=False
    )
    along = np.linspace(0, 1, lines.shape[1])
    width = np.interp(along, [0, 0.12, 0.45, 0.8, 1], [2.0, 1.6, 1.1, 1.15, 1.5]) * s
    return strip(lines, width * (0.9 if p.sex == "F" else 1.0))


def scapulae(frontal: Frontal) -> tuple[np.ndarray, list[np.ndarray]]:
    """Outlines of both shoulder blades, and their denser lines (spine, lateral border)."""
    p, s = frontal.patient, frontal.size
    shift = (
        1.06 * frontal.exposure.scapula * s + (p.chest_width - 1) * 12 * s,
        0.55 * p.shoulder_drop * s,
    )
    blade = [
        (12.6, 1.4),
        (13.3, 5.0),
        (13.9, 9.5),
        (14.6, 13.2),
        (15.4, 12.6),
        (16.2, 9),
        (17.1, 6.2),
        (17.2, 3.4),
    ]
    blade = np.array([*blade, (15.2, 1.5)]) * s + shift
    ridge = smooth(
        np.array([(12.9, 3.6), (14.6, 2.2), (16.6, 0.6), (18.3, -0.1)]) * s + shift, closed=False
    )
    border = smooth(np.array([(17.3, 5.2), (16.2, 9.0), (15.0, 12.9)]) * s + shift, closed=False)
    return smooth(np.stack([blade, blade * (-1, 1)])), [
        ridge,
        border,
        ridge * (-1, 1),
        border * (-1, 1),
    ]


def humeri(frontal: Frontal) -> np.ndarray:
    """Outlines of both upper arm bones with their heads."""
    s = frontal.size
    lines = np.stack(frontal.arms())
    lines[:, 0] -= 0.05 * (lines[:, -1] - lines[:, 0])
    width = np.interp(np.arange(lines.shape[1]), [0, 0.5, 1.5, 7], [3.2, 4.1, 2.3, 2.0]) * s
    return smooth(strip(lines, width), steps=3)


def spine(frontal: Frontal) -> tuple[np.ndarray, np.ndarray]:
    """Outlines of the vertebral bodies C6 to L3, and of their pedicles and spinous processes."""
    p, s = frontal.patient, frontal.size
    number = np.arange(-3, 16)
    tall = (1.5 + 0.075 * (number + 3)) * s
    y = -7.0 * s + np.concatenate([[0], np.cumsum(tall[:-1])])
    wobble = 1 + np.random.default_rng([p.seed, 12]).normal(0, 0.02, len(number))
    wide = (2.5 + 0.11 * np.maximum(number, 0)) * s * wobble
    x = p.scoliosis * s * np.sin((y / s + 4) / 9.0)
    box = np.array(
        [
            (-0.5, -0.5),
            (0, -0.43),
            (0.5, -0.5),
            (0.46, 0),
            (0.5, 0.5),
            (0, 0.43),
            (-0.5, 0.5),
            (-0.46, 0),
        ]
    )
    bodies = box * np.stack([wide, 0.84 * tall], 1)[:, None] + np.stack([x, y], 1)[:, None]
    turn = 0.35 * frontal.exposure.turn * s
    pedicles = [
        ovals(
            np.stack([x + side * 0.33 * wide + turn, y - 0.12 * tall], 1), 0.13 * wide, 0.26 * tall
        )
        for side in (RIGHT, LEFT)
    ]
    processes = ovals(
        np.stack([x + 1.3 * turn, y + 0.45 * tall], 1), np.full(len(x), 0.17 * s), 0.42 * tall
    )
    return bodies, np.concatenate([*pedicles, processes])
