"""How a classifier's logits would have to be changed to be calibrated: logistic recalibration,
temperature.

References:
    Cox 1958, Two further applications of a model for binary regression. Biometrika 45, 562-565. Van
    Calster et al. 2019, Calibration: the Achilles heel of predictive analytics. BMC Medicine 17,
    230. Guo, Pleiss, Sun & Weinberger 2017, On calibration of modern neural networks. ICML 34:
    temperature scaling.
"""

import math

import numpy as np
from scipy import optimize, special

from pgcxr.metrics.roc import checked, normal_quantile, patient_codes

# Probabilities in float32 resolve no finer than this below 1, so logits end at +-16.
CLIP = 1e-7
# Temperatures beyond are no finite optimum.
_LARGEST_LOG = math.log(1e3)
# Of Newton's method: a longer one may end where all probabilities are 0 or 1 and nothing shows the
# way back.
_LONGEST_STEP = 2.0


def logits_of(probabilities) -> np.ndarray:
    """log(p / (1 - p)) in float64, p clipped to [1e-7, 1 - 1e-7]."""
    return special.logit(np.clip(np.asarray(probabilities, np.float64), CLIP, 1 - CLIP))


def log_loss(labels, probabilities) -> float:
    """Mean negative log-likelihood in nats of the probabilities [N], clipped as in `logits_of`."""
    labels, probabilities = checked(labels, probabilities)
    return _mean_loss(labels, logits_of(probabilities))


def recalibration(labels, probabilities, patients=None, level: float = 0.95) -> dict:
    """{slope, intercept, in_the_large and their intervals *_ci95}: logit P(label = 1) = intercept +
    slope * logit(p).

    `in_the_large` is the intercept where the slope is held at 1. A calibrated classifier has 1, 0
    and 0. A slope below 1: its probabilities are too extreme; in_the_large above 0: too low.
    Intervals are Wald's; with `patients` [N] from the cluster-robust covariance. Where the scores
    separate the classes the slope is +-inf and the intercept NaN; where the scores are all equal
    both are NaN.
    """
    labels, probabilities = checked(labels, probabilities)
    codes = None if patients is None else patient_codes(patients, len(labels))
    logits = logits_of(probabilities)
    large, of_large = _logistic(np.ones((len(labels), 1)), labels, logits, codes)
    both, of_both = _slope(labels, logits, codes)
    z, figures = normal_quantile(level), {}
    estimates = (("slope", both[1], of_both[1, 1]), ("intercept", both[0], of_both[0, 0]))
    for name, value, variance in (*estimates, ("in_the_large", large[0], of_large[0, 0])):
        reach = z * math.sqrt(variance)
        figures[name], figures[f"{name}_ci95"] = (
            float(value),
            [float(value - reach), float(value + reach)],
        )
    return figures


def temperature(labels, logits) -> float:
    """The T > 0 for which sigmoid(logits / T) has the smallest log loss; fitted on validation data.

    Above 1: the classifier is too sure. No order changes, so neither does the AUROC.

    Args:
        labels: 0 or 1, [N], both present.
        logits: finite, [N], before the sigmoid.

    Raises:
        ValueError: no temperature is best: every case lies on its own side of logit 0 (the sharper
            the better), or the logits speak against the labels (the flatter the better).

    Example:

        >>> from pgcxr.metrics.recalibration import temperature
        >>> round(temperature([0, 0, 1, 1], [-4.0, 2.0, 4.0, 3.0]), 2)
        1.97
    """
    labels, logits = checked(labels, logits)
    signs = 2 * labels - 1
    if (signs * logits >= 0).all():
        raise ValueError(
            "no temperature fits: every case lies on its own side of 0.5; use more validation "
            "images"
        )
    # The loss is convex in 1 / T. Its slope at 1 / T = 0 says whether anything is gained by
    # trusting the logits.
    if (signs * logits).sum() <= 0:
        raise ValueError(
            "no temperature fits: the logits speak against the labels; turn them, or train again"
        )
    best = optimize.minimize_scalar(
        lambda log: _mean_loss(labels, logits / math.exp(log)),
        bounds=(-_LARGEST_LOG, _LARGEST_LOG),
        method="bounded",
        options={"xatol": 1e-9},
    )
    return math.exp(best.x)


def scaled(probabilities, by: float) -> np.ndarray:
    """Probabilities [N] after division of their logits by the temperature `by`."""
    if not 0 < by < math.inf:
        raise ValueError(f"a temperature is above 0 and finite, not {by}")
    return special.expit(logits_of(probabilities) / by)


def _mean_loss(labels: np.ndarray, logits: np.ndarray) -> float:
    """softplus(x) - x y = -log of the probability of y, without overflow."""
    return float((np.logaddexp(0, logits) - logits * labels).mean())


def _slope(labels: np.ndarray, logits: np.ndarray, codes) -> tuple[np.ndarray, np.ndarray]:
    """[intercept, slope] and their covariance [2, 2]."""
    unknown = np.full((2, 2), math.nan)
    positives, negatives = logits[labels == 1], logits[labels == 0]
    if np.ptp(logits) < 1e-9:
        return np.full(2, math.nan), unknown
    if positives.min() >= negatives.max() or positives.max() <= negatives.min():
        return np.array(
            [math.nan, math.copysign(math.inf, positives.mean() - negatives.mean())]
        ), unknown
    # Standardized, so that logits far from 0 or close together don't make the equations singular.
    mean, deviation = logits.mean(), logits.std()
    design = np.stack([np.ones_like(logits), (logits - mean) / deviation], axis=1)
    beta, covariance = _logistic(design, labels, np.zeros_like(logits), codes)
    back = np.array([[1, -mean / deviation], [0, 1 / deviation]])
    return back @ beta, back @ covariance @ back.T


def _logistic(
    design: np.ndarray, labels: np.ndarray, offset: np.ndarray, codes
) -> tuple[np.ndarray, np.ndarray]:
    """Coefficients [K] of a logistic regression on `design` [N, K] with an offset, and their
    covariance [K, K].

    From the information of the model, or the sandwich over the clusters of `codes` [N], with the
    usual factor for few of them, G / (G - 1) (N - 1) / (N - K); NaN for a single cluster. The
    classes must not be separated.
    """
    beta = np.zeros(design.shape[1])
    for _ in range(200):
        chance = special.expit(offset + design @ beta)
        information = (design * (chance * (1 - chance))[:, None]).T @ design
        step = np.linalg.solve(information, design.T @ (labels - chance))
        step /= max(1.0, np.abs(step).max() / _LONGEST_STEP)
        # The loss is convex: a Newton step that raises it was too long.
        before = _mean_loss(labels, offset + design @ beta)
        while (
            _mean_loss(labels, offset + design @ (beta + step)) > before + 1e-15
            and np.abs(step).max() > 1e-12
        ):
            step /= 2
        beta = beta + step
        if np.abs(step).max() < 1e-10:
            break
    covariance = np.linalg.inv(information)
    if codes is not None:
        groups, (n, k) = int(codes.max()) + 1, design.shape
        scores = np.stack(
            [np.bincount(codes, column * (labels - chance), groups) for column in design.T]
        )  # [K, G]
        factor = groups / (groups - 1) * (n - 1) / (n - k) if groups > 1 and n > k else math.nan
        covariance = factor * covariance @ scores @ scores.T @ covariance
    return beta, covariance
