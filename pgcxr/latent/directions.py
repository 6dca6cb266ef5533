"""Other ways to an axis than the regression of `pgcxr.latent.axes`."""

import warnings
from dataclasses import dataclass

import numpy as np

from pgcxr.latent.axes import unit

# InterFaceGAN (Shen et al., CVPR 2020) learns from the images with the highest and lowest scores.
ENDS = 0.02
FEWEST = 10
HIDDEN = (128, 128)


def hyperplane(u: np.ndarray, scores: np.ndarray, share: float = ENDS) -> np.ndarray:
    """The normal of the plane between the images of highest and of lowest score: a linear support
    vector machine, as in InterFaceGAN.

    Example:

        >>> u = np.random.default_rng(0).normal(size=(2000, 8))
        >>> axis = hyperplane(u, u[:, 2] + np.random.default_rng(1).normal(size=2000))
        >>> bool(axis[2] > 0.9)
        True

    Args:
        u: [N, L] latents.
        scores: [N].
        share: of the images at each end, ten at least.

    Returns:
        [L], of length 1, toward high scores; zeros where there are too few images.
    """
    from sklearn.svm import LinearSVC

    count = max(int(len(u) * share), FEWEST)
    if len(u) < 2 * count:
        return np.zeros(u.shape[1])
    order = np.argsort(scores, kind="stable")
    rows = np.concatenate([order[:count], order[-count:]])
    machine = LinearSVC(C=1e-3, random_state=0)
    machine.fit(u[rows], np.repeat([0, 1], count))
    return unit(machine.coef_[0])


@dataclass(frozen=True)
class Population:
    """Axes of a small network from latents to logits, averaged over the population.

    Attributes:
        axes: [K, L], of length 1.
        r2: [K], explained share of the logits' variance on latents that the network has not seen.
    """

    axes: np.ndarray
    r2: np.ndarray


def population(u: np.ndarray, targets: np.ndarray, seed: int, ridge: float = 2e-2) -> Population:
    """Axes of which each raises its own output by one logit and holds all others, on the average.

    A small network learns the logits from the latents; its slopes J [K, L], averaged over all
    latents, give J^T (J J^T + eps I)^-1.

    Args:
        u: [N, L] latents, of which a tenth only measures.
        targets: [N, K] logits.
        seed: of the network.
        ridge: eps, relative to the mean diagonal of J J^T.
    """
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.neural_network import MLPRegressor

    mean, spread = targets.mean(axis=0), targets.std(axis=0)
    spread = np.where(spread > 1e-9, spread, 1.0)
    y = (targets - mean) / spread
    fitted = max(int(len(u) * 0.9), 1)
    network = MLPRegressor(
        hidden_layer_sizes=HIDDEN,
        activation="tanh",
        alpha=1e-2,
        batch_size=min(256, max(fitted // 2, 1)),
        learning_rate_init=2e-3,
        max_iter=60,
        early_stopping=fitted > 100,
        random_state=seed,
    )
    with warnings.catch_warnings():
        # It need not converge: what it explains of unseen latents is measured.
        warnings.simplefilter("ignore", ConvergenceWarning)
        network.fit(u[:fitted], y[:fitted])
    slopes = spread[:, None] * _mean_slopes(network, u)
    gram = slopes @ slopes.T
    damped = gram + (ridge * np.trace(gram) / len(gram) + 1e-12) * np.eye(len(gram))
    left = y[fitted:]
    r2 = np.full(targets.shape[1], np.nan)
    if len(left) > 1:
        error = ((network.predict(u[fitted:]) - left) ** 2).mean(axis=0)
        r2 = 1 - error / np.maximum(left.var(axis=0), 1e-12)
    return Population(unit(np.linalg.solve(damped, slopes)), r2)


def _mean_slopes(network, u: np.ndarray) -> np.ndarray:
    """[K, L]: the mean of the network's Jacobians, by the chain rule through its two layers."""
    first, second, last = network.coefs_
    one = np.tanh(u @ first + network.intercepts_[0])
    two = np.tanh(one @ second + network.intercepts_[1])
    # Mean over n of first diag(1 - one^2) second diag(1 - two^2) last, without [N, L, K] in memory.
    between = (1 - one**2).T @ (1 - two**2) / len(u) * second
    return (first @ between @ last).T
