"""MS-SSIM by direct two-dimensional convolution, in float64: for tests."""

import numpy as np
from scipy import signal


def ms_ssim(a, b):
    """Of two images [H, W, C]."""
    a, b = a.astype(float), b.astype(float)
    product = 1.0
    for scale, weight in enumerate((0.0448, 0.2856, 0.3001, 0.2363, 0.1333)):
        ssim, contrast = terms(a, b)
        product *= max(ssim if scale == 4 else contrast, 0.0) ** weight
        if scale == 4:
            return product
        a, b = (
            x.reshape(x.shape[0] // 2, 2, x.shape[1] // 2, 2, -1).mean(axis=(1, 3)) for x in (a, b)
        )


def terms(a, b):
    side = min(11, *a.shape[:2])
    at = np.arange(side) - (side - 1) / 2
    sigma = 1.5 * side / 11
    window = np.exp(-(at[:, None] ** 2 + at[None, :] ** 2) / (2 * sigma**2))
    window /= window.sum()
    ssim, contrast = [], []
    for channel in range(a.shape[-1]):
        x, y = a[..., channel], b[..., channel]
        mx, my, xx, yy, xy = (
            signal.correlate2d(v, window, mode="valid") for v in (x, y, x * x, y * y, x * y)
        )
        c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
        structure = (2 * (xy - mx * my) + c2) / (xx - mx * mx + yy - my * my + c2)
        contrast.append(structure.mean())
        ssim.append((structure * (2 * mx * my + c1) / (mx * mx + my * my + c1)).mean())
    return np.mean(ssim), np.mean(contrast)
