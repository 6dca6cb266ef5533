"""The chest from the side: spine at the right of the image, sternum at the left, both lungs in one
another."""

import numpy as np

from pgcxr.phantom import vessels
from pgcxr.phantom.canvas import Canvas, ovals, smooth, strip
from pgcxr.phantom.outline import LEFT
from pgcxr.phantom.patient import Exposure, Patient
from pgcxr.phantom.scene import Scene

VISIBLE = ("nodule", "consolidation", "interstitial_opacity", "pleural_effusion", "calcification")


def lateral_scene(canvas: Canvas, patient: Patient, exposure: Exposure) -> Scene:
    """The chest without findings. x grows toward the back; x = 0 halfway between sternum and
    spine."""
    s, p = patient.scale, patient
    rng = np.random.default_rng([p.seed, 21])
    deep = (0.48 * p.chest_depth - 1.0) * s
    low = 21.5 * s + exposure.inspiration
    rise = 0.9 * s * (p.dome_right - p.dome_left) / 2 + 0.9 * s
    lung_outline = smooth(
        [
            (-0.15 * deep, 0.6 * s), (0.35 * deep, 0.2 * s), (0.8 * deep, 4 * s),
            (1.04 * deep, 9 * s), (1.07 * deep, 15 * s), (1.0 * deep, low + 1.0 * s),
            (0.92 * deep, low + 3.6 * s), (0.55 * deep, low + 0.9 * s),
            (0.05 * deep, low - 0.9 * s),
            (-0.5 * deep, low - 0.3 * s), (-0.92 * deep, low + 1.4 * s),
            (-1.0 * deep, low - 3 * s), (-0.98 * deep, 13 * s), (-0.82 * deep, 7.5 * s),
            (-0.55 * deep, 3.2 * s),
        ]
    )  # fmt: skip
    cover = canvas.cover(canvas.fill(lung_outline), 0.05)
    shape = canvas.rounded(canvas.fill(lung_outline), 1.4 * s) * cover
    wide = 0.75 * 2 * 12.0 * s * p.chest_width
    heart = np.array(
        [
            (-0.8, -10),
            (-0.9, -4),
            (-0.62, -0.2),
            (0.0, 0.6),
            (0.42, -0.8),
            (0.48, -4.5),
            (0.3, -8.5),
            (-0.15, -12.5),
        ]
    )
    heart = canvas.solid(smooth(heart * (deep * p.heart, s * p.heart) + (0, low)), 3.0 * s)
    vessels_above = np.array(
        [(-0.75, 4), (0.1, 3), (0.35, 8), (0.3, 13), (-0.3, 14), (-0.8, 10)]
    ) * (deep, s)
    heart += 0.55 * canvas.cover(canvas.fill(smooth(vessels_above)), 1.8 * s)
    arch = smooth(
        [
            (-0.35 * deep, 10 * s),
            (-0.2 * deep, 6.2 * s),
            (0.25 * deep, 5.2 * s),
            (0.72 * deep, 8 * s),
        ],
        closed=False,
    )
    arch = canvas.cover(
        canvas.stroke([np.concatenate([arch, [(0.85 * deep, low)]])], 2.6 * s), 0.25 * s
    )
    second = np.array(
        [(-1.1 * deep, low + 9 * s), *(lung_outline[36:66] + (0, -rise)), (1.2 * deep, low + 9 * s)]
    )
    veil = canvas.cover(canvas.fill(second), 0.12)
    lung = np.clip(wide * shape - 5.5 * s * heart - 2.2 * s * arch, 0, None) * (1 - 0.38 * veil)
    body = _flesh(canvas, p, exposure, deep, low)
    root = (0.08 * deep, 11.5 * s)
    blood = vessels.tree(rng, [root, root], (-1.0, 1.0), 9.5 * s, 0.9 * p.vessels * s, (-1.4, 1.5))
    hila = canvas.cover(canvas.fill(ovals(root, 1.7 * s, 2.4 * s, 14)), 0.5 * s) * np.float32(2.6)
    windpipe = smooth(
        [(0.25 * deep, -8 * s), (0.15 * deep, 0), (0.14 * deep, 6 * s), (0.12 * deep, 10.5 * s)],
        closed=False,
    )
    gas = canvas.cover(canvas.stroke([windpipe], 1.7 * s), 0.15 * s) * np.float32(1.2 * s)
    if exposure.gas > 0.05:
        bubble = ovals(
            (-0.1 * deep, low + 2.2 * s),
            (1.5 + 2 * exposure.gas) * s,
            (0.8 + 1.2 * exposure.gas) * s,
            20,
        )
        gas += canvas.cover(canvas.fill(bubble), 0.12) * np.float32(3.0 * s) * (1 - cover)
    density = p.lung_density * (1 + 0.07 * canvas.noise(rng, (1.2, 3.5, 9.0), (0.5, 0.6, 0.8)))
    zero = np.zeros_like(body)
    return Scene(
        canvas=canvas,
        view="LATERAL",
        sides=(LEFT,),
        body=body,
        lung=lung,
        density=np.clip(density, 0.08, 0.6).astype(np.float32),
        blood=(1.6 * vessels.draw(canvas, blood) + hila) * np.minimum(1, 0.2 * lung),
        bone=_bone(canvas, p, deep, rng),
        gas=gas,
        soft=canvas.noise(rng, (1.5, 6.0), (0.2, 0.4)) * np.minimum(1, 0.2 * body),
        metal=zero,
        cover={LEFT: cover},
        outlines={LEFT: lung_outline},
    )


