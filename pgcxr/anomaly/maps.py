"""From the difference between an image and its reconstruction to an anomaly map.

A difference of ten gray levels is much over the lung and nothing at the edge of the heart, where
even a good reconstruction misses. So a map is compared with those of healthy images, place by
place: z = (value - mean) / deviation. Lesions are of unknown size, and some are brighter or darker
(effusion, pneumothorax), others only rougher or smoother than healthy lung (interstitial opacity).
So z is taken of two things, each in windows of several sizes: the mean of the difference, and the
logarithm of its energy. Their root mean square is the anomaly map, about 1 where an image is
healthy.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from pgcxr.errors import ArgumentError

# Maps are no finer than this: the smallest window is wider, and a thousand maps of 1024 px would
# not fit into memory.
FINEST = 128
# Windows: standard deviations of Gaussians, as fractions of the image's width (a nodule to half a
# lung).
WINDOWS = (1 / 64, 1 / 32, 1 / 16, 1 / 8)
# Added to the energy, in squared typical differences: the logarithm of nothing is no evidence.
QUIET = 0.1


@dataclass(frozen=True)
class Healthy:
    """Per channel (of `windowed`) and pixel, `mean` and `deviation` [C, S, S] over healthy
    images."""

    mean: np.ndarray
    deviation: np.ndarray


def differences(images: np.ndarray, reconstructions: np.ndarray) -> np.ndarray:
    """Image minus reconstruction, less its median over the image.

    The loss of the inversion is blind to a brightness offset, so the offset carries no information;
    the median takes it away without letting a large lesion darken the rest of the map.

    Example:

        >>> image = np.zeros((1, 4, 4, 1))
        >>> image[0, 1, 2] = 0.5
        >>> differences(image + 0.25, np.zeros_like(image))[0, 1].tolist()
        [0.0, 0.0, 0.5, 0.0]

    Args:
        images, reconstructions: [N, R, R, 1] in [-1, 1].

    Returns:
        float32 [N, S, S] with S = min(R, `FINEST`).

    Raises:
        ArgumentError: the two are not of one shape.
    """
    if np.shape(images) != np.shape(reconstructions):
        shape = np.shape(images)
        raise ArgumentError(
            "reconstructions", f"must be {shape}, as the images", np.shape(reconstructions)
        )
    difference = (
        np.asarray(images, np.float32)[..., 0] - np.asarray(reconstructions, np.float32)[..., 0]
    )
    if difference.shape[1] > FINEST:
        size = (FINEST, FINEST)
        difference = np.stack(
            [cv2.resize(image, size, interpolation=cv2.INTER_AREA) for image in difference]
        )
    return difference - np.median(difference, axis=(1, 2), keepdims=True)


def scaled(maps: np.ndarray) -> np.ndarray:
    """Maps [N, S, S] in units of each image's own typical difference, the median of |d|.

    A radiograph of high contrast differs more everywhere; that makes it no more abnormal.
    """
    typical = np.median(np.abs(maps), axis=(1, 2), keepdims=True)
    return maps / np.maximum(typical, 1e-6)


def windowed(maps: np.ndarray) -> np.ndarray:
    """Mean and log energy of scaled maps [N, S, S] in each of the W windows: [N, 2 W - 1, S, S].

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


def learn_healthy(windows: np.ndarray) -> Healthy:
    """Mean and deviation over healthy images' `windowed` maps [N, C, S, S].

    The deviation of a pixel from a hundred images is itself uncertain by 7 %, and the largest of
    thousands of quotients finds the pixel where it came out too small; so the variance is shrunk
    toward its average over the window's neighborhood, with the weight of ten images.
    """
    mean, variance = windows.mean(axis=0), windows.var(axis=0, ddof=1)
    width = windows.shape[-1]
    around = np.stack(
        [cv2.GaussianBlur(v, (0, 0), width / 16, borderType=cv2.BORDER_REFLECT) for v in variance]
    )
    prior = 10.0
    shrunk = (len(windows) * variance + prior * around) / (len(windows) + prior)
    # A pixel that never changes (a black border) would divide by nothing.
    floor = 1e-3 * shrunk.mean(axis=(1, 2), keepdims=True) + 1e-12
    return Healthy(mean, np.sqrt(np.maximum(shrunk, floor)))


def standardized(windows: np.ndarray, healthy: Healthy) -> np.ndarray:
    """z [N, C, S, S] of `windowed` maps: by how many healthy deviations they are off the mean."""
    return (windows - healthy.mean) / healthy.deviation


def anomaly_map(z: np.ndarray) -> np.ndarray:
    """[N, S, S]: the root mean square of z [N, C, S, S] over the channels."""
    return np.sqrt(np.mean(z**2, axis=1))
