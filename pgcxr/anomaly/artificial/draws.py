"""Random numbers that shapes and effects share. Lengths are shares of the image's width, so that an
anomaly is as large at 64 px as at 512."""

import cv2
import numpy as np


def scale(rng: np.random.Generator, low: float, high: float) -> float:
    """A number between two, each factor as likely as the next (log-uniform)."""
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def sign(rng: np.random.Generator) -> int:
    """1 or -1."""
    return 1 if rng.random() < 0.5 else -1


def grain(rng: np.random.Generator, size: int, width: float) -> np.ndarray:
    """float32 [size, size]: smooth noise of mean about 0 and deviation 1, whose lumps are about
    `width` of the image wide."""
    knots = int(np.clip(round(0.7 / width), 2, size))
    noise = rng.standard_normal((knots + 2, knots + 2), dtype=np.float32)
    noise = cv2.resize(noise, (size, size), interpolation=cv2.INTER_CUBIC)
    return noise / (noise.std() + 1e-6)


def blurred(image: np.ndarray, width: float) -> np.ndarray:
    """Gaussian of a standard deviation of `width` of the image."""
    return cv2.GaussianBlur(image, (0, 0), max(width * len(image), 0.05))
