"""Multi-scale structural similarity (Wang, Simoncelli and Bovik 2003), and the diversity measured
with it.

A generator that repeats itself makes pairs that are alike: the mean over random pairs of its
images, beside that of pairs of real images, tells collapse (arXiv 1710.10196, section 5; Odena et
al. 2017).
"""

import cv2
import numpy as np

WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
WINDOW, SIGMA = 11, 1.5
K1, K2 = 0.01, 0.03
RANGE = 255.0


def ms_ssim(images_a: np.ndarray, images_b: np.ndarray) -> dict:
    """Similarity of each image in `images_a` with its partner in `images_b`, 1 where they are the
    same.

    Args:
        images_a, images_b: uint8 [N, H, W, 1 or 3], 16 px or more.

    Returns:
        {"mean", "deviation" (NaN for one pair), "pairs": N, "each": [N]}.

    Example:

        >>> import numpy as np
        >>> from pgcxr.metrics.ms_ssim import ms_ssim
        >>> images = np.random.default_rng(0).integers(256, size=(4, 32, 32, 1), dtype=np.uint8)
        >>> round(ms_ssim(images, images)['mean'], 3)
        1.0
        >>> round(ms_ssim(images[:2], images[2:])['mean'], 3)
        0.05
    """
    images_a, images_b = np.asarray(images_a), np.asarray(images_b)
    for images in (images_a, images_b):
        if (
            images.dtype != np.uint8
            or images.ndim != 4
            or not len(images)
            or min(images.shape[1:3]) < 16
        ):
            raise ValueError(
                f"images must be uint8 [N, H, W, C], 16 px or more, not {images.dtype} "
                f"{images.shape}"
            )
    if images_a.shape != images_b.shape:
        raise ValueError(
            f"pairs need two sets of one shape, not {images_a.shape} and {images_b.shape}"
        )
    each = np.array(
        [
            _pair(a.astype(np.float64), b.astype(np.float64))
            for a, b in zip(images_a, images_b, strict=True)
        ]
    )
    deviation = float(each.std(ddof=1)) if len(each) > 1 else float("nan")
    return {
        "mean": float(each.mean()),
        "deviation": deviation,
        "pairs": len(each),
        "each": each.tolist(),
    }


def diversity(images: np.ndarray) -> dict:
    """`ms_ssim` of every image with even index and the next one; the images must be in random
    order.

    Lower is more diverse. An odd image at the end has no partner.
    """
    pairs = len(images) // 2
    return ms_ssim(images[0 : 2 * pairs : 2], images[1 : 2 * pairs : 2])


def _pair(a: np.ndarray, b: np.ndarray) -> float:
    """MS-SSIM of two images, float64 [H, W, C]: the product over 5 scales of contrast-structure,
    luminance last."""
    product = 1.0
    for scale, weight in enumerate(WEIGHTS):
        if scale:
            a, b = _halved(a), _halved(b)
        similarity, contrast = _ssim(a, b)
        term = contrast if scale < len(WEIGHTS) - 1 else similarity
        # A negative mean has no real power.
        product *= max(term, 0.0) ** weight
    return product


def _ssim(a: np.ndarray, b: np.ndarray) -> tuple[float, float]:
    """(SSIM, its contrast-structure factor), means over the places where the window fits and over
    channels."""
    side = min(WINDOW, *a.shape[:2])
    # OpenCV's own Gaussian of even side is another one.
    at = np.arange(side) - (side - 1) / 2
    kernel = np.exp(-0.5 * np.square(at * WINDOW / (side * SIGMA)))
    kernel /= kernel.sum()

    def windowed(values: np.ndarray) -> np.ndarray:
        """Gaussian-weighted means, [H - side + 1, W - side + 1, C]."""
        blurred = cv2.sepFilter2D(
            values, cv2.CV_64F, kernel, kernel, anchor=(0, 0), borderType=cv2.BORDER_REPLICATE
        )
        return blurred[: values.shape[0] - side + 1, : values.shape[1] - side + 1]

    mean_a, mean_b = windowed(a), windowed(b)
    variance_a, variance_b = windowed(a * a) - mean_a**2, windowed(b * b) - mean_b**2
    covariance = windowed(a * b) - mean_a * mean_b
    c1, c2 = (K1 * RANGE) ** 2, (K2 * RANGE) ** 2
    contrast = (2 * covariance + c2) / (variance_a + variance_b + c2)
    luminance = (2 * mean_a * mean_b + c1) / (mean_a**2 + mean_b**2 + c1)
    return float(np.mean(luminance * contrast)), float(np.mean(contrast))


def _halved(image: np.ndarray) -> np.ndarray:
    """Means of 2 x 2 pixels; an odd last row or column is repeated."""
    height, width = image.shape[:2]
    image = np.pad(image, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
    return (image[0::2, 0::2] + image[1::2, 0::2] + image[0::2, 1::2] + image[1::2, 1::2]) / 4
