"""Speed of DeLong's test and of the bootstrap over patients; one JSON line per measurement.

    python -m benchmarks.auroc [--images 3000] [--repeats 5]

Beside each, a plain way to the same numbers on fewer images or resamples: pair counting (the slow
twin of the tests), and scikit-learn's area of the images of each resample.
"""

import argparse
import json
import time

import numpy as np
from sklearn.metrics import roc_auc_score

from pgcxr.metrics.auroc import delong
from pgcxr.metrics.resampling import bootstrap_auroc
from tests.reference import roc_slow


def study(images: int):
    """Labels, two readings, and patients of three images each on average."""
    random = np.random.default_rng(0)
    labels = random.integers(0, 2, images)
    a, b = (labels + random.normal(size=images) for _ in "ab")
    return labels, a, b, random.integers(0, max(images // 3, 2), images)


def by_scikit_learn(labels, scores, patients, resamples: int) -> np.ndarray:
    """Areas of resamples, each written out and given to scikit-learn."""
    random = np.random.default_rng(0)
    images = [np.flatnonzero(patients == patient) for patient in np.unique(patients)]
    found = []
    for _ in range(resamples):
        rows = np.concatenate(
            [images[patient] for patient in random.integers(len(images), size=len(images))]
        )
        found.append(roc_auc_score(labels[rows], scores[rows]))
    return np.array(found)


def measure(name: str, function, repeats: int, **about) -> dict:
    """The least processor time of `repeats` calls; all run on one thread but for small matrix
    products."""
    seconds = []
    for _ in range(repeats):
        start = time.process_time()
        function()
        seconds.append(time.process_time() - start)
    return {"benchmark": name, **about, "milliseconds": round(1000 * min(seconds), 2)}


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--images", type=int, default=3000)
    parser.add_argument("--repeats", type=int, default=5)
    asked = parser.parse_args()
    n, few = asked.images, min(asked.images, 500)
    labels, a, b, patients = study(n)
    small = study(few)[:3]
    for line in (
        ("delong", lambda: delong(labels, a, b), asked.repeats, {"images": n}),
        (
            "obuchowski",
            lambda: delong(labels, a, b, patients=patients),
            asked.repeats,
            {"images": n},
        ),
        ("delong", lambda: delong(*small), asked.repeats, {"images": few}),
        ("delong by pairs", lambda: roc_slow.areas_and_covariance(*small), 1, {"images": few}),
        (
            "bootstrap",
            lambda: bootstrap_auroc(labels, a, patients),
            asked.repeats,
            {"images": n, "resamples": 2000},
        ),
        (
            "scikit-learn",
            lambda: by_scikit_learn(labels, a, patients, 100),
            1,
            {"images": n, "resamples": 100},
        ),
    ):
        print(json.dumps(measure(*line[:3], **line[3])), flush=True)


if __name__ == "__main__":
    main()
