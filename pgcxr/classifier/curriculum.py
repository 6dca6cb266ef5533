"""The first lesson of the curriculum of Park et al. (Scientific Reports 9, 15352, 2019; the
thesis's reference 4).

They train ResNet-50 on patches around lesions before whole images. Here: square crops around all
lesions of an image, at the resolution of the stored file, and crops of normal images at the same
places and of the same sizes, so that neither gives the label away.
"""

import numpy as np

from pgcxr.cohort.findings import ABNORMAL, NORMAL
from pgcxr.cohort.image_files import read_png
from pgcxr.cohort.manifest import Cohort
from pgcxr.errors import ArgumentError
from pgcxr.images import resize

# A crop is so many times as wide as what it is around, and at least this part of the image.
MARGIN, LEAST = 1.5, 0.25
FEWEST = 8


def crops(
    cohort: Cohort, labels: np.ndarray, size: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """(uint8 [M, size, size, 1], labels [M, K]) of the normal images and of the abnormal ones with
    a lesion mask.

    Args:
        cohort, labels: N images and their labels [N, K]; a crop holds all lesions of its image, so
            its labels hold.
        seed: of the places on normal images.

    Raises:
        ArgumentError: too few images have a mask.
    """
    rows = cohort.manifest
    ill = np.flatnonzero((rows["label"] == ABNORMAL) & (rows["mask"] != ""))
    well = np.flatnonzero(rows["label"] == NORMAL)
    squares = {row: around(read_png(cohort.folder / rows["mask"].iloc[row]) > 0) for row in ill}
    squares = {row: square for row, square in squares.items() if square is not None}
    if min(len(squares), len(well)) < FEWEST:
        raise ArgumentError(
            "curriculum",
            f"{len(squares)} abnormal training images of {cohort.folder / 'manifest.csv'} have a "
            f"lesion mask, {len(well)} are normal; {FEWEST} of each are needed, so give 0",
        )
    places = list(squares.values())
    drawn = np.random.default_rng([seed, 11]).integers(len(places), size=len(well))
    squares |= {row: places[place] for row, place in zip(well, drawn, strict=True)}
    chosen = np.array(sorted(squares))
    paths = cohort.paths()
    pictures = [cut(read_png(paths[row]), squares[row], size) for row in chosen]
    return np.stack(pictures)[..., None], labels[chosen]


def around(mask: np.ndarray) -> tuple[float, float, float] | None:
    """(y, x, side) of the square around a mask [H, H], as fractions of H; None for an empty
    mask."""
    ys, xs = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not len(ys):
        return None
    extent = max(ys[-1] - ys[0], xs[-1] - xs[0]) + 1
    side = min(max(MARGIN * extent / len(mask), LEAST), 1.0)
    # Moved inwards where it would leave the image.
    corner = [
        min(max((places[0] + places[-1] + 1) / 2 / len(mask) - side / 2, 0.0), 1.0 - side)
        for places in (ys, xs)
    ]
    return *corner, side


def cut(image: np.ndarray, square: tuple[float, float, float], size: int) -> np.ndarray:
    """uint8 [H, H] -> [size, size]: the square (y, x, side) of it, brought to size."""
    y, x, side = (round(part * len(image)) for part in square)
    part = image[y : y + side, x : x + side]
    return resize(part, size)
