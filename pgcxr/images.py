"""Images as NumPy arrays: padded or cut to a square, reduced by area."""

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
    rows, columns = max(round(height * size / side), 1), max(round(width * size / side), 1)
    result = np.zeros((size, size), image.dtype)
    top, left = (size - rows) // 2, (size - columns) // 2
    result[top : top + rows, left : left + columns] = reduce_by_area(image, rows, columns)
    return result


def reduce_by_area(image: np.ndarray, rows: int, columns: int) -> np.ndarray:
    """[H, W] or [H, W, C] -> [rows, columns(, C)]: each pixel the mean of the area that it
    covers."""
    if image.shape[:2] == (rows, columns):
        return image
    return cv2.resize(image, (columns, rows), interpolation=cv2.INTER_AREA)
