"""A known image in each transfer syntax, which tells a damaged file from damaged software."""

from pathlib import Path

import numpy as np
from pydicom.uid import UID

FOLDER = Path(__file__).with_name("known")
# Gray levels of 255 by which a lossy codec may change the picture.
TOLERANCE = 3


def path_of(syntax: UID) -> Path | None:
    """The file in that transfer syntax; None where it is none that can be decoded."""
    path = FOLDER / f"{syntax.keyword}.dcm"
    return path if syntax.keyword and path.is_file() else None


def picture() -> np.ndarray:
    """What all of them show, uint16 [32, 40], 12 bits: a ramp with a chessboard."""
    y, x = np.mgrid[:32, :40]
    return (2000 + 45 * y - 3 * x + 60 * ((x // 8 + y // 8) % 2)).astype(np.uint16)


def difference(shown: np.ndarray) -> float:
    """The largest one, in gray levels, of uint8 [32, 40] that shows the whole range of 12 bits."""
    return float(np.abs(shown - picture() * (255 / 4095)).max())
