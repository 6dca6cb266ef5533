"""How many readers and cases a planned reader study needs.

What its figures will vary with is taken from a pilot study or stated. For two ways of reading the
same cases, the power is that of Hillis, Obuchowski & Berbaum 2011 (`pgcxr.metrics.mrmc.power`); for
a share of right answers, that of the very tests that `evaluate.readers analyze` does: with one
reader the exact binomial ones, with more a t test with Hillis's degrees of freedom.

References:
    Hillis, Obuchowski & Berbaum 2011, Power estimation for multireader ROC methods: an updated and
    unified approach, Academic Radiology 18, 129-142. Phillips 1990, Power of the two one-sided
    tests procedure in bioequivalence, Journal of Pharmacokinetics and Biopharmaceutics 18, 137-144.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy import stats

MOST = 2000  # cases that anybody would read
# Nodes and weights on (0, 1), over which the estimated variance is integrated.
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(400)
_NODES, _WEIGHTS = (_NODES + 1) / 2, _WEIGHTS / 2


@dataclass(frozen=True)
class Shares:
    """What shares of right answers vary with.

    Attributes:
        reader: variance of the readers' true shares.
        case: variance of one case's chance to be answered rightly, the same for all readers.
        answer: variance of one answer beyond both.
    """

    reader: float
    case: float
    answer: float

    @classmethod
    def of_scores(cls, found: dict) -> Self:
        """From what `pgcxr.metrics.mrmc.of_scores` gives for one way of reading."""
        parts, cases = found["components"], found["components"]["cases"]
        (merits,) = found["figures_of_merit"]
        common = max(parts["cov2"], 0.0)
        own = parts["error"] - common
        spread = float(np.var(merits, ddof=1)) if len(merits) > 1 else 0.0
        return cls(max(spread - own, 0.0), common * cases, own * cases)

    @classmethod
    def stated(cls, share: float, reader_sd: float, case_share: float) -> Self:
        """For right and wrong answers, right in a share `share` of the cases.

        Args:
            reader_sd: standard deviation of the readers' true shares.
            case_share: of an answer's variance, how much is the case's: the correlation of two
                readers' answers to one case.
        """
        variance = share * (1 - share)
        return cls(reader_sd**2, case_share * variance, (1 - case_share) * variance)

    def spread(self, readers: int, cases: int) -> tuple[float, float]:
        """(standard error of the mean over readers, Hillis's degrees of freedom)."""
        own = self.reader + self.answer / cases
        noise = own + readers * self.case / cases
        return float(np.sqrt(noise / readers)), (readers - 1) * (noise / own) ** 2


def equivalence_power(
    parts: Shares, margin: float, readers: int, cases: int, shift: float = 0.0, alpha: float = 0.05
) -> float:
    """Chance that two one-sided tests (TOST) show the mean share to be within `margin` of 0.5.

    Args:
        shift: the true mean share less 0.5.

    Example:

        >>> from pgcxr.metrics.planning import Shares, equivalence_power
        >>> round(equivalence_power(Shares(0.0025, 0.025, 0.225), 0.1, readers=5, cases=100), 2)
        0.65
    """
    if readers == 1:
        right = np.arange(cases + 1)
        above = stats.binom.sf(right - 1, cases, 0.5 - margin) < alpha
        below = stats.binom.cdf(right, cases, 0.5 + margin) < alpha
        return float(stats.binom.pmf(right, cases, 0.5 + shift)[above & below].sum())
    return tost_power(*parts.spread(readers, cases), margin, shift, alpha)


def tost_power(se: float, df: float, margin: float, shift: float, alpha: float = 0.05) -> float:
    """Chance that TOST passes for an estimate with standard error `se`, itself estimated with `df`
    degrees of freedom: Phillips's integral over what that estimate may be."""
    estimated = se * np.sqrt(stats.chi2.ppf(_NODES, df) / df)
    reach = margin - stats.t.ppf(1 - alpha, df) * estimated
    inside = stats.norm.cdf((reach - shift) / se) - stats.norm.cdf((-reach - shift) / se)
    return float((_WEIGHTS * np.maximum(inside, 0.0)).sum())


def difference_power(
    parts: Shares, shift: float, readers: int, cases: int, alpha: float = 0.05
) -> float:
    """Chance that a mean share of 0.5 + `shift` is found to differ from 0.5."""
    if readers == 1:
        share = np.arange(cases + 1)
        p = 2 * np.minimum(
            stats.binom.cdf(share, cases, 0.5), stats.binom.sf(share - 1, cases, 0.5)
        )
        return float(stats.binom.pmf(share, cases, 0.5 + shift)[p < alpha].sum())
    se, df = parts.spread(readers, cases)
    limit = stats.t.ppf(1 - alpha / 2, df)
    return float(stats.nct.sf(limit, df, shift / se) + stats.nct.cdf(-limit, df, shift / se))


def cases_needed(power_of: Callable[[int], float], wanted: float, most: int = MOST) -> int | None:
    """The fewest cases, at least 2, with which `power_of(cases)` is `wanted`; None where it is not
    with `most`.

    It goes up in steps of a twentieth: the power need not rise with every case more, as the
    degrees of freedom fall.

    Example:

        >>> from pgcxr.metrics import mrmc
        >>> from pgcxr.metrics.planning import cases_needed
        >>> pilot = mrmc.Components(
        ...     0.00153500, 0.00020040, 0.00034661, 0.00034407, 0.00023903, 0.00080229, 5, 114
        ... )  # Van Dyke's; RJafroc says 163, too
        >>> cases_needed(lambda cases: mrmc.power(pilot, 0.043800322, 10, cases), 0.8)
        163
    """
    below, cases = 1, 2
    while power_of(cases) < wanted:
        if cases >= most:
            return None
        below, cases = cases, min(max(cases + 1, cases * 21 // 20), most)
    while cases - below > 1:
        middle = (below + cases) // 2
        below, cases = (middle, cases) if power_of(middle) < wanted else (below, middle)
    return cases
