"""The sliced Wasserstein distance of arXiv 1710.10196 step by step, on three equal colors, in
float64: for tests."""

import numpy as np
from scipy import ndimage


def binomial_kernel():
    row = np.array([1, 4, 6, 4, 1]) / 16
    return np.outer(row, row)


def down(image):
    """[C, R, R] -> [C, R/2, R/2]."""
    return np.stack(
        [ndimage.convolve(c, binomial_kernel(), mode="mirror")[::2, ::2] for c in image]
    )


def up(image):
    """[C, R, R] -> [C, 2R, 2R]: zeros between the pixels, then four times the kernel."""
    result = np.zeros((image.shape[0], 2 * image.shape[1], 2 * image.shape[2]))
    result[:, ::2, ::2] = image
    return np.stack([ndimage.convolve(c, 4 * binomial_kernel(), mode="mirror") for c in result])


def pyramid(image):
    levels = [image]
    while levels[-1].shape[1] > 16:
        smaller = down(levels[-1])
        levels[-1] = levels[-1] - up(smaller)
        levels.append(smaller)
    return levels


def sliced_wasserstein(reals, fakes, seed, per_image=128, repeats=4):
    """[levels] in units of 1e-3, for uint8 [N, R, R, C]; the stream is drawn in the original's
    order."""
    random = np.random.RandomState(seed)
    clouds = []
    levels = len(pyramid(np.zeros((3, *reals.shape[1:3]))))
    for images in (reals, fakes):
        colored = [
            np.broadcast_to(image, (*image.shape[:2], 3)).transpose(2, 0, 1).astype(float)
            for image in images
        ]
        points = [[] for _ in range(levels)]
        for start in range(0, len(images), 32):
            pyramids = [pyramid(image) for image in colored[start : start + 32]]
            for level in range(levels):
                size = pyramids[0][level].shape[1]
                xs = random.randint(3, size - 3, size=per_image * len(pyramids))
                ys = random.randint(3, size - 3, size=per_image * len(pyramids))
                for index, (x, y) in enumerate(zip(xs, ys, strict=True)):
                    patch = pyramids[index // per_image][level][:, y - 3 : y + 4, x - 3 : x + 4]
                    points[level].append(patch.transpose(0, 2, 1))
        for level in range(levels):
            cloud = np.array(points[level])
            cloud -= cloud.mean(axis=(0, 2, 3), keepdims=True)
            cloud /= cloud.std(axis=(0, 2, 3), keepdims=True)
            points[level] = cloud.reshape(len(cloud), -1)
        clouds.append(points)
        if len(clouds) == 1:
            for _ in range(repeats * levels):
                random.randn(147, 128)
    return [
        1e3 * np.mean([distance(a, b, random) for _ in range(repeats)])
        for a, b in zip(*clouds, strict=True)
    ]


def distance(a, b, random):
    directions = random.randn(147, 128)
    directions /= np.sqrt((directions**2).sum(axis=0))
    return np.mean(np.abs(np.sort(a @ directions, axis=0) - np.sort(b @ directions, axis=0)))
