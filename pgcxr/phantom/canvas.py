"""Drawing in centimeters: shapes given in the patient's plane become coverage maps at any number of
pixels.

x grows to the right of the image (the patient's left on a PA film), y grows downwards, both in cm.
"""

import functools

import cv2
import numpy as np

SHIFT = 4  # fractional bits of cv2's fixed-point coordinates
_FULL = 255


def smooth(points, closed: bool = True, steps: int = 6) -> np.ndarray:
    """Catmull-Rom curve through `points` [..., N, 2], `steps` points per span."""
    points = np.asarray(points, np.float64)
    if closed:
        padded = np.concatenate([points[..., -1:, :], points, points[..., :2, :]], -2)
    else:
        first = 2 * points[..., :1, :] - points[..., 1:2, :]
        last = 2 * points[..., -1:, :] - points[..., -2:-1, :]
        padded = np.concatenate([first, points, last], -2)
    spans = padded.shape[-2] - 3
    # [..., spans, 4, 2]: the four control points of each span
    control = np.stack([padded[..., k : k + spans, :] for k in range(4)], -2)
    curve = (_basis(steps) @ control).reshape(*points.shape[:-2], spans * steps, 2)
    return curve if closed else np.concatenate([curve, points[..., -1:, :]], -2)


@functools.cache
def _basis(steps: int) -> np.ndarray:
    t = np.arange(steps) / steps
    return 0.5 * np.stack(
        [-t + 2 * t**2 - t**3, 2 - 5 * t**2 + 3 * t**3, t + 4 * t**2 - 3 * t**3, t**3 - t**2], 1
    )


def strip(lines: np.ndarray, width) -> np.ndarray:
    """The polygons of bands of `width` (broadcast against [..., N], cm) around curves [..., N, 2]:
    [..., 2 N, 2]."""
    one, other = edges(lines, width)
    return np.concatenate([one, other[..., ::-1, :]], -2)


def edges(lines: np.ndarray, width) -> tuple[np.ndarray, np.ndarray]:
    """The two edges, each [..., N, 2], of bands around curves [..., N, 2]."""
    along = np.empty_like(lines)
    along[..., 1:-1, :] = lines[..., 2:, :] - lines[..., :-2, :]
    along[..., 0, :] = lines[..., 1, :] - lines[..., 0, :]
    along[..., -1, :] = lines[..., -1, :] - lines[..., -2, :]
    half = np.asarray(width, np.float64) / (2 * np.maximum(np.sqrt((along**2).sum(-1)), 1e-9))
    across = along[..., ::-1] * np.array((-1.0, 1.0)) * half[..., None]
    return lines + across, lines - across


def ovals(centers, half_width, half_height, points: int = 12, wobble=None) -> np.ndarray:
    """Ellipses [..., points, 2] around `centers` [..., 2]; `wobble` scales each radius."""
    turn = np.arange(points) * (2 * np.pi / points)
    radius = 1.0 if wobble is None else wobble
    x = np.asarray(half_width)[..., None] * np.cos(turn) * radius
    y = np.asarray(half_height)[..., None] * np.sin(turn) * radius
    return np.asarray(centers, np.float64)[..., None, :] + np.stack([x, y], -1)


