"""Normal images with artificial anomalies, and their masks; and how much normal images may vary."""

from typing import NamedTuple

import cv2
import numpy as np

from pgcxr.anomaly.artificial import effects, shapes
from pgcxr.anomaly.artificial.draws import blurred
from pgcxr.anomaly.artificial.options import EFFECTS, SHAPES, ArtificialOptions

# Draws until a change can be seen; an image on which none can stays as it is, with an empty mask.
TRIES = 6
# Anomalies beside the first: how likely a second is, and a third.
MORE = (0.3, 0.1)
BOTH_SIDES = 0.2
# Darker than this, smoothed, is outside of the body.
BODY = 0.08


class Pasted(NamedTuple):
    """An image with an artificial anomaly.

    Attributes:
        image: float32 [S, S] in [0, 1].
        mask: float32 [S, S], 1 where the anomaly can be seen, else 0.
        words: what was drawn, such as "blob shade".
    """

    image: np.ndarray
    mask: np.ndarray
    words: str


def paste(
    image: np.ndarray,
    other: np.ndarray,
    rng: np.random.Generator,
    options: ArtificialOptions | None = None,
) -> Pasted:
    """A copy of a normal image with one to three artificial anomalies.

    Example:

        >>> rng = np.random.default_rng(1)
        >>> normal, other = rng.random((2, 64, 64), dtype=np.float32)
        >>> image, mask, words = paste(normal, other, rng)
        >>> bool((image != normal).any()), image.dtype, sorted(set(mask.ravel().tolist()))
        (True, dtype('float32'), [0.0, 1.0])

    Args:
        image: float32 [S, S] in [0, 1].
        other: another normal image of that shape, of which patches are taken.
        rng: one state, one result.
        options: how often each shape and effect is drawn.
    """
    options = options or ArtificialOptions()
    body = np.argwhere(blurred(image, 2 / 64) > BODY)
    if not len(body):
        body = np.argwhere(np.ones_like(image, bool))
    for _ in range(TRIES):
        changed, words = image, []
        for _ in range(1 + (rng.random() < MORE[0]) + (rng.random() < MORE[1])):
            shape = SHAPES[rng.choice(len(SHAPES), p=options.weights(SHAPES))]
            effect = EFFECTS[rng.choice(len(EFFECTS), p=options.weights(EFFECTS))]
            place = body[rng.integers(len(body))][::-1] + rng.uniform(-0.5, 0.5, 2)
            weights = getattr(shapes, shape)(image, place, rng)
            if shape not in ("tissue", "contour") and rng.random() < BOTH_SIDES:
                weights = shapes.mirrored(weights, rng)
            changed = getattr(effects, effect)(changed, other, weights, rng)
            changed = np.clip(changed, 0, 1).astype(np.float32)
            words.append(f"{shape} {effect}")
        mask = blurred(np.abs(changed - image), 0.5 / 64) > options.visible
        # One changed pixel is a defect of the detector.
        if 2 <= mask.sum() <= options.largest * mask.size:
            return Pasted(changed, mask.astype(np.float32), ", ".join(words))
    return Pasted(image, np.zeros_like(image), "")


def varied(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A normal image as another positioning and exposure might give it: float32 [S, S] in [0, 1].

    Turned by about 1.5 degrees, 3 % larger or smaller, moved by 2 %, of another gamma and
    brightness. What a network sees changed in normal images, too, it does not take for an anomaly.
    """
    return _varied(image, None, rng)[0]


def varied_lesion(
    image: np.ndarray, mask: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """(an image as `varied` makes it, its mask float32 [S, S] turned and moved with it)."""
    return _varied(image, mask, rng)


def _varied(image, mask, rng: np.random.Generator) -> tuple:
    size = len(image)
    if rng.random() < 0.5:
        turn = cv2.getRotationMatrix2D(
            (size / 2, size / 2), rng.normal(0, 1.5), np.exp(rng.normal(0, 0.03))
        )
        turn[:, 2] += rng.normal(0, 0.02 * size, 2)
        # The cubic one keeps the sharpness that the linear one takes away.
        how = cv2.INTER_CUBIC if rng.random() < 0.5 else cv2.INTER_LINEAR
        image = cv2.warpAffine(image, turn, (size, size), None, how, cv2.BORDER_REPLICATE)
        image = np.clip(image, 0, 1)
        if mask is not None:
            mask = cv2.warpAffine(mask, turn, (size, size))
    if rng.random() < 0.5:
        image = image ** np.float32(np.exp(rng.normal(0, 0.12)))
    if rng.random() < 0.5:
        image = image * np.float32(np.exp(rng.normal(0, 0.05)))
    return np.clip(image, 0, 1).astype(np.float32), mask


def examples(
    normals: np.ndarray, count: int, seed: int, options: ArtificialOptions | None = None
) -> list[Pasted]:
    """`count` normal images with anomalies, the same for one seed.

    Args:
        normals: uint8 [N, S, S, 1].
    """
    out = []
    for index in range(count):
        rng = np.random.default_rng([seed, index])
        image, other = (
            normals[row, ..., 0].astype(np.float32) / 255
            for row in rng.integers(len(normals), size=2)
        )
        out.append(paste(varied(image, rng), other, rng, options))
    return out
