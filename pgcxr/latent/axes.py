"""Weighted ridge regression of disease logits on latents (thesis 3.4); an axis is the direction of
its slopes.

Latents are normalized, u = sqrt(L) z / |z|, because the generator depends on nothing else. They are
spread evenly over the sphere, so that least squares finds the direction of a disease whatever the
monotone curve between the projection on it and the classifier's output.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pgcxr.errors import ArgumentError, InputError
from pgcxr.io import artifacts

FILE = "axes.npz"
# Probabilities are clipped to this range before the logit: a saturated sigmoid says nothing more
# about severity.
CLIP = (0.01, 0.99)
# Thesis 3.3: one output at or above the first, all others at or below the second.
EXCLUSIVE = (0.9, 0.1)
# The heaviest weight of one image: with N / (K n) a class of a handful of images would drown all
# others.
MAX_WEIGHT = 10.0
RIDGES = (0.0, *np.logspace(-4, 1, 16))


@dataclass(frozen=True)
class AxisFit:
    """What `fit_axes` finds for K diseases in a latent space of L dimensions.

    Attributes:
        axes: unit vectors [K, L].
        slopes: [K, L], in logits per unit of u.
        intercepts: [K], in logits.
        ridges: [K], the penalty chosen for each, relative to the sum of the weights.
        loo_r2: [K], the share of the logits' variance that is explained when each image is left out
            in turn.
    """

    axes: np.ndarray
    slopes: np.ndarray
    intercepts: np.ndarray
    ridges: np.ndarray
    loo_r2: np.ndarray


@dataclass(frozen=True)
class Axes:
    """Disease axes as they are kept on disk.

    Attributes:
        vectors: unit vectors [K, L].
        names: of the K diseases.
        ends: [K], the angle in radians at which each disease is severe.
        found: [K], whether the evidence for each is enough.
    """

    vectors: np.ndarray
    names: tuple[str, ...]
    ends: np.ndarray
    found: np.ndarray

    @property
    def latent_size(self) -> int:
        """L."""
        return self.vectors.shape[1]


def normalize(latents: np.ndarray) -> np.ndarray:
    """Latents [..., L] scaled to length sqrt(L), float64: u = sqrt(L) z / |z|."""
    latents = np.asarray(latents, np.float64)
    length = np.linalg.norm(latents, axis=-1, keepdims=True)
    return latents * np.sqrt(latents.shape[-1]) / np.maximum(length, 1e-12)


def logits(probabilities: np.ndarray) -> np.ndarray:
    """Logits of probabilities clipped to `CLIP`, so within +-4.6."""
    p = np.clip(np.asarray(probabilities, np.float64), *CLIP)
    return np.log(p / (1 - p))


def exclusive(probabilities: np.ndarray) -> np.ndarray:
    """Which images show a single disease pattern, or are surely normal (criterion of thesis 3.3).

    Args:
        probabilities: [N, K] outputs of the classifier.

    Returns:
        bool [N].
    """
    ranked = np.sort(probabilities, axis=1)
    return (ranked[:, -1] >= EXCLUSIVE[0]) & (ranked[:, -2] <= EXCLUSIVE[1])


def class_counts(probabilities: np.ndarray) -> np.ndarray:
    """How many of N images have their highest output in each of K classes, int [K]."""
    return np.bincount(np.argmax(probabilities, axis=1), minlength=probabilities.shape[1])


def class_weights(probabilities: np.ndarray, max_weight: float = MAX_WEIGHT) -> np.ndarray:
    """Weights that give every class the same share, however rare it is.

    Args:
        probabilities: [N, K] outputs of the classifier.
        max_weight: of one image.

    Returns:
        [N]: N / (K n_c) for an image whose highest output is class c of the K classes that occur.
    """
    counts = class_counts(probabilities)
    weights = len(probabilities) / (np.count_nonzero(counts) * np.maximum(counts, 1))
    return np.minimum(weights, max_weight)[np.argmax(probabilities, axis=1)]


def effective_samples(weights: np.ndarray) -> float:
    """Kish's effective sample size, (sum w)^2 / sum w^2."""
    return float(np.sum(weights) ** 2 / np.sum(weights**2))


