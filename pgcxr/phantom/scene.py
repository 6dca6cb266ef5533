"""Thickness maps of the tissues along each ray, and what they absorb (Beer-Lambert)."""

from dataclasses import dataclass

import cv2
import numpy as np

from pgcxr.phantom import skeleton, vessels
from pgcxr.phantom.canvas import Canvas, ovals, smooth, strip
from pgcxr.phantom.outline import LEFT, RIGHT, Frontal

# Linear attenuation coefficients, 1/cm, at about 65 keV, the effective energy of a chest film at
# 120 kVp (NIST XCOM: water 0.20, cortical bone 0.56; bone counts here by what it adds to the water
# it displaces).
WATER = 0.20
BONE = 0.34
METAL = 4.0


@dataclass
class Scene:
    """float32 maps [size, size] in cm along the ray, apart from `density` (g/cm3 of lung).

    `cavity` is the depth of the pleural spaces, `lung` the aerated part of it: what a heart, a
    fluid or a collapse takes away becomes soft tissue. `gas` is free air inside soft tissue, `air`
    air in a pleural space or a bowel.
    """

    canvas: Canvas
    view: str
    sides: tuple[
        float, ...
    ]  # which lungs can be told apart: (RIGHT, LEFT), or (LEFT,) on a lateral film
    body: np.ndarray
    lung: np.ndarray
    density: np.ndarray
    blood: np.ndarray
    bone: np.ndarray
    gas: np.ndarray
    soft: np.ndarray  # soft tissue added to the body
    metal: np.ndarray
    cover: dict[float, np.ndarray]  # side: 0..1 coverage of its pleural cavity as seen
    outlines: dict[float, np.ndarray]  # side: [N, 2] cm
    frontal: Frontal | None = None
    bones: skeleton.Ribs | None = None
    shifted: np.ndarray | None = (
        None  # attenuation after a shift of the mediastinum, before the lesion itself
    )

    def attenuation(self) -> np.ndarray:
        """The line integral of the attenuation coefficient, dimensionless."""
        aerated = np.maximum(self.lung, 0)
        filled = np.minimum(
            self.density * aerated + (1 - self.density) * np.minimum(self.blood, aerated), aerated
        )
        water = np.maximum(self.body + self.soft - aerated + filled - self.gas, 0)
        return WATER * water + BONE * self.bone + METAL * self.metal


def frontal_scene(canvas: Canvas, frontal: Frontal) -> Scene:
    """The chest without findings, PA or AP."""
    p = frontal.patient
    cover = {side: canvas.cover(canvas.fill(frontal.cavity(side)), 0.05) for side in (RIGHT, LEFT)}
    lungs = np.maximum(cover[RIGHT], cover[LEFT])
    middle = _middle(canvas, frontal)
    cavity = canvas.rows(lambda x, y: _elliptic(frontal.depth(y), frontal.cage(y) * 1.01, x, 0.55))
    # The dome is round from front to back: close above it the lung is all there, behind it a wedge
    # goes on.
    lung = np.clip(cavity - middle, 0, None) * lungs
    lung += _behind_dome(canvas, frontal, cavity, lungs, middle)
    density = p.lung_density * (
        1 + 0.07 * canvas.noise(_rng(p, 1), (1.2, 3.5, 9.0), (0.5, 0.6, 0.8))
    )
    bones = skeleton.ribs(frontal)
    body, soft = _flesh(canvas, frontal)
    gas = _airways(canvas, frontal) + _bowel(canvas, frontal, lungs)
    return Scene(
        canvas=canvas,
        view=frontal.view,
        sides=(RIGHT, LEFT),
        body=body,
        lung=lung,
        density=np.clip(density, 0.08, 0.6).astype(np.float32),
        blood=_blood(canvas, frontal) * np.minimum(1.0, 0.25 * lung),
        bone=_bone(canvas, frontal, bones),
        gas=gas,
        soft=soft,
        metal=np.zeros_like(body),
        cover=cover,
        outlines={side: frontal.cavity(side) for side in (RIGHT, LEFT)},
        frontal=frontal,
        bones=bones,
    )


def _rng(patient, stream: int) -> np.random.Generator:
    return np.random.default_rng([patient.seed, stream])


def _elliptic(depth, half_width, x, power: float) -> np.ndarray:
    inside = np.clip(1 - (x / np.maximum(half_width, 0.1)) ** 2, 0, 1)
    return depth * inside**power


def _middle(canvas: Canvas, frontal: Frontal) -> np.ndarray:
    """cm of heart, vessels and spine in the way of the lung."""
    s, depth = frontal.size, frontal.inner_depth
    heart = canvas.solid(frontal.heart(), 1.3 * s) * np.float32(0.60 * depth)
    upper = canvas.solid(frontal.mediastinum(), 0.95 * s) * np.float32(0.50 * depth)
    aorta = canvas.cover(canvas.stroke([frontal.aorta()], 2.3 * s), 0.18 * s) * np.float32(2.6 * s)
    spine = canvas.rows(lambda x, y: 6.0 * s * np.exp(-0.5 * (x / (1.9 * s)) ** 2) + 0 * y)
    return np.maximum(np.maximum(heart, upper), 0) + aorta + spine


