"""DeLong's placement values by their definition, pair by pair: O(n^2), for tests."""

import numpy as np


def kernel(positive: float, negative: float) -> float:
    return 1.0 if positive > negative else 0.5 if positive == negative else 0.0


def areas_and_covariance(labels, *readings):
    """Areas [K] and covariance [K, K], as in DeLong, DeLong and Clarke-Pearson 1988, equations 4 to
    6."""
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
                products = (
                    (a - areas[i]) * (b - areas[j])
                    for a, b in zip(placements[i], placements[j], strict=True)
                )
                covariance[i, j] += sum(products) / (n - 1) / n
    return areas, covariance


def wilcoxon_covariance(random, n_positive, n_negative, separation, rho, repeats):
    """Correlation of two areas over simulated binormal readings whose ratings correlate by rho
    within each class."""
    areas = np.empty((2, repeats))
    for repeat in range(repeats):
        draw = random.multivariate_normal([0, 0], [[1, rho], [rho, 1]], n_positive + n_negative).T
        positives, negatives = draw[:, :n_positive] + separation, draw[:, n_positive:]
        areas[:, repeat] = (positives[:, :, None] > negatives[:, None, :]).mean(axis=(1, 2))
    return np.corrcoef(areas)[0, 1]


def clustered_covariance(labels, patients, *readings):
    """Areas [K] and covariance [K, K], as in Obuchowski 1997, equations 1 to 4, patient by
    patient."""
    names = sorted(set(patients))
    cases = {name: [i for i, patient in enumerate(patients) if patient == name] for name in names}
    positives, negatives = (
        [i for i, label in enumerate(labels) if label == value] for value in (1, 0)
    )
    m, n, k = len(positives), len(negatives), len(readings)
    areas = [
        sum(kernel(s[p], s[q]) for p in positives for q in negatives) / (m * n) for s in readings
    ]
    # The sum of V10 (V01) over a patient's positive (negative) images, less as many areas.
    t10, t01 = np.zeros((k, len(names))), np.zeros((k, len(names)))
    for r, scores in enumerate(readings):
        for i, name in enumerate(names):
            for case in cases[name]:
                if labels[case] == 1:
                    t10[r, i] += (
                        sum(kernel(scores[case], scores[q]) for q in negatives) / n - areas[r]
                    )
                else:
                    t01[r, i] += (
                        sum(kernel(scores[p], scores[case]) for p in positives) / m - areas[r]
                    )
    i10 = len({patients[p] for p in positives})
    i01 = len({patients[q] for q in negatives})
    i = len(names)
    covariance = np.zeros((k, k))
    for r in range(k):
        for s in range(k):
            s10 = i10 / ((i10 - 1) * m) * sum(a * b for a, b in zip(t10[r], t10[s], strict=True))
            s01 = i01 / ((i01 - 1) * n) * sum(a * b for a, b in zip(t01[r], t01[s], strict=True))
            s11 = i / (i - 1) * sum(a * b for a, b in zip(t10[r], t01[s], strict=True))
            s11_turned = i / (i - 1) * sum(a * b for a, b in zip(t01[r], t10[s], strict=True))
            covariance[r, s] = s10 / m + s01 / n + (s11 + s11_turned) / (m * n)
    return np.array(areas), covariance


def resampled_areas(random, labels, scores, patients, resamples):
    """Areas of `resamples` draws of whole patients, each image written out as often as its patient
    was drawn."""
    names = sorted(set(patients))
    images = {name: [i for i, patient in enumerate(patients) if patient == name] for name in names}
    found = []
    while len(found) < resamples:
        rows = [i for name in random.choice(names, len(names)) for i in images[name]]
        positives = [scores[i] for i in rows if labels[i] == 1]
        negatives = [scores[i] for i in rows if labels[i] == 0]
        if positives and negatives:
            pairs = [kernel(p, n) for p in positives for n in negatives]
            found.append(sum(pairs) / len(pairs))
    return np.array(found)
