"""From line integrals to stored pixels: scatter, quanta, and the maker's for-presentation curve."""

import cv2
import numpy as np

from pgcxr.phantom.canvas import Canvas
from pgcxr.phantom.patient import Exposure

TOP = 4095
QUANTA = 2.4e5  # detected per mm2 behind no patient at nominal dose
ELECTRONIC = (
    1e-4  # standard deviation of the electronics, as a fraction of the signal behind no patient
)


def detect(
    canvas: Canvas, attenuation: np.ndarray, exposure: Exposure, rng: np.random.Generator
) -> np.ndarray:
    """The logarithm of the detected signal, sign reversed (bones high), after blur, scatter and
    quantum noise."""
    primary = cv2.exp(-canvas.blur(attenuation, exposure.blur))
    # Scatter is born in the body and spreads over a hand's breadth; none where the beam meets only
    # air.
    born = primary * (1 - cv2.exp(-0.5 * attenuation))
    signal = primary + np.float32(exposure.scatter) * canvas.blur(born, 5.0)
    per_pixel = QUANTA * exposure.dose * (10 / canvas.density) ** 2
    # Poisson statistics at these counts are Gaussian; the same deviate is used whatever lies in the
    # beam, so that an image with and without a lesion differ by the lesion alone.
    noise = rng.standard_normal(signal.shape, dtype=np.float32)
    signal += noise * cv2.sqrt(signal * np.float32(1 / per_pixel)) + np.float32(ELECTRONIC) * noise
    return -cv2.log(np.maximum(signal, 1e-4))


def anchors(
    canvas: Canvas, attenuation: np.ndarray, lung: np.ndarray, body: np.ndarray
) -> tuple[float, float]:
    """Levels of aerated lung and of the abdomen, from the healthy body, on which the presentation
    curve is hung."""
    small = (min(64, canvas.size),) * 2
    level, lungs, inside = (
        cv2.resize(m, small, interpolation=cv2.INTER_AREA) for m in (attenuation, lung, body)
    )
    aerated = level[lungs > 0.55 * lungs.max()]
    flesh = level[inside > 0.35 * inside.max()]
    return float(np.percentile(aerated, 40)), float(np.percentile(flesh, 93))


def present(
    canvas: Canvas, log_signal: np.ndarray, low: float, high: float, exposure: Exposure
) -> np.ndarray:
    """0..1: detail enhancement, then a sigmoid through (`low`, lung gray) and (`high`, body
    gray)."""
    if exposure.detail > 0.05:
        # As makers do, enhance what is finer than about a rib, less where the local contrast is
        # high already: no halo along the dome, the heart and the border to direct exposure.
        broad = log_signal - canvas.blur(log_signal, 2.5)
        fine = log_signal - canvas.blur(log_signal, 0.6)
        quiet = 1 / (1 + (broad * np.float32(1 / 0.22)) ** 2)
        log_signal = log_signal + np.float32(exposure.detail) * quiet * (
            fine + np.float32(0.4) * broad
        )
    start, end = _logit(exposure.lung_gray), _logit(exposure.body_gray)
    slope = (end - start) / max(high - low, 0.2)
    return 1 / (1 + cv2.exp(-(start + slope * (log_signal - low)).astype(np.float32)))


def shutter(canvas: Canvas, exposure: Exposure) -> np.ndarray | None:
    """8-bit [size, size], 0 where collimator blades cover the detector; None where they leave all
    of it open."""
    if not any(exposure.collimation):
        return None
    size = canvas.size
    far = 2.0  # an open side lies far outside the image
    left, top, right, bottom = (edge if edge else -far for edge in exposure.collimation)
    corners = (
        np.array([(left, top), (1 - right, top), (1 - right, 1 - bottom), (left, 1 - bottom)]) - 0.5
    )
    turn = np.deg2rad(exposure.shutter_tilt)
    corners = corners @ np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    return cv2.fillPoly(
        canvas.blank(), [np.rint((corners + 0.5) * size * 16).astype(np.int32)], 255, cv2.LINE_AA, 4
    )


def store(
    canvas: Canvas, gray: np.ndarray, exposure: Exposure, window: np.ndarray | None
) -> np.ndarray:
    """uint16 [size, size], 12 bit: range, marker, collimator blades."""
    first, last = exposure.range
    gray = np.float32(first) + np.float32(last - first) * gray
    if exposure.marker:
        _marker(canvas, gray, exposure, last)
    if window is not None:
        gray = gray * (window * np.float32(1 / 255))
    return np.clip(np.rint(gray * TOP), 0, TOP).astype(np.uint16)


def _marker(canvas: Canvas, gray: np.ndarray, exposure: Exposure, value: float) -> None:
    """Draws a lead "L", a little askew, on the patient's left."""
    x, y, tall = (part * canvas.size for part in exposure.marker)
    lean = 0.06 * exposure.tilt
    letter = np.array(
        [(x, y), (x - lean * tall, y + tall), (x - lean * tall + 0.6 * tall, y + tall * (1 + lean))]
    )
    layer = canvas.blank()
    cv2.polylines(
        layer,
        [np.round(letter * 16).astype(np.int32)],
        False,
        235,
        max(1, round(0.16 * tall)),
        cv2.LINE_AA,
        4,
    )
    np.maximum(gray, layer * np.float32(value / 255), out=gray)


def _logit(value: float) -> float:
    return float(np.log(value / (1 - value)))
