"""What of an image is to be seen, and in which shape: display shutters (PS3.3 C.7.6.11) and pixels
that are not square (PS3.3 C.7.6.3.1.7)."""

import cv2
import numpy as np
import pydicom

from pgcxr.dicom.reading import MAX_PIXELS, Rejected, numbers, text

# Spacings of one detector differ in their last digits.
SQUARE = 0.01
# Pixels of a radiograph are never this many times as high as wide; a header that says so is wrong.
MOST_OBLONG = 4.0
# Vertical, then horizontal; the first that is whole counts. PixelAspectRatio is for images without
# a spacing.
SHAPES = ("PixelSpacing", "ImagerPixelSpacing", "NominalScannedPixelSpacing", "PixelAspectRatio")


def hidden(dataset: pydicom.Dataset) -> np.ndarray | None:
    """bool [H, W]: the pixels that lie outside of a shutter, or None where there is no shutter.

    Of several shutters an image shows what lies inside of all. Edges that are missing are those of
    the image.
    """
    shapes = text(dataset, "ShutterShape").upper()
    if not shapes:
        return None
    rows, columns = int(dataset.Rows), int(dataset.Columns)
    shown = np.ones((rows, columns), bool)
    # Places are counted from 1; edges belong to what is shown.
    if "RECTANGULAR" in shapes:
        top = _number(dataset, "ShutterUpperHorizontalEdge", 1)
        bottom = _number(dataset, "ShutterLowerHorizontalEdge", rows)
        left = _number(dataset, "ShutterLeftVerticalEdge", 1)
        right = _number(dataset, "ShutterRightVerticalEdge", columns)
        row, column = np.arange(1, rows + 1)[:, None], np.arange(1, columns + 1)
        shown &= (row >= top) & (row <= bottom) & (column >= left) & (column <= right)
    center = numbers(dataset, "CenterOfCircularShutter")
    radius = _number(dataset, "RadiusOfCircularShutter", np.nan)
    if "CIRCULAR" in shapes and len(center) == 2 and np.isfinite([*center, radius]).all():
        row, column = np.arange(1, rows + 1)[:, None], np.arange(1, columns + 1)
        # The radius counts pixels along a row.
        down, across = (row - center[0]) * aspect(dataset), column - center[1]
        shown &= down**2 + across**2 <= radius**2
    corners = numbers(dataset, "VerticesOfThePolygonalShutter")
    if "POLYGONAL" in shapes and len(corners) >= 6 and np.isfinite(corners).all():
        inside = np.zeros((rows, columns), np.uint8)
        pairs = np.array(corners[: len(corners) // 2 * 2]).reshape(-1, 2)  # row, column
        places = np.clip(np.rint(pairs[:, ::-1]) - 1, -(1 << 15), 1 << 15).astype(np.int32)
        cv2.fillPoly(inside, [places], 1)
        shown &= inside > 0
    if shown.all():
        return None
    if not shown.any():
        raise Rejected("blank", "all pixels lie outside of the display shutter")
    return ~shown


def aspect(dataset: pydicom.Dataset) -> float:
    """How many times as high as wide a pixel is."""
    for keyword in SHAPES:
        found = numbers(dataset, keyword)
        if len(found) == 2 and np.isfinite(found).all() and min(found) > 0:
            ratio = found[0] / found[1]
            if not 1 / MOST_OBLONG <= ratio <= MOST_OBLONG:
                raise Rejected("unreadable", "pixels more than four times as high as wide, or wide")
            return 1.0 if abs(ratio - 1) <= SQUARE else ratio
    return 1.0


def square_pixels(image: np.ndarray, ratio: float) -> np.ndarray:
    """The image [H, W] in square pixels, none of them larger than before."""
    if ratio == 1:
        return image
    rows, columns = image.shape
    rows, columns = round(rows * max(ratio, 1)), round(columns * max(1 / ratio, 1))
    if rows * columns > MAX_PIXELS:
        raise Rejected("too_large", "more than 8192 x 8192 pixels")
    return cv2.resize(image, (columns, rows), interpolation=cv2.INTER_LINEAR)


def _number(dataset: pydicom.Dataset, keyword: str, default: float) -> float:
    found = numbers(dataset, keyword)
    return found[0] if found and np.isfinite(found[0]) else default
