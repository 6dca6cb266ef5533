"""The five findings of the study, made by moving and replacing tissue before the exposure.

Each function changes a scene in place. `severity` is in (0, 1]; `rng` decides side, place and
shape. Sizes follow what radiology texts call mild to severe: a nodule of 6 to 35 mm, an effusion
from a blunted angle (200 ml) to an opaque hemithorax, a pneumothorax from an apical rim of 1 cm to
a collapsed lung with shift.
"""

import numpy as np

from pgcxr.phantom import vessels
from pgcxr.phantom.canvas import ovals, smooth
from pgcxr.phantom.places import ball, in_lung, one_side, shift_mediastinum
from pgcxr.phantom.scene import Scene


def nodule(scene: Scene, severity: float, rng: np.random.Generator) -> None:
    """One to five balls of soft tissue in aerated lung; severity sets the diameter of the
    largest."""
    count = 1 if rng.random() < 0.68 else int(rng.integers(2, 6))
    largest = 0.55 + 2.9 * severity * rng.uniform(0.85, 1.1)
    for index in range(count):
        radius = 0.5 * largest * (1.0 if index == 0 else rng.uniform(0.55, 0.95))
        side = one_side(scene, rng)
        center = in_lung(scene, rng, side, 0.6 + 0.5 * radius, (0.08, 0.92))
        scene.blood += scene.canvas.blur(ball(scene, center, radius, 0.07, rng.uniform(0, 6)), 0.06)


def consolidation(scene: Scene, severity: float, rng: np.random.Generator) -> None:
    """Alveoli filled with fluid: one patch or several, soft edged, with air-filled bronchi running
    through."""
    canvas = scene.canvas
    side = one_side(scene, rng, 0.56)
    lobar = rng.random() < 0.6
    for _ in range(1 if lobar else int(rng.integers(2, 4))):
        radius = (
            (1.7 + 4.6 * severity)
            * (1.0 if lobar else 0.62)
            * rng.uniform(0.85, 1.15)
            * _size(scene)
        )
        center = in_lung(
            scene,
            rng,
            side,
            min(2.5, 0.6 * radius),
            (0.3, 0.95) if rng.random() < 0.75 else (0.1, 0.5),
        )
        wobble = 1 + 0.22 * rng.standard_normal(10)
        outline = smooth(ovals(center, radius * rng.uniform(0.8, 1.2), radius, 10, wobble), steps=4)
        patchy = canvas.noise(rng, (1.4, 3.0), (0.16, 0.20))
        filled = canvas.cover(canvas.fill(outline), 0.22 * radius + 0.25) * scene.cover[side]
        filled = np.clip(filled * (0.93 + patchy), 0, 1) * np.float32(0.38 + 0.52 * severity)
        root = center - np.array((side, -0.1)) * 0.8 * radius
        bronchi = vessels.draw(
            canvas, vessels.tree(rng, [root], [side], 2.4 * radius, 0.34, (-0.7, 0.7))
        )
        filled *= 1 - np.clip(1.3 * bronchi, 0, 0.3)
        scene.density += filled * np.maximum(0.97 - scene.density, 0)


def interstitial_opacity(scene: Scene, severity: float, rng: np.random.Generator) -> None:
    """Thickened septa and small nodules in both lungs, toward the bases or everywhere."""
    canvas = scene.canvas
    basal = rng.random() < 0.6
    lungs = np.maximum.reduce([scene.cover[side] for side in scene.sides])
    points = np.concatenate([scene.outlines[side] for side in scene.sides])
    low, high = points.min(0), points.max(0)
    _, y = canvas.grid()
    weight = (
        np.clip((y - low[1]) / (high[1] - low[1]) * 1.5 - 0.25, 0.08, 1)
        if basal
        else np.float32(0.8)
    )
    weight = weight * lungs * np.clip(0.9 + canvas.noise(rng, (4.0,), (0.2,)), 0.3, 1.4)
    many = 900
    middle = rng.uniform(low, high, (many, 2))
    turn = rng.uniform(0, np.pi, many)
    half = 0.5 * rng.uniform(0.5, 1.5, many)[:, None] * np.stack([np.cos(turn), np.sin(turn)], 1)
    bow = 0.25 * rng.standard_normal((many, 1)) * half[:, ::-1] * (-1, 1)
    septa = canvas.cover(
        canvas.stroke(np.stack([middle - half, middle + bow, middle + half], 1), 0.13, value=0.8)
    )
    spots = ovals(rng.uniform(low, high, (500, 2)), np.full(500, 0.16), np.full(500, 0.16), 6)
    grains = canvas.cover(canvas.fill(spots, value=0.8), 0.05)
    mesh = np.clip(1 - 1.3 * np.abs(canvas.noise(rng, (0.9,), (1.0,))), 0, 1)
    amount = np.float32(0.35 + 0.65 * severity)
    scene.blood += (1.3 * septa + 0.8 * grains + 0.35 * mesh) * weight * amount
    # What is too fine to be seen as a line is seen as haze.
    scene.density += (0.03 + 0.16 * severity) * weight * (0.6 + 0.8 * mesh)


