"""What radiologists' texture analysis reads from a gray image, as a vector: intensity, texture and
structure, of the whole image and of nothing else, so that no network decides what counts.

After the Image Biomarker Standardisation Initiative (Zwanenburg et al., Radiology 295, 2020, arXiv
1612.07003), whose definitions these are where it has one, with what is written at each group.
pyradiomics has 94 to 464 of such features and takes 0.1 to 2 s an image; these take about a
millisecond at 64 px, as all images of a batch are counted at once.

What is positive and skewed (energies, contrasts, lengths of runs) is a logarithm: a mean and a
covariance are to say something of it (`pgcxr.metrics.frd`).
"""

from collections.abc import Iterator

import numpy as np

# Gray levels of 8 and 16 in width: fixed bins, as images are normalized alike.
GLCM_BITS, GLRLM_BITS = 5, 4
DISTANCES = (1, 4)  # px between the two pixels of a pair
SCALES = 3  # of the Haar wavelet
PERCENTILES = (5, 25, 50, 75, 95)
SMALLEST = 16  # px
# Pixels that are gone through at a time: about 25 MB of intermediate values.
PIXELS = 2**19

_INTENSITY = ("mean", "standard deviation", "skewness", "kurtosis", "entropy")
_GLCM = ("contrast", "homogeneity", "energy", "entropy", "correlation")
_GLRLM = (
    *("short run emphasis", "long run emphasis", "gray level non-uniformity"),
    *("run length non-uniformity", "run percentage"),
)
_BANDS = ("horizontal", "vertical", "diagonal")
_EDGES = ("gradient", "sparsity", "Laplacian")
_STRUCTURE = (
    *("left-right correlation", "top-bottom correlation"),
    *("center x", "center y", "spread x", "spread y"),
    *("bright area", "bright border", "bright pieces less holes"),
)
NAMES = (
    *(f"intensity, {name}" for name in _INTENSITY),
    *(f"intensity, percentile {share}" for share in PERCENTILES),
    *(f"GLCM at {distance} px, {name}" for distance in DISTANCES for name in _GLCM),
    *(f"GLRLM, {name}" for name in _GLRLM),
    *(f"wavelet at {2 << scale} px, {name}" for scale in range(SCALES) for name in _BANDS),
    *(f"edges, {name}" for name in _EDGES),
    *(f"structure, {name}" for name in _STRUCTURE),
)


def radiomics(images: np.ndarray) -> np.ndarray:
    """The features NAMES of each image, float64 [N, 46], finite whatever the image.

    Args:
        images: uint8 [N, H, W, 1], 16 px or more.

    Example:

        >>> import numpy as np
        >>> from pgcxr.metrics.radiomics import NAMES, radiomics
        >>> flat = np.full((1, 32, 32, 1), 100, np.uint8)
        >>> noisy = np.random.default_rng(0).integers(90, 111, (1, 32, 32, 1), dtype=np.uint8)
        >>> found = radiomics(np.concatenate([flat, noisy]))
        >>> found[:, NAMES.index("intensity, mean")].round(1).tolist()
        [100.0, 99.7]
        >>> found[:, NAMES.index("edges, Laplacian")].round(1).tolist()
        [0.0, 6.6]
    """
    images = np.asarray(images)
    if images.dtype != np.uint8 or images.ndim != 4 or images.shape[-1] != 1:
        raise ValueError(f"images must be uint8 [N, H, W, 1], not {images.dtype} {images.shape}")
    if min(images.shape[1:3]) < SMALLEST:
        raise ValueError(f"images must have {SMALLEST} px or more, not {images.shape[1:3]}")
    found = [_of_batch(batch) for batch in _batches(images[..., 0])]
    return np.concatenate(found) if found else np.empty((0, len(NAMES)))


