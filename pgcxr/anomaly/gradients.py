"""How edges run in each part of a chest, compared with normal ones: no network, learned in a
minute.

Every image is brought to the mean normal chest by an affine map (position, size and tilt of a
patient are no disease), and in cells of an eighth of its width the energies of its gradients in
four directions, and of its finest detail, are measured: what a histogram of oriented gradients
(Dalal and Triggs, CVPR 2005) counts, as logarithms, so that a radiograph of other contrast differs
by the same amount everywhere. Principal components of normals say how these go together from cell
to cell; what they leave is unfamiliar. The outer cells are left out: arms, markers and borders.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from pgcxr.anomaly.baselines import Subspace, fit_subspace
from pgcxr.images import resize

# px at which gradients are measured, and at which an image is aligned; smaller ones as they are.
SIDE, ALIGNED_AT = 64, 32
# Cells across the image, of which the outermost are left out.
CELLS = 8
# Standard deviations of Gaussians, as shares of the width: before gradients, of a cell, and of the
# surroundings that local contrast is measured against.
SMOOTH, CELL, AROUND = 0.7 / 64, 3 / 64, 6 / 64
# Added to energies and variances of gray levels in [-1, 1]: below that is noise.
QUIET, FLAT = 1e-4, 1e-2
# Of the logarithm of an energy: a cell that is always black tells nothing (others: 0.3 and more).
LEAST_DEVIATION = 0.05
COMPONENTS, PER_COMPONENT = 50, 4
# Of the search for the affine map: steps at most, least gain of correlation, px of its blur.
STEPS, GAIN, BLUR = 20, 1e-3, 3


@dataclass(frozen=True)
class Gradients:
    """What is known of normal images.

    Attributes:
        template: their mean, [S, S] in [-1, 1].
        deviation: of each of D energies over normals, [D].
        subspace: components of energies in units of these.
    """

    template: np.ndarray
    deviation: np.ndarray
    subspace: Subspace

    @classmethod
    def learned(cls, normals: np.ndarray, seed: int) -> "Gradients":
        """From normal images [N, S, S] in [-1, 1].

        Example:

            >>> normals = np.random.default_rng(0).normal(0, 0.1, (40, 32, 32))
            >>> found = Gradients.learned(normals, seed=0)
            >>> found.template.shape, found.deviation.shape, found.subspace.directions.shape
            ((32, 32), (180,), (10, 180))
        """
        template = _reduced(np.mean(normals, axis=0, dtype=np.float64))
        found = energies(aligned(normals, template))
        deviation = np.maximum(found.std(axis=0), LEAST_DEVIATION)
        count = max(min(COMPONENTS, len(found) // PER_COMPONENT), 1)
        return cls(template, deviation, fit_subspace(found / deviation, count, seed))

    def ask(self, images: np.ndarray) -> np.ndarray:
        """Scores [N] of images [N, S, S] in [-1, 1]: the squared length of what the components
        leave."""
        found = energies(aligned(images, self.template)) / self.deviation
        return ((found - self.subspace.nearest(found)) ** 2).sum(axis=1)


def aligned(images: np.ndarray, template: np.ndarray) -> np.ndarray:
    """Images [N, S, S] in [-1, 1] moved, turned, scaled and sheared onto `template` [s, s],
    float32 [N, s, s].

    The map is the one of best correlation of local contrasts (ECC, Evangelidis and Psarakis, IEEE
    TPAMI 30, 2008); an image for which there is none stays as it is.
    """
    side = len(template)
    aim = _local_contrast(_reduced(template, ALIGNED_AT))
    out = np.empty((len(images), side, side), np.float32)
    for row, image in enumerate(images):
        small = _reduced(image)
        out[row] = cv2.warpAffine(
            small,
            _at(_affine(aim, _local_contrast(_reduced(small, ALIGNED_AT))), side / len(aim)),
            (side, side),
            flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        )
    return np.clip(out, -1, 1)


def energies(images: np.ndarray) -> np.ndarray:
    """[N, D]: logarithms of five energies in each inner cell of images [N, S, S]: of horizontal,
    vertical and both diagonal gradients, and of what the first blur takes away."""
    side = images.shape[1]
    middles = ((np.arange(1, CELLS - 1) + 0.5) / CELLS * side).astype(int)
    out = np.empty((len(images), len(middles) ** 2, 5), np.float32)
    for row, image in enumerate(images):
        smooth = _blurred(image, SMOOTH)
        right, down = (cv2.Sobel(smooth, cv2.CV_32F, *order) for order in ((1, 0), (0, 1)))
        diagonal = np.sqrt(0.5)
        parts = (
            image - smooth,
            right,
            down,
            diagonal * (right + down),
            diagonal * (right - down),
        )
        for kind, part in enumerate(parts):
            within = _blurred(part**2, CELL)[np.ix_(middles, middles)]
            out[row, :, kind] = np.log(within + QUIET).ravel()
    return out.reshape(len(images), -1)


def _affine(aim: np.ndarray, image: np.ndarray) -> np.ndarray:
    """[2, 3]: from places of `aim` to those of `image`."""
    found = np.eye(2, 3, dtype=np.float32)
    stop = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, STEPS, GAIN)
    try:
        return cv2.findTransformECC(aim, image, found, cv2.MOTION_AFFINE, stop, None, BLUR)[1]
    except cv2.error:  # nothing correlates: black, or no chest
        return np.eye(2, 3, dtype=np.float32)


def _at(affine: np.ndarray, factor: float) -> np.ndarray:
    """The same map for images that are `factor` times as large, whose first pixel's middle is
    elsewhere."""
    out = affine.astype(np.float64)
    out[:, 2] = factor * out[:, 2] + (1 - factor) / 2 * (out[:, :2].sum(axis=1) - 1)
    return out


def _reduced(image: np.ndarray, most: int = SIDE) -> np.ndarray:
    """float32, at `most` px or as it is."""
    image = np.asarray(image, np.float32)
    return image if len(image) <= most else resize(image, most)


def _local_contrast(image: np.ndarray) -> np.ndarray:
    """[S, S]: by how many deviations of its surroundings each pixel is off their mean."""
    rest = image - _blurred(image, AROUND)
    return rest / np.sqrt(_blurred(rest**2, AROUND) + FLAT)


def _blurred(image: np.ndarray, width: float) -> np.ndarray:
    return cv2.GaussianBlur(image, (0, 0), max(width * len(image), 0.05))
