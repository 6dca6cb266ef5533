"""Slow NumPy twins of the growing networks' layers: loops over pixels, float64, nothing shared with
the package."""

import numpy as np


def conv2d(x, kernel):
    """Stride 1, zero padding to the same size. x [N, H, W, I], kernel [k, k, I, O]."""
    k = kernel.shape[0]
    padded = np.pad(x.astype(np.float64), ((0, 0), (k // 2, k // 2), (k // 2, k // 2), (0, 0)))
    out = np.zeros((*x.shape[:3], kernel.shape[3]))
    for row in range(x.shape[1]):
        for column in range(x.shape[2]):
            patch = padded[:, row : row + k, column : column + k, :]
            out[:, row, column] = np.einsum("nhwi,hwio->no", patch, kernel)
    return out


def upscale(x):
    """Nearest neighbor, twice as large."""
    return x.repeat(2, axis=1).repeat(2, axis=2)


def box(x):
    """Mean over 2x2 boxes."""
    return (x[:, ::2, ::2] + x[:, 1::2, ::2] + x[:, ::2, 1::2] + x[:, 1::2, 1::2]) / 4


def minibatch_stddev(x, group):
    """The appended map, one value per image, [N]."""
    count = len(x)
    group = min(group, count)
    others = count // group
    value = np.zeros(count)
    for image in range(count):
        members = [x[image % others + step * others].astype(np.float64) for step in range(group)]
        value[image] = np.sqrt(np.var(members, axis=0) + 1e-8).mean()
    return value
