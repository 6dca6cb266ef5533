"""Text that is burned into the pixels: found near the borders, where scanners write names and
dates.

Letters are told from anatomy by their edges: a stroke of printed text is of one brightness and ends
within a pixel or two, while a rib or a vessel fades. Three such strokes of one height beside each
other are text. One or two are not: a lead marker (L, R, PA) says nothing of who the patient is, and
is left alone.
"""

import cv2
import numpy as np

# Letters are looked for on images of at most this side: text of 0.6 % of the height or more.
LARGEST_SIDE = 2048
# A line of text is looked for within this share of the side from any border.
BORDER = 0.25
SHORTEST_LINE = 3
# Three letters are wider together than they are high; small bold ones run into each other: told by
# their strokes.
WIDTH_OF_LINE = 1.5
LETTER_GAP, WORD_GAP = 1.0, 2.5
WIDEST_LETTER, WIDEST_WORD, STROKES_OF_WORD = 1.6, 40, 4
# Heights of letters, in pixels and as a share of the side.
LOWEST, HIGHEST = 6, 0.08
LETTER, WORD = "letter", "word"
CONTRAST = 45
# Bounds of time and memory: no radiograph has so many, an image of noise may.
MOST_COMPONENTS, MOST_LETTERS = 4000, 1500
SPARSE = 0.1  # share of the pixels
# Of a letter's contrast, how much its edge takes in one step between pixels, and how much its
# brightness varies.
STEEPNESS, UNEVENNESS = 0.33, 0.22
# Between the lightest and the darkest of the 3 x 3 pixels around the edge of the faintest letter.
STEEPEST = 2 * STEEPNESS * CONTRAST
# A line goes on where its ground is nearly as bright: faint strokes, of the gray of its letters.
FAINT, SAME_GRAY, PRINTED = 3, 4, 245


def text_regions(image: np.ndarray) -> np.ndarray:
    """Boxes around lines of text near the borders, int [N, 4]: x, y, width, height in pixels.

    Args:
        image: uint8 [H, W], as pgcxr.dicom.decode gives it, of any size. Text below 6 px is not
            found.
    """
    scale = min(1.0, LARGEST_SIDE / max(image.shape))
    small = (
        image
        if scale == 1
        else cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    )
    steps = cv2.morphologyEx(small, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8))
    if steps.max() < STEEPEST:  # as most images are
        return np.zeros((0, 4), int)
    lines, single = [], []
    for polarity in (small, 255 - small):
        for turned, (letters, words) in enumerate(_letters(polarity, steps)):
            order = [1, 0, 3, 2] if turned else [0, 1, 2, 3]
            along = polarity.T if turned else polarity
            for box in _lines(letters, words):
                longer = _to_its_ends(along, box)
                lines.append([[each[place] for place in order] for each in (box, longer)])
            single.append(letters[~words][:, order])
    single = np.concatenate(single)
    # The strokes and holes of one large letter can lie in a row, too.
    found = [longer for box, longer in lines if not _within(box, single)]
    return np.rint(np.array(_merged(found), float).reshape(-1, 4) / scale).astype(int)


def _within(box, letters: np.ndarray) -> bool:
    """Whether one of `letters` covers four fifths of `box`."""
    (x, y, width, height), (left, top, across, down) = box, letters.T
    shared_x = np.minimum(x + width, left + across) - np.maximum(x, left)
    shared_y = np.minimum(y + height, top + down) - np.maximum(y, top)
    return bool(np.any(np.maximum(shared_x, 0) * np.maximum(shared_y, 0) >= 0.8 * width * height))


