"""Who says what an image shows: classifiers, and two readers of another kind that are fitted here
on the real images of the cohort.

Each gives a score for each disease. From real images that it has not learned from come what a score
means: the likelihood (logistic recalibration on split val; of a classifier's logits its slope is
one over the temperature), the gap between diseased and normal images (split test), and how well it
tells them apart. Those that guide an axis judge none.
"""

import warnings
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from scipy import optimize, special

from pgcxr.cohort.findings import ABNORMAL, FINDINGS, NORMAL
from pgcxr.cohort.manifest import Cohort
from pgcxr.images import reduce_by_factor
from pgcxr.metrics.roc import auroc

# Who tells a disease from normal on real images by less than that can't say whether it is there.
SEES = 0.7
# Who gives real images of one disease a higher mean likelihood of another can't say of an image of
# the one whether it shows the other, too.
APART = 0.1
# Real images of a split that calibrate, at most.
MOST = 2000
MOST_TRAIN = 20_000
# Of the probe: principal components, and the side from which they are taken.
COMPONENTS, SIDE = 120, 64
FEWEST_AREAS = 50
# The steepest slope of a classifier's logits: it is not made surer than it is.
AS_SURE = 1.0
# An image is called normal where every disease is less likely than that.
CALLED_NORMAL = 0.2


@dataclass(frozen=True)
class Calibration:
    """What the scores of one reader mean, for each of the five diseases.

    Attributes:
        slopes, offsets: [5]; the likelihood is 1 / (1 + exp(-(slope * score + offset))).
        gaps: [5], mean score of real images with the disease less that of normal ones.
        aurocs: [5], of real images with the disease against normal ones.
        called_normal: share of the real normal images that are called normal.
        crosstalk: [5, 5], mean likelihood of disease k (column) for real images that have disease c
            (row) and not k.
    """

    slopes: np.ndarray
    offsets: np.ndarray
    gaps: np.ndarray
    aurocs: np.ndarray
    called_normal: float
    crosstalk: np.ndarray = field(default_factory=lambda: np.full((5, 5), np.nan))

    def logits(self, scores: np.ndarray) -> np.ndarray:
        """Calibrated logits of scores [..., 5]."""
        return scores * self.slopes + self.offsets

    def likelihoods(self, scores: np.ndarray) -> np.ndarray:
        """Of scores [..., 5]."""
        return special.expit(self.logits(scores))

    @property
    def sees(self) -> np.ndarray:
        """bool [5]: which diseases it can judge."""
        return (np.nan_to_num(self.aurocs) >= SEES) & (np.nan_to_num(self.gaps) > 0)

    def tells_apart(self, index: int) -> list[int]:
        """The other diseases that it sees, and does not see in real images of disease `index`."""
        quiet = np.nan_to_num(self.crosstalk[index], nan=1.0) <= APART
        return [k for k in range(5) if k != index and self.sees[k] and quiet[k]]


# Of who has seen no real image: logits are taken as they are, and nothing can be judged.
UNKNOWN = np.full(5, np.nan)
UNCALIBRATED = Calibration(np.ones(5), np.zeros(5), UNKNOWN, UNKNOWN, float("nan"))


@dataclass(frozen=True)
class Judge:
    """One reader.

    Attributes:
        name: in reports.
        kind: what it is, in words.
        scores: (uint8 [N, R, R, 1], logits [N, J, 6] of the J classifiers for them) -> [N, 5].
        calibration: of its scores.
    """

    name: str
    kind: str
    scores: Callable[[np.ndarray, np.ndarray], np.ndarray]
    calibration: Calibration

    def describe(self) -> dict:
        """For report.json."""
        found = self.calibration
        return {
            "kind": self.kind,
            "auroc": dict(zip(FINDINGS, found.aurocs, strict=True)),
            "gap": dict(zip(FINDINGS, found.gaps, strict=True)),
            "slope": dict(zip(FINDINGS, found.slopes, strict=True)),
            "temperature": dict(zip(FINDINGS, 1 / np.maximum(found.slopes, 1e-9), strict=True)),
            "offset": dict(zip(FINDINGS, found.offsets, strict=True)),
            "normals_called_normal": found.called_normal,
            "crosstalk": {
                name: dict(zip(FINDINGS, row, strict=True))
                for name, row in zip(FINDINGS, found.crosstalk, strict=True)
            },
            "judges": [name for name, sees in zip(FINDINGS, found.sees, strict=True) if sees],
        }


