"""The features of pgcxr.metrics.radiomics pixel by pixel, run by run and piece by piece, in plain
Python."""

import math

import numpy as np
from scipy import ndimage

from pgcxr.metrics.radiomics import NAMES


def radiomics(image):
    """{name: value} of one uint8 image [H, W]."""
    found = [*intensity(image)]
    for distance in (1, 4):
        found += pairs(image // 8, distance)
    found += [*runs(image // 16), *wavelet(image), *edges(image), *structure(image)]
    return dict(zip(NAMES, found, strict=True))


def entropy(shares):
    return -sum(share * math.log2(share) for share in shares if share)


def intensity(image):
    values = sorted(int(value) for value in image.ravel())
    n = len(values)
    mean = sum(values) / n
    second, third, fourth = (sum((v - mean) ** power for v in values) / n for power in (2, 3, 4))
    flat = second == 0
    bins = [sum(v // 8 == level for v in values) / n for level in range(32)]
    # The smallest value that at least this share of the pixels reaches.
    low = [values[max(math.ceil(share * n / 100) - 1, 0)] for share in (5, 25, 50, 75, 95)]
    skewness = 0 if flat else third / second**1.5
    kurtosis = 0 if flat else fourth / second**2 - 3
    return [mean, math.sqrt(second), skewness, kurtosis, entropy(bins), *low]


def glcm(levels, distance, count=32):
    """The symmetric matrix of shares, both orders of each pair in four directions."""
    matrix = np.zeros((count, count))
    height, width = levels.shape
    for y in range(height):
        for x in range(width):
            for dy, dx in ((0, 1), (1, 0), (1, 1), (1, -1)):
                there = y + dy * distance, x + dx * distance
                if there[0] < height and 0 <= there[1] < width:
                    i, j = int(levels[y, x]), int(levels[there])
                    matrix[i, j] += 1
                    matrix[j, i] += 1
    return matrix / matrix.sum()


def pairs(levels, distance):
    matrix = glcm(levels, distance)
    known = [(i, j, p) for (i, j), p in np.ndenumerate(matrix) if p]
    mean = sum(p * i for i, _, p in known)
    variance = sum(p * (i - mean) ** 2 for i, _, p in known)
    covariance = sum(p * (i - mean) * (j - mean) for i, j, p in known)
    return [
        math.log(1 + sum(p * (i - j) ** 2 for i, j, p in known)),
        sum(p / (1 + (i - j) ** 2) for i, j, p in known),
        math.log(sum(p * p for _, _, p in known)),
        entropy([p for _, _, p in known]),
        covariance / variance if variance else 1.0,
    ]


def runs(levels):
    found = []
    for lines in (levels, levels.T):
        for line in lines:
            length = 1
            for here, there in zip(line, [*line[1:], -1], strict=True):
                if here == there:
                    length += 1
                else:
                    found.append((int(here), length))
                    length = 1
    n = len(found)
    grays, lengths = ({which[i] for which in found} for i in (0, 1))
    return [
        sum(1 / length**2 for _, length in found) / n,
        math.log(sum(length**2 for _, length in found) / n),
        sum(sum(gray == level for gray, _ in found) ** 2 for level in grays) / n**2,
        sum(sum(length == long for _, length in found) ** 2 for long in lengths) / n**2,
        n / (2 * levels.size),
    ]


def wavelet(image):
    found, approximation = [], image.astype(float)
    for _ in range(3):
        height, width = (side // 2 for side in approximation.shape)
        bands, coarser = np.zeros((3, height, width)), np.zeros((height, width))
        for y in range(height):
            for x in range(width):
                (a, b), (c, d) = approximation[2 * y : 2 * y + 2, 2 * x : 2 * x + 2]
                bands[:, y, x] = (a - b + c - d) / 2, (a + b - c - d) / 2, (a - b - c + d) / 2
                coarser[y, x] = (a + b + c + d) / 2
        found += [math.log(1 + (band**2).mean()) for band in bands]
        approximation = coarser
    return found


def edges(image):
    image = image.astype(float)
    lengths, squares, laplacians = [], [], []
    for y in range(1, image.shape[0] - 1):
        for x in range(1, image.shape[1] - 1):
            right, left, down, up = (
                *(image[y, x + 1], image[y, x - 1]),
                *(image[y + 1, x], image[y - 1, x]),
            )
            squares.append(((right - left) ** 2 + (down - up) ** 2) / 4)
            lengths.append(math.sqrt(squares[-1]))
            laplacians.append((right + left + down + up - 4 * image[y, x]) ** 2)
    length, square = np.mean(lengths), np.mean(squares)
    sparsity = math.log(square / length**2) if length else 0.0
    return [math.log(1 + length), sparsity, math.log(1 + np.mean(laplacians))]


def structure(image):
    """Pieces and holes by scipy's labels rather than by Euler's formula."""
    image = image.astype(float)
    height, width = image.shape
    flat = image.std() == 0
    alike = [
        0.0 if flat else float(np.corrcoef(image.ravel(), other.ravel())[0, 1])
        for other in (image[:, ::-1], image[::-1])
    ]
    total = image.sum()
    weights = image / total if total else np.full(image.shape, 1 / image.size)
    x, y = (np.arange(width) + 0.5) / width, (np.arange(height) + 0.5) / height
    center = (weights * x).sum(), (weights * y[:, None]).sum()
    spread = (
        math.sqrt((weights * (x - center[0]) ** 2).sum()),
        math.sqrt((weights * (y[:, None] - center[1]) ** 2).sum()),
    )
    bright = np.pad(image > image.mean(), 1)
    border = sum(
        bool(bright[y, x]) != bool(bright[y + dy, x + dx])
        for y in range(height + 1)
        for x in range(width + 1)
        for dy, dx in ((0, 1), (1, 0))
    )
    pieces = ndimage.label(bright)[1]
    holes = ndimage.label(~bright, np.ones((3, 3)))[1] - 1  # all but what is around the image
    return [
        *(*alike, *center, *spread),
        bright.sum() / image.size,
        math.log(1 + border / image.size),
        (pieces - holes) / math.sqrt(image.size),
    ]