def _letters(image: np.ndarray, steps: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """Components that may be letters, or words: bright, even, steep-edged. Boxes float [N, 4], and
    which are words [N].

    Twice: for text along the rows, and for text along the side of the film (x and y exchanged).

    Args:
        steps: uint8 [H, W], the range of the 3 x 3 pixels around each.
    """
    highest = max(int(max(image.shape) * HIGHEST), 12)
    found = set(), set()
    # Strokes are thinner than a quarter of the highest letter; small kernels part small letters
    # from a bright ground.
    for stroke in (7, max(highest // 3 | 1, 9)):
        above = cv2.morphologyEx(image, cv2.MORPH_TOPHAT, np.ones((stroke, stroke), np.uint8))
        mask = (above >= CONTRAST).astype(np.uint8)
        boxes, starts = _components(mask)
        x, y, width, height = boxes.T
        short, long = np.minimum(width, height), np.maximum(width, height)
        fits = (long >= LOWEST) & (short <= highest) & (long <= WIDEST_WORD * short)
        fits &= _near_border(x, y, width, height, image.shape)
        for box, start in zip(boxes[fits][:MOST_COMPONENTS], starts[fits], strict=False):
            x, y, width, height = map(int, box)
            around = slice(max(y - 2, 0), y + height + 2), slice(max(x - 2, 0), x + width + 2)
            if steps[around].max() < STEEPEST:
                continue
            # The component alone: its neighbors reach into its box.
            inside = mask[around].copy()
            place = int(start[0]) - around[1].start, int(start[1]) - around[0].start
            area, *_ = cv2.floodFill(inside, None, place, 2, flags=8)
            if area < max(0.12 * width * height, 6):
                continue
            inside = (inside == 2).astype(np.uint8)
            shape = inside[y - around[0].start :, x - around[1].start :][:height, :width]
            ways = [_may_be_letters(shape, highest), _may_be_letters(shape.T, highest)]
            if any(ways) and _is_printed(image[around], above[around], inside, steps[around]):
                for turned, kind in enumerate(ways):
                    if kind:
                        box = (y, x, height, width) if turned else (x, y, width, height)
                        found[turned].add((*box, kind == WORD))
    boxes = [np.array(sorted(one)[:MOST_LETTERS], float).reshape(-1, 5) for one in found]
    return [(one[:, :4], one[:, 4] > 0) for one in boxes]


def _components(mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of each 8-connected component of 0 and 1 its box, int [N, 4], and the place of one of its
    pixels, [N, 2]."""
    if mask.mean() > SPARSE:  # noise: outlines within outlines take long
        count, labels, boxes, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
        firsts = np.zeros(count, int)
        firsts[labels.ravel()[::-1]] = np.arange(mask.size)[::-1]
        return boxes[1:, :4], np.stack(np.divmod(firsts[1:], mask.shape[1])[::-1], axis=1)
    # A radiograph's few: in a twentieth of the time.
    outlines, tree = cv2.findContours(mask, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    if not outlines:
        return np.zeros((0, 4), int), np.zeros((0, 2), int)
    holes = tree.reshape(-1, 4)[:, 3] >= 0  # they have a parent
    outlines = [one for one, hole in zip(outlines, holes, strict=True) if not hole]
    points = np.concatenate(outlines).reshape(-1, 2)
    firsts = np.cumsum([0, *(len(one) for one in outlines[:-1])])
    low, high = np.minimum.reduceat(points, firsts), np.maximum.reduceat(points, firsts)
    return np.hstack([low, high + 1 - low]), points[firsts]


def _may_be_letters(inside: np.ndarray, highest: int) -> str:
    """LETTER, WORD or "" by the shape of a component, 0 or 1 [height, width], along its rows."""
    height, width = inside.shape
    if not LOWEST <= height <= highest or width > WIDEST_WORD * height:
        return ""
    if width <= WIDEST_LETTER * height:
        return LETTER
    return WORD if _strokes(inside) >= STROKES_OF_WORD else ""


def _strokes(inside: np.ndarray) -> float:
    """How many strokes a row crosses, in the middle half of the rows."""
    middle = inside[len(inside) // 4 : len(inside) - len(inside) // 4].astype(np.int8)
    return float(np.median((np.diff(middle, axis=1, prepend=0) == 1).sum(1)))


def _is_printed(
    image: np.ndarray, above: np.ndarray, inside: np.ndarray, steps: np.ndarray
) -> bool:
    """Whether a component is even and ends within a pixel or two; all [H, W], its box and two
    pixels around it."""
    edge = cv2.morphologyEx(inside, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)) > 0
    steepness = float(steps[edge].mean()) / 2
    if steepness < STEEPNESS * CONTRAST:
        return False
    contrast = float(np.percentile(above[inside > 0], 75))
    core = image[(above >= 0.7 * contrast) & (inside > 0)]
    return steepness >= STEEPNESS * contrast and float(core.std()) <= UNEVENNESS * contrast


def _lines(letters: np.ndarray, words: np.ndarray) -> list[tuple[float, float, float, float]]:
    """Boxes around SHORTEST_LINE or more letters of one height beside each other, or around
    words."""
    if not len(letters):
        return []
    # Slow to import, and seldom needed.
    from scipy.sparse.csgraph import connected_components

    x, y, width, height = letters.T
    taller = np.maximum(height[:, None], height[None])
    gap = np.maximum(x[:, None], x[None]) - np.minimum((x + width)[:, None], (x + width)[None])
    bottoms = np.abs((y + height)[:, None] - (y + height)[None])
    alike = taller <= 1.8 * np.minimum(height[:, None], height[None])
    level = (
        alike & (bottoms <= 0.25 * taller) & (gap > -0.5 * np.minimum(width[:, None], width[None]))
    )
    _, lines = connected_components(level & (gap <= LETTER_GAP * taller), directed=False)
    certain = (np.bincount(lines)[lines] >= SHORTEST_LINE) | words
    # From three letters on, the words beside them belong to them, even short ones.
    count, groups = connected_components(level & (gap <= WORD_GAP * taller), directed=False)
    found = []
    for group in range(count):
        mine = groups == group
        if not certain[mine].any():
            continue
        left, top = x[mine].min(), y[mine].min()
        right, bottom = (x + width)[mine].max(), (y + height)[mine].max()
        if right - left >= WIDTH_OF_LINE * (bottom - top):
            found.append((left, top, right - left, bottom - top))
    return found


def _to_its_ends(image: np.ndarray, box: tuple) -> tuple[float, float, float, float]:
    """The box of a line with the faint letters before and after it: half a name is a name."""
    x, y, width, height = map(int, box)
    top, bottom = max(y - height // 4, 0), y + height + height // 4
    band = np.ascontiguousarray(image[top:bottom])
    # Strokes are thinner than half a letter.
    stroke = np.ones((1, max(height // 2 | 1, 7)), np.uint8)
    above = cv2.morphologyEx(band, cv2.MORPH_TOPHAT, stroke)
    known = above[:, x : x + width]
    if not (known >= CONTRAST).any():
        return box
    gray = np.median(band[:, x : x + width][known >= CONTRAST])
    if gray < PRINTED:
        return box  # on a darker ground nothing of it is faint; and cables look like this
    ink = (above >= FAINT) & (np.abs(band.astype(np.int16) - int(gray)) <= SAME_GRAY)
    # Columns that a stroke crosses, or runs along.
    inked = ink.sum(axis=0) >= max(height // 6, 2)
    columns, gap = np.flatnonzero(inked), WORD_GAP * height
    left, right = x, x + width
    for column in columns[columns > right]:
        if column - right > gap:
            break
        right = int(column) + 1
    for column in columns[columns < left][::-1]:
        if left - column > gap:
            break
        left = int(column)
    return left, y, right - left, height


def _near_border(x, y, width, height, shape: tuple[int, int]):
    across, down = (x + width / 2) / shape[1], (y + height / 2) / shape[0]
    return np.minimum(np.minimum(across, 1 - across), np.minimum(down, 1 - down)) <= BORDER


def _merged(boxes: list) -> list:
    """Boxes that overlap become one."""
    merged: list[list[float]] = []
    for x, y, width, height in sorted(boxes):
        box = [x, y, x + width, y + height]
        for other in [one for one in merged if _overlap(one, box)]:
            merged.remove(other)
            box = [*map(min, box[:2], other[:2]), *map(max, box[2:], other[2:])]
        merged.append(box)
    return [(left, top, right - left, bottom - top) for left, top, right, bottom in merged]


def _overlap(a, b) -> bool:
    return a[0] <= b[2] and b[0] <= a[2] and a[1] <= b[3] and b[1] <= a[3]
