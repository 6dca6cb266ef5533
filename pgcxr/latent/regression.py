"""Weighted ridge regression of disease logits on latents (thesis 3.4); an axis is the direction of
its slopes.

Latents are normalized, u = sqrt(L) z / |z|, because the generator depends on nothing else. They are
spread evenly over the sphere, so that least squares finds the direction of a disease whatever the
monotone curve between the projection on it and the classifier's output.
"""

from dataclasses import dataclass

import numpy as np

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
class Fit:
    """`axes` unit vectors [K, L]; `slopes` [K, L] and `intercepts` [K] in logits; `ridges` [K]
    relative to N; `loo_r2` [K] the variance of the logits that is explained when each image is left
    out in turn."""

    axes: np.ndarray
    slopes: np.ndarray
    intercepts: np.ndarray
    ridges: np.ndarray
    loo_r2: np.ndarray


def normalize(latents: np.ndarray) -> np.ndarray:
    """u = sqrt(L) z / |z|: latents [N, L] moved onto the sphere where the generator sees them."""
    latents = np.asarray(latents, np.float64)
    return latents * np.sqrt(latents.shape[-1]) / np.linalg.norm(latents, axis=-1, keepdims=True)


def logits(probabilities: np.ndarray) -> np.ndarray:
    """Logits of probabilities clipped to `CLIP`, so within +-4.6."""
    p = np.clip(np.asarray(probabilities, np.float64), *CLIP)
    return np.log(p / (1 - p))


def exclusive(probabilities: np.ndarray) -> np.ndarray:
    """bool [N]: images with a single disease pattern, or surely normal, by the criterion of thesis
    3.3."""
    ranked = np.sort(probabilities, axis=1)
    return (ranked[:, -1] >= EXCLUSIVE[0]) & (ranked[:, -2] <= EXCLUSIVE[1])


def class_counts(probabilities: np.ndarray) -> np.ndarray:
    """int [K]: how many images have their highest output in each class."""
    return np.bincount(np.argmax(probabilities, axis=1), minlength=probabilities.shape[1])


def class_weights(probabilities: np.ndarray, max_weight: float = MAX_WEIGHT) -> np.ndarray:
    """[N]: N / (K n_c) for an image whose highest output is class c, K the classes that occur; at
    most `max_weight`."""
    counts = class_counts(probabilities)
    weights = len(probabilities) / (np.count_nonzero(counts) * np.maximum(counts, 1))
    return np.minimum(weights, max_weight)[np.argmax(probabilities, axis=1)]


def effective_samples(weights: np.ndarray) -> float:
    """Kish's effective sample size, (sum w)^2 / sum w^2."""
    return float(np.sum(weights) ** 2 / np.sum(weights**2))


def fit(u: np.ndarray, targets: np.ndarray, weights: np.ndarray, ridges=RIDGES) -> Fit:
    """Weighted ridge regression with an unpenalised intercept, one for each column of `targets`.

    The ridge of each column is the one with the smallest weighted leave-one-out error, which the
    leverages give in closed form: no image is spent on choosing it.

    Args:
        u: [N, L] normalized latents.
        targets: [N, K] logits.
        weights: [N].
        ridges: candidates, relative to the sum of the weights.
    """
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
        # A leverage of 1 leaves nothing to judge by (as many parameters as images): the error is
        # infinite.
        spared = np.where(leverage < 1 - 1e-9, 1 - leverage, 1e-9)
        error = weights @ ((y - turned @ inner) / spared[:, None]) ** 2
        better = error < best
        best[better], chosen[better] = error[better], ridge
        slopes[better] = (vectors @ inner).T[better]
    # Logits that never change have nothing to explain.
    total = weights @ y**2
    explained = np.where(total > 1e-12 * scale, 1 - best / np.maximum(total, 1e-300), 0.0)
    return Fit(unit(slopes), slopes, mean_y - slopes @ mean_u, chosen, explained)


def unit(vectors: np.ndarray) -> np.ndarray:
    """Rows scaled to length 1; a row of zeros stays zero."""
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return vectors / np.where(length > 0, length, 1.0)


def orthogonalised(axes: np.ndarray) -> np.ndarray:
    """Each axis [K, L] without its part in the span of the others: moving along it leaves their
    projections alone."""
    freed = np.empty_like(axes)
    for index in range(len(axes)):
        others = np.delete(axes, index, axis=0).T
        part, *_ = np.linalg.lstsq(others, axes[index], rcond=None)
        freed[index] = axes[index] - others @ part
    return unit(freed)


def bootstrap_cosines(
    u, targets, weights, fitted: Fit, resamples: int, rng: np.random.Generator
) -> np.ndarray:
    """[resamples, K]: |cosine| of each axis with its like from images drawn with replacement, at
    the same ridge."""
    cosines = np.empty((resamples, targets.shape[1]))
    for row in range(resamples):
        drawn = weights * np.bincount(rng.integers(len(u), size=len(u)), minlength=len(u))
        scale = drawn.sum()
        x, y = u - drawn @ u / scale, targets - drawn @ targets / scale
        gram, moment = (x * drawn[:, None]).T @ x, (x * drawn[:, None]).T @ y
        for ridge in np.unique(fitted.ridges):
            same = fitted.ridges == ridge
            # A whisker of ridge keeps a resample with fewer images than dimensions solvable.
            damped = gram + max(ridge, 1e-9) * scale * np.eye(len(gram))
            again = unit(np.linalg.solve(damped, moment[:, same]).T)
            cosines[row, same] = np.abs(np.sum(again * fitted.axes[same], axis=1))
    return cosines