def _flesh(canvas: Canvas, p: Patient, exposure: Exposure, deep: float, low: float) -> np.ndarray:
    s = p.scale
    front, back = -deep - (1.6 + 3.2 * p.habitus) * s, deep + (5.2 + 2.6 * p.habitus) * s
    bust = (0.6 + 5.0 * p.breast) * s
    trunk = smooth(
        [
            (-0.15 * deep - 3.5 * s, -14 * s), (-0.15 * deep - 3.6 * s, -4 * s),
            (front * 0.75, 2 * s), (front, 8 * s),
            (front - bust, 14.5 * s + p.breast_drop), (front - 0.4 * s, 19 * s + p.breast_drop),
            (front - 2.5 * p.habitus * s, 27 * s), (front - 4 * p.habitus * s, 46 * s),
            (back, 46 * s), (back, 26 * s),
            (back + 0.6 * s, 12 * s), (back - 0.6 * s, 4 * s), (0.8 * deep + 2.5 * s, -3 * s),
            (0.6 * deep + 2.5 * s, -14 * s),
        ]
    )  # fmt: skip
    layer = canvas.fill(trunk)
    round_body = canvas.rounded(layer, 2.6 * s) * canvas.cover(layer)
    heights = np.array([-6.0, 0.0, 4.0, 10.0, 20.0, 30.0]) * s
    width = np.array([11.0, 22.0, 30.0, 30.0, 29.0, 29.0]) * s * p.chest_width
    body = round_body * canvas.rows(lambda x, y: np.interp(y, heights, width) + 0 * x)
    arm = np.stack([np.linspace(0.1 * deep, -1.5 * deep, 6), np.linspace(1 * s, -16 * s, 6)], 1)
    arm = canvas.solid(strip(arm, 9 * s * p.muscle), 2.4 * s)
    return (np.maximum(body * 0.93, 14 * s * arm)).astype(np.float32)


def _bone(canvas: Canvas, p: Patient, deep: float, rng: np.random.Generator) -> np.ndarray:
    s = p.scale
    y = -6 * s + np.cumsum(np.linspace(1.7, 3.0, 17)) * s
    x = deep + (1.5 + 2.4 * np.sin(np.clip((y / s + 2) / 26, 0, 1) * np.pi) - 2.6) * s
    tall = np.gradient(y)
    box = np.array(
        [
            (-0.5, -0.5),
            (0, -0.44),
            (0.5, -0.5),
            (0.46, 0),
            (0.5, 0.5),
            (0, 0.44),
            (-0.5, 0.5),
            (-0.46, 0),
        ]
    )
    bodies = (
        box * np.stack([np.linspace(2.2, 3.6, 17) * s, 0.82 * tall], 1)[:, None]
        + np.stack([x, y], 1)[:, None]
    )
    layer = canvas.fill(bodies, value=0.6)
    canvas.stroke(bodies, 0.18, layer=layer, value=0.9, closed=True)
    total = canvas.cover(layer, 0.2) * np.float32(1.4)
    start = np.arange(10) * 2.15 * s
    t = np.linspace(0.05, 0.9, 12)
    top = np.interp(start[:, None] + 0.0 * t, y, x) + 1.2 * s
    arcs = np.stack(
        [top + (-1.04 * deep - top) * t, start[:, None] + 9.5 * s * p.rib_slope * t**1.2 + 0 * top],
        -1,
    )
    arcs = np.concatenate([arcs, arcs + rng.normal(0.35, 0.2, (10, 1, 1)) * s])
    ribs = canvas.fill(strip(arcs, 1.1 * s), value=0.45)
    total += canvas.cover(ribs, 0.06) * np.float32(0.5)
    sternum = smooth(
        [
            (-0.62 * deep, 3 * s),
            (-0.88 * deep, 7 * s),
            (-1.03 * deep, 12 * s),
            (-1.05 * deep, 17 * s),
        ],
        closed=False,
    )
    total += canvas.cover(
        canvas.fill(strip(sternum - (0.6 * s, 0), 1.2 * s), value=0.8), 0.1
    ) * np.float32(1.3)
    return total * np.float32(p.bone * s)
