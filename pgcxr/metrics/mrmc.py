"""Several readers read the same cases, in one or more ways: the Obuchowski-Rockette analysis.

A figure of merit (area under the ROC or AFROC curve, or a share of right answers) is computed for
every way of reading ("modality": without and with a map) and reader. Their covariances, which come
of all having read the same cases, are those of the jackknife, and an analysis of variance with
Hillis's degrees of freedom compares the modalities.

References:
    Obuchowski & Rockette 1995, Communications in Statistics: Simulation and Computation 24,
    285-308. Hillis 2007, A comparison of denominator degrees of freedom for multiple observer ROC
    analysis, Statistics in Medicine 26, 596-619. Hillis, Obuchowski & Berbaum 2011, Power
    estimation for multireader ROC methods: an updated and unified approach, Academic Radiology 18,
    129-142. Chakraborty & Berbaum 2004, Observer studies involving detection and localization,
    Medical Physics 31, 2313-2330 (AFROC); Chakraborty & Zhai 2016, Medical Physics 43, 2548-2562
    (its weights).
"""

import math
from dataclasses import asdict, dataclass

import numpy as np
from scipy import stats

from pgcxr.metrics.roc import normal_quantile

BOTH, READERS, CASES = "readers and cases", "readers", "cases"
GENERALIZATIONS = (BOTH, CASES, READERS)
# Variances below are rounding errors: those of readers who all agree.
ROUNDING = 1e-14


def roc_pairs(normal: np.ndarray, abnormal: np.ndarray) -> np.ndarray:
    """[..., N, A]: 1 where abnormal case a is rated above normal case n, 1/2 where they tie, else
    0. Its mean is the area under the empirical ROC curve.

    Args:
        normal, abnormal: ratings [..., N] and [..., A], higher for abnormal; -inf is below all.
    """
    first, other = np.asarray(abnormal)[..., None, :], np.asarray(normal)[..., :, None]
    return (first > other) + 0.5 * (first == other)


def afroc_pairs(false_marks: np.ndarray, lesions: np.ndarray, weights=None) -> np.ndarray:
    """[..., N, A], as `roc_pairs`, whose mean is the area under the weighted AFROC curve (JAFROC's
    figure of merit): how probably a lesion is rated above the highest false mark of a normal case.

    Args:
        false_marks: [..., N], the rating of the highest-rated mark on each normal case; -inf
            where there is none.
        lesions: [..., A, L], the rating of the mark on each lesion; -inf where it was not marked,
            NaN where the case has fewer lesions.
        weights: [A, L] that sum to 1 for each case over its lesions; equal where left out.
    """
    lesions = np.asarray(lesions, float)
    present = ~np.isnan(lesions)
    if not present.any(axis=-1).all():
        raise ValueError("an abnormal case has no lesion; AFROC needs the place of each")
    if weights is None:
        weights = present / present.sum(axis=-1, keepdims=True)
    # [..., N, A, L]; two that were not marked tie.
    first, other = lesions[..., None, :, :], np.asarray(false_marks)[..., :, None, None]
    won = (first > other) + 0.5 * (first == other)
    return (won * np.where(present, weights, 0.0)[..., None, :, :]).sum(axis=-1)


def leave_one_out(pairs: np.ndarray) -> np.ndarray:
    """[..., N + A]: the mean of `pairs` [..., N, A] without each normal and each abnormal case."""
    normal, abnormal = pairs.shape[-2:]
    if normal < 2 or abnormal < 2:
        raise ValueError(f"{normal} normal and {abnormal} abnormal cases; two of each are needed")
    total = pairs.sum(axis=(-2, -1))[..., None]
    without_normal = (total - pairs.sum(axis=-1)) / ((normal - 1) * abnormal)
    without_abnormal = (total - pairs.sum(axis=-2)) / (normal * (abnormal - 1))
    return np.concatenate([without_normal, without_abnormal], axis=-1)


@dataclass(frozen=True)
class Components:
    """What the figures of merit vary with; estimates may be negative.

    Attributes:
        reader, modality_reader: variances over readers, and over readers within a modality.
        cov1: of one reader in two modalities; cov2: of two readers in one; cov3: of two in two.
        error: variance of a figure of merit over cases.
        readers, cases: of the study that they were estimated from.
    """

    reader: float
    modality_reader: float
    cov1: float
    cov2: float
    cov3: float
    error: float
    readers: int
    cases: int

    @property
    def between(self) -> float:
        """max(Cov2 - Cov3, 0): what of the cases' chance does not cancel between modalities."""
        return max(self.cov2 - self.cov3, 0.0)


def of_pairs(pairs: np.ndarray, level: float = 0.95) -> dict:
    """`obuchowski_rockette` of `roc_pairs` or `afroc_pairs` [M, R, N, A]."""
    pairs = np.asarray(pairs, float)
    return obuchowski_rockette(pairs.mean(axis=(-2, -1)), leave_one_out(pairs), level)


