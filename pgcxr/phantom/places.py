"""Where findings may lie, and helpers to move tissue: all in cm, the same at every number of
pixels."""

import cv2
import numpy as np

from pgcxr.phantom.scene import Scene


def one_side(scene: Scene, rng: np.random.Generator, right: float = 0.5) -> float:
    """A lung, the right one with probability `right`; the only one that can be told apart on a
    lateral film."""
    draw = rng.random()
    return scene.sides[0] if len(scene.sides) == 1 or draw < right else scene.sides[1]


def in_lung(
    scene: Scene, rng: np.random.Generator, side: float, margin: float, height=(0.0, 1.0)
) -> np.ndarray:
    """A point (cm) in a lung, `margin` cm from its outline and beside the mediastinum, in a range
    of heights 0..1."""
    outline = scene.outlines[side].astype(np.float32)
    low, high = outline.min(0), outline.max(0)
    top, bottom = (low[1] + part * (high[1] - low[1]) for part in height)
    clear = 0.0 if scene.frontal is None else 4.0 * scene.frontal.size
    best, deepest = None, -np.inf
    for _ in range(200):
        point = np.array([rng.uniform(low[0], high[0]), rng.uniform(top, bottom)])
        inside = cv2.pointPolygonTest(outline[:, None], (float(point[0]), float(point[1])), True)
        inside = min(inside, margin + abs(point[0]) - clear)
        if inside > deepest:
            best, deepest = point, inside
        if inside >= margin:
            break
    return best


def ball(scene: Scene, center, radius: float, lumpy: float = 0.0, phase: float = 0.0) -> np.ndarray:
    """cm of a ball along each ray, float32; `lumpy` makes its outline uneven."""
    x, y = scene.canvas.grid()
    dx, dy = x - np.float32(center[0]), y - np.float32(center[1])
    reach = radius
    if lumpy:
        turn = np.arctan2(dy, dx)
        reach = radius * (
            1 + lumpy * (np.sin(3 * turn + phase) + 0.6 * np.sin(5 * turn - 2 * phase)) / 1.6
        )
    return 2 * cv2.sqrt(cv2.max((reach**2 - dx * dx - dy * dy).astype(np.float32), 0.0))


def shift_mediastinum(scene: Scene, by: float) -> None:
    """Moves heart, great vessels and airways sideways by `by` cm; the spine and the chest wall
    stay.

    To be called before the lesion is made: a mask shows the lesion, not what it pushed aside.
    """
    canvas = scene.canvas
    x, y = canvas.grid()
    low = max(scene.frontal.dome(side) for side in scene.sides)
    weight = (
        np.exp(-((x / 6.5) ** 2)) * np.clip((low + 2.5 - y) / 4, 0, 1) * np.clip((y + 5) / 6, 0, 1)
    )
    # Undo the tilt: a move along the patient's x is a move along a turned axis of the image.
    columns, rows = np.meshgrid(
        np.arange(canvas.size, dtype=np.float32), np.arange(canvas.size, dtype=np.float32)
    )
    move = np.float32(by) * weight
    columns -= move * np.float32(canvas.rotation[0, 0])
    rows -= move * np.float32(canvas.rotation[1, 0])
    for name in ("lung", "blood", "gas"):
        moved = cv2.remap(
            getattr(scene, name), columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
        setattr(scene, name, moved)
    scene.shifted = scene.attenuation()
