"""Things of metal and plastic that a normal patient may carry (thesis 1.1 screens them out of the
normals)."""

import numpy as np

from pgcxr.phantom.canvas import ovals, smooth
from pgcxr.phantom.scene import Scene

DEVICES = ("pacemaker", "central_venous_catheter", "ecg_wires")


def pacemaker(scene: Scene, rng: np.random.Generator) -> None:
    """A generator under the left clavicle, leads through the subclavian vein to the right heart."""
    canvas, frontal = scene.canvas, scene.frontal
    s, low = frontal.size, frontal.dome(1.0)
    center = np.array((rng.uniform(8.3, 10.5), rng.uniform(4.2, 6.5))) * s
    power = (np.abs(np.cos(a := np.arange(20) * np.pi / 10)) ** 4 + np.abs(np.sin(a)) ** 4) ** -0.25
    case = ovals(center, 2.3, 1.9, 20, 0.95 * power)
    layer = canvas.fill(smooth(case, steps=3), value=0.75)
    inner = ovals(center + (0.2, 0.35), 1.5, 1.0, 14)
    canvas.fill(inner, layer=layer, value=1.0)
    scene.metal += canvas.cover(layer, 0.05) * np.float32(0.55)
    vein = [
        center + (-0.5, -1.7),
        (6.5 * s, 2.0 * s),
        (3.0 * s, 2.6 * s),
        (-1.4 * s, 5.0 * s),
        (-2.4 * s, 9.5 * s),
    ]
    atrium = smooth(
        [*vein, (-3.0 * s, 13 * s), (-2.2 * s, 14.5 * s), (-3.2 * s, 13.4 * s)], closed=False
    )
    ventricle = smooth(
        [*vein, (-2.8 * s, 15 * s), (0.2 * s, low - 1.3 * s), (4.6 * s, low - 1.0 * s)],
        closed=False,
    )
    leads = [ventricle, atrium] if rng.random() < 0.65 else [ventricle]
    scene.metal += canvas.cover(canvas.stroke(leads, 0.16), 0.04) * np.float32(0.13)


def central_venous_catheter(scene: Scene, rng: np.random.Generator) -> None:
    """A line from the right neck or clavicle into the superior vena cava; sometimes a port."""
    canvas, s = scene.canvas, scene.frontal.size
    if rng.random() < 0.5:
        start = [(-4.6 * s, -7 * s), (-3.8 * s, -2 * s), (-3.0 * s, 2.5 * s)]
    else:
        port = np.array((-rng.uniform(7.5, 9.5), rng.uniform(5.5, 8.0))) * s
        disc = canvas.fill(ovals(port, 1.25, 1.15, 16), value=0.6)
        canvas.stroke([ovals(port, 0.8, 0.75, 16)], 0.2, layer=disc, value=1.0, closed=True)
        scene.metal += canvas.cover(disc, 0.05) * np.float32(0.2)
        start = [port, (-8.5 * s, 3.4 * s), (-6.0 * s, 2.0 * s), (-3.3 * s, 3.2 * s)]
    line = smooth(
        [*start, (-2.7 * s, 6.0 * s), (-2.6 * s, rng.uniform(9.5, 12.5) * s)], closed=False
    )
    scene.metal += canvas.cover(canvas.stroke([line], 0.24), 0.04) * np.float32(0.12)


def ecg_wires(scene: Scene, rng: np.random.Generator) -> None:
    """Electrodes on the skin and their cables, running off the image."""
    canvas, s = scene.canvas, scene.frontal.size
    spots = np.array([(-9.5, 3.5), (9.8, 3.2), (10.5, 20.0)]) * s + rng.normal(0, 0.9, (3, 2))
    exit_at = np.array((rng.choice((-1, 1)) * rng.uniform(1, 8), 40)) * s
    cables = []
    for spot in spots:
        sway = spot + (exit_at - spot) * 0.45 + rng.normal(0, 2.4, 2)
        cables.append(smooth([spot, spot + (0.3, 1.8), sway, exit_at], closed=False, steps=10))
    layer = canvas.stroke(cables, 0.22, value=0.6)
    canvas.fill(ovals(spots, np.full(3, 0.55), np.full(3, 0.55), 14), layer=layer, value=1.0)
    scene.metal += canvas.cover(layer, 0.04) * np.float32(0.10)


def insert(scene: Scene, device: str, rng: np.random.Generator) -> None:
    """Adds one of DEVICES to a frontal scene."""
    {
        "pacemaker": pacemaker,
        "central_venous_catheter": central_venous_catheter,
        "ecg_wires": ecg_wires,
    }[device](scene, rng)
