"""Outlines of the frontal chest in cm: body, lungs, heart, great vessels, diaphragm.

Reference adult; x = 0 is the midline, y = 0 the top of the lungs, x grows toward the patient's
left.
"""

from dataclasses import dataclass

import numpy as np

from pgcxr.phantom.canvas import smooth
from pgcxr.phantom.patient import Exposure, Patient

LEFT, RIGHT = 1.0, -1.0  # sign of x

# Inner half width of the rib cage by height.
_CAGE_Y = np.array([-0.2, 0.4, 1.5, 3.0, 5.0, 8.0, 12.0, 16.0, 20.0, 24.0, 28.0, 40.0])
_CAGE_X = np.array([4.8, 6.3, 8.1, 9.7, 11.0, 12.2, 13.0, 13.3, 13.2, 13.0, 12.8, 12.3])
# Antero-posterior inner depth of the thorax by height, as a fraction of the deepest.
_DEPTH_Y = np.array([-1.0, 0.0, 2.0, 5.0, 9.0, 14.0, 20.0, 30.0])
_DEPTH = np.array([0.16, 0.27, 0.47, 0.68, 0.86, 1.0, 1.0, 0.95])


@dataclass(frozen=True)
class Frontal:
    """The frontal outlines of one patient in one breath."""

    patient: Patient
    exposure: Exposure
    view: str

    @property
    def size(self) -> float:
        return self.patient.scale

    @property
    def inner_depth(self) -> float:
        """Deepest antero-posterior extent of the lung, cm."""
        return (0.52 * self.patient.chest_depth + 4.2) * self.size

    def cage(self, y):
        """Inner half width of the thorax, cm, at heights y (cm)."""
        return (
            self.size
            * self.patient.chest_width
            * np.interp(np.asarray(y) / self.size, _CAGE_Y, _CAGE_X)
        )

    def depth(self, y):
        """Inner depth of the thorax, cm, in the midline at heights y (cm)."""
        return self.inner_depth * np.interp(np.asarray(y) / self.size, _DEPTH_Y, _DEPTH)

    def dome(self, side: float) -> float:
        """Height (y, cm) of the top of a hemidiaphragm."""
        lift = self.patient.dome_right if side == RIGHT else self.patient.dome_left - 1.4
        return self.size * (20.6 - lift) + self.exposure.inspiration

    def cavity(self, side: float) -> np.ndarray:
        """One pleural cavity from the chest wall to the midline, down to the diaphragm: closed
        curve [N, 2], cm."""
        s = self.size
        top = self.dome(side)
        angle = top + (2.9 - 0.5 * self.patient.habitus) * s
        heights = np.array([1.2, 2.8, 5.0, 8.0, 12.0, 16.0]) * s
        heights = heights[heights < angle - 3 * s]
        wall = np.stack([self.cage(heights), heights], 1)
        corner = self.cage(angle)
        shoulder = [(5.0 * s * self.patient.chest_width, 0.0), (3.3 * s, 0.8 * s)]
        base = [
            (corner - 0.15 * s, angle - 1.6 * s),
            (corner - 0.35 * s, angle),
            (corner - 1.7 * s, angle - 1.2 * s),
            (corner - 4.2 * s, top + 0.3 * s),
            (0.48 * corner, top),
            (0.26 * corner, top + 0.5 * s),
            (0.11 * corner, top + 0.2 * s),
            (0.0, top - 3.0 * s),
        ]
        curve = smooth([*shoulder[::-1], *wall, *base, (0.0, 2.0 * s)])
        return curve * (side, 1.0)

    def heart(self) -> np.ndarray:
        """The heart's silhouette; its apex lies on the left dome, its right border beside the
        spine."""
        s, p = self.size, self.patient
        big = (
            p.heart * (1.16 if self.view == "AP" else 1.0) * (1 - 0.02 * self.exposure.inspiration)
        )
        turn = 0.9 * self.exposure.turn * s
        low = self.dome(LEFT) + 1.2 * s
        lie = p.heart_axis
        points = [
            (-1.2, -12.0),
            (-2.9, -10.0),
            (-3.7, -7.5),
            (-4.2, -5.0),
            (-4.0, -2.4),
            (-2.6, -0.2),
            (2.5, 0.6),
            (6.3, 0.3),
            (8.3 + 0.9 * lie, -1.5 + 0.3 * lie),
            (8.1 + 1.0 * lie, -3.9 + 0.7 * lie),
            (6.7 + 0.8 * lie, -6.7 + 0.6 * lie),
            (4.9 + 0.3 * lie, -9.3 + 0.3 * lie),
            (3.2, -11.2),
            (1.0, -12.6),
        ]
        shaped = np.array(points) * (big * s * p.chest_width, s * (0.93 + 0.12 * (big - 1)))
        return smooth(shaped + (turn, low))

    def mediastinum(self) -> np.ndarray:
        """Great vessels and mediastinal fat above the heart, down to the diaphragm."""
        s, p = self.size, self.patient
        turn = 0.5 * self.exposure.turn * s
        fat = 0.55 * p.habitus * s + (0.5 * s if self.view == "AP" else 0.0)
        knob = 0.55 + 1.05 * p.aorta
        low = self.dome(LEFT) + 2.0 * s
        right = [
            (2.9, -1.5),
            (2.6, 1.0),
            (2.5, 3.2),
            (2.6, 5.5),
            (2.8, 8.0),
            (3.3, 10.5),
            (3.3, 13.0),
        ]
        left = [
            (2.9, -1.5),
            (2.6, 1.0),
            (2.55, 3.2),
            (2.75 + 0.5 * knob, 4.6),
            (2.8 + 0.75 * knob, 6.0),
            (2.8 + 0.55 * knob, 7.6),
            (3.1, 9.0),
            (3.6, 10.2),
            (4.1, 11.6),
            (4.2, 13.0),
        ]
        lower = [(2.2 + 0.4 * p.aorta, 16.0), (2.0, low / s)]
        left_side = [(x * s + fat + turn, y * s) for x, y in [*left, *lower]]
        right_side = [(-x * s - fat + turn, y * s) for x, y in [*right, (2.2, low / s)]]
        return smooth(left_side + right_side[::-1], steps=5)

    def aorta(self) -> np.ndarray:
        """Center line of the descending aorta, from the knob down behind the heart."""
        s, knob = self.size, 0.55 + 1.05 * self.patient.aorta
        turn = 0.5 * self.exposure.turn * s
        points = [
            (0.3, 5.2),
            (1.5 + 0.6 * knob, 5.6),
            (1.6 + 0.7 * knob, 7.5),
            (1.9 + 0.5 * knob, 11),
            (1.5, 17),
        ]
        return smooth(np.array([*points, (0.8, 26)]) * s + (turn, 0), closed=False)

    def trachea(self) -> list[np.ndarray]:
        """Center lines of the trachea and both main bronchi."""
        s = self.size
        turn = 0.7 * self.exposure.turn * s
        carina = (0.35 * s + turn, 9.3 * s)
        return [
            smooth(
                [(0.0, -9 * s), (0.1 * s, -3 * s), (0.3 * s + 0.6 * turn, 4 * s), carina],
                closed=False,
            ),
            smooth([carina, (-1.6 * s + turn, 10.7 * s), (-3.3 * s, 12.2 * s)], closed=False),
            smooth([carina, (2.2 * s + turn, 10.6 * s), (4.3 * s, 11.7 * s)], closed=False),
        ]

    def wall(self) -> float:
        """Thickness of the lateral chest wall, cm."""
        return (2.9 + 4.6 * self.patient.habitus) * self.size

    def torso(self) -> np.ndarray:
        """The trunk with neck and shoulders, without arms: closed curve."""
        s, p = self.size, self.patient
        wall, drop, up = self.wall(), p.shoulder_drop * s, (-1.6 * s if self.view == "AP" else 0.0)
        neck = (4.6 + 1.5 * p.habitus) * s * p.muscle
        reach = 18.3 * s * p.chest_width * (0.6 + 0.4 * p.muscle)
        half = [
            (neck * 1.02, -16 * s),
            (neck, -7.5 * s),
            (neck * 1.12, -4.4 * s + up),
            (neck * 1.55, -2.7 * s + up + 0.10 * drop),
            (0.62 * reach, -1.9 * s + up + 0.35 * drop),
            (0.88 * reach, -1.1 * s + up + 0.85 * drop),
            (reach + 1.6 * s, 1.2 * s + drop),
            (reach + 1.9 * s, 5.0 * s + drop),
            (float(self.cage(9 * s)) + wall * 1.1 + 2.2 * s, 10.0 * s),
            (float(self.cage(14 * s)) + wall * 1.05 + 0.7 * s, 14.5 * s),
            (float(self.cage(20 * s)) + wall, 20 * s),
            (float(self.cage(26 * s)) + wall * (0.9 + 0.35 * p.habitus), 27 * s),
            (float(self.cage(26 * s)) + wall * (0.9 + 0.5 * p.habitus), 44 * s),
        ]
        half = smooth(half, closed=False)
        return np.concatenate([half, (half * (-1, 1))[::-1]])

    def arms(self) -> list[np.ndarray]:
        """Center lines of the upper arms (humeral shafts)."""
        s, p = self.size, self.patient
        reach = 18.3 * s * p.chest_width * (0.6 + 0.4 * p.muscle) - 0.6 * s
        shoulder = np.array([reach, 2.6 * s + p.shoulder_drop * s])
        angle = np.deg2rad(self.exposure.arms)
        elbow = shoulder + 27 * s * np.array([np.sin(angle), np.cos(angle)])
        one = np.linspace(shoulder, elbow, 8)
        return [one, one * (-1, 1)]
