"""What a decoded radiograph shows of its own quality: blank, inverted, turned, cut; and a hash to
find its like.

Each measure is a number; what is too much of it says rules.toml (pgcxr.curation.rules). The image
is compared with the mean chest of `chest_template`, seen through frames that cut or add at each
side. What it correlates with best is what it is taken for, and the margin to the next other
explanation is how sure that is: a chest with one white lung correlates less with everything, but
still best with the upright chest.

Most radiographs are right and most faults come alone, so the explanations are no equals: a right
chest may be framed in any way, an inverted or turned one has to show all of its lungs, and one that
is both has to be better still. A second witness is the axis of symmetry, which is upright in an
upright chest, however ill its lungs.
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
# How much brighter than this share of the template a lung is that is full of fluid.
WHITE_LUNG = 0.8
# What a correlation with an upright explanation gains by an upright axis of symmetry, for each unit
# by which the image correlates better with its mirror image about that axis than about the other
# one; and the share of the image by which an axis may be off the middle.
AXIS, OFF_AXIS = 0.1, 1 / 8
# What an explanation by two faults at once has to be better by, through frames that neither cut nor
# add more than a share: a chest of which more is seen may be any of them.
BOTH, NEAR = 0.05, 0.2
# A row or column at the edge lies outside of the beam where its 95th percentile is below this share
# of their median.
UNLIT = 0.4
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
    # Of the best explanation by a fault: whether it is inverted, and by how many degrees clockwise
    # it is turned (0, 90, 180, 270).
    inverted: bool
    turned: int
    wrong_by: float  # margin of that explanation over the best right one
    cut_by: float  # margin of the best frame that cuts the lungs over the best that doesn't
    # The same where the lungs of the one that doesn't may be white: one of them, or lower parts.
    cut_not_white_by: float
    picture: float  # share of the area that is no border of one gray value, other than white
    white: float  # share of the outline that is white
    hash: bytes  # perceptual, 256 bit
    aspect: float = 1.0  # the longer side over the shorter one


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
    lungs, views = _frames()[1], _views(standard)
    framed, lateral = views[: len(lungs), 0], views[len(lungs) :, 0]
    whole, cut = framed[lungs >= WHOLE].max(), framed[lungs < CUT].max()
    white = (_white_lungs() @ standard.ravel()).max() if cut > whole else whole
    explained = _explain(standard, views)
    if explained.wrong_by > 0:
        lit = ranks(_lit(inside))
        explained = min(explained, _explain(lit, _views(lit)), key=_looks_wrong)
    return Measures(
        structure=float(cv2.resize(small, (COARSE, COARSE), interpolation=cv2.INTER_AREA).std()),
        likeness=explained.likeness,
        lateral_by=float(lateral.max() - framed.max()),
        inverted=explained.inverted,
        turned=explained.turned,
        wrong_by=explained.wrong_by,
        cut_by=float(cut - whole),
        cut_not_white_by=float(cut - max(whole, white)),
        picture=1 - float((small < WHITE).sum() - (inside < WHITE).sum()) / small.size,
        white=_white_outline(small),
        hash=perceptual_hash(small),
        aspect=max(image.shape) / min(image.shape),
    )


@dataclass(frozen=True)
class _Explained:
    """As the fields of Measures."""

    likeness: float
    inverted: bool
    turned: int
    wrong_by: float


def _looks_wrong(explained: _Explained) -> bool:
    return explained.wrong_by > 0


def _views(standard: np.ndarray) -> np.ndarray:
    """The correlations of ranks [GRID, GRID] with every frame, then with either lateral chest,
    [frames + 2, quarters that they are turned back]."""
    views = np.stack([np.rot90(standard, quarter).ravel() for quarter in range(4)], axis=1)
    return np.concatenate([_frames()[0] @ views, _laterals() @ views])


def _explain(standard: np.ndarray, views: np.ndarray) -> _Explained:
    """What ranks [GRID, GRID] with those `_views` are explained best by: bones white or black, in
    four quarters."""
    _, lungs, reach = _frames()
    framed, lateral = views[: len(lungs)], views[len(lungs) :]
    shown = lungs >= WHOLE
    alike = np.stack(
        [
            np.maximum(framed[shown].max(axis=0), lateral.max(axis=0)),
            np.maximum(-framed[shown].min(axis=0), -lateral.min(axis=0)),
        ]
    )  # [bones white or black, quarters]
    alike[0, 0] = max(alike[0, 0], framed[:, 0].max())
    near = -framed[shown & (reach <= NEAR), 1:].min(axis=0)
    alike[1, 1:] = np.maximum(near, -lateral[:, 1:].min(axis=0))
    likeness = float(alike.max())
    axis = AXIS * (_symmetry(standard) - _symmetry(standard.T))
    alike += axis * np.array([1, -1, 1, -1])
    alike[1, 1:] -= BOTH
    right, alike[0, 0] = alike[0, 0], -np.inf
    inverted, quarter = np.unravel_index(alike.argmax(), alike.shape)
    return _Explained(likeness, bool(inverted), 90 * int(quarter), float(alike.max() - right))


def _symmetry(standard: np.ndarray) -> float:
    """The correlation of ranks [GRID, GRID] with their mirror image, about the best upright
    axis."""
    off = np.arange(-round(2 * OFF_AXIS * GRID), round(2 * OFF_AXIS * GRID) + 1)
    column = np.arange(GRID)
    # [axes, columns]: what an axis that is off the middle has a mirror image of.
    inside = (column >= off[:, None]) & (column < GRID + off[:, None])
    values = standard.astype(np.float64)
    means = inside @ values.sum(axis=0) / (GRID * inside.sum(axis=1))
    removed = GRID * inside.sum(axis=1) * means**2
    products = (values.T @ values)[::-1]  # of a column and the mirror image of another
    mirrored = np.array([products.trace(each) for each in off]) - removed
    squares = inside @ (values**2).sum(axis=0) - removed
    return float((mirrored / np.maximum(squares, 1e-12)).max())


def _lit(image: np.ndarray) -> np.ndarray:
    """Without what a collimator keeps dark, though not of one gray value, at the edges."""
    slices = []
    for axis in (1, 0):
        place = round(0.95 * (image.shape[axis] - 1))
        bright = np.take(np.sort(image, axis=axis, kind="stable"), place, axis=axis)
        lit = np.flatnonzero(bright >= UNLIT * np.median(bright))
        slices.append(slice(lit[0], lit[-1] + 1))
    return image[slices[0], slices[1]]


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
def _laterals() -> np.ndarray:
    """float32 [2, GRID * GRID]: a lateral chest facing either way."""
    _, lateral, _ = chest_template.load()
    return np.stack([ranks(view).ravel() for view in (lateral, lateral[:, ::-1])])


@cache
def _frames() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The frontal chest through every frame, float32 [N, GRID * GRID], and of each frame the share
    of the lungs in it and the most that it cuts or adds at a side, [N]."""
    frontal, _, lungs = chest_template.load()
    return _framed(frontal, lungs)


