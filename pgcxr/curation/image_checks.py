"""What a decoded radiograph shows of its own quality: blank, inverted, turned, cut; and a hash to
find its like.

Each measure is a number; what is too much of it says rules.toml (pgcxr.curation.rules). The image
is compared with the mean chest of `chest_template`: turned by each quarter, inverted, and seen
through frames that cut or add at each side. What an image correlates with best is what it is taken
for, and the margin to the next other explanation is how sure that is: a chest with one white lung
correlates less with everything, but still best with the upright chest.
"""

import itertools
from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np

from pgcxr.curation import chest_template
from pgcxr.curation.chest_template import GRID, ranks

# An image with a shorter side is not judged: a cell of the grid would be less than two pixels.
SMALLEST = 2 * GRID
# A cell of this grid averages 64 pixels or more, which leaves an eighth of white noise.
COARSE = 8
# What a frame cuts off at a side of the template, as a share of it; below 0 it shows more than the
# template.
CUTS_ACROSS = (-0.2, -0.1, 0.0, 0.1, 0.2, 0.3, 0.45)
CUTS_ALONG = (-0.3, -0.15, 0.0, 0.15, 0.3, 0.45)
SEEN_AT_LEAST = 0.45
# Share of the lungs inside of a frame that is said to cut them, and of one that doesn't.
CUT, WHOLE = 0.8, 0.9
# Of the outline of the image, this many rows and columns of the reduced image (at most LOOKED_AT)
# are looked at.
OUTLINE_SHARE = 1 / 32
WHITE = 245
# Perceptual hash: the DCT of the image at this size, and this many coefficients of each direction.
HASH_IMAGE = 64
HASH_SIDE = 16
HASH_BYTES = HASH_SIDE * HASH_SIDE // 8


@dataclass(frozen=True)
class Measures:
    """What is measured on one image.

    Correlations are of ranks (Spearman's), so margins lie between -2 and 2; a margin above 0 speaks
    for what it is of.
    """

    structure: float  # standard deviation of the gray values on a grid of COARSE x COARSE
    # Correlation with the best explanation (turned, inverted or not): whether it is a chest at all.
    likeness: float
    lateral_by: float  # margin of the lateral chest over the frontal one through its best frame
    turned: int  # degrees clockwise by which the best explanation is turned: 0, 90, 180, 270
    turned_by: float  # margin of the best turned explanation over the best upright one
    inverted_by: float  # margin of the best inverted explanation over the best one that isn't
    cut_by: float  # margin of the best frame that cuts the lungs over the best that doesn't
    picture: float  # share of the area inside borders of one gray value
    white: float  # share of the outline that is white
    hash: bytes  # perceptual, 256 bit


def measure(image: np.ndarray) -> Measures | None:
    """Measures uint8 or uint16 [H, W], bones white, after the normalization; None where it is too
    small or a strip."""
    small = chest_template.reduced(image)
    if min(small.shape) < SMALLEST:
        return None
    if small.dtype == np.uint16:
        small = (small >> 8).astype(np.uint8)
    rows, columns = chest_template.frame(small)
    inside = small[rows, columns]
    standard = ranks(inside)
    frames, lungs = _frames()
    upright = [np.rot90(standard, quarter).ravel() for quarter in range(4)]
    alike = np.stack(
        [_orientations() @ view for view in upright]
    )  # [quarter turns back, templates]
    dark_white, inverted = alike.max(axis=1), (-alike).max(axis=1)
    either = np.maximum(dark_white, inverted)
    framed = frames @ upright[0]
    cut_by = framed[lungs < CUT].max() - framed[lungs >= WHOLE].max()
    return Measures(
        structure=float(cv2.resize(small, (COARSE, COARSE), interpolation=cv2.INTER_AREA).std()),
        likeness=float(either.max()),
        lateral_by=float(alike[0, 1:].max() - framed.max()),
        turned=90 * int(either.argmax()),
        turned_by=float(either[1:].max() - either[0]),
        inverted_by=float(inverted.max() - dark_white.max()),
        cut_by=float(cut_by),
        picture=inside.size / small.size,
        white=_white_outline(small),
        hash=perceptual_hash(small),
    )


def perceptual_hash(image: np.ndarray) -> bytes:
    """256 bits, as in Zauner's pHash (2010): which of the lowest DCT coefficients are above their
    median.

    The mean (0, 0) is left out, so that brightness and contrast do not count. Half of the bits are
    set: distances are even numbers.
    """
    small = cv2.resize(image, (HASH_IMAGE, HASH_IMAGE), interpolation=cv2.INTER_AREA)
    low = cv2.dct(small.astype(np.float32))[: HASH_SIDE + 1, : HASH_SIDE + 1].ravel()[
        1 : HASH_SIDE**2 + 1
    ]
    return np.packbits(low > np.median(low)).tobytes()


def _white_outline(image: np.ndarray) -> float:
    wide = max(round(max(image.shape) * OUTLINE_SHARE), 1)
    edges = (image[:wide], image[-wide:], image[:, :wide], image[:, -wide:])
    return float(sum((edge >= WHITE).sum() for edge in edges) / sum(edge.size for edge in edges))


@cache
def _orientations() -> np.ndarray:
    """float32 [3, GRID * GRID]: a frontal chest, and a lateral one facing either way."""
    frontal, lateral, _ = chest_template.load()
    return np.stack([ranks(view).ravel() for view in (frontal, lateral, lateral[:, ::-1])])


@cache
def _frames() -> tuple[np.ndarray, np.ndarray]:
    """The frontal chest through every frame, float32 [N, GRID * GRID], and the share of the lungs
    in it, [N]."""
    frontal, _, lungs = chest_template.load()
    side = len(frontal)
    more = side // 2
    wide = cv2.copyMakeBorder(frontal, more, more, more, more, cv2.BORDER_REPLICATE)
    padded = np.pad(lungs, more)
    views, shares = [], []
    for left, right, top, bottom in itertools.product(
        CUTS_ACROSS, CUTS_ACROSS, CUTS_ALONG, CUTS_ALONG
    ):
        if min(1 - left - right, 1 - top - bottom) < SEEN_AT_LEAST:
            continue
        rows = slice(more + round(top * side), more + round(side - bottom * side))
        columns = slice(more + round(left * side), more + round(side - right * side))
        views.append(ranks(wide[rows, columns]).ravel())
        shares.append(padded[rows, columns].sum() / lungs.sum())
    return np.stack(views), np.array(shares)
