"""Where both classifiers look on the same real images, and how far they agree (thesis, Discussion
and Figure 11)."""

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


def group_of(truth: np.ndarray, scores: np.ndarray, threshold: float = THRESHOLD) -> np.ndarray:
    """[N] of GROUPS: calls of `scores` against the truth."""
    called = scores >= threshold
    return np.where(
        called,
        np.where(truth == 1, GROUPS[1], GROUPS[2]),
        np.where(truth == 1, GROUPS[3], GROUPS[0]),
    )


def explain(
    real,
    synthetic,
    rows: Cohort,
    images: np.ndarray,
    truth: np.ndarray,
    scores: dict,
    most: int,
    seed: int,
) -> tuple[dict, pd.DataFrame]:
    """Grad-CAM and CAM of both classifiers, their agreement on each image and over groups of
    images.

    Args:
        real, synthetic: the two classifiers.
        images: uint8 [N, H, W, 1], of `rows`; truth [N]; scores {"real": [N], "synthetic": [N]}.
        most: images that are explained, drawn at random where there are more.

    Returns:
        (report, one row for each image). Correlations are of the maps' own pixels; top 10 % and
        hottest pixel of the maps brought to the size of the images.
    """
    chosen = np.random.default_rng([seed, 7]).permutation(len(images))[:most]
    parts = []
    for start in range(0, len(chosen), BATCH):
        picked = chosen[start : start + BATCH]
        masks = Cohort(rows.folder, rows.manifest.iloc[picked].reset_index(drop=True)).masks(
            images.shape[1]
        )
        lesions = agreement.inside(masks)
        found, shape = _compare(real, synthetic, images[picked], lesions)
        found["lesion_share"] = np.where(
            lesions.any(axis=(1, 2)), lesions.mean(axis=(1, 2)), np.nan
        )
        parts.append(pd.DataFrame({"row": picked} | found))
    table = pd.concat(parts, ignore_index=True)
    at = table["row"].to_numpy()
    told = {
        "image_id": rows.manifest["image_id"].to_numpy()[at],
        "label": rows.manifest["label"].to_numpy()[at],
        "group": group_of(truth, scores["synthetic"])[at],
        "score_real": scores["real"][at],
        "score_synthetic": scores["synthetic"][at],
    }
    table = pd.concat([pd.DataFrame(told), table], axis=1)
    patients = rows.manifest["patient_id"].to_numpy()[at]
    members = {"All": np.ones(len(table), bool)} | {
        name: (table["group"] == name).to_numpy() for name in GROUPS
    }
    report = {
        "images": len(table),
        "of": len(images),
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

    pixels, found = common.from_uint8(images), {}
    for kind, make in (("gradcam", gradcam), ("cam", cam)):
        maps = make(real, pixels), make(synthetic, pixels)
        large = [enlarged(each, images.shape[1]) for each in maps]
        for name, measure in MEASURES.items():
            first, second = large if name == "iou" else maps
            found[f"{kind}_{name}"] = measure(first, second)
            other = np.roll(second, 1, axis=0)
            found[f"{kind}_{name}_of_another"] = (
                measure(first, other) if len(images) > 1 else np.full(1, np.nan)
            )
    # A map's hottest pixel is one and the same in CAM and, where that is not 0 everywhere, in
    # Grad-CAM.
    for name, each in zip(("real", "synthetic"), large, strict=True):
        found[f"hit_{name}"] = agreement.hits(each, lesions)
    return found, maps[0].shape[1:]


def enlarged(maps: np.ndarray, size: int) -> np.ndarray:
    """float32 [N, h, w] -> [N, size, size], interpolated."""
    return np.stack(
        [cv2.resize(each, (size, size), interpolation=cv2.INTER_LINEAR) for each in maps]
    )


def _summary(table: pd.DataFrame, patients: np.ndarray) -> dict:
    """{n, gradcam, cam: {measure: {n, mean, ci95}}, hits: {real, synthetic: the same,
    by_chance}}."""
    found = {"n": len(table)}
    for kind in ("gradcam", "cam"):
        found[kind] = {
            name: agreement.mean_ci(table[f"{kind}_{name}"], patients) for name in MEASURES
        }
    found["hits"] = {
        name: agreement.mean_ci(table[f"hit_{name}"], patients) for name in ("real", "synthetic")
    }
    # A pixel drawn at random hits as often as the lesion is large.
    share = table["lesion_share"].dropna()
    return found | {
        "hits": found["hits"] | {"by_chance": float(share.mean()) if len(share) else None}
    }