def _behind_dome(canvas: Canvas, frontal: Frontal, cavity, lungs, middle) -> np.ndarray:
    """The posterior recess: lung that reaches behind the dome, thinning out over a few cm."""
    s = frontal.size
    low = 3.4 * s
    shifted = cv2.warpAffine(
        lungs,
        np.float32([[1, 0, 0], [0, 1, low * canvas.density]]),
        lungs.shape[::-1],
        borderMode=cv2.BORDER_REPLICATE,
    )
    wedge = canvas.blur(np.maximum(shifted, lungs), 1.5 * s)
    return np.clip(cavity * 0.22 - 0.22 * middle, 0, None) * wedge * (1 - lungs)


def _flesh(canvas: Canvas, frontal: Frontal) -> tuple[np.ndarray, np.ndarray]:
    """(outer thickness of the body, muscle and breasts on top of it), cm."""
    p, s = frontal.patient, frontal.size
    wall = frontal.wall()
    depth = p.chest_depth * s
    trunk_y = np.array([-3.0, 0.0, 3.0, 8.0, 15.0, 21.0, 30.0]) * s
    trunk = (
        np.array([0.0, 0.50, 0.72, 0.92, 1.0, 1.02 + 0.06 * p.habitus, 1.02 + 0.16 * p.habitus])
        * depth
    )
    torso = canvas.fill(frontal.torso())
    inside = canvas.cover(torso)
    body = (
        canvas.rows(
            lambda x, y: _elliptic(np.interp(y, trunk_y, trunk), frontal.cage(y) + wall, x, 0.30)
        )
        * inside
    )
    # Neck, shoulders and arms: round bodies behind and beside the trunk.
    shell = (
        canvas.rounded(torso, 1.9 * s)
        * np.float32((15.0 + 3.0 * p.habitus) * s * p.muscle)
        * inside
    )
    arms = np.zeros_like(body)
    width = (7.6 + 3.4 * p.habitus) * s * p.muscle
    for line in frontal.arms():
        arms = np.maximum(
            arms, canvas.solid(strip(line, np.linspace(1.15, 0.9, len(line)) * width), 0.3 * width)
        )
    body = np.maximum(np.maximum(body, shell), arms * np.float32(0.95 * width))
    # Fat absorbs less than water: heavier people are less dense than they are thick.
    body *= np.float32(1 - 0.07 * p.habitus)
    grain = canvas.noise(_rng(p, 2), (0.9, 2.6, 7.0), (0.10, 0.22, 0.35))
    soft = grain * np.minimum(1, 0.2 * body) + _breasts(canvas, frontal) + _muscle(canvas, frontal)
    return body.astype(np.float32), soft.astype(np.float32)


def _breasts(canvas: Canvas, frontal: Frontal) -> np.ndarray:
    p, s = frontal.patient, frontal.size
    total = np.zeros((canvas.size, canvas.size), np.float32)
    if p.breast < 0.08:
        return total
    rng = _rng(p, 3)
    turn = np.arange(24) * (2 * np.pi / 24)
    big = (3.6 + 2.7 * p.breast + 1.8 * p.habitus) * s
    for side in (RIGHT, LEFT):
        center = (
            np.array([side * (8.4 + 0.9 * p.habitus), 16.0 + p.breast_drop + rng.normal(0, 0.4)])
            * s
        )
        sag = np.where(np.sin(turn) > 0, 1.0, 1.25)
        outline = center + big * np.stack([1.12 * np.cos(turn), sag * np.sin(turn)], 1)
        shape = canvas.solid(outline, 0.42 * big)
        # Standing, the weight hangs low: thickest just above the fold, fading out upwards.
        slope = canvas.rows(
            lambda x, y, c=center: np.clip((y - c[1]) / (2.0 * big) + 0.62, 0.05, 1) + 0 * x
        )
        total += shape * slope * np.float32(big * (0.46 + 0.34 * p.breast))
    return total


def _muscle(canvas: Canvas, frontal: Frontal) -> np.ndarray:
    """Pectoral and shoulder-girdle muscle over the upper lateral lung, cm."""
    p, s = frontal.patient, frontal.size
    total = np.zeros((canvas.size, canvas.size), np.float32)
    for side in (RIGHT, LEFT):
        fold = [
            (side * x * s, y * s)
            for x, y in [(4.5, 4.0), (10, 3.0), (16.5, 3.5), (17, 8), (13.4, 11.5), (9, 11)]
        ]
        total += canvas.cover(canvas.blur(canvas.fill(np.array(fold)), 1.3 * s))
    return total * np.float32((0.7 + 1.0 * (p.sex == "M")) * s * p.muscle)


def _airways(canvas: Canvas, frontal: Frontal) -> np.ndarray:
    s = frontal.size
    windpipe, right, left = frontal.trachea()
    wide = (1.75 if frontal.patient.sex == "M" else 1.5) * s
    layer = canvas.stroke([windpipe], wide, value=1.0)
    canvas.stroke([right, left], 1.15 * s, layer=layer, value=0.62)
    return canvas.cover(layer, 0.16 * s) * np.float32(0.72 * wide)