@dataclass(frozen=True)
class Real:
    """Real images of one split.

    Attributes:
        cohort: their rows.
        images: uint8 [N, R, R, 1].
        labels: [N, 6], normal first, NaN where unknown.
    """

    cohort: Cohort
    images: np.ndarray
    labels: np.ndarray

    @classmethod
    def of(cls, rows: Cohort, size: int, seed: list[int], most: int = MOST) -> "Real":
        """The images of a cohort, `most` at most, drawn by `seed`."""
        if len(rows) > most:
            drawn = np.random.default_rng(seed).choice(len(rows), most, replace=False)
            kept = rows.manifest.iloc[np.sort(drawn)].reset_index(drop=True)
            rows = Cohort(rows.folder, kept)
        return cls(rows, rows.images(size), rows.findings().astype(np.float64))


def calibrated(
    val: np.ndarray,
    known: np.ndarray,
    test: np.ndarray,
    truth: np.ndarray,
    steepest: float = np.inf,
) -> Calibration:
    """What scores mean.

    Args:
        val, test: scores [N, 5] of real images of two splits.
        known, truth: their labels [N, 6], normal first, NaN where unknown.
        steepest: see `logistic`.

    Returns:
        A `Calibration`; NaN, which judges nothing, where a class is missing.
    """
    slopes, offsets = np.ones(5), np.zeros(5)
    gaps, aurocs = np.full(5, np.nan), np.full(5, np.nan)
    for index in range(5):
        label = known[:, index + 1]
        rows = ~np.isnan(label)
        if len(np.unique(label[rows])) == 2:
            slopes[index], offsets[index] = logistic(val[rows, index], label[rows], steepest)
        diseased, normal = truth[:, index + 1] == 1, truth[:, 0] == 1
        if diseased.sum() > 1 and normal.sum() > 1:
            score = test[:, index]
            gaps[index] = score[diseased].mean() - score[normal].mean()
            rows = diseased | normal
            aurocs[index] = auroc(diseased[rows].astype(int), score[rows])
    told = special.expit(test * slopes + offsets)
    normal = told[truth[:, 0] == 1]
    share = float((normal < CALLED_NORMAL).all(axis=1).mean()) if len(normal) else float("nan")
    return Calibration(slopes, offsets, gaps, aurocs, share, _crosstalk(told, truth[:, 1:]))


