"""The other seven findings of thesis Table 6, made as in `lesions`."""

import numpy as np

from pgcxr.phantom.canvas import edges, ovals, smooth, strip
from pgcxr.phantom.outline import LEFT, RIGHT
from pgcxr.phantom.places import ball, in_lung, one_side, shift_mediastinum
from pgcxr.phantom.scene import Scene


def calcification(scene: Scene, severity: float, rng: np.random.Generator) -> None:
    """Calcified granulomas (dense, small, sharp), or calcified pleural plaques along the wall."""
    if rng.random() < 0.7 or scene.frontal is None:
        for _ in range(1 + int(rng.integers(0, 2 + round(3 * severity)))):
            radius = (0.14 + 0.42 * severity) * rng.uniform(0.7, 1.2)
            center = in_lung(scene, rng, one_side(scene, rng), 0.8, (0.05, 0.75))
            scene.bone += ball(scene, center, radius, 0.12, rng.uniform(0, 6)) * np.float32(1.1)
        return
    canvas, s = scene.canvas, scene.frontal.size
    for _ in range(1 + round(3 * severity * rng.random())):
        side = one_side(scene, rng)
        y = rng.uniform(8, 18) * s
        center = (side * (float(scene.frontal.cage(y)) - rng.uniform(1.0, 3.5) * s), y)
        outline = ovals(
            center,
            0.9 + 1.0 * severity,
            1.3 + 2.2 * severity,
            14,
            1 + 0.3 * rng.standard_normal(14),
        )
        plaque = canvas.cover(canvas.fill(smooth(outline, steps=3)), 0.08) * scene.cover[side]
        grain = np.clip(0.7 + canvas.noise(rng, (0.8,), (0.4,)), 0.1, 1.4)
        scene.bone += plaque * grain * np.float32(0.25 + 0.45 * severity)


def atelectasis(scene: Scene, severity: float, rng: np.random.Generator) -> None:
    """Loss of volume at one base: raised dome, dense wedge beside the heart, plates, shift toward
    it."""
    canvas, frontal = scene.canvas, scene.frontal
    s = frontal.size
    side = one_side(scene, rng, 0.45)
    shift_mediastinum(scene, side * 1.3 * severity**2 * s)
    top, corner = frontal.dome(side), float(frontal.cage(frontal.dome(side)))
    rise = (0.5 + 4.0 * severity) * s
    x = np.array((0.0, 0.2, 0.38, 0.55, 0.75, 0.92, 1.08)) * corner
    y = (
        top
        + np.array((-0.35, -0.75, -0.97, -1.0, -0.72, -0.1, 1.0)) * rise
        + np.maximum(x / corner - 0.5, 0) ** 2 * 7.0 * s
    )
    raised = np.concatenate(
        [smooth(np.stack([x, y], 1), closed=False), [(1.1 * corner, top + 9 * s), (0, top + 9 * s)]]
    )
    flat = canvas.cover(canvas.fill(raised * (side, 1)), 0.08) * scene.cover[side]
    scene.lung *= 1 - 0.9 * flat
    wedge = np.array(
        [
            (1.5 * s, top - rise - (2 + 5 * severity) * s),
            (0.5 * corner, top),
            (1.0 * s, top + 2 * s),
        ]
    )
    dense = (
        canvas.cover(canvas.fill(wedge * (side, 1)), 0.5 * s)
        * scene.cover[side]
        * np.float32(0.35 + 0.5 * severity)
    )
    plates = np.zeros_like(dense)
    for _ in range(1 + int(rng.integers(0, 3))):
        start = np.array(
            (side * rng.uniform(0.3, 0.55) * corner, top - rise - rng.uniform(0.8, 5) * s)
        )
        end = start + np.array((side * rng.uniform(3.5, 7.5), rng.uniform(-0.8, 1.4))) * s
        middle = (start + end) / 2 + (0, rng.uniform(-0.5, 0.3) * s)
        plate = canvas.stroke(
            [smooth([start, middle, end], closed=False)],
            (0.25 + 0.3 * severity) * rng.uniform(0.8, 1.3),
        )
        plate = canvas.cover(plate, 0.14) * scene.cover[side]
        plates = np.maximum(plates, plate)
    scene.density += dense * np.maximum(0.95 - scene.density, 0)
    # A plate is a few cm deep, not the whole lung.
    scene.blood += plates * np.float32(1.3 + 1.6 * severity)


