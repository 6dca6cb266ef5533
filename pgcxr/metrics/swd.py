"""Sliced Wasserstein distance between two sets of images, per scale (arXiv 1710.10196, section 5).

Both sets are taken apart by a Laplacian pyramid down to 16 px; 128 neighborhoods of 7 x 7 pixels
are drawn per image and level, normalized per set to mean 0 and deviation 1 per color, and the two
clouds of points are compared along random directions: 4 repeats of 128. A small distance at 16 px
says that the large structures agree, one at full size that the textures do. No library has it with
the original's stream of random numbers, by which a value can be compared with published ones.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

SIDE, PER_IMAGE, SMALLEST = 7, 128, 16
REPEATS, DIRECTIONS = 4, 128
MINIBATCH = 32
# The original tiles gray images to three equal colors; so do the numbers here, to be comparable
# with it.
COLORS = 3
# Directions projected and sorted at one time: bounds the memory.
CHUNK = 16
THREADS = 2


def sliced_wasserstein(
    reals: np.ndarray,
    fakes: np.ndarray,
    seed: int | np.random.RandomState = 0,
    per_image: int = PER_IMAGE,
    repeats: int = REPEATS,
) -> dict:
    """Distances per level and their mean, in units of 1e-3 as in the paper's tables.

    Args:
        reals, fakes: uint8 [N, R, R, 1 or 3], equally many; R a power of two, 16 or more.
        seed: of the neighborhoods and directions. The stream is NumPy's frozen legacy one, drawn
            in the order of the original program, so that a seed gives the original's own numbers.
            Compare values of one N only: the distance of two samples of one distribution falls with
            N.
        per_image, repeats: neighborhoods of each image and level, times 128 directions: nearly all
            of the time goes with their product. The paper's by default.

    Returns:
        {"<R>": distance at full resolution, ..., "16": ..., "mean": over the levels}.

    Example:

        >>> import numpy as np
        >>> from pgcxr.metrics.swd import sliced_wasserstein
        >>> rng = np.random.default_rng(0)
        >>> images = rng.integers(256, size=(16, 16, 16, 1), dtype=np.uint8)
        >>> distances = sliced_wasserstein(images[:8], images[8:], per_image=16, repeats=1)
        >>> list(distances), distances['mean'] > 0
        (['16', 'mean'], True)
    """
    reals, fakes = _checked(reals), _checked(fakes)
    if reals.shape != fakes.shape:
        raise ValueError(
            f"reals {reals.shape} and fakes {fakes.shape} must be equally many and of one size"
        )
    random = seed if isinstance(seed, np.random.RandomState) else np.random.RandomState(seed)
    sizes = level_sizes(reals.shape[1])

    # Only the positions and directions are drawn ahead; pixels are gathered level by level, to keep
    # the memory flat.
    of_reals = draw_positions(random, len(reals), sizes, per_image)
    for _ in range(repeats * len(sizes)):
        draw_directions(random)  # the original compares the reals with themselves first
    of_fakes = draw_positions(random, len(fakes), sizes, per_image)
    directions = [[draw_directions(random) for _ in range(repeats)] for _ in sizes]

    result = {}
    for level, size in enumerate(sizes):
        a = normalized(descriptors(reals, level, of_reals[level]))
        b = normalized(descriptors(fakes, level, of_fakes[level]))
        result[str(size)] = 1e3 * float(
            np.mean([distance(a, b, each) for each in directions[level]])
        )
    return {**result, "mean": float(np.mean(list(result.values())))}


def level_sizes(resolution: int) -> list[int]:
    """Sides of the pyramid's levels, finest first: R, R/2, ... 16."""
    return [
        resolution >> level for level in range(resolution.bit_length() - SMALLEST.bit_length() + 1)
    ]


def draw_positions(
    random: np.random.RandomState, n: int, sizes: list[int], per_image: int = PER_IMAGE
) -> list[np.ndarray]:
    """Centers of the neighborhoods, int16 [2 (x, y), n, per_image] per level; drawn minibatch by
    minibatch."""
    drawn = [[] for _ in sizes]
    for start in range(0, n, MINIBATCH):
        count = min(MINIBATCH, n - start)
        for level, size in enumerate(sizes):
            edge = SIDE // 2
            xy = [random.randint(edge, size - edge, size=count * per_image) for _ in "xy"]
            drawn[level].append(np.array(xy, np.int16).reshape(2, count, per_image))
    return [np.concatenate(parts, axis=1) for parts in drawn]


