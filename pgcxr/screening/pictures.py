"""What is drawn of each image: itself, the normal image beside it, the signed difference, and the
map; colors mean the same in all images."""

import cv2
import numpy as np

from pgcxr.images import to_uint8
from pgcxr.plots import grids, overlay

NAMES = ("query.png", "reconstruction.png", "difference.png", "map.png")
# The same side by side, for worklist.html.
STRIP = "strip.jpg"
STRIP_SIDE, QUALITY, GAP = 256, 85, 6
# Width and height of two pictures of the four.
HALF_OF_STRIP = 2 * STRIP_SIDE + GAP, STRIP_SIDE


def drawn(
    display: np.ndarray,
    nearest: np.ndarray,
    difference: np.ndarray,
    heat: np.ndarray,
    shown: float,
    finest: int = 0,
) -> dict[str, bytes]:
    """{file name: content}.

    Args:
        display: uint8 [D, D].
        nearest: [S, S] in [-1, 1].
        difference: [S, S] from it; in full color from `shown` on.
        heat: [s, s] in [0, 1].
        finest: px beyond which no difference is shown, where what could be read must not be; 0:
            as fine as it is.
    """
    if finest and difference.shape[0] > finest:
        difference = cv2.resize(difference, (finest, finest), interpolation=cv2.INTER_AREA)
    side = display.shape[0]
    normal = cv2.resize(to_uint8(nearest), (side, side), interpolation=cv2.INTER_LINEAR)
    pictures = (
        display,
        normal,
        overlay.diff_overlay(display, difference, limit=shown),
        overlay.overlay(display, heat, limits=(0.0, 1.0)),
    )
    found = {name: grids.encode_png(image) for name, image in zip(NAMES, pictures, strict=True)}
    return found | {STRIP: _strip(pictures)}


def _strip(pictures: tuple[np.ndarray, ...]) -> bytes:
    cells = []
    for image in pictures:
        small = cv2.resize(image, (STRIP_SIDE, STRIP_SIDE), interpolation=cv2.INTER_AREA)
        small = small if small.ndim == 3 else small[..., None].repeat(3, axis=2)
        cells += [small, np.full((STRIP_SIDE, GAP, 3), 255, np.uint8)]
    row = np.concatenate(cells[:-1], axis=1)[..., ::-1]
    done, encoded = cv2.imencode(".jpg", row, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    if not done:
        raise MemoryError("JPEG encoding")
    return encoded.tobytes()