def pleural_effusion(scene: Scene, severity: float, rng: np.random.Generator) -> None:
    """Free fluid: level with a meniscus that climbs the lateral wall; from a blunted angle to a
    white hemithorax."""
    both = rng.random() < 0.22
    first = one_side(scene, rng)
    if severity > 0.8 and not both and scene.frontal is not None:
        shift_mediastinum(scene, -first * 8 * (severity - 0.8) * _size(scene))
    for side in scene.sides:
        if side == first or both:
            _fluid(scene, side, severity * (1.0 if side == first else rng.uniform(0.4, 0.9)), rng)


def _fluid(scene: Scene, side: float, severity: float, rng: np.random.Generator) -> None:
    canvas, s = scene.canvas, _size(scene)
    outline = scene.outlines[side]
    bottom = outline[:, 1].max()
    level = bottom - (1.9 + 22.5 * severity**1.45) * s * rng.uniform(0.9, 1.1)
    left, right = outline[:, 0].min() - 1, outline[:, 0].max() + 1
    along = np.linspace(0, 1, 14)
    # Measured from the lateral wall: the fluid creeps up there, dips, and lies level further in.
    drop = (3.6 - 1.6 * severity) * s * (1 - np.exp(-along / 0.22)) + 0.4 * s * along
    lateral, medial = (left, right) if side < 0 else (right, left)
    surface = np.stack([lateral + (medial - lateral) * along, level + drop], 1)
    fluid = np.concatenate([surface, [(medial, bottom + 12 * s), (lateral, bottom + 12 * s)]])
    wet = canvas.cover(canvas.fill(fluid), (0.45 + 0.5 * severity) * s)
    # A supine patient's fluid lies behind the lung and only veils it.
    depth = 0.62 if scene.view == "AP" else 0.95
    if (
        scene.frontal is not None
    ):  # the recess below the dome belongs to this side's half of the image
        x, _ = canvas.grid()
        wet = wet * (np.sign(x) == side)
    scene.lung *= 1 - np.float32(depth) * wet


def pneumothorax(scene: Scene, severity: float, rng: np.random.Generator) -> None:
    """Air between lung and chest wall: no vessels outside a thin pleural line, a smaller and denser
    lung within."""
    canvas, s = scene.canvas, _size(scene)
    side = one_side(scene, rng)
    if severity > 0.75 and scene.frontal is not None:
        shift_mediastinum(scene, -side * 9 * (severity - 0.75) * s)
    outline = scene.outlines[side]
    hilum = np.array((side * 3.2 * s, 12.5 * s)) if scene.frontal is not None else outline.mean(0)
    gap = (0.7 + 6.8 * severity**1.3) * s
    away = outline - hilum
    reach = np.linalg.norm(away, axis=1, keepdims=True)
    # Upright, the air collects at the apex; the base stays close to the diaphragm until late.
    height = (outline[:, 1:] - outline[:, 1].min()) / np.ptp(outline[:, 1])
    share = np.clip(1.25 - (1.15 - 0.5 * severity) * height**1.5, 0.06, 1.25)
    inner = hilum + away * np.maximum(
        1 - gap * share / np.maximum(reach, 0.1), 0.30 + 0.02 * np.minimum(reach, 8)
    )
    lung = canvas.cover(canvas.fill(smooth(inner, steps=2)), 0.05)
    air = np.clip(scene.cover[side] - lung, 0, 1)
    shown = scene.cover[side] * lung
    left_over = max(0.25, float((inner - hilum).std() / away.std()) ** 2)
    scene.density += shown * scene.density * (min(1 / left_over, 3.0) - 1) * 0.45
    scene.density *= 1 - 0.93 * air
    scene.blood *= 1 - air
    scene.blood += (
        canvas.cover(canvas.stroke([inner], 0.16 * s, closed=True), 0.04)
        * np.float32(0.45)
        * scene.cover[side]
    )


def _size(scene: Scene) -> float:
    return 1.0 if scene.frontal is None else scene.frontal.size