def descriptors(images: np.ndarray, level: int, positions: np.ndarray) -> np.ndarray:
    """float32 [N * P, C, 49]: the neighborhoods of a pyramid level of uint8 images [N, R, R, C]
    around [2, N, P]."""
    gathered = np.empty((*positions.shape[1:], images.shape[-1], SIDE * SIDE), np.float32)
    for index, band in enumerate(_bands(images, level)):
        gathered[index] = neighborhoods(band, *positions[:, index])
    return gathered.reshape(-1, *gathered.shape[2:])


def neighborhoods(band: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """[P, C, 49]: the 7 x 7 pixels of [R, R, C] around each (x, y); x before y, as in the
    original."""
    # [R - 6, R - 6, C, 7 (y), 7 (x)]
    windows = sliding_window_view(band, (SIDE, SIDE), axis=(0, 1))
    edge = SIDE // 2
    pixels = windows[y.astype(np.intp) - edge, x.astype(np.intp) - edge]
    return pixels.swapaxes(-1, -2).reshape(len(x), band.shape[-1], SIDE * SIDE)


def laplacian(image: np.ndarray, level: int) -> np.ndarray:
    """One level of the Laplacian pyramid of a float32 image [R, R] or [R, R, 3]; 5 x 5 binomial
    kernel, edges mirrored.

    The level whose side is 16 is what is left, not a difference.
    """
    for _ in range(level):
        image = cv2.pyrDown(image)
    return image if image.shape[0] <= SMALLEST else image - cv2.pyrUp(cv2.pyrDown(image))


def normalized(points: np.ndarray) -> np.ndarray:
    """The descriptors [M, C, 49] with mean 0 and deviation 1 per color, in place."""
    count = np.float32(points.shape[0] * points.shape[2])
    points -= _column_sums(points) / count
    centered = points - _column_sums(points) / count
    deviation = np.sqrt(_column_sums(np.square(centered, out=centered)) / count)
    points /= np.where(deviation > 0, deviation, 1)
    return points


def _column_sums(points: np.ndarray) -> np.ndarray:
    """float32 [1, C, 1]. One float32 sum over the rows in order, as in the original: sums of more
    digits are closer to the truth, and put the distances up to 5e-5 of their value away from the
    original's."""
    return np.cumsum(points.sum(axis=2), axis=0)[-1][None, :, None]


def _bands(images: np.ndarray, level: int) -> Iterator[np.ndarray]:
    for image in images:
        image = image.astype(np.float32)
        # OpenCV drops a last axis of length 1, so gray images go through it without.
        yield (
            laplacian(image, level)
            if image.shape[-1] > 1
            else laplacian(image[..., 0], level)[..., None]
        )


def draw_directions(random: np.random.RandomState) -> np.ndarray:
    """Unit vectors, float32 [3 * 49, 128]."""
    vectors = random.randn(COLORS * SIDE * SIDE, DIRECTIONS)
    return (vectors / np.sqrt(np.sum(np.square(vectors), axis=0, keepdims=True))).astype(np.float32)


def distance(a: np.ndarray, b: np.ndarray, directions: np.ndarray) -> float:
    """Mean over directions of the 1-D Wasserstein distance between the projections of a and b, [M,
    C, 49]."""
    if a.shape[1] == 1:
        # Three equal colors projected on d are one color projected on the sum of d's three parts.
        directions = directions.reshape(COLORS, SIDE * SIDE, -1).sum(axis=0)
    a, b = a.reshape(len(a), -1), b.reshape(len(b), -1)

    def along(start: int) -> float:
        some = directions[:, start : start + CHUNK].T
        # [directions, M]: sorting runs along memory.
        projected_a, projected_b = some @ a.T, some @ b.T
        projected_a.sort(axis=1)
        projected_b.sort(axis=1)
        projected_a -= projected_b
        return float(np.abs(projected_a, out=projected_a).sum(dtype=np.float64))

    # Sorting, nearly all of the time, runs outside Python's lock.
    with ThreadPoolExecutor(THREADS) as pool:
        total = sum(pool.map(along, range(0, directions.shape[1], CHUNK)))
    return total / (len(a) * directions.shape[1])


def _checked(images: np.ndarray) -> np.ndarray:
    images = np.asarray(images)
    if images.dtype != np.uint8 or images.ndim != 4 or images.shape[-1] not in (1, 3):
        raise ValueError(
            f"images must be uint8 [N, R, R, 1 or 3], not {images.dtype} {images.shape}"
        )
    _, height, width, _ = images.shape
    if height != width or height < SMALLEST or height & (height - 1):
        raise ValueError(
            f"images must be square, their side a power of two and at least 16, not {height} x "
            f"{width}"
        )
    return images
