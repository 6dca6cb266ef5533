"""What a chest radiograph looks like on the whole: mean images of the phantom, to compare images
with.

The pictures in chest_template.png are made from procedural radiographs alone, by

    python -m pgcxr.curation.chest_template

so they can be passed on and made again. From left to right: frontal, lateral, and the share of
patients whose lungs cover a pixel of the frontal one.
"""

from functools import cache
from importlib import resources

import cv2
import numpy as np

NAME = "chest_template.png"
SIDE = 64
PATIENTS = 200
SEED = 7
# Radiographs are rendered with this side, in pixels.
RENDERED = 128
# Images are looked at with a longer side of this many pixels: enough for borders, and milliseconds.
LOOKED_AT = 256
# A row or column that belongs to the picture spans more gray levels than this from its 5th to its
# 95th percentile.
CONSTANT = 12
# Rank images are compared on a grid of this many rows and columns.
GRID = 32


def reduced(image: np.ndarray) -> np.ndarray:
    """uint8 [H, W] with the longer side at most LOOKED_AT."""
    # By a whole factor first, which OpenCV does many times faster; what is left over is less than
    # one row of cells.
    step = max(image.shape) // LOOKED_AT
    if step > 1:
        rows, columns = (max(side // step, 1) for side in image.shape)
        image = cv2.resize(
            image[: rows * step, : columns * step], (columns, rows), interpolation=cv2.INTER_AREA
        )
    factor = LOOKED_AT / max(image.shape)
    if factor >= 1:
        return image
    rows, columns = (max(round(side * factor), 1) for side in image.shape)
    return cv2.resize(image, (columns, rows), interpolation=cv2.INTER_AREA)


def frame(image: np.ndarray) -> tuple[slice, slice]:
    """Rows and columns inside the borders of one gray value (collimator, padding); all of it where
    little is left."""
    slices = []
    for axis, side in ((1, image.shape[0]), (0, image.shape[1])):
        across = image.shape[axis]
        places = across // 20, across - 1 - across // 20
        # Stable: of bytes that is a radix sort, faster than a partition.
        ordered = np.sort(image, axis=axis, kind="stable").astype(np.int16)
        span = np.take(ordered, places[1], axis) - np.take(ordered, places[0], axis)
        inside = np.flatnonzero(span > CONSTANT)
        slices.append(
            slice(inside[0], inside[-1] + 1) if len(inside) >= side // 4 + 1 else slice(0, side)
        )
    return slices[0], slices[1]


def ranks(image: np.ndarray, side: int = GRID) -> np.ndarray:
    """Standardized ranks of the gray values, float32 [side, side] of mean 0 and norm 1 (0 where all
    are equal).

    Ranks do not change with gamma, window or detector, so that what is compared is where it is dark
    and where bright.
    """
    small = cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA)
    ordered = order(small)
    ordered -= ordered.mean()
    norm = np.linalg.norm(ordered)
    return (ordered / norm if norm else ordered).astype(np.float32)


def order(image: np.ndarray) -> np.ndarray:
    """The rank of each value, from 1 on, equal ones taking their mean, float64 in the shape of
    `image`.

    As scipy.stats.rankdata, which takes longer to import than a radiograph to decode.
    """
    if image.dtype.kind == "u":
        places, counts = image, np.bincount(image.ravel())
    else:
        _, places, counts = np.unique(image, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts - 1) / 2)[places].reshape(image.shape)


@cache
def load() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Frontal and lateral mean image and the share of lungs, each float32 [SIDE, SIDE] in [0,
    1]."""
    content = np.frombuffer(resources.files("pgcxr.curation").joinpath(NAME).read_bytes(), np.uint8)
    picture = cv2.imdecode(content, cv2.IMREAD_GRAYSCALE).astype(np.float32) / 255
    frontal, lateral, lungs = np.split(picture, 3, axis=1)
    return frontal, lateral, lungs


def make(patients: int = PATIENTS, seed: int = SEED) -> np.ndarray:
    """The picture, uint8 [SIDE, 3 * SIDE]."""
    total = np.zeros((4, SIDE, SIDE))
    for index in range(patients):
        for place, view in enumerate(("PA", "AP", "LATERAL")):
            image, lungs = _radiograph(seed, index, view)
            rows, columns = frame(image)
            total[place] += order(_resized(image[rows, columns])) / SIDE**2 / patients
            if view != "LATERAL":
                total[3] += _resized(lungs[rows, columns]) / (2 * patients)
    frontal = (total[0] + total[1]) / 2
    return np.rint(np.concatenate([frontal, total[2], total[3]], axis=1) * 255).astype(np.uint8)


def _resized(image: np.ndarray) -> np.ndarray:
    return cv2.resize(image, (SIDE, SIDE), interpolation=cv2.INTER_AREA)


def _radiograph(seed: int, index: int, view: str) -> tuple[np.ndarray, np.ndarray]:
    """One normal patient: uint8 [RENDERED, RENDERED], and float32 1 where there is lung."""
    from pgcxr.dicom.normalization import normalize
    from pgcxr.phantom.canvas import Canvas
    from pgcxr.phantom.outline import LEFT, RIGHT, Frontal
    from pgcxr.phantom.patient import sample_exposure, sample_patient
    from pgcxr.phantom.render import render

    patient = sample_patient(np.random.default_rng([seed, index]))
    image = normalize(render(patient, RENDERED, view=view).pixels.astype(np.float32))
    if view == "LATERAL":
        return image, np.zeros(image.shape, np.float32)
    # The exposure that `render` draws for its first shot.
    exposure = sample_exposure(np.random.default_rng([patient.seed, 0, 1]), patient, view)
    canvas = Canvas(RENDERED, exposure.field, exposure.center, exposure.tilt)
    chest = Frontal(patient, exposure, view)
    covered = [canvas.cover(canvas.fill(chest.cavity(side)), 0.05) for side in (RIGHT, LEFT)]
    return image, np.maximum(*covered).astype(np.float32)


if __name__ == "__main__":
    from pathlib import Path

    cv2.imwrite(str(Path(__file__).with_name(NAME)), make())