class Canvas:
    """`size` pixels across a square of `field` cm around `center`, turned by `tilt` degrees."""

    def __init__(self, size: int, field: float, center=(0.0, 0.0), tilt: float = 0.0):
        self.size, self.field, self.center, self.tilt = size, field, center, tilt
        self.density = size / field  # pixels per cm
        turn = np.deg2rad(tilt)
        self.rotation = (
            np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]) * self.density
        )
        self.offset = size / 2 - 0.5 - self.rotation @ np.asarray(center, np.float64)

    def pixels(self, points) -> np.ndarray:
        """cm [..., 2] to pixel coordinates [..., 2] (pixel centers are whole numbers)."""
        return np.asarray(points, np.float64) @ self.rotation.T + self.offset

    def _fixed(self, points) -> np.ndarray:
        # cv2 copes with points far outside: 16 image widths is farther than any shape reaches.
        return np.rint(self.pixels(points) * (1 << SHIFT)).astype(np.int32)

    def blank(self) -> np.ndarray:
        """An empty 8-bit layer [size, size]."""
        return np.zeros((self.size, self.size), np.uint8)

    def fill(self, polygons, layer: np.ndarray | None = None, value: float = 1.0) -> np.ndarray:
        """Fills polygons (cm; one [N, 2], a list, or an array [M, N, 2]) in turn with `value` in
        0..1.

        cv2 draws the outline as well: shapes are half a pixel wider on all sides.
        """
        layer = self.blank() if layer is None else layer
        for fixed in self._each(polygons):
            cv2.fillPoly(layer, [fixed], round(_FULL * value), cv2.LINE_AA, SHIFT)
        return layer

    def stroke(
        self, lines, width: float, layer: np.ndarray | None = None, value: float = 1.0, closed=False
    ):
        """Draws curves (cm; one [N, 2], a list, or an array [M, N, 2]) `width` cm wide.

        A line thinner than a pixel is drawn one pixel wide and correspondingly fainter.
        """
        layer = self.blank() if layer is None else layer
        wide = width * self.density
        thickness = max(1, round(wide))
        shade = round(_FULL * value * min(1.0, wide / thickness))
        if shade > 0 and len(lines):
            cv2.polylines(layer, self._each(lines), closed, shade, thickness, cv2.LINE_AA, SHIFT)
        return layer

    def _each(self, curves) -> list[np.ndarray]:
        if isinstance(curves, np.ndarray):
            fixed = self._fixed(curves)
            return [fixed] if fixed.ndim == 2 else list(fixed)
        return [self._fixed(curve) for curve in curves]

    def blur(self, layer: np.ndarray, sigma: float) -> np.ndarray:
        """Gaussian blur by `sigma` cm; wide blurs are done on a smaller copy."""
        sigma *= self.density
        if sigma < 0.3:
            return layer
        if sigma <= 4:
            return cv2.GaussianBlur(layer, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE)
        factor = 2 ** int(np.log2(sigma / 2))
        small = max(8, self.size // factor)
        reduced = cv2.resize(layer, (small, small), interpolation=cv2.INTER_AREA)
        reduced = cv2.GaussianBlur(
            reduced, (0, 0), sigma * small / self.size, borderType=cv2.BORDER_REPLICATE
        )
        return cv2.resize(reduced, (self.size, self.size), interpolation=cv2.INTER_LINEAR)

    def cover(self, layer: np.ndarray, sigma: float = 0.0) -> np.ndarray:
        """An 8-bit layer as float32 coverage in 0..1, softened by `sigma` cm."""
        return np.multiply(self.blur(layer, sigma), np.float32(1 / _FULL), dtype=np.float32)

    def solid(self, polygon, rounding: float) -> np.ndarray:
        """Relative thickness (0 at the outline, 1 inside) of a rounded body with this outline,
        float32.

        The square root makes the edge that of a ball or cylinder: it rises steeply and then levels
        off.
        """
        sharp = self.fill(polygon)
        return self.rounded(sharp, rounding) * self.cover(sharp)

    def rounded(self, layer: np.ndarray, rounding: float) -> np.ndarray:
        """sqrt(2 b - 1) of a layer blurred to b: 0 on its outline, 1 well inside."""
        wide = self.blur(layer, rounding).astype(np.float32)
        return cv2.sqrt(cv2.max(wide * np.float32(2 / _FULL) - np.float32(1), 0.0))

    def rows(self, field_of_xy) -> np.ndarray:
        """float32 map of a function of (x [1, n], y [n, 1]) in cm; the tilt is applied by
        resampling."""
        # Such fields are smooth: half as many points will do.
        points = (self.size + 1) // 2
        at = ((np.arange(points) - points / 2 + 0.5) * (2 / self.density)).astype(np.float32)
        upright = field_of_xy(
            (at + np.float32(self.center[0]))[None], (at + np.float32(self.center[1]))[:, None]
        )
        turn = self.rotation / (2 * self.density)
        shift = points / 2 - 0.5 - turn.T @ np.full(2, self.size / 2 - 0.5)
        matrix = np.concatenate([turn.T, shift[:, None]], 1)
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        shape = (self.size, self.size)
        return cv2.warpAffine(
            upright.astype(np.float32), matrix, shape, flags=flags, borderMode=cv2.BORDER_REPLICATE
        )

    @functools.cached_property
    def _grid(self) -> tuple[np.ndarray, np.ndarray]:
        inverse = np.linalg.inv(self.rotation)
        at = np.arange(self.size, dtype=np.float64)
        column, row = at[None, :] - self.offset[0], at[:, None] - self.offset[1]
        x = inverse[0, 0] * column + inverse[0, 1] * row
        y = inverse[1, 0] * column + inverse[1, 1] * row
        return x.astype(np.float32), y.astype(np.float32)

    def grid(self) -> tuple[np.ndarray, np.ndarray]:
        """(x, y) of every pixel, cm, float32 [size, size] each."""
        return self._grid

    def noise(self, rng: np.random.Generator, scales, weights) -> np.ndarray:
        """A sum of random smooth fields with features of `scales` cm, each of about unit variance,
        times `weights`.

        Each octave is drawn on a grid of its own size that covers 60 cm, so that the pattern is the
        same at every number of pixels. Features are wide against a pixel: they are made on at most
        128 points a side.
        """
        points = min(self.size, 128)
        total = np.zeros((points, points), np.float32)
        for scale, weight in zip(scales, weights, strict=True):
            cells = int(np.ceil(60 / scale)) + 3
            grid = rng.standard_normal((cells, cells), dtype=np.float32)
            step = self.field / scale / points
            first = (cells - 1) / 2 - (points - 1) / 2 * step
            crop = np.float64([[step, 0, first], [0, step, first]])
            flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
            total += np.float32(weight) * cv2.warpAffine(
                grid, crop, (points, points), flags=flags, borderMode=cv2.BORDER_REFLECT
            )
        if points == self.size:
            return total
        return cv2.resize(total, (self.size, self.size), interpolation=cv2.INTER_LINEAR)