def _batches(images: np.ndarray) -> Iterator[np.ndarray]:
    step = max(1, PIXELS // (images.shape[1] * images.shape[2]))
    for start in range(0, len(images), step):
        yield images[start : start + step]


def _of_batch(images: np.ndarray) -> np.ndarray:
    values = images.astype(np.float32)
    return np.concatenate(
        [
            intensity(images),
            *(pairs(images >> (8 - GLCM_BITS), distance) for distance in DISTANCES),
            runs(images >> (8 - GLRLM_BITS)),
            wavelet(values),
            edges(values),
            structure(values),
        ],
        axis=1,
    )


def intensity(images: np.ndarray) -> np.ndarray:
    """[N, 10]: mean, deviation, skewness, kurtosis less 3, entropy in bits of 32 bins, and the
    percentiles, each a gray value that occurs; of uint8 [N, H, W]."""
    shares = _counted(images.reshape(len(images), -1), 256)
    shares /= shares.sum(axis=1, keepdims=True)
    gray = np.arange(256)
    mean = shares @ gray
    off = gray - mean[:, None]
    variance, third, fourth = (np.einsum("ng,ng->n", shares, off**power) for power in (2, 3, 4))
    deviation = np.sqrt(variance)
    some = np.where(variance > 0, variance, 1)
    below = np.cumsum(shares, axis=1)
    return np.stack(
        [
            *(mean, deviation, third / some**1.5, np.where(variance > 0, fourth / some**2 - 3, 0)),
            _entropy(shares.reshape(len(shares), 32, 8).sum(axis=2)),
            # A little less than the share: sums of shares are rounded.
            *((below < share / 100 - 1e-9).sum(axis=1) for share in PERCENTILES),
        ],
        axis=1,
    )


def pairs(levels: np.ndarray, distance: int) -> np.ndarray:
    """[N, 5] of the gray level co-occurrence matrix (Haralick 1973) of uint8 levels [N, H, W]: the
    pairs of four directions in one symmetric matrix, as IBSI merges them.

    log(1 + contrast), homogeneity (inverse difference moment), log of energy (angular second
    moment), joint entropy in bits, correlation (1 where there is one level only).
    """
    n, count = len(levels), 1 << GLCM_BITS
    wide = levels.astype(np.int32)
    d = distance
    neighbors = (
        (wide[:, :, d:], wide[:, :, :-d]),
        (wide[:, d:], wide[:, :-d]),
        (wide[:, d:, d:], wide[:, :-d, :-d]),
        (wide[:, d:, :-d], wide[:, :-d, d:]),
    )
    counts = np.zeros((n, count, count))
    for first, second in neighbors:
        codes = (first * count + second).reshape(n, -1)
        counts += _counted(codes, count * count).reshape(n, count, count)
    shares = counts + counts.swapaxes(1, 2)
    shares /= shares.sum(axis=(1, 2), keepdims=True)
    level = np.arange(count)
    apart = np.square(level[:, None] - level)
    contrast = np.einsum("nij,ij->n", shares, apart)
    margin = shares.sum(axis=1)
    mean = margin @ level
    variance = margin @ np.square(level) - mean**2
    # Of a symmetric matrix both margins are one, and contrast is twice (variance - covariance).
    correlation = 1 - contrast / np.where(variance > 1e-12, 2 * variance, np.inf)
    return np.stack(
        [
            np.log1p(contrast),
            np.einsum("nij,ij->n", shares, 1 / (1 + apart)),
            np.log(np.einsum("nij,nij->n", shares, shares)),
            _entropy(shares.reshape(n, -1)),
            correlation,
        ],
        axis=1,
    )


def runs(levels: np.ndarray) -> np.ndarray:
    """[N, 5] of the gray level run length matrix (Galloway 1975) of uint8 levels [N, H, W], runs
    along rows and along columns in one matrix.

    Short run emphasis, log of long run emphasis, gray level and run length non-uniformity, both
    normalized, and run percentage.
    """
    n, sides = len(levels), levels.shape[1:]
    owners, lengths, grays = [], [], []
    for image in (levels, levels.swapaxes(1, 2)):
        rows = np.ascontiguousarray(image)
        starts = np.ones(rows.shape, bool)
        np.not_equal(rows[:, :, 1:], rows[:, :, :-1], out=starts[:, :, 1:])
        places = np.flatnonzero(starts)
        lengths.append(np.diff(places, append=rows.size))
        owners.append(places // (sides[0] * sides[1]))
        grays.append(rows.ravel()[places])
    owner, length, gray = (np.concatenate(parts) for parts in (owners, lengths, grays))
    number = np.bincount(owner, minlength=n)
    short = np.bincount(owner, 1 / np.square(length, dtype=float), n) / number
    long = np.bincount(owner, np.square(length, dtype=float), n) / number
    count, longest = 1 << GLRLM_BITS, max(sides) + 1
    by_gray = np.bincount(owner * count + gray, minlength=n * count).reshape(n, count)
    by_length = np.bincount(owner * longest + length, minlength=n * longest).reshape(n, longest)
    uneven = [np.square(by / number[:, None]).sum(axis=1) for by in (by_gray, by_length)]
    return np.stack([short, np.log(long), *uneven, number / (2 * sides[0] * sides[1])], axis=1)


def wavelet(values: np.ndarray) -> np.ndarray:
    """[N, 9]: log(1 + mean square) of the horizontal, vertical and diagonal details of three scales
    of the orthonormal Haar wavelet, finest first; of float [N, H, W].

    Horizontal details are what changes along a row. An odd last row or column is left out.
    """
    found = []
    for _ in range(SCALES):
        height, width = (side // 2 * 2 for side in values.shape[1:])
        a, b = values[:, :height:2, :width:2], values[:, :height:2, 1:width:2]
        c, d = values[:, 1:height:2, :width:2], values[:, 1:height:2, 1:width:2]
        for band in ((a - b + c - d) / 2, (a + b - c - d) / 2, (a - b - c + d) / 2):
            found.append(np.log1p(_mean(np.square(band))))
        values = (a + b + c + d) / 2
    return np.stack(found, axis=1)


def edges(values: np.ndarray) -> np.ndarray:
    """[N, 3]: log(1 + mean length of the gradient), log of mean square over squared mean length (0
    where all edges are alike), log(1 + mean square of the Laplacian of 4 neighbors).

    By central differences of float [N, H, W], without the outermost pixels.
    """
    inner = values[:, 1:-1, 1:-1]
    right, left = values[:, 1:-1, 2:], values[:, 1:-1, :-2]
    down, up = values[:, 2:, 1:-1], values[:, :-2, 1:-1]
    squares = np.square((right - left) / 2) + np.square((down - up) / 2)
    length, square = _mean(np.sqrt(squares)), _mean(squares)
    sparsity = np.log(np.where(square > 0, square, 1)) - 2 * np.log(np.where(length > 0, length, 1))
    laplacian = _mean(np.square(right + left + down + up - 4 * inner))
    return np.stack([np.log1p(length), sparsity, np.log1p(laplacian)], axis=1)


def structure(values: np.ndarray) -> np.ndarray:
    """[N, 9], without a word on anatomy: the correlation with the mirrored and with the upside down
    image (0 where all is one gray value); center and spread of brightness, as shares of width and
    height; and of what is brighter than the image's own mean the area, the length of its border
    (log, in sides of pixels for each pixel of the image) and the number of its pieces less that of
    its holes (Euler number, 4 neighbors), by the root of the number of pixels. Of float [N, H, W].
    """
    n, height, width = values.shape
    mean = _mean(values)
    off = values - mean[:, None, None].astype(np.float32)
    variance = _mean(np.square(off))
    some = np.where(variance > 0, variance, 1)
    alike = [_mean(off * other) / some for other in (off[:, :, ::-1], off[:, ::-1])]
    total = np.where(mean > 0, mean, 1) * height * width
    places = []
    for axis, side in ((1, width), (2, height)):
        weights = values.sum(axis=axis, dtype=np.float64) / total[:, None]
        weights[mean == 0] = 1 / side
        at = (np.arange(side) + 0.5) / side
        center = weights @ at
        places += [center, np.sqrt(np.maximum(weights @ np.square(at) - center**2, 0))]
    bright = off > 0
    padded = np.pad(bright, ((0, 0), (1, 1), (1, 1)))
    area = _count(bright)
    beside = _count(bright[:, :, 1:] & bright[:, :, :-1])
    below = _count(bright[:, 1:] & bright[:, :-1])
    squares = _count(
        bright[:, 1:, 1:] & bright[:, 1:, :-1] & bright[:, :-1, 1:] & bright[:, :-1, :-1]
    )
    border = _count(padded[:, :, 1:] != padded[:, :, :-1]) + _count(padded[:, 1:] != padded[:, :-1])
    pixels = height * width
    return np.stack(
        [
            *alike,
            *(places[0], places[2], places[1], places[3]),
            area / pixels,
            np.log1p(border / pixels),
            # Vertices less edges plus faces of the pixels as points.
            (area - beside - below + squares) / np.sqrt(pixels),
        ],
        axis=1,
    )


def _counted(codes: np.ndarray, count: int) -> np.ndarray:
    """float64 [N, count]: how often each code 0 to count - 1 is in each row of [N, M]."""
    rows = np.arange(len(codes), dtype=np.int32)[:, None] * count + codes
    return np.bincount(rows.ravel(), minlength=len(codes) * count).reshape(-1, count).astype(float)


def _entropy(shares: np.ndarray) -> np.ndarray:
    """In bits, of each row."""
    return -np.einsum(
        "ng,ng->n", shares, np.log2(shares, where=shares > 0, out=np.zeros_like(shares))
    )


def _mean(values: np.ndarray) -> np.ndarray:
    """float64 [N]."""
    return values.reshape(len(values), -1).mean(axis=1, dtype=np.float64)


def _count(mask: np.ndarray) -> np.ndarray:
    return np.count_nonzero(mask, axis=(1, 2)).astype(float)