def of_scores(scores: np.ndarray, level: float = 0.95) -> dict:
    """`obuchowski_rockette` of the mean of scores [M, R, C], e.g. 1 for a right answer, 0 for a
    wrong one."""
    scores = np.asarray(scores, float)
    cases = scores.shape[-1]
    if cases < 2:
        raise ValueError(f"{cases} cases; two are needed")
    without = (scores.sum(axis=-1, keepdims=True) - scores) / (cases - 1)
    return obuchowski_rockette(scores.mean(axis=-1), without, level)


def obuchowski_rockette(merits: np.ndarray, without: np.ndarray, level: float = 0.95) -> dict:
    """Compares modalities that the same readers read the same cases in.

    Args:
        merits: [M, R], the figure of merit of each modality and reader.
        without: [M, R, C], the same without each case.
        level: of the intervals.

    Returns:
        {figures_of_merit [M][R], means [M], components, tests: {"readers and cases", "cases",
        "readers": test}, level}: what the result generalizes to; with one reader, cases alone. A
        test is {f or x2, df, ddf, p, differences: [{modalities, difference, se, ci95, p}],
        modalities: [{mean, se, df, ci95}]}; f, p and differences are left out of a single modality.

    Example:

        >>> import numpy as np
        >>> from pgcxr.metrics.mrmc import of_pairs, roc_pairs
        >>> rng = np.random.default_rng(0)
        >>> normal = rng.normal(0, 1, (2, 4, 40))
        >>> abnormal = rng.normal(1.5, 1, (2, 4, 40))
        >>> test = of_pairs(roc_pairs(normal, abnormal))["tests"]["readers and cases"]
        >>> test["p"] > 0.05
        True
    """
    merits, without = np.asarray(merits, float), np.asarray(without, float)
    modalities, readers, cases = without.shape
    mean_squares = _mean_squares(merits)
    covariance = _covariance(without)
    components = _components(mean_squares, covariance, cases)
    tests = {}
    for general in GENERALIZATIONS:
        if general != CASES and readers < 2:
            continue
        test: dict = {}
        if modalities > 1:
            test = _compared(merits, mean_squares, components, general, level)
        test["modalities"] = [
            _single(merits[m], covariance[m, :, m, :], general, level) for m in range(modalities)
        ]
        tests[general] = test
    return {
        "figures_of_merit": merits.tolist(),
        "means": merits.mean(axis=1).tolist(),
        "components": asdict(components),
        "tests": tests,
        "level": level,
    }


def _mean_squares(merits: np.ndarray) -> dict:
    """{modality, reader, modality_reader}; NaN where there is nothing to compare."""
    modalities, readers = merits.shape
    grand, of_modality = merits.mean(), merits.mean(axis=1, keepdims=True)
    of_reader = merits.mean(axis=0, keepdims=True)
    rest = merits - of_modality - of_reader + grand
    free = (modalities - 1) * (readers - 1)
    return {
        "modality": readers * ((of_modality - grand) ** 2).sum() / (modalities - 1)
        if modalities > 1
        else math.nan,
        "reader": modalities * ((of_reader - grand) ** 2).sum() / (readers - 1)
        if readers > 1
        else math.nan,
        "modality_reader": (rest**2).sum() / free if free else math.nan,
    }


def _covariance(without: np.ndarray) -> np.ndarray:
    """[M, R, M, R], of the jackknife."""
    modalities, readers, cases = without.shape
    flat = without.reshape(-1, cases)
    flat = flat - flat.mean(axis=1, keepdims=True)
    covariance = (cases - 1) / cases * flat @ flat.T
    return covariance.reshape(modalities, readers, modalities, readers)


def _components(mean_squares: dict, covariance: np.ndarray, cases: int) -> Components:
    modalities, readers = covariance.shape[:2]
    same_modality = np.eye(modalities, dtype=bool)[:, None, :, None]
    same_reader = np.eye(readers, dtype=bool)[None, :, None, :]

    def mean(where: np.ndarray) -> float:
        chosen = covariance[np.broadcast_to(where, covariance.shape)]
        return float(chosen.mean()) if chosen.size else 0.0

    error, cov1 = mean(same_modality & same_reader), mean(~same_modality & same_reader)
    cov2, cov3 = mean(same_modality & ~same_reader), mean(~same_modality & ~same_reader)
    within = mean_squares["modality_reader"] - error + cov1 + (cov2 - cov3)
    reader = (mean_squares["reader"] - mean_squares["modality_reader"]) / modalities - (cov1 - cov3)
    return Components(reader, within, cov1, cov2, cov3, error, readers, cases)


