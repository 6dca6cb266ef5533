"""Where both classifiers look on the same real images, and how far they agree (thesis, Discussion
and Figure 11)."""

from dataclasses import dataclass

import cv2
import numpy as np
import pandas as pd

from evaluate import common
from pgcxr.cohort.manifest import Cohort
from pgcxr.metrics import agreement

GROUPS = ("True negative", "True positive", "False positive", "False negative")
MEASURES = {"pearson": agreement.pearson, "spearman": agreement.spearman, "iou": agreement.iou}
BATCH = 64
THRESHOLD = 0.5


@dataclass(frozen=True)
class HeldOut:
    """The real test set.

    Attributes:
        rows: of the cohort.
        images: uint8 [N, H, W, 1].
        truth: [N], 1 for abnormal.
        scores: {arm: P(abnormal) [N]}.
    """

    rows: Cohort
    images: np.ndarray
    truth: np.ndarray
    scores: dict[str, np.ndarray]

    def masks(self, places) -> np.ndarray:
        """Lesion coverage [n, H, W] of the images at `places`, NaN where unknown."""
        rows = self.rows.manifest.iloc[places].reset_index(drop=True)
        return Cohort(self.rows.folder, rows).masks(self.images.shape[1])


def group_of(truth: np.ndarray, scores: np.ndarray, threshold: float = THRESHOLD) -> np.ndarray:
    """[N] of GROUPS: calls of `scores` against the truth."""
    called = scores >= threshold
    return np.where(
        called,
        np.where(truth == 1, GROUPS[1], GROUPS[2]),
        np.where(truth == 1, GROUPS[3], GROUPS[0]),
    )


def explain(real, synthetic, test: HeldOut, most: int, seed: int) -> tuple[dict, pd.DataFrame]:
    """Grad-CAM and CAM of both classifiers, their agreement on each image and over groups of
    images.

    Args:
        real, synthetic: the two classifiers.
        test: with the scores of both.
        most: images that are explained, drawn at random where there are more.
        seed: of the draw and of the bootstrap.

    Returns:
        (report, one row for each image). Correlations are of the maps' own pixels; top 10 % and
        hottest pixel of the maps brought to the size of the images.
    """
    chosen = np.random.default_rng([seed, 7]).permutation(len(test.images))[:most]
    parts = []
    for start in range(0, len(chosen), BATCH):
        places = chosen[start : start + BATCH]
        lesions = agreement.inside(test.masks(places))
        columns, shape = _compare(real, synthetic, test.images[places], lesions)
        columns["lesion_share"] = np.where(
            lesions.any(axis=(1, 2)), lesions.mean(axis=(1, 2)), np.nan
        )
        parts.append(pd.DataFrame({"row": places} | columns))
    measured = pd.concat(parts, ignore_index=True)
    at = measured["row"].to_numpy()
    known = {
        "image_id": test.rows.manifest["image_id"].to_numpy()[at],
        "label": test.rows.manifest["label"].to_numpy()[at],
        "group": group_of(test.truth, test.scores["synthetic"])[at],
        "score_real": test.scores["real"][at],
        "score_synthetic": test.scores["synthetic"][at],
    }
    table = pd.concat([pd.DataFrame(known), measured], axis=1)
    patients = test.rows.manifest["patient_id"].to_numpy()[at]
    members = {"All": np.ones(len(table), bool)} | {
        name: (table["group"] == name).to_numpy() for name in GROUPS
    }
    report = {
        "images": len(table),
        "of": len(test.images),
        "map": list(shape),
        "groups_by": f"calls of classifier (synthetic) at {THRESHOLD}",
        "groups": {
            name: _summary(table[member], patients[member]) for name, member in members.items()
        },
        "chance": {
            kind: {
                name: agreement.mean_ci(table[f"{kind}_{name}_of_another"], patients, seed=seed)
                for name in MEASURES
            }
            for kind in ("gradcam", "cam")
        },
    }
    return report, table.sort_values("row").drop(columns="row").reset_index(drop=True)


def _compare(real, synthetic, images: np.ndarray, lesions: np.ndarray) -> tuple[dict, tuple]:
    """{column: [B]} of one batch, and the size of the maps. `*_of_another` is against the next
    image's map."""
    from pgcxr.classifier.gradcam import cam, gradcam

    pixels, columns = common.from_uint8(images), {}
    for kind, make in (("gradcam", gradcam), ("cam", cam)):
        maps = make(real, pixels), make(synthetic, pixels)
        large = [enlarged(part, images.shape[1]) for part in maps]
        for name, measure in MEASURES.items():
            first, second = large if name == "iou" else maps
            columns[f"{kind}_{name}"] = measure(first, second)
            other = np.roll(second, 1, axis=0)
            columns[f"{kind}_{name}_of_another"] = (
                measure(first, other) if len(images) > 1 else np.full(1, np.nan)
            )
    # A map's hottest pixel is one and the same in CAM and, where that is not 0 everywhere, in
    # Grad-CAM.
    for name, part in zip(("real", "synthetic"), large, strict=True):
        columns[f"hit_{name}"] = agreement.hits(part, lesions)
    return columns, maps[0].shape[1:]


def enlarged(maps: np.ndarray, size: int) -> np.ndarray:
    """float32 [N, h, w] -> [N, size, size], interpolated."""
    return np.stack(
        [cv2.resize(heat, (size, size), interpolation=cv2.INTER_LINEAR) for heat in maps]
    )


def _summary(table: pd.DataFrame, patients: np.ndarray) -> dict:
    """{n, gradcam, cam: {measure: {n, mean, ci95}}, hits: {real, synthetic: the same,
    by_chance}}."""
    summary = {"n": len(table)}
    for kind in ("gradcam", "cam"):
        summary[kind] = {
            name: agreement.mean_ci(table[f"{kind}_{name}"], patients) for name in MEASURES
        }
    hits = {
        name: agreement.mean_ci(table[f"hit_{name}"], patients) for name in ("real", "synthetic")
    }
    # A pixel drawn at random hits as often as the lesion is large.
    share = table["lesion_share"].dropna()
    by_chance = float(share.mean()) if len(share) else None
    return summary | {"hits": hits | {"by_chance": by_chance}}
