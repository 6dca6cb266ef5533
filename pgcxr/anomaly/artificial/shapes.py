"""Where an artificial anomaly is: weights in [0, 1] over an image.

Each function takes the image [S, S] in [0, 1], the place (x, y) in pixels and a generator of random
numbers, and gives float32 [S, S].
"""

import cv2
import numpy as np

from pgcxr.anomaly.artificial.draws import blurred, grain, scale, sign

# OpenCV draws at fractions of a pixel: coordinates are multiplied by 2^SHIFT.
SHIFT = 6
# How far from the place a shape reaches, as a share of the width: a dot to a third of a lung field.
SMALLEST, LARGEST = 1 / 64, 0.32


def blob(image, place, rng) -> np.ndarray:
    """A spot with a lobed border, mostly soft; sometimes it leaves out other tissue."""
    reach = scale(rng, SMALLEST, LARGEST)
    return _soft(_within_tissue(_spot(image, place, reach, rng), image, place, rng), reach, rng)


def rough(image, place, rng) -> np.ndarray:
    """A spot of which islands remain."""
    reach = scale(rng, 0.08, LARGEST)
    islands = grain(rng, len(image), scale(rng, 0.02, 0.15)) > rng.uniform(-0.8, 0.8)
    return _soft(_spot(image, place, reach, rng) * islands, reach, rng)


def flat(image, place, rng) -> np.ndarray:
    """A spot cut off along a line, upright or level as a rule, as fluid and lobes are."""
    reach = scale(rng, 0.08, LARGEST)
    angle = rng.normal(0, 0.25) + np.pi / 2 * rng.integers(4)
    y, x = np.mgrid[: len(image), : len(image)]
    across = (x - place[0]) * np.cos(angle) + (y - place[1]) * np.sin(angle)
    kept = across > rng.uniform(-0.3, 0.3) * reach * len(image)
    return _soft(_spot(image, place, reach, rng) * kept, reach, rng)


def lines(image, place, rng) -> np.ndarray:
    """One bent line, or a bundle of up to 15, parallel or crossing."""
    size = len(image)
    count = 1 if rng.random() < 0.35 else int(rng.integers(2, 16))
    direction, spread = rng.uniform(0, np.pi), (0.15, 0.5, 3.0)[rng.integers(3)]
    length, reach = scale(rng, 0.04, 0.45) * size, scale(rng, 0.06, LARGEST) * size
    out = np.zeros((size, size), np.uint8)
    t = np.linspace(-0.5, 0.5, 7)
    for _ in range(count):
        middle = place + (rng.normal(0, 0.5, 2) * reach if count > 1 else 0)
        own, angle = length * rng.uniform(0.6, 1.4), direction + rng.normal(0, spread)
        bend = rng.normal(0, 0.18) * own * (4 * t**2 - 1)
        along = np.stack([np.cos(angle), np.sin(angle)])
        aside = np.stack([-np.sin(angle), np.cos(angle)])
        points = middle + own * t[:, None] * along + bend[:, None] * aside
        thick = max(int(round(scale(rng, 0.5, 2.5) * size / 64)), 1)
        cv2.polylines(out, [_fixed(points)], False, 255, thick, cv2.LINE_AA, SHIFT)
    return _maybe_blurred(out.astype(np.float32) / 255, rng)


def dots(image, place, rng) -> np.ndarray:
    """One dot, or a cluster of up to 60; none is smaller than a pixel."""
    size = len(image)
    count, radius = int(round(scale(rng, 1, 60))), scale(rng, 0.5, 2.2) * size / 64
    reach = scale(rng, 0.05, LARGEST) * size
    out = np.zeros((size, size), np.uint8)
    for _ in range(count):
        middle = place + (rng.normal(0, 0.5, 2) * reach if count > 1 else 0)
        own = int(round(radius * rng.uniform(0.6, 1.4) * (1 << SHIFT)))
        x, y = (int(value) for value in _fixed(middle))
        cv2.circle(out, (x, y), max(own, 1), 255, -1, cv2.LINE_AA, SHIFT)
    return _maybe_blurred(out.astype(np.float32) / 255, rng)