def mediastinal_widening(scene: Scene, severity: float, rng: np.random.Generator) -> None:
    """A wide upper mediastinum: lobulated nodes on both sides, or a dilated aortic arch."""
    frontal, canvas = scene.frontal, scene.canvas
    s = frontal.size
    width = (0.7 + 3.0 * severity) * s
    aortic = rng.random() < 0.45
    lobes = np.array((0.55, 0.85, 1.0, 1.05, 0.95, 0.7)) * (1 + 0.14 * rng.standard_normal((2, 6)))
    shares = (0.35, 1.15) if aortic else (rng.uniform(0.75, 1.1), rng.uniform(0.75, 1.1))
    y = np.array((1.0, 2.8, 4.8, 6.8, 8.8, 11.0)) * s
    right = np.stack([-(2.9 * s + width * shares[0] * lobes[0]), y], 1)
    left = np.stack([2.9 * s + width * shares[1] * lobes[1], y], 1)
    closing = [(2.4 * s, 13 * s), (-2.4 * s, 13 * s)]
    outline = smooth(np.concatenate([left, closing, right[::-1], [(-2.2 * s, 0), (2.2 * s, 0)]]))
    outline = outline + (0.5 * frontal.exposure.turn * s, 0)
    mass = canvas.solid(outline, 0.7 * s) * np.float32(0.6 * frontal.inner_depth)
    scene.lung = np.maximum(scene.lung - mass, np.minimum(scene.lung, 0.15 * scene.lung + 1e-3))