def _bowel(canvas: Canvas, frontal: Frontal, lungs: np.ndarray) -> np.ndarray:
    """The gastric bubble under the left dome (level fluid when upright), and gas in the colon."""
    p, s, e = frontal.patient, frontal.size, frontal.exposure
    total = np.zeros((canvas.size, canvas.size), np.float32)
    rng = _rng(p, 4)
    top = frontal.dome(LEFT) + 0.75 * s
    middle = (0.47 + 0.05 * rng.normal()) * float(frontal.cage(top))
    if e.gas > 0.05:
        wide, tall = (1.6 + 2.8 * e.gas) * s, (0.9 + 3.0 * e.gas) * s
        bubble = ovals((middle, top + tall), wide, tall, 28)
        if frontal.view == "PA":  # upright: level fluid; lying down the gas spreads out in front
            bubble[:, 1] = np.minimum(bubble[:, 1], top + tall * 1.15)
        edge, deep = (0.14, 1.0 + 3.0 * e.gas) if frontal.view == "PA" else (0.5, 0.6 + 1.4 * e.gas)
        total += canvas.cover(canvas.fill(bubble), edge * s) * np.float32(deep * s)
    many = int(rng.integers(0, 7)) if rng.random() < 0.6 else 0
    centers = (
        np.stack([rng.uniform(-0.2, 1.0, many) * 10.5, 24.5 + rng.uniform(0, 10, many)], 1) * s
    )
    radius = rng.uniform(0.5, 1.7, many) * s
    wobble = 1 + 0.25 * rng.standard_normal((many, 12))
    spots = canvas.fill(smooth(ovals(centers, radius, 0.75 * radius, wobble=wobble), steps=3))
    total += canvas.cover(spots, 0.22 * s) * np.float32(rng.uniform(0.6, 1.7) * s)
    return total * (1 - lungs)


def _bone(canvas: Canvas, frontal: Frontal, bones) -> np.ndarray:
    p, s = frontal.patient, frontal.size
    back, front = skeleton.rib_layers(canvas, bones, frontal.view)
    total = canvas.cover(back, 0.045) * np.float32(0.62) + canvas.cover(front, 0.06) * np.float32(
        0.46
    )
    outlines = skeleton.clavicles(frontal)
    layer = canvas.fill(outlines, value=0.66)
    canvas.stroke(outlines, 0.15, layer=layer, value=0.95, closed=True)
    total += canvas.cover(layer, 0.07) * np.float32(0.85)
    bodies, parts = skeleton.spine(frontal)
    layer = canvas.fill(bodies, value=0.62)
    canvas.stroke(bodies, 0.18, layer=layer, value=0.85, closed=True)
    canvas.fill(parts, layer=layer, value=0.98)
    total += canvas.cover(layer, 0.16) * np.float32(0.62)
    blades, lines = skeleton.scapulae(frontal)
    layer = canvas.fill(blades, value=0.30)
    canvas.stroke(lines, 0.55 * s, layer=layer, value=0.8)
    canvas.stroke(blades, 0.16, layer=layer, value=0.6, closed=True)
    total += canvas.cover(layer, 0.12) * np.float32(0.65)
    outlines = skeleton.humeri(frontal)
    layer = canvas.fill(outlines, value=0.6)
    canvas.stroke(outlines, 0.3, layer=layer, value=0.9, closed=True)
    total += canvas.cover(layer, 0.12) * np.float32(1.6)
    return total * np.float32(p.bone * s)


def _blood(canvas: Canvas, frontal: Frontal) -> np.ndarray:
    p, s = frontal.patient, frontal.size
    turn = 0.4 * frontal.exposure.turn * s
    reach, wide = 13.5 * s, 0.95 * p.vessels * s
    sides = (RIGHT, LEFT)
    front = vessels.tree(
        _rng(p, 5), [(-3.0 * s + turn, 12.0 * s), (3.4 * s + turn, 11.0 * s)], sides, reach, wide
    )
    behind = [(-2.8 * s + turn, 13.0 * s), (3.1 * s + turn, 12.4 * s)]
    behind = vessels.tree(_rng(p, 6), behind, sides, 0.95 * reach, wide, (-1.2, 1.4))
    hila = canvas.stroke([_hilum(RIGHT, s, turn)], 1.55 * s * p.vessels, value=0.8)
    canvas.stroke([_hilum(LEFT, s, turn)], 1.6 * s * p.vessels, layer=hila, value=0.8)
    hila = canvas.cover(hila, 0.22 * s) * np.float32(1.7 * s)
    return hila + 1.5 * vessels.draw(canvas, front) + 1.5 * vessels.draw(canvas, behind)


def _hilum(side: float, s: float, turn: float) -> np.ndarray:
    """Center line of the interlobar artery, the trunk that gives a hilum its comma shape."""
    lift = 0.0 if side == RIGHT else -1.0
    points = [(2.2, 10.9), (3.3, 11.2), (4.1, 12.4), (4.5, 14.2), (4.7, 16.0)]
    return np.array([(side * x * s + turn, (y + lift) * s) for x, y in points])
