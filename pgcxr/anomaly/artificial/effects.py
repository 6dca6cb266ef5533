"""What an artificial anomaly does to an image.

Each function takes the image and another normal one, [S, S] in [0, 1], weights in [0, 1] of the
same shape, and a generator of random numbers, and gives the changed image, not yet cut to [0, 1].
"""

import cv2
import numpy as np

from pgcxr.anomaly.artificial.draws import blurred, grain, scale, sign


def shade(image, other, weights, rng) -> np.ndarray:
    """Brighter or darker, by 3 to 50 % of the gray levels; sometimes unevenly."""
    return image + sign(rng) * scale(rng, 0.03, 0.5) * weights * _unevenness(image, 0.5, rng)


def level(image, other, weights, rng) -> np.ndarray:
    """Toward one gray level: of anywhere in the image, or any."""
    anywhere = image[tuple(rng.integers(0, len(image), 2))]
    aim = anywhere if rng.random() < 0.5 else rng.random()
    opacity = rng.uniform(0.15, 1) * weights * _unevenness(image, 0.4, rng)
    return image + np.clip(opacity, 0, 1) * (aim - image)


def patch(image, other, weights, rng) -> np.ndarray:
    """Blended with another normal image, or with another place of this one, turned, larger or
    smaller, from elsewhere; sometimes of the same brightness on average."""
    size = len(image)
    source = other if rng.random() < 0.75 else image
    turn = cv2.getRotationMatrix2D((size / 2, size / 2), rng.normal(0, 25), scale(rng, 0.7, 1.4))
    turn[:, 2] += rng.normal(0, 0.15 * size, 2)
    moved = cv2.warpAffine(source, turn, (size, size), borderMode=cv2.BORDER_REFLECT)
    if rng.random() < 0.5:
        moved = moved[:, ::-1]
    brighter = float(((image - moved) * weights).sum() / (weights.sum() + 1e-3))
    moved = moved + brighter * (0.0, 0.5, 1.0)[rng.integers(3)]
    return image + rng.uniform(0.3, 1) * weights * (moved - image)


def texture(image, other, weights, rng) -> np.ndarray:
    """A grain, or its peaks alone, or the net of lines where it passes 0."""
    noise = grain(rng, len(image), scale(rng, 0.6, 3.5) / 64)
    kind = rng.random()
    if kind < 0.4:
        noise = sign(rng) * np.abs(noise)
    elif kind < 0.6:
        noise = 2 * sign(rng) * np.clip(1 - 1.3 * np.abs(noise), 0, 1)
    return image + scale(rng, 0.02, 0.2) * weights * noise


def sharpness(image, other, weights, rng) -> np.ndarray:
    """Blurred, or sharpened by what a blur takes away."""
    amount = rng.uniform(0.6, 1) if rng.random() < 0.5 else rng.uniform(-1.8, -0.5)
    return image + amount * weights * (blurred(image, scale(rng, 0.7, 3) / 64) - image)


def warp(image, other, weights, rng) -> np.ndarray:
    """Moved aside by 1 to 10 % of the width, or swollen or shrunk around the middle of the
    weights."""
    size = len(image)
    y, x = np.mgrid[:size, :size].astype(np.float32)
    total = float(weights.sum()) + 1e-6
    middle = float((x * weights).sum()) / total, float((y * weights).sum()) / total
    spread = np.sqrt(total / np.pi) / size  # about the radius, as a share of the width
    smooth = blurred(weights, max(1 / 64, 0.25 * spread))
    if rng.random() < 0.5:
        angle, far = rng.uniform(0, 2 * np.pi), scale(rng, 1 / 64, 0.1) * size
        right, down = smooth * np.cos(angle) * far, smooth * np.sin(angle) * far
    else:
        growth = sign(rng) * rng.uniform(0.2, 0.6)
        right, down = smooth * (x - middle[0]) * growth, smooth * (y - middle[1]) * growth
    maps = (x + right).astype(np.float32), (y + down).astype(np.float32)
    return cv2.remap(image, *maps, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)


def _unevenness(image, most: float, rng) -> np.ndarray | float:
    """1, or in two of five cases a grain around it."""
    if rng.random() < 0.6:
        return 1.0
    noise = grain(rng, len(image), scale(rng, 0.7 / 64, 0.1))
    return np.clip(1 + rng.uniform(0.1, most) * noise, 0, 2)
