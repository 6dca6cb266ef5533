"""From difference maps to scores, p-values and a threshold, with nothing but healthy images.

A difference of ten gray levels is much over the lung and nothing at the edge of the heart, where
even a good reconstruction misses. So a map is compared with those of healthy images, place by
place: z = (value - mean) / deviation. Lesions are of unknown size, and some are brighter or darker
(effusion, pneumothorax), others only rougher or smoother than healthy lung (interstitial opacity).
So z is taken of two things, each in windows of several sizes: the mean of the difference, and the
logarithm of its energy. Their root mean square is the anomaly map, about 1 where an image is
healthy; the mean of its highest 3 % is the score.
"""

from dataclasses import dataclass

import cv2
import numpy as np

# Maps are no finer than this: the smallest window is wider, and a thousand maps of 1024 px would
# not fit into memory.
FINEST = 128
# Windows: standard deviations of Gaussians, as fractions of the image's width (a nodule to half a
# lung).
WINDOWS = (1 / 64, 1 / 32, 1 / 16, 1 / 8)
# Added to the energy, in squared typical differences: the logarithm of nothing is no evidence.
QUIET = 0.1
# The share of the image that is scored: about a small lesion.
TOP = 0.03
FOLDS = 5


@dataclass(frozen=True)
class Healthy:
    """Per window and pixel, `mean` and `deviation` [C, S, S] over healthy images."""

    mean: np.ndarray
    deviation: np.ndarray


def differences(images: np.ndarray, reconstructions: np.ndarray) -> np.ndarray:
    """Query minus reconstruction, [N, S, S], less its median over the image; S = min(R, `FINEST`).

    The loss of the inversion is blind to a brightness offset, so the offset carries no information;
    the median takes it away without letting a large lesion darken the rest of the map.
    """
    difference = (
        np.asarray(images, np.float32)[..., 0] - np.asarray(reconstructions, np.float32)[..., 0]
    )
    if difference.shape[1] > FINEST:
        size = (FINEST, FINEST)
        difference = np.stack(
            [cv2.resize(one, size, interpolation=cv2.INTER_AREA) for one in difference]
        )
    return difference - np.median(difference, axis=(1, 2), keepdims=True)


def scaled(maps: np.ndarray) -> np.ndarray:
    """Maps [N, S, S] in units of each image's own typical difference, the median of |d|.

    A radiograph of high contrast differs more everywhere; that makes it no more abnormal.
    """
    typical = np.median(np.abs(maps), axis=(1, 2), keepdims=True)
    return maps / np.maximum(typical, 1e-6)


def windowed(maps: np.ndarray) -> np.ndarray:
    """[N, 2 W - 1, S, S]: mean and log energy of scaled maps [N, S, S] in each of the W windows.

    The energy in the smallest window, hardly more than a pixel, is that of the mean and left out.
    """
    energy = np.log(_smoothed(maps**2, WINDOWS[1:]) + QUIET)
    return np.concatenate([_smoothed(maps, WINDOWS), energy], axis=1)


def _smoothed(maps: np.ndarray, windows: tuple[float, ...]) -> np.ndarray:
    """[N, W, S, S]."""
    width = maps.shape[-1]
    out = np.empty((len(maps), len(windows), *maps.shape[1:]), np.float32)
    for scale, window in enumerate(windows):
        for index, image in enumerate(maps):
            out[index, scale] = cv2.GaussianBlur(
                image, (0, 0), window * width, borderType=cv2.BORDER_REFLECT
            )
    return out


def learn(seen: np.ndarray) -> Healthy:
    """Mean and deviation over healthy images' windows [N, C, S, S].

    The deviation of a pixel from a hundred images is itself uncertain by 7 %, and the largest of
    thousands of quotients finds the pixel where it came out too small; so the variance is shrunk
    towards its average over the window's neighborhood, with the weight of ten images.
    """
    mean, variance = seen.mean(axis=0), seen.var(axis=0, ddof=1)
    width = seen.shape[-1]
    around = np.stack(
        [cv2.GaussianBlur(v, (0, 0), width / 16, borderType=cv2.BORDER_REFLECT) for v in variance]
    )
    prior = 10.0
    shrunk = (len(seen) * variance + prior * around) / (len(seen) + prior)
    # A pixel that never changes (a black border) would divide by nothing.
    floor = 1e-3 * shrunk.mean(axis=(1, 2), keepdims=True) + 1e-12
    return Healthy(mean, np.sqrt(np.maximum(shrunk, floor)))


def standardized(seen: np.ndarray, healthy: Healthy) -> np.ndarray:
    """z [N, C, S, S]."""
    return (seen - healthy.mean) / healthy.deviation


def anomaly_map(z: np.ndarray) -> np.ndarray:
    """[N, S, S]: the root mean square of z [N, C, S, S] over the windows."""
    return np.sqrt(np.mean(z**2, axis=1))


def scores(z: np.ndarray) -> np.ndarray:
    """[N]: the mean of the highest `TOP` of each anomaly map."""
    flat = anomaly_map(z).reshape(len(z), -1)
    count = max(int(round(TOP * flat.shape[1])), 1)
    return np.sort(flat, axis=1)[:, -count:].mean(axis=1)


def cross_scores(seen: np.ndarray, rng: np.random.Generator, folds: int = FOLDS) -> np.ndarray:
    """Scores [N] of healthy images, each against the mean and deviation of the others' folds.

    Judged by statistics that it took part in, a healthy image looks too healthy, and the threshold
    would be too low.
    """
    fold = rng.permutation(len(seen)) % folds
    out = np.empty(len(seen))
    for index in range(folds):
        inside = fold == index
        out[inside] = scores(standardized(seen[inside], learn(seen[~inside])))
    return out


def p_values(healthy_scores: np.ndarray, new_scores: np.ndarray) -> np.ndarray:
    """Conformal p-values, (1 + #{healthy >= s}) / (n + 1): uniform for a new image of the healthy
    kind."""
    ordered = np.sort(healthy_scores)
    at_least = len(ordered) - np.searchsorted(ordered, new_scores, side="left")
    return (1 + at_least) / (len(ordered) + 1)


def threshold(healthy_scores: np.ndarray, specificity: float) -> float:
    """The score above which an image is called abnormal: the p-value is then at most 1 -
    specificity.

    Raises:
        ValueError: too few healthy images for any p-value to be that small.
    """
    count = len(healthy_scores)
    allowed = int(np.floor((1 - specificity) * (count + 1) + 1e-9)) - 1
    if allowed < 0:
        raise ValueError(f"{count} healthy images can't show a specificity of {specificity:.0%}")
    # At most `allowed` healthy scores are at or above the score of an image that is called
    # abnormal.
    return float(np.sort(healthy_scores)[::-1][allowed])
