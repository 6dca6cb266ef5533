"""How far readers agree on the same cases, and with themselves: NumPy in, dict out.

Ratings are [N, R] of N cases and R readers, NaN where a reader did not read the case; cases of
fewer than two ratings say nothing and are left out (and counted). Intervals are for the population
of cases, with these readers.

References:
    Fleiss 1971, Psychological Bulletin 76, 378-382. Cohen 1968, Psychological Bulletin 70, 213-220
    (weights). Gwet 2008, British Journal of Mathematical and Statistical Psychology 61, 29-48
    (AC1), and Gwet 2014, Handbook of Inter-Rater Reliability, 4th edition (missing ratings,
    intervals; the packages of PyPI know no missing ratings, or count them as a category).
    Shrout & Fleiss 1979, Psychological Bulletin 86, 420-428, and McGraw & Wong 1996, Psychological
    Methods 1, 30-46 (ICC).
"""

import math

import numpy as np
from scipy import stats

WEIGHTS = ("identity", "linear", "quadratic")


def fleiss_kappa(ratings, categories, weights: str = "identity", level: float = 0.95) -> dict:
    """{value, ci95, agreement, chance, n}: Fleiss' kappa, with weights between ordered categories.

    With two readers it is Scott's pi, near Cohen's kappa. 1 is full agreement, 0 that of chance;
    NaN where all ratings are one category.

    Args:
        ratings: [N, R] of values in `categories`, or NaN.
        categories: all that could be answered, in their order.
        weights: "identity" (all disagreements count the same), "linear" or "quadratic".

    Example:

        >>> from pgcxr.metrics.raters import fleiss_kappa
        >>> round(fleiss_kappa([[0, 0], [1, 1], [0, 1], [1, 1]], (0, 1))["value"], 3)
        0.467
    """
    return _chance_corrected(ratings, categories, weights, level, gwet=False)


def gwet_ac1(ratings, categories, weights: str = "identity", level: float = 0.95) -> dict:
    """{value, ci95, agreement, chance, n}: Gwet's AC1, and with weights AC2.

    As `fleiss_kappa`, but it stays near the agreement that is seen where nearly all cases are of
    one category, as there kappa falls to 0 and below.

    Example:

        >>> from pgcxr.metrics.raters import gwet_ac1
        >>> round(gwet_ac1([[0, 0], [1, 1], [0, 1], [1, 1]], (0, 1))["value"], 3)
        0.529
    """
    return _chance_corrected(ratings, categories, weights, level, gwet=True)


def weighted_kappa(first, second, categories, weights: str = "quadratic") -> float:
    """Cohen's kappa of two readings of the same cases [N]; NaN where all are one category.

    Args:
        first, second: NaN where not read; cases that lack one are left out.
    """
    table = contingency(first, second, categories)
    if table.sum() == 0:
        return math.nan
    table = table / table.sum()
    apart = 1 - _weights(weights, len(categories))
    by_chance = (apart * np.outer(table.sum(axis=1), table.sum(axis=0))).sum()
    return float(1 - (apart * table).sum() / by_chance) if by_chance > 0 else math.nan


def contingency(first, second, categories) -> np.ndarray:
    """[K, K]: how often the one reading was category i and the other j."""
    table = np.zeros((len(categories), len(categories)))
    for a, b in zip(*(_codes(one, categories) for one in (first, second)), strict=True):
        if a >= 0 and b >= 0:
            table[a, b] += 1
    return table


def icc(ratings, level: float = 0.95) -> dict:
    """{value, ci95, n, readers}: the intraclass correlation ICC(2,1) of numbers [N, R]: absolute
    agreement of single readers, who stand for all readers (two-way random effects).

    Only cases that every reader read count.

    Example:

        >>> from pgcxr.metrics.raters import icc
        >>> shrout_fleiss = [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8],
        ...                  [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]]
        >>> round(icc(shrout_fleiss)["value"], 2)
        0.29
    """
    ratings = np.asarray(ratings, float)
    ratings = ratings[~np.isnan(ratings).any(axis=1)]
    n, readers = ratings.shape
    nothing = {"value": math.nan, "ci95": [math.nan] * 2, "n": n, "readers": readers}
    if n < 2 or readers < 2:
        return nothing
    grand = ratings.mean()
    of_case, of_reader = ratings.mean(axis=1, keepdims=True), ratings.mean(axis=0, keepdims=True)
    rows = readers * ((of_case - grand) ** 2).sum() / (n - 1)
    columns = n * ((of_reader - grand) ** 2).sum() / (readers - 1)
    rest = ((ratings - of_case - of_reader + grand) ** 2).sum() / ((n - 1) * (readers - 1))
    whole = rows + (readers - 1) * rest + readers * (columns - rest) / n
    if whole <= 0:
        return nothing
    value = float((rows - rest) / whole)
    if rest <= 0 and columns <= 0:
        return nothing | {"value": 1.0, "ci95": [1.0, 1.0]}
    limits = _icc_limits(value, (rows, columns, rest), n, readers, level)
    return nothing | {"value": value, "ci95": limits}


