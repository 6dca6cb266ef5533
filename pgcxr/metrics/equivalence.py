"""Are readers' answers no better, and no worse, than chance? Two one-sided tests (TOST).

A test that finds no difference proves no equality: it may only have seen too little. TOST turns the
burden round (Schuirmann 1987, Journal of Pharmacokinetics and Biopharmaceutics 15, 657-680): it
passes where both "at least `margin` below" and "at least `margin` above" are rejected.
"""

import math

from scipy import stats


def binomial(right: int, n: int, margin: float, chance: float = 0.5) -> dict:
    """{margin, p, equivalent}: exact, for `right` of `n` independent answers of one reader.

    Example:

        >>> from pgcxr.metrics.equivalence import binomial
        >>> binomial(101, 200, margin=0.1)["equivalent"]
        True
        >>> binomial(10, 20, margin=0.1)["equivalent"]  # too few to say so
        False
    """
    _check(margin, chance)
    if not n:
        return {"margin": margin, "p": math.nan, "equivalent": False}
    above_low = float(stats.binom.sf(right - 1, n, chance - margin))
    below_high = float(stats.binom.cdf(right, n, chance + margin))
    return _judged(margin, max(above_low, below_high))


def of_mean(mean: float, se: float, df: float | None, margin: float, chance: float = 0.5) -> dict:
    """{margin, p, equivalent}, for a mean over readers with its standard error and degrees of
    freedom (None: normal), as `pgcxr.metrics.mrmc` gives them."""
    _check(margin, chance)
    if not se > 0:
        return {"margin": margin, "p": math.nan, "equivalent": False}
    tail = stats.norm if df is None else stats.t(df)
    above_low = float(tail.sf((mean - (chance - margin)) / se))
    below_high = float(tail.cdf((mean - (chance + margin)) / se))
    return _judged(margin, max(above_low, below_high))


def _judged(margin: float, p: float) -> dict:
    return {"margin": margin, "p": p, "equivalent": bool(p < 0.05)}


def _check(margin: float, chance: float) -> None:
    if not 0 < margin < min(chance, 1 - chance):
        raise ValueError(f"a margin lies above 0 and below {min(chance, 1 - chance)}, not {margin}")
