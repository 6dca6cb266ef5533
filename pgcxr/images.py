"""Images as NumPy arrays: gray levels and the range of the networks; padded or cut to a square,
reduced by area, enlarged."""

import cv2
import numpy as np

PAD, CROP = "pad", "crop"


def fitted_side(height: int, width: int, fit: str) -> int:
    """The side that is reduced to the size asked for: the longer one where the rest is padded."""
    return (max if fit == PAD else min)(height, width)


def to_square(image: np.ndarray, size: int, fit: str = PAD) -> np.ndarray:
    """uint8 or uint16 [H, W] -> [size, size]: aspect kept, reduced by area.

    Args:
        fit: PAD makes the rest black; CROP cuts off what is outside the middle square.
    """
    height, width = image.shape
    side = fitted_side(height, width, fit)
    if fit == CROP:
        top, left = (height - side) // 2, (width - side) // 2
        return reduce_by_area(image[top : top + side, left : left + side], size, size)
    result = np.zeros((size, size), image.dtype)
    part = inside_square(image.shape, size)
    result[part] = reduce_by_area(image, *result[part].shape)
    return result


def inside_square(shape: tuple[int, int], size: int) -> tuple[slice, slice]:
    """Where in a padded square an image of `shape` lies.

    Example:

        >>> inside_square((100, 50), 8)
        (slice(0, 8, None), slice(2, 6, None))
    """
    rows, columns = (max(round(side * size / max(shape)), 1) for side in shape)
    top, left = (size - rows) // 2, (size - columns) // 2
    return slice(top, top + rows), slice(left, left + columns)


def reduce_by_area(image: np.ndarray, rows: int, columns: int) -> np.ndarray:
    """[H, W] or [H, W, C] -> [rows, columns(, C)]: each pixel the mean of the area that it
    covers."""
    if image.shape[:2] == (rows, columns):
        return image
    return cv2.resize(image, (columns, rows), interpolation=cv2.INTER_AREA)


def resize(image: np.ndarray, size: int) -> np.ndarray:
    """[H, W(, C)] -> [size, size(, C)]: by area where that is smaller, else bilinearly; a last axis
    of length 1 is dropped, as OpenCV does."""
    smaller = size < image.shape[0]
    how = cv2.INTER_AREA if smaller else cv2.INTER_LINEAR
    return cv2.resize(image, (size, size), interpolation=how)


def reduce_by_factor(images: np.ndarray, factor: int, dtype=None) -> np.ndarray:
    """Box filter: [N, H, W, C] -> [N, H / factor, W / factor, C], the mean of each box.

    Args:
        images: H and W divisible by `factor`.
        factor: 1 or more.
        dtype: in which the mean is computed and given; NumPy's choice for `images` by default.

    Example:

        >>> reduce_by_factor(np.arange(4.0).reshape(1, 2, 2, 1), 2).ravel()
        array([1.5])
    """
    n, height, width, channels = images.shape
    boxes = images.reshape(n, height // factor, factor, width // factor, factor, channels)
    return boxes.mean(axis=(2, 4), dtype=dtype)


def enlarge(image: np.ndarray, factor: int, axes: tuple[int, int] = (0, 1)) -> np.ndarray:
    """Every pixel `factor` times along both axes: for figures, where nothing may be interpolated.

    Example:

        >>> enlarge(np.array([[1, 2]]), 2).tolist()
        [[1, 1, 2, 2], [1, 1, 2, 2]]
    """
    return image.repeat(factor, axis=axes[0]).repeat(factor, axis=axes[1])


def to_uint8(images: np.ndarray) -> np.ndarray:
    """Images of the networks as gray levels; twin of `pgcxr.networks.pixels.to_uint8`.

    Args:
        images: about [-1, 1], any shape.

    Returns:
        uint8 from 0 to 255, rounded to nearest, cut at the ends.

    Example:

        >>> to_uint8(np.array([-1.2, -1.0, 0.0, 1.0])).tolist()
        [0, 0, 128, 255]
    """
    scaled = np.asarray(images, np.float32) * np.float32(127.5) + 128
    return np.clip(np.floor(scaled), 0, 255).astype(np.uint8)


def to_uint16(images: np.ndarray) -> np.ndarray:
    """float [-1, 1] -> uint16 [0, 65535], rounded to nearest, cut at the ends."""
    # In float64: 24 bits leave too few behind the point.
    scaled = np.asarray(images, np.float64) * 32767.5 + 32768
    return np.clip(np.floor(scaled), 0, 65535).astype(np.uint16)


def from_uint8(images: np.ndarray) -> np.ndarray:
    """uint8 [0, 255] -> float32 [-1, 1]: what the networks read.

    Example:

        >>> from_uint8(np.array([0, 255], np.uint8)).tolist()
        [-1.0, 1.0]
    """
    return np.asarray(images, np.float32) * np.float32(2 / 255) - 1
