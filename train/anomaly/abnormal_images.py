"""The abnormal images of a cohort, for a network that is taught what the others have to find."""

from typing import Any

import numpy as np

from pgcxr.cohort.findings import ABNORMAL, TABLE_6
from pgcxr.cohort.manifest import Cohort


def lesions(part: Cohort, size: int) -> Any:
    """A `pgcxr.anomaly.training.Lesions`: every class of thesis Table 6 is drawn as often as any
    other, as the table counts them alike; an image counts as its rarest class, and what is of none
    as one more."""
    from pgcxr.anomaly.training import Lesions

    named = [set(text.split(";")) & set(TABLE_6) for text in part.manifest["diagnoses"]]
    common = {name: sum(name in names for names in named) for name in TABLE_6}
    rarest = [min(names, key=lambda name: (common[name], name), default="") for names in named]
    _, own, counts = np.unique(rarest, return_inverse=True, return_counts=True)
    shares = 1 / counts[own]
    return Lesions(part.images(size), part.masks(size), shares / shares.sum())


def found(model, normals: np.ndarray, part: Cohort, size: int) -> dict:
    """{n, auroc, pixel_auroc, hit_rate} of held-out abnormal images among `normals`, uint8
    [N, S, S, 1]."""
    from pgcxr.anomaly.lesions import localization
    from pgcxr.anomaly.training import look
    from pgcxr.metrics.roc import auroc

    seen, clean = look(model, part.images(size)), look(model, normals)
    known = np.arange(len(clean.images) + len(part)) >= len(clean.images)
    classes = np.array([ABNORMAL] * len(part))
    where = localization(seen.maps, part.masks(seen.maps.shape[1]), classes, [ABNORMAL])
    return {
        "n": len(part),
        "auroc": auroc(known.astype(int), np.concatenate([clean.images, seen.images])),
        "pixel_auroc": where["pixel_auroc"],
        "hit_rate": where["hit_rate"],
    }


def shown(some: Any, count: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """The first `count` images [S, S] in [0, 1] with their masks, of none where it is not known."""
    pictures = some.images[:count, ..., 0].astype(np.float32) / 255
    masks = (np.nan_to_num(some.masks[:count]) >= 0.25).astype(np.float32)
    return list(zip(pictures, masks, strict=True))