def _crosstalk(told: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """[5, 5] of likelihoods and labels [N, 5]; NaN where there are too few images."""
    found = np.full((5, 5), np.nan)
    for has in range(5):
        for lacks in range(5):
            rows = (truth[:, has] == 1) & (truth[:, lacks] == 0)
            if rows.sum() > 1:
                found[has, lacks] = told[rows, lacks].mean()
    return found


def logistic(score: np.ndarray, label: np.ndarray, steepest: float) -> tuple[float, float]:
    """(slope, offset) of the logit of `label` by `score`.

    Args:
        score: [N].
        label: [N], both classes present.
        steepest: the slope's limit. A classifier is not made surer than it is: where a few hundred
            images are told apart without an error, the best slope is endless.
    """
    from sklearn.linear_model import LogisticRegression

    spread = max(float(score.std()), 1e-9)
    fitted = LogisticRegression(C=100.0).fit(score[:, None] / spread, label)
    slope, offset = float(fitted.coef_[0, 0]) / spread, float(fitted.intercept_[0])
    if slope <= steepest:
        return slope, offset
    # The offset for which the mean likelihood is the share of the diseased.
    logits = steepest * score.astype(np.float64)
    reach = float(np.abs(logits).max()) + 20.0
    return steepest, float(
        optimize.brentq(lambda b: special.expit(logits + b).mean() - label.mean(), -reach, reach)
    )


class Components:
    """Whitened principal components of real training images.

    Args:
        images: uint8 [N, R, R, 1], of the size of those that are read later, or already as small as
            all are taken (`SIDE`).
        seed: of the randomized decomposition.
    """

    def __init__(self, images: np.ndarray, seed: int):
        from sklearn.decomposition import PCA

        flat = self._flat(images)
        count = min(COMPONENTS, len(flat) - 1, flat.shape[1])
        self._pca = PCA(count, whiten=True, svd_solver="randomized", random_state=seed).fit(flat)

    def _flat(self, images: np.ndarray) -> np.ndarray:
        factor = max(images.shape[1] // SIDE, 1)
        small = reduce_by_factor(images, factor, np.float32)
        return small.reshape(len(images), -1) / 255

    def __call__(self, images: np.ndarray) -> np.ndarray:
        """[N, D]; limited, so that an image far from all real ones says no more than those."""
        return np.clip(self._pca.transform(self._flat(images)), -5, 5)


def probe(features: np.ndarray, labels: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """Logistic regression of each disease, [N, D] -> logits [N, 5].

    Args:
        features: [N, D] of real training images.
        labels: [N, 5], NaN where unknown.
    """
    from sklearn.linear_model import LogisticRegression

    weights, offsets = np.zeros((features.shape[1], 5)), np.zeros(5)
    for index, label in enumerate(labels.T):
        rows = ~np.isnan(label)
        if len(np.unique(label[rows])) == 2:
            fitted = LogisticRegression(C=0.01, max_iter=300, class_weight="balanced")
            fitted.fit(features[rows], label[rows])
            weights[:, index], offsets[index] = fitted.coef_[0], fitted.intercept_[0]
    return lambda some: some @ weights + offsets


def area_reader(
    features: np.ndarray, cohort: Cohort, size: int, seed: int
) -> Callable[[np.ndarray], np.ndarray] | None:
    """How much of an image is lesion, disease by disease: a small network on the components, taught
    by the masks of images with one finding. None where there are too few masks.

    Args:
        features: [N, D] of the images of `cohort`.
        cohort: with masks, as a phantom has them.
        size: px at which areas are taken.
        seed: of the network.

    Returns:
        [N, D] -> the square root of the share of the image that is lesion, [N, 5].
    """
    rows = cohort.manifest
    alone = np.stack([(rows["diagnoses"] == name) & (rows["mask"] != "") for name in FINDINGS], 1)
    if alone.sum(axis=0).min() < FEWEST_AREAS or not (rows["label"] == NORMAL).any():
        return None
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.neural_network import MLPRegressor

    taught = (rows["label"] == NORMAL).to_numpy() | alone.any(axis=1)
    kept = Cohort(cohort.folder, rows[taught].reset_index(drop=True))
    covered = kept.masks(min(size, SIDE)).mean(axis=(1, 2))
    target = np.where(alone[taught], np.sqrt(covered)[:, None], 0.0)
    spread = target.std(axis=0)
    network = MLPRegressor(
        hidden_layer_sizes=(64,), alpha=1.0, early_stopping=True, max_iter=60, random_state=seed
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        network.fit(features[taught], target / spread)
    return lambda some: network.predict(some) * spread


class Persons:
    """Age and sex as a linear reader sees them in the components; None what the cohort doesn't say.

    Args:
        features: [N, D] of real training images.
        cohort: their rows.
    """

    def __init__(self, features: np.ndarray, cohort: Cohort):
        self.age, self.sex = _age_of(features, cohort), _sex_of(features, cohort)


def _age_of(features: np.ndarray, cohort: Cohort):
    from sklearn.linear_model import Ridge

    if "age" not in cohort.manifest.columns:
        return None
    import pandas as pd

    age = pd.to_numeric(cohort.manifest["age"], errors="coerce").to_numpy(float)
    known = np.isfinite(age)
    if known.sum() < FEWEST_AREAS or np.ptp(age[known]) == 0:
        return None
    return Ridge(alpha=len(age) / 100).fit(features[known], age[known]).predict


def _sex_of(features: np.ndarray, cohort: Cohort):
    from sklearn.linear_model import LogisticRegression

    if "sex" not in cohort.manifest.columns:
        return None
    sex = cohort.manifest["sex"].to_numpy()
    known = np.isin(sex, ("F", "M"))
    if known.sum() < FEWEST_AREAS or len(set(sex[known])) < 2:
        return None
    fitted = LogisticRegression(C=0.01, max_iter=300).fit(features[known], sex[known] == "M")
    return lambda some: fitted.predict_proba(some)[:, 1]


def regions(cohort: Cohort, size: int) -> dict[str, np.ndarray]:
    """{disease: bool [S, S]}, S the smaller of `size` and `SIDE`: where lesions of one finding lie
    in a twentieth of the images with a mask, or more often; only those with enough masks."""
    found, size = {}, min(size, SIDE)
    rows = cohort.manifest
    for name in FINDINGS:
        own = rows[(rows["label"] == ABNORMAL) & (rows["diagnoses"] == name) & (rows["mask"] != "")]
        if len(own) >= FEWEST_AREAS:
            kept = Cohort(cohort.folder, own.reset_index(drop=True))
            found[name] = (kept.masks(size) > 0.5).mean(axis=0) >= 0.05
    return found