def rib_fracture(scene: Scene, severity: float, rng: np.random.Generator) -> None:
    """Broken neighboring ribs of one side: a step and a gap in each, and blood under the pleura
    when severe."""
    canvas, bones, s = scene.canvas, scene.bones, scene.frontal.size
    side = one_side(scene, rng)
    first, count = (
        int(rng.integers(2, 7)),
        1 + int(rng.integers(0, 2)) + round(2 * severity * rng.random()),
    )
    at = int(rng.integers(7, 12))
    mineral = np.float32(0.62 * scene.frontal.patient.bone * s)
    for number in range(first, min(first + count, 9)):
        index = number + (0 if side == RIGHT else len(bones.back) // 2)
        place = int(np.clip(at + rng.integers(-1, 2), 6, 12))
        line, width = bones.back[index], float(bones.width[index])
        fine = smooth(line, closed=False)
        piece = fine[6 * place : 6 * place + 10]
        across = piece[-1] - piece[0]
        across = np.array((-across[1], across[0])) / np.linalg.norm(across)
        step = (0.18 + 0.75 * severity) * s * rng.choice((-1, 1)) * rng.uniform(0.8, 1.2)
        gone = canvas.cover(canvas.fill(strip(piece, 1.1 * width)), 0.05)
        slope = np.linspace(1, 0.1, len(piece))[:, None]
        moved = piece + across * step * slope + (piece[-1] - piece[0]) * 0.10
        layer = canvas.fill(strip(moved, width), value=0.62)
        canvas.stroke(list(edges(moved, 0.9 * width)), 0.16, layer=layer, value=0.9)
        back = canvas.cover(layer, 0.045)
        scene.bone = np.maximum(scene.bone - 0.75 * mineral * gone, 0) + mineral * back
        clot = ball(scene, piece[0] - (side * 0.5 * s, 0), (0.7 + 0.9 * severity) * s)
        scene.blood += np.float32(0.9 * severity) * np.minimum(clot, 1.3) * scene.cover[side]


def pneumomediastinum(scene: Scene, severity: float, rng: np.random.Generator) -> None:
    """Air along the heart and great vessels, with the lifted pleura as a line beside it, and
    streaks into the neck."""
    canvas, frontal = scene.canvas, scene.frontal
    s, turn = frontal.size, 0.5 * frontal.exposure.turn * frontal.size
    heart = frontal.heart()
    border = heart[(heart[:, 0] > 3.4 * s) & (heart[:, 1] < frontal.dome(LEFT) - 0.4 * s)]
    border = border[np.argsort(border[:, 1])]
    top = np.array(
        [(3.1 * s + turn, 1.0 * s), (3.4 * s + turn, 4.0 * s), (4.2 * s + turn, 7.5 * s)]
    )
    left = smooth(np.concatenate([top, border[:: max(1, len(border) // 6)]]), closed=False)
    right = np.array([(-3.2, 1.5), (-3.3, 5), (-3.5, 9)]) * s + (turn, 0)
    wide = (0.18 + 0.34 * severity) * s
    lines = [left + (0.45 * wide, 0)]
    if severity > 0.45 or rng.random() < 0.4:
        lines.append(right - (0.45 * wide, 0))
    streaks = []
    for _ in range(3 + round(11 * severity)):
        x, y, tall = rng.uniform(-4.2, 4.2), rng.uniform(-6.5, 1.0), rng.uniform(2, 6)
        lean = 0.12 * x + rng.normal(0, 0.3)
        streak = [(x, y), (x - lean, y + 0.5 * tall), (x - 1.4 * lean, y + tall)]
        streaks.append(smooth(np.array(streak) * s + (turn, 0), closed=False))
    layer = canvas.stroke(lines, wide, value=0.9)
    canvas.stroke(streaks, (0.13 + 0.14 * severity) * s, layer=layer, value=0.75)
    scene.gas += canvas.cover(layer, 0.09) * np.float32((0.8 + 1.3 * severity) * s)
    pleura = canvas.cover(canvas.stroke([left + (1.1 * wide, 0)], 0.14), 0.04)
    scene.blood += np.float32(0.8) * pleura


def subcutaneous_emphysema(scene: Scene, severity: float, rng: np.random.Generator) -> None:
    """Air dissecting the tissue planes of the chest wall and neck: streaks along the muscles,
    bubbles between."""
    canvas, frontal = scene.canvas, scene.frontal
    s, wall = frontal.size, frontal.wall()
    sides = (RIGHT, LEFT) if rng.random() < 0.25 + 0.5 * severity else (one_side(scene, rng),)
    lines = []
    for side in sides:
        many = round(10 + 34 * severity)
        y = rng.uniform(3, 8 + 12 * severity, many) * s
        x = frontal.cage(y) + (0.3 + rng.uniform(0, 0.75, many)) * wall
        half = rng.uniform(0.6, 2.0, many) * s
        sway = rng.normal(0, 0.25, many) * s
        low = frontal.cage(y + half) - frontal.cage(y - half)
        wallside = np.stack([np.stack([x - low / 2, y - half], 1), np.stack([x + sway, y], 1),
                             np.stack([x + low / 2, y + half], 1)], 1)  # fmt: skip
        fan = np.linspace(0.1, 1.1, max(2, round(12 * severity))) + rng.normal(
            0, 0.05, max(2, round(12 * severity))
        )
        shoulder = np.array((15.5, 3.0 + frontal.patient.shoulder_drop)) * s
        away = np.stack([-np.cos(fan), np.sin(fan)], 1) * s
        start, end = rng.uniform(0.8, 3, (len(fan), 1)), rng.uniform(4, 8.5, (len(fan), 1))
        pectoral = np.stack(
            [
                shoulder + away * start,
                shoulder + away * (start + end) / 2 + (0, 0.2),
                shoulder + away * end,
            ],
            1,
        )
        neck = (
            np.array([(5.0, -6.0), (5.3, -4.0), (6.2, -2.0)]) * s
            + rng.normal(0, 0.8, (round(6 * severity), 1, 2)) * s
        )
        lines += [
            smooth(group * (side, 1), closed=False)
            for group in (wallside, pectoral, neck)
            if len(group)
        ]
    layer = canvas.blank()
    for group in lines:
        canvas.stroke(group, (0.16 + 0.22 * severity) * s, layer=layer)
    bubbles = np.clip(0.75 + canvas.noise(rng, (0.9,), (0.45,)), 0, 1.3)
    scene.gas += np.minimum(
        canvas.cover(layer, 0.06) * bubbles * np.float32((0.8 + 1.5 * severity) * s),
        0.4 * scene.body,
    )


def pneumoperitoneum(scene: Scene, severity: float, rng: np.random.Generator) -> None:
    """Free air under the right dome, often under both: a dark crescent below a thin diaphragm."""
    canvas, frontal = scene.canvas, scene.frontal
    s = frontal.size
    sides = (RIGHT, LEFT) if rng.random() < 0.2 + 0.4 * severity else (RIGHT,)
    for side in sides:
        share = 1.0 if side == RIGHT else rng.uniform(0.4, 0.9)
        outline = scene.outlines[side] * (side, 1)
        top = frontal.dome(side)
        level = top + (0.35 + (0.35 + 2.3 * severity) * share) * s
        dome = outline[
            (outline[:, 1] > top - 0.4 * s)
            & (outline[:, 1] < level - 0.32 * s)
            & (outline[:, 0] > 1.2 * s)
        ]
        dome = dome[np.argsort(dome[:, 0])] + (0, 0.32 * s)
        if len(dome) < 3:
            continue
        below = np.stack(
            [dome[::-1, 0], level + 0.12 * s * np.sin(np.linspace(0, np.pi, len(dome)))], 1
        )
        crescent = np.concatenate([dome, below]) * (side, 1)
        scene.gas += canvas.cover(canvas.fill(crescent), 0.07) * np.float32(
            (1.6 + 3.6 * severity) * s
        )