def tissue(image, place, rng) -> np.ndarray:
    """All that is about as bright as the place: a lung, say; often fading to one side, or on one
    side only, or uneven."""
    size = len(image)
    out = blurred(_alike(image, place, scale(rng, 0.06, 0.25)), scale(rng, 0.4, 1.5) / 64)
    if rng.random() < 0.6:
        angle = rng.uniform(0, 2 * np.pi)
        y, x = np.mgrid[:size, :size] / size - 0.5
        slope = (x * np.cos(angle) + y * np.sin(angle)) * rng.uniform(1, 5)
        out = out * np.clip(0.5 + slope + rng.normal(0, 0.4), 0, 1)
    if rng.random() < 0.5:
        middle = int(size * rng.uniform(0.4, 0.6))
        out[:, slice(middle, None) if rng.random() < 0.5 else slice(None, middle)] = 0
    if rng.random() < 0.5:
        uneven = grain(rng, size, scale(rng, 0.7, 4) / 64)
        # A net of thin lines, where the noise passes 0, or patches.
        net = rng.random() < 0.5
        out = out * np.clip(
            1 - 1.3 * np.abs(uneven) if net else uneven * rng.uniform(0.5, 1.5) + rng.random(), 0, 1
        )
    return out.astype(np.float32)


def contour(image, place, rng) -> np.ndarray:
    """A thin band along the border of organs: where the image has the gray level of the place,
    moved a little."""
    size = len(image)
    smooth = blurred(image, 1.5 / 64)
    down, right = np.gradient(smooth)
    # Distance to the line of one gray level, to first order, in pixels.
    distance = np.abs(smooth - _at(smooth, place)) / (np.hypot(right, down) + 0.008)
    band = np.clip(1.5 - distance / (scale(rng, 0.4, 2.0) * size / 64), 0, 1).astype(np.float32)
    aside = np.float32([[1, 0, 0], [0, 1, 0]])
    aside[:, 2] = rng.normal(0, 1.5, 2) * size / 64
    band = cv2.warpAffine(band, aside, (size, size))
    return band * blurred(_spot(image, place, scale(rng, 0.08, 0.4), rng), 0.7 / 64)


def _spot(image, place, reach: float, rng) -> np.ndarray:
    """The inside of a closed curve whose distance from the middle is a sum of five waves."""
    size = len(image)
    angle = np.linspace(0, 2 * np.pi, 48, endpoint=False)
    wave = np.arange(1, 6)[:, None]
    lobes = (
        rng.normal(0, 0.22, (5, 1))
        / wave
        * np.sin(wave * angle + rng.uniform(0, 2 * np.pi, (5, 1)))
    )
    radius = reach * size * np.clip(1 + lobes.sum(axis=0), 0.3, 2)
    longer, turn = np.exp(rng.normal(0, 0.35)), rng.uniform(0, np.pi)
    x, y = radius * np.cos(angle) * longer, radius * np.sin(angle) / longer
    points = np.stack(
        [x * np.cos(turn) - y * np.sin(turn), x * np.sin(turn) + y * np.cos(turn)], axis=1
    )
    out = np.zeros((size, size), np.uint8)
    cv2.fillPoly(out, [_fixed(points + place)], 255, cv2.LINE_AA, SHIFT)
    return out.astype(np.float32) / 255


def _within_tissue(weights, image, place, rng) -> np.ndarray:
    if rng.random() < 0.35:
        return weights * _alike(image, place, scale(rng, 0.05, 0.25))
    return weights


def _alike(image, place, near: float) -> np.ndarray:
    """1 where the image is about as bright as at the place."""
    smooth = blurred(image, 1 / 64)
    return (np.abs(smooth - _at(smooth, place)) < near).astype(np.float32)


def _at(image, place) -> float:
    x, y = np.clip(np.rint(place).astype(int), 0, len(image) - 1)
    return float(image[y, x])


def _soft(weights, reach: float, rng) -> np.ndarray:
    if rng.random() < 0.75:
        return blurred(weights, scale(rng, 0.3 / 64, max(0.35 / 64, 0.35 * reach)))
    return weights


def _maybe_blurred(weights, rng) -> np.ndarray:
    return blurred(weights, scale(rng, 0.3, 1.0) / 64) if rng.random() < 0.5 else weights


def _fixed(points: np.ndarray) -> np.ndarray:
    """Coordinates as OpenCV reads fractions of pixels."""
    return np.rint(np.asarray(points) * (1 << SHIFT)).astype(np.int32)


def mirrored(weights: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """On both sides: the same again in the other half, at about the same height."""
    other = np.roll(weights[:, ::-1], sign(rng) * int(rng.integers(0, 1 + len(weights) // 20)), 0)
    return np.maximum(weights, other)