def _icc_limits(
    value: float, mean_squares: tuple[float, float, float], n: int, readers: int, level: float
) -> list[float]:
    """McGraw & Wong 1996, table 7, case 2A; mean squares of cases, of readers, and the rest."""
    rows, columns, rest = mean_squares
    a = readers * value / (n * (1 - value))
    b = 1 + (n - 1) * a
    below = (a * columns) ** 2 / (readers - 1) + (b * rest) ** 2 / ((n - 1) * (readers - 1))
    df = (a * columns + b * rest) ** 2 / below
    tail = (1 + level) / 2
    low, high = stats.f.ppf(tail, n - 1, df), stats.f.ppf(tail, df, n - 1)
    both = readers * columns + (readers * n - readers - n) * rest
    return [
        float(n * (rows - low * rest) / (low * both + n * rows)),
        float(n * (high * rows - rest) / (both + n * high * rows)),
    ]


def _chance_corrected(ratings, categories, weights: str, level: float, gwet: bool) -> dict:
    codes = _codes(ratings, categories)
    kinds = len(categories)
    counts = np.stack([(codes == k).sum(axis=1) for k in range(kinds)], axis=1).astype(float)
    total = counts.sum(axis=1)
    rated, paired = total >= 1, total >= 2
    empty = {"value": math.nan, "ci95": [math.nan] * 2, "agreement": math.nan}
    empty |= {"chance": math.nan, "n": int(paired.sum())}
    if not paired.any() or kinds < 2:
        return empty
    near = _weights(weights, kinds)
    counts, total, paired = counts[rated], total[rated], paired[rated]
    n, pairs = len(total), int(paired.sum())
    share = counts / total[:, None]
    prevalence = share.mean(axis=0)
    possible = np.where(paired, total * (total - 1), 1)
    agreed = np.where(paired, (counts * (counts @ near.T - 1)).sum(axis=1) / possible, 0.0)
    agreement = agreed.sum() / pairs
    # Each case's part in the chance agreement, for the variance of the whole.
    if gwet:
        scale = near.sum() / (kinds * (kinds - 1))
        chance = scale * (prevalence * (1 - prevalence)).sum()
        of_chance = scale * (share * (1 - prevalence)).sum(axis=1)
    else:
        chance = prevalence @ near @ prevalence
        of_chance = share @ ((near + near.T) / 2) @ prevalence
    if chance >= 1 - 1e-12:
        return empty | {"agreement": float(agreement), "chance": float(chance)}
    value = (agreement - chance) / (1 - chance)
    own = n / pairs * np.where(paired, agreed - chance, 0.0) / (1 - chance)
    parts = own - 2 * (1 - value) * (of_chance - chance) / (1 - chance)
    se = math.sqrt(((parts - value) ** 2).sum() / (n * (n - 1))) if n > 1 else math.nan
    reach = float(stats.t.ppf((1 + level) / 2, n - 1)) * se if n > 1 else math.nan
    return {
        "value": float(value),
        "ci95": [float(max(value - reach, -1.0)), float(min(value + reach, 1.0))],
        "agreement": float(agreement),
        "chance": float(chance),
        "n": pairs,
    }


def _codes(ratings, categories) -> np.ndarray:
    """Places in `categories`, -1 where not rated."""
    ratings = np.asarray(ratings, float)
    codes = np.full(ratings.shape, -1)
    for place, category in enumerate(categories):
        codes[ratings == category] = place
    if ((codes < 0) & ~np.isnan(ratings)).any():
        raise ValueError("a rating is none of the categories")
    return codes


def _weights(name: str, kinds: int) -> np.ndarray:
    """[K, K] from 0 to 1: how near two categories are."""
    if name not in WEIGHTS:
        raise ValueError(f"weights are {', '.join(WEIGHTS)}, not {name}")
    apart = np.abs(np.subtract.outer(np.arange(kinds), np.arange(kinds)))
    if name == "identity":
        return np.eye(kinds)
    return 1 - (apart / max(kinds - 1, 1)) ** (1 if name == "linear" else 2)
