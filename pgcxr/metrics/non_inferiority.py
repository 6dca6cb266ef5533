"""Is one reading of the same images at most so much worse than another?

The limit is that of MOVER (Zou & Donner 2008, Construction of confidence limits about effect
measures, Statistics in Medicine 27, 1693-1702; Newcombe's hybrid interval): of b - a it combines
the distance of b to its own lower limit with that of a to its own upper limit, and their
correlation. Near an area of 1, where classifiers are compared, the normal interval of the
difference is too short: with a of 1 and b just the margin below it, it passes 13 % of studies of 20
+ 20 cases and 5 % of 200 + 200, where 2.5 % are promised; MOVER, its lower limits kept from rising
as an area falls, none and 2 %. Elsewhere the two agree.
"""

import math

import numpy as np
from scipy import optimize, special, stats

from pgcxr.metrics.auroc import ROUNDING, Influences, influences, limits
from pgcxr.metrics.roc import normal_quantile

# Standard errors beyond which a p-value is 0.
FARTHEST = 35.0


def non_inferiority(labels, scores_a, scores_b, margin: float, patients=None) -> dict:
    """{margin, passed, lower_bound, p, method}: whether AUROC b is at most `margin` below AUROC a.

    Passed where the lower limit of the two-sided 95 % interval of b - a lies above -margin, which
    is where the one-sided p of "b - a <= -margin" is below 0.025. The areas' own limits and their
    correlation are of DeLong's variances, with `patients` of Obuchowski's. Preset the margin; 0.05
    is a convention, no finding.

    Args:
        labels: 0 or 1, [N], two of each.
        scores_a, scores_b: finite, [N], higher for positive.
        margin: between 0 and 1, in units of the area.
        patients: [N], whose image each case is.

    Example:

        >>> import numpy as np
        >>> from pgcxr.metrics.non_inferiority import non_inferiority
        >>> labels = np.repeat([0, 1], 100)
        >>> scores = np.random.default_rng(0).normal(3 * labels)
        >>> test = non_inferiority(labels, scores, scores, margin=0.05)
        >>> test['passed'], round(test['lower_bound'], 3), test['method']
        (True, -0.01, 'MOVER, DeLong')
    """
    if not 0 < margin < 1:
        raise ValueError(f"a non-inferiority margin must lie above 0 and below 1, not {margin}")
    by_patient = influences(labels, scores_a, scores_b, patients=patients)
    lower_bound = _bound(by_patient, normal_quantile(0.95))
    return {
        "margin": margin,
        "passed": bool(lower_bound > -margin),
        "lower_bound": lower_bound,
        "p": float(stats.norm.sf(_z(by_patient, -margin))),
        "method": f"MOVER, {'DeLong' if patients is None else 'Obuchowski'}",
    }


def _bound(by_patient: Influences, z: float) -> float:
    """The limit of b - a that lies `z` standard errors below it; above it where z is negative."""
    a, b = map(float, by_patient.areas)
    if z >= 0:
        of_b, of_a = b - _low(by_patient, 1, z), limits(by_patient, 0, z)[1] - a
    else:
        of_b, of_a = limits(by_patient, 1, -z)[1] - b, a - _low(by_patient, 0, -z)
    squared = of_b**2 - 2 * _correlation(by_patient) * of_b * of_a + of_a**2
    return b - a - math.copysign(math.sqrt(max(squared, 0.0)), z)


def _low(by_patient: Influences, place: int, z: float) -> float:
    """Lower limit of the area at `place` that doesn't rise where the area falls.

    That of `limits` does in two places near 1. A single misplaced pair would be surer than none:
    the limit of an area of 1 is the highest. And with standard error s the logit limit has its peak
    where A (1 - A) = z s (2A - 1): greater areas take the limit of the peak.
    """
    area, reach = (
        float(by_patient.areas[place]),
        z * math.sqrt(max(by_patient.covariance()[place, place], 0.0)),
    )
    low = limits(by_patient, place, z)[0]
    peak = (1 - 2 * reach + math.sqrt(1 + 4 * reach**2)) / 2
    if peak < area < 1:
        low = float(special.expit(special.logit(peak) - reach / (peak * (1 - peak))))
    return min(
        low,
        float(stats.norm.sf(z) ** (1 / min(by_patient.with_positive, by_patient.with_negative))),
    )


def _correlation(by_patient: Influences) -> float:
    """Of the two areas' errors; 0 where one has none that it could be told from."""
    covariance = by_patient.covariance()
    variances = np.diag(covariance)
    return (
        float(covariance[0, 1] / np.sqrt(variances.prod())) if variances.min() > ROUNDING else 0.0
    )


def _z(by_patient: Influences, value: float) -> float:
    """By how many standard errors the limit of b - a is `value`."""
    if _bound(by_patient, -FARTHEST) <= value:
        return -FARTHEST
    if _bound(by_patient, FARTHEST) >= value:
        return FARTHEST
    return float(
        optimize.brentq(lambda z: _bound(by_patient, z) - value, -FARTHEST, FARTHEST, xtol=1e-10)
    )
