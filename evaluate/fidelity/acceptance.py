"""What other thresholds of the pseudo-labels would accept, and how often they would be right
(thesis 2.3).

At threshold t an image is called abnormal where P(abnormal) > t, normal where it is < 1 - t; the
thesis has t = 0.7.
"""

import numpy as np
import pandas as pd

from evaluate.fidelity.pseudo import ABNORMAL, NORMAL, pseudo_labels

THRESHOLDS = np.round(np.arange(0.5, 1.0, 0.01), 2)
SYNTHETIC, CONTROL, TEST = "synthetic", "real, control arm", "real, test set"


def curve(
    probability: np.ndarray, truth: np.ndarray | None = None, thresholds: np.ndarray = THRESHOLDS
) -> dict:
    """{column: [T]} over thresholds.

    `accepted`, `called_normal` and `called_abnormal` are shares of all images. With `truth` [N] (0,
    1): `right` is the share of labels that are right, `right_normal` and `right_abnormal` of those
    called so, and `accepted_normal` and `accepted_abnormal` the shares of the truly normal and
    abnormal images that get a label. NaN where nothing is.
    """
    columns = {"threshold": thresholds}
    # [T, N]
    called = np.stack([pseudo_labels(probability, above, 1 - above) for above in thresholds])
    normal, abnormal = called == NORMAL, called == ABNORMAL
    columns["images"] = np.full(len(thresholds), len(probability))
    columns["accepted"] = (normal | abnormal).mean(axis=1)
    columns["called_normal"], columns["called_abnormal"] = (
        normal.mean(axis=1),
        abnormal.mean(axis=1),
    )
    if truth is not None:
        right_normal, right_abnormal = normal & (truth == 0), abnormal & (truth == 1)
        columns["right"] = _share(right_normal | right_abnormal, normal | abnormal)
        columns["right_normal"] = _share(right_normal, normal)
        columns["right_abnormal"] = _share(right_abnormal, abnormal)
        for name, label in (("accepted_normal", 0), ("accepted_abnormal", 1)):
            columns[name] = _share(
                (normal | abnormal)[:, truth == label], np.ones_like(normal[:, truth == label])
            )
    return columns


def curves(synthetic: np.ndarray, real: dict) -> pd.DataFrame:
    """acceptance.csv: rows of `curve` for generated images, the control arm's real ones, and the
    real test set.

    Args:
        synthetic: P(abnormal) [M] by classifier (real).
        real: {split: (P(abnormal) [N], truth [N])}. Classifier (real) has learned from train and
            val, not from test.
    """
    control = [np.concatenate([real[split][part] for split in ("train", "val")]) for part in (0, 1)]
    parts = {SYNTHETIC: curve(synthetic), CONTROL: curve(*control), TEST: curve(*real["test"])}
    return pd.concat(
        [pd.DataFrame(part).assign(of=name) for name, part in parts.items()]
    ).set_index("of")


def _share(some: np.ndarray, of: np.ndarray) -> np.ndarray:
    """Row by row, the number of `some` in that of `of`."""
    total = of.sum(axis=1)
    return np.where(total > 0, some.sum(axis=1) / np.maximum(total, 1), np.nan)
