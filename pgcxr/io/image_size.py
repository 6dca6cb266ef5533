"""Rows and columns of PNG and JPEG files, from their headers alone."""

import warnings
from pathlib import Path

from PIL import Image

SUFFIXES = (".png", ".jpg", ".jpeg")


def is_image(path: Path) -> bool:
    """Whether the name is that of a PNG or JPEG file; everything else is read as DICOM."""
    return path.suffix.lower() in SUFFIXES


def image_size(path: Path) -> tuple[int, int]:
    """(rows, columns); 0, 0 where it is no PNG or JPEG, or cannot be read."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(path, formats=("PNG", "JPEG")) as image:
                columns, rows = image.size
    except Exception:  # Pillow raises anything on hostile headers
        return 0, 0
    return rows, columns