def _compared(
    merits: np.ndarray, mean_squares: dict, components: Components, general: str, level: float
) -> dict:
    modalities, readers = merits.shape
    free = modalities - 1
    if general == CASES:
        noise = components.error - components.cov1 + (readers - 1) * components.between
        ddf = math.inf
    else:
        added = readers * components.between if general == BOTH else 0.0
        within = mean_squares["modality_reader"]
        noise = within + added
        ddf = _hillis(noise, within, free * (readers - 1))
    f = _ratio(mean_squares["modality"], noise)
    p = float(stats.chi2.sf(free * f, free) if math.isinf(ddf) else stats.f.sf(f, free, ddf))
    se = math.sqrt(max(2 / readers * noise, 0.0))
    means = merits.mean(axis=1)
    pairs = [(a, b) for a in range(modalities) for b in range(a + 1, modalities)]
    test = {"x2": free * f} if general == CASES else {"f": f}
    return {
        **test,
        "df": free,
        "ddf": None if math.isinf(ddf) else ddf,
        "p": p,
        "differences": [
            {"modalities": [a, b], **_estimate(float(means[b] - means[a]), se, ddf, level)}
            for a, b in pairs
        ],
    }


def _single(merits: np.ndarray, covariance: np.ndarray, general: str, level: float) -> dict:
    """Mean, standard error and interval of one modality, from its own data alone."""
    readers = len(merits)
    error = float(np.trace(covariance)) / readers
    off = readers * (readers - 1)
    cov2 = max((float(covariance.sum()) - readers * error) / off, 0.0) if off else 0.0
    if general == CASES:
        squared, df = (error + (readers - 1) * cov2) / readers, math.inf
    else:
        spread = float(merits.var(ddof=1))
        noise = spread + (readers * cov2 if general == BOTH else 0.0)
        squared, df = noise / readers, _hillis(noise, spread, readers - 1)
    found = _estimate(float(merits.mean()), math.sqrt(max(squared, 0.0)), df, level)
    ends = [min(max(end, 0.0), 1.0) for end in found["ci95"]]
    return {
        "mean": found["difference"],
        "se": found["se"],
        "df": None if math.isinf(df) else df,
        "ci95": ends,
    }


def _estimate(value: float, se: float, df: float, level: float) -> dict:
    """{difference, se, ci95, p}."""
    quantile = normal_quantile(level) if math.isinf(df) else float(stats.t.ppf((1 + level) / 2, df))
    z = _ratio(abs(value), se)
    p = 2 * float(stats.norm.sf(z) if math.isinf(df) else stats.t.sf(z, df))
    reach = quantile * se if se > 0 else 0.0
    return {"difference": value, "se": se, "ci95": [value - reach, value + reach], "p": p}


def _hillis(noise: float, part: float, free: int) -> float:
    """Denominator degrees of freedom: of `noise` only `part` was estimated from few readers."""
    return free * (noise / part) ** 2 if part > ROUNDING else math.inf


def _ratio(value: float, noise: float) -> float:
    if value <= ROUNDING:
        return 0.0
    return value / noise if noise > ROUNDING else math.inf


def power(
    pilot: Components,
    difference: float,
    readers: int,
    cases: int,
    general: str = BOTH,
    alpha: float = 0.05,
) -> float:
    """Chance that a planned study of two modalities finds a true `difference` between them.

    Args:
        pilot: the components of an earlier study with the same task and the same share of abnormal
            cases.
        readers, cases: of the planned study.
        general: what the planned study is to generalize to, of `GENERALIZATIONS`.

    Example:

        >>> from pgcxr.metrics.mrmc import Components, power
        >>> pilot = Components(0.0015, 0.0002, 0.00035, 0.00034, 0.00024, 0.0008, 5, 114)
        >>> round(power(pilot, 0.05, readers=6, cases=250), 2)
        0.9
    """
    if readers < (1 if general == CASES else 2) or cases < 2:
        raise ValueError(f"{readers} readers and {cases} cases can't generalize to {general}")
    scale = pilot.cases / cases
    own = scale * (pilot.error - pilot.cov1)
    within = max(pilot.modality_reader, 0.0)
    between = scale * pilot.between
    if general == CASES:
        noise, ddf = own + (readers - 1) * between, math.inf
    elif general == READERS:
        # Cases are the same ones again, so what they add cannot be told from readers.
        noise = within + max(own - between, 0.0)
        ddf = readers - 1
    else:
        noise = within + own + (readers - 1) * between
        ddf = _hillis(noise, within + max(own - between, 0.0), readers - 1)
    if noise <= ROUNDING:
        return 1.0 if difference else alpha
    shift = readers * difference**2 / 2 / noise
    if math.isinf(ddf):
        return float(stats.ncx2.sf(stats.chi2.isf(alpha, 1), 1, shift))
    return float(stats.ncf.sf(stats.f.isf(alpha, 1, ddf), 1, ddf, shift))