@cache
def _white_lungs() -> np.ndarray:
    """Chests with white lungs through every frame that shows all of them, float32 [N, GRID *
    GRID]."""
    frontal, _, lungs = chest_template.load()
    bright = np.maximum(frontal, np.quantile(frontal, WHITE_LUNG))
    rows, columns = np.indices(lungs.shape)
    seen = np.flatnonzero((lungs > 0.5).any(axis=1))
    right, low = columns < len(lungs) / 2, rows > (seen[0] + seen[-1]) / 2
    views = []
    for where in (right, ~right, right & low, ~right & low, low):
        share = cv2.GaussianBlur(np.float32(lungs * where), (0, 0), 1)
        views.append(_framed(frontal + share * (bright - frontal), lungs, WHOLE)[0])
    return np.concatenate(views)


def _framed(
    picture: np.ndarray, lungs: np.ndarray, least: float = 0.0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """As `_frames`, of `picture`, through the frames that show the share `least` of the lungs."""
    side = len(picture)
    more = side // 2
    wide = cv2.copyMakeBorder(picture, more, more, more, more, cv2.BORDER_REPLICATE)
    padded = np.pad(lungs, more)
    views, shares, reach = [], [], []
    for left, right, top, bottom in itertools.product(
        CUTS_ACROSS, CUTS_ACROSS, CUTS_ALONG, CUTS_ALONG
    ):
        if min(1 - left - right, 1 - top - bottom) < SEEN_AT_LEAST:
            continue
        rows = slice(more + round(top * side), more + round(side - bottom * side))
        columns = slice(more + round(left * side), more + round(side - right * side))
        share = padded[rows, columns].sum() / lungs.sum()
        if share >= least:
            views.append(ranks(wide[rows, columns]).ravel())
            shares.append(share)
            reach.append(max(map(abs, (left, right, top, bottom))))
    return np.stack(views), np.array(shares), np.array(reach)
