"""DeLong's placement values by their definition, pair by pair: O(n^2), for tests."""

import numpy as np


def kernel(positive: float, negative: float) -> float:
    return 1.0 if positive > negative else 0.5 if positive == negative else 0.0


def areas_and_covariance(labels, *readings):
    """Areas [K] and covariance [K, K], as in DeLong, DeLong and Clarke-Pearson 1988, equations 4 to 6."""
    above, below = [], []
    for scores in readings:
        positives = [s for s, label in zip(scores, labels, strict=True) if label == 1]
        negatives = [s for s, label in zip(scores, labels, strict=True) if label == 0]
        above.append([sum(kernel(p, n) for n in negatives) / len(negatives) for p in positives])
        below.append([sum(kernel(p, n) for p in positives) / len(positives) for n in negatives])
    areas = np.array([sum(values) / len(values) for values in above])
    k = len(readings)
    covariance = np.zeros((k, k))
    for i in range(k):
        for j in range(k):
            for placements in (above, below):
                n = len(placements[i])
                products = ((a - areas[i]) * (b - areas[j]) for a, b in zip(placements[i], placements[j], strict=True))
                covariance[i, j] += sum(products) / (n - 1) / n
    return areas, covariance


def wilcoxon_covariance(random, n_positive, n_negative, separation, rho, repeats):
    """Correlation of two areas over simulated binormal readings whose ratings correlate by rho within each class."""
    areas = np.empty((2, repeats))
    for repeat in range(repeats):
        draw = random.multivariate_normal([0, 0], [[1, rho], [rho, 1]], n_positive + n_negative).T
        positives, negatives = draw[:, :n_positive] + separation, draw[:, n_positive:]
        areas[:, repeat] = (positives[:, :, None] > negatives[:, None, :]).mean(axis=(1, 2))
    return np.corrcoef(areas)[0, 1]