def fit_axes(u: np.ndarray, targets: np.ndarray, weights: np.ndarray, ridges=RIDGES) -> AxisFit:
    """Weighted ridge regression with an unpenalized intercept, one for each column of `targets`.

    The ridge of each column is the one with the smallest weighted leave-one-out error, which the
    leverages give in closed form: no image is spent on choosing it. This is scikit-learn's RidgeCV
    (equal to 1e-9, tested), but for a penalty of 0, which that refuses.

    Example:

        >>> rng = np.random.default_rng(0)
        >>> u = normalize(rng.normal(size=(500, 8)))
        >>> severity = 2 * u[:, 3] - u[:, 5] + rng.normal(size=500)
        >>> fit = fit_axes(u, severity[:, None], np.ones(500))
        >>> fit.axes.shape, bool(fit.axes[0, 3] > 0.8), bool(fit.axes[0, 5] < -0.3)
        ((1, 8), True, True)

    Args:
        u: [N, L] normalized latents, see `normalize`.
        targets: [N, K] logits, see `logits`.
        weights: [N], see `class_weights`.
        ridges: candidates for the penalty, relative to the sum of the weights.

    Raises:
        ArgumentError: the arrays are not of one length.
    """
    if not len(u) == len(targets) == len(weights):
        lengths = f"{len(u)}, {len(targets)} and {len(weights)}"
        raise ArgumentError("u", "must have as many rows as targets and weights", received=lengths)
    scale = weights.sum()
    mean_u, mean_y = weights @ u / scale, weights @ targets / scale
    x, y = u - mean_u, targets - mean_y
    weighted = x * weights[:, None]
    values, vectors = np.linalg.eigh(weighted.T @ x)
    # Directions without any spread (more dimensions than images) can't carry a slope.
    usable = values > values[-1] * len(values) * np.finfo(float).eps
    values, vectors = values[usable], vectors[:, usable]
    projected = vectors.T @ (weighted.T @ y)  # [rank, K]
    turned = x @ vectors  # [N, rank]
    best = np.full(targets.shape[1], np.inf)
    slopes, chosen = np.zeros((targets.shape[1], u.shape[1])), np.zeros(targets.shape[1])
    for ridge in ridges:
        shrunk = 1.0 / (values + ridge * scale)
        inner = shrunk[:, None] * projected
        leverage = weights / scale + weights * (turned**2 @ shrunk)
        # With as many parameters as images the fit is exact and every leverage is 1: there a ridge
        # of 0 comes out best, the smallest slopes that fit.
        spared = np.where(leverage < 1 - 1e-9, 1 - leverage, 1e-9)
        error = weights @ ((y - turned @ inner) / spared[:, None]) ** 2
        better = error < best
        best[better], chosen[better] = error[better], ridge
        slopes[better] = (vectors @ inner).T[better]
    # Logits that never change have nothing to explain.
    total = weights @ y**2
    explained = np.where(total > 1e-12 * scale, 1 - best / np.maximum(total, 1e-300), 0.0)
    return AxisFit(unit(slopes), slopes, mean_y - slopes @ mean_u, chosen, explained)


def unit(vectors: np.ndarray) -> np.ndarray:
    """Rows scaled to length 1; a row of zeros stays zero."""
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return vectors / np.where(length > 0, length, 1.0)


def orthogonalized(axes: np.ndarray) -> np.ndarray:
    """Each axis [K, L] without its part in the span of the others: moving along it leaves their
    projections alone."""
    freed = np.empty_like(axes)
    for index in range(len(axes)):
        others = np.delete(axes, index, axis=0).T  # [L, K - 1]
        part, *_ = np.linalg.lstsq(others, axes[index], rcond=None)
        freed[index] = axes[index] - others @ part
    return unit(freed)


def save(path: str | Path, axes: Axes) -> None:
    """Writes axes.npz without pickled objects."""
    arrays = {
        "vectors": axes.vectors.astype(np.float32),
        "names": np.array(axes.names, dtype=np.str_),
        "ends": np.asarray(axes.ends, np.float32),
        "found": np.asarray(axes.found, bool),
        "latent_size": np.int64(axes.latent_size),
    }
    artifacts.write_arrays(path, arrays)


def load(folder: str | Path) -> Axes:
    """The axes in a folder written by `python -m evaluate.axes`.

    Raises:
        InputError: the file is missing or damaged.
    """
    path = Path(folder) / FILE
    try:
        with np.load(path, allow_pickle=False) as arrays:
            names = tuple(str(name) for name in arrays["names"])
            vectors, ends = arrays["vectors"].astype(np.float64), arrays["ends"]
            axes = Axes(vectors, names, ends, arrays["found"])
    except FileNotFoundError:
        raise InputError(
            f"{path}: no such file; find the axes with `python -m evaluate.axes`"
        ) from None
    except (ValueError, KeyError, OSError):
        raise InputError(
            f"{path}: is not a file of axes; make it again with `python -m evaluate.axes`"
        ) from None
    if (
        axes.vectors.shape != (len(axes.names), axes.latent_size)
        or not np.isfinite(axes.vectors).all()
    ):
        raise InputError(
            f"{path}: its arrays don't fit each other; make it again with `python -m evaluate.axes`"
        )
    return axes
