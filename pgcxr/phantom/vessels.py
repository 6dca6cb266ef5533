"""Branching pulmonary vessels in cm, and a raster of their projected thickness."""

import numpy as np

from pgcxr.phantom.canvas import Canvas

GENERATIONS = 6
DEEPEST = 2.0  # cm of blood that an 8-bit 255 stands for


def tree(
    rng: np.random.Generator, roots, facing, reach: float, calibre: float, spread=(-1.35, 1.45)
):
    """Grows one tree from each hilum in `roots` [T, 2], cm.

    `facing` [T] is +1 where the lung lies to the right of the image; `spread` the range of
    directions (radians from the horizontal, positive down); `reach` about how far (cm) a tree goes;
    `calibre` its first diameter, cm. Returns a list over generations of (lines [n, 4, 2] cm,
    diameter cm).
    """
    mains, trees = 6, len(roots)
    angle = np.tile(np.linspace(spread[0], spread[1], mains), trees) + rng.normal(
        0, 0.09, mains * trees
    )
    start = np.repeat(np.asarray(roots, np.float64), mains, 0) + rng.normal(
        0, 0.35, (mains * trees, 2)
    ) * (0.4, 1.3)
    sense = np.repeat(np.asarray(facing, np.float64), mains)
    # Vessels to the bases are longer and wider: the lung is longer there and, upright, better
    # perfused.
    length = (
        reach
        * 0.21
        * (0.85 + 0.35 * np.clip(angle, -0.5, 1))
        * rng.uniform(0.8, 1.2, mains * trees)
    )
    diameter, grown = calibre, []
    part = np.arange(1, 4) / 3
    for _ in range(GENERATIONS):
        n = len(angle)
        bend = rng.normal(0, 0.22, n)
        turned = angle[:, None] + bend[:, None] * part
        lines = np.empty((n, 4, 2))
        lines[:, 0] = start
        step = (length / 3)[:, None]
        lines[:, 1:, 0] = start[:, :1] + np.cumsum(sense[:, None] * np.cos(turned) * step, 1)
        lines[:, 1:, 1] = start[:, 1:] + np.cumsum(np.sin(turned) * step, 1)
        grown.append((lines, diameter))
        fork = rng.uniform(0.16, 0.52, 2 * n)
        fork[n:] *= -1
        angle = np.concatenate([angle + bend] * 2) + fork
        start, sense = np.concatenate([lines[:, 3]] * 2), np.concatenate([sense] * 2)
        length = np.concatenate([length, length]) * rng.uniform(0.62, 0.98, 2 * n)
        diameter *= 0.72
    return grown


def draw(canvas: Canvas, grown) -> np.ndarray:
    """cm of blood along each ray, float32 [size, size] (crossings are not added up)."""
    layer = canvas.blank()
    for lines, diameter in reversed(grown):
        if diameter * canvas.density >= 0.12:
            canvas.stroke(lines, diameter, layer=layer, value=min(1.0, diameter / DEEPEST))
    return canvas.cover(layer, 0.04) * np.float32(DEEPEST)
