"""The ways to an axis, side by side: those that give one axis for each disease, and one that gives
each image a path of its own."""

from dataclasses import dataclass, field

import numpy as np

from pgcxr.cohort.findings import FINDINGS
from pgcxr.latent import axes as latent_axes
from pgcxr.latent import directions, evidence, paths

# Fewer images have nothing to teach.
FEWEST_FITTED = 20
# Refits of a way whose fit is slow, at most.
REFITS = 20
PATHS, LABEL = "paths", "label"
WAYS = {
    "thesis": "linear regression of probabilities, on exclusive patterns (thesis 3.3, 3.4)",
    "ridge": "weighted ridge regression of logits",
    "hyperplane": "plane between the highest and the lowest 2 % (InterFaceGAN)",
    "network": "mean slopes of a small network from latents to logits, the other diseases held",
    "displacement": "mean direction of the paths of other images",
    PATHS: "each image's own path along the guides' slopes, the other diseases held; no axis",
    LABEL: "what a conditioned generator is told, from the label of normal images to the disease's",
}


@dataclass(frozen=True)
class Way:
    """Axes [5, L] of one way; a row of zeros where it gives none.

    Attributes:
        axes: of length 1.
        samples: synthetic images that it learned from.
        bootstrap_cosine: [5], NaN where it was not measured.
        facts: of each disease, for the report.
    """

    axes: np.ndarray
    samples: int
    bootstrap_cosine: np.ndarray
    facts: dict[str, dict] = field(default_factory=dict)


@dataclass(frozen=True)
class Fitting:
    """What axes are learned from.

    Attributes:
        u: [N, L] latents.
        logits: [N, 5] of the diseases, by the guides.
        likelihoods: [N, 6], normal first.
        seed: of networks and bootstraps.
        bootstraps: how many.
    """

    u: np.ndarray
    logits: np.ndarray
    likelihoods: np.ndarray
    seed: int
    bootstraps: int

    def of(self, rows: np.ndarray) -> "Fitting":
        """Some of the images."""
        kept = (self.u[rows], self.logits[rows], self.likelihoods[rows])
        return Fitting(*kept, self.seed, self.bootstraps)


def thesis(data: Fitting) -> Way | None:
    """The thesis's own: exclusive patterns, inverse class weights without limit, probabilities;
    None where hardly any pattern is exclusive."""
    single = data.of(latent_axes.exclusive(data.likelihoods))
    if len(single.u) < FEWEST_FITTED:
        return None
    weights = latent_axes.class_weights(single.likelihoods, max_weight=np.inf)
    fit = latent_axes.fit_axes(single.u, single.likelihoods[:, 1:], weights, ridges=(0.0,))
    return _regression(single, single.likelihoods[:, 1:], weights, fit, fit.axes)


def ridge(data: Fitting, orthogonal: bool = False) -> Way | None:
    """Weighted ridge regression of logits; None where there is too little to learn from."""
    if len(data.u) < FEWEST_FITTED:
        return None
    targets = np.clip(data.logits, *logit_limits())
    weights = latent_axes.class_weights(data.likelihoods)
    fit = latent_axes.fit_axes(data.u, targets, weights)
    axes = latent_axes.orthogonalized(fit.axes) if orthogonal else fit.axes
    return _regression(data, targets, weights, fit, axes)


def logit_limits() -> tuple[float, float]:
    """Logits of `pgcxr.latent.axes.CLIP`: beyond, a saturated sigmoid says nothing of severity."""
    low, high = latent_axes.logits(np.array(latent_axes.CLIP))
    return float(low), float(high)


def _regression(data: Fitting, targets, weights, fit: latent_axes.AxisFit, axes) -> Way:
    rng = np.random.default_rng([data.seed, 2])
    cosines = evidence.bootstrap_cosines(data.u, targets, weights, fit, data.bootstraps, rng)
    facts = {
        name: {"ridge": fit.ridges[index], "loo_r2": fit.loo_r2[index]}
        for index, name in enumerate(FINDINGS)
    }
    return Way(axes, len(data.u), cosines.mean(axis=0), facts)


def hyperplane(data: Fitting) -> Way:
    """InterFaceGAN's."""

    def fit(some: Fitting) -> np.ndarray:
        return np.stack([directions.hyperplane(some.u, score) for score in some.logits.T])

    axes, rng = fit(data), np.random.default_rng([data.seed, 3])
    again = [
        fit(data.of(rng.integers(len(data.u), size=len(data.u))))
        for _ in range(min(data.bootstraps, REFITS))
    ]
    cosines = np.abs(np.sum(np.stack(again) * axes, axis=2)).mean(axis=0)
    return Way(axes, len(data.u), cosines)


def network(data: Fitting) -> Way:
    """Mean slopes of a small network; one fit takes too long to be repeated for a bootstrap."""
    found = directions.population(data.u, np.clip(data.logits, *logit_limits()), data.seed)
    facts = {name: {"network_r2": found.r2[index]} for index, name in enumerate(FINDINGS)}
    return Way(found.axes, len(data.u), np.full(len(FINDINGS), np.nan), facts)


def label(axes: np.ndarray) -> Way:
    """What a conditioned generator is told, [5, L]; nothing is fitted."""
    return Way(axes, 0, np.full(len(FINDINGS), np.nan))


def displacement(followed: list[np.ndarray], seed: int, bootstraps: int) -> Way:
    """The mean direction of paths.

    Args:
        followed: for each disease the paths [S, N, L] of N starts.
        seed: of the bootstrap over starts.
        bootstraps: how many.
    """
    rng, axes, cosines = np.random.default_rng([seed, 4]), [], []
    for path in followed:
        left = paths.displacements(path)
        axis = latent_axes.unit(left.mean(axis=0))
        drawn = rng.integers(len(left), size=(bootstraps, len(left)))
        again = latent_axes.unit(left[drawn].mean(axis=1))
        axes.append(axis)
        cosines.append(np.abs(again @ axis).mean())
    return Way(np.stack(axes), len(followed[0][0]), np.array(cosines))
