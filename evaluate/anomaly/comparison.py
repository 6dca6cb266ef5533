"""One table of all methods on the same test images: areas, sensitivity at the threshold, by class,
by the size of lesions, and without images that show devices."""

import numpy as np
import pandas as pd

from evaluate.anomaly.methods import Evidence
from evaluate.anomaly.selection import Reading
from pgcxr.anomaly.calibration import CalibratedScores, fused, specificity_limit
from pgcxr.anomaly.lesions import localization, peaks_in_lesions
from pgcxr.cohort.findings import NORMAL, TABLE_6
from pgcxr.metrics.auroc import delong_ci
from pgcxr.metrics.proportions import clopper_pearson
from pgcxr.metrics.resampling import bootstrap_macro_auroc, bootstrap_macro_difference

# Weights of the inversion beside the network, whose own is 1.
BESIDE = (0.1, 0.25, 0.5, 1.0)
# Lesions by their share of the image: below 0.6 %, from there to 2 %, and above.
SIZES = {"below 0.6 %": (0.0, 0.006), "0.6 to 2 %": (0.006, 0.02), "2 % and more": (0.02, 1.1)}
RESAMPLES = 1000


def compare(
    methods: dict[str, Evidence],
    reading: Reading,
    specificity: float,
    seed: int,
    size: int,
    rows: dict[str, np.ndarray] | None = None,
) -> dict:
    """{method: figures} and what holds for all.

    Args:
        methods: what each says of `reading.healthy` and `reading.test`.
        size: px at which lesions are measured.
        rows: {method: which of the test images it was asked about}, where not all.

    Returns:
        {methods: {name: see `_judged`}, images: {normal, abnormal, healthy, with_device: abnormal
        images that show a device or None where not known, with_mask}, specificity_aimed_at,
        specificity_limit: the exact lower limit (95 %) of what the threshold has, inversion_adds:
        see `_added`, None unless both were asked}.
    """
    rows = rows or {}
    devices = _devices(reading)
    areas = np.nan_to_num(reading.test.masks(size)).mean(axis=(1, 2))
    everything = np.arange(len(reading.classes))
    judged = {}
    for name, evidence in methods.items():
        own = rows.get(name, everything)
        judged[name] = _judged(evidence, reading, own, specificity, seed)
        judged[name]["by_size"] = _by_size(evidence, reading, own, areas, specificity)
        if devices is not None:
            kept = ~devices[own]
            judged[name]["without_devices"] = _summary(
                evidence, kept, reading, own, specificity, seed
            )
    abnormal = reading.classes != NORMAL
    return {
        "methods": judged,
        "images": {
            "normal": int((~abnormal).sum()),
            "abnormal": int(abnormal.sum()),
            "healthy": len(reading.healthy),
            "learned": len(reading.familiar),
            "with_device": None if devices is None else int(devices.sum()),
            "with_mask": int((areas > 0).sum()),
        },
        "specificity_aimed_at": specificity,
        "specificity_limit": specificity_limit(len(reading.healthy), specificity),
        "inversion_adds": _added(methods, reading, rows, seed),
    }


def _added(methods: dict[str, Evidence], reading: Reading, rows: dict, seed: int) -> dict | None:
    """What the inversion adds to the network, on the images that both read: {n, network: macro
    AUROC, together: [{weight, macro_auroc, difference, ci95}]}.

    No weight is chosen: all are shown.
    """
    if not {"network", "inversion"} <= methods.keys():
        return None
    own = rows.get("inversion", np.arange(len(reading.classes)))
    network, inversion = (
        fused([methods[name].healthy], [scores])[1]
        for name, scores in (
            ("network", methods["network"].test[own]),
            ("inversion", methods["inversion"].test),
        )
    )
    patients = reading.test.manifest["patient_id"].to_numpy()[own]
    together, alone = [], 0.0
    for weight in BESIDE:
        found = bootstrap_macro_difference(
            reading.classes[own],
            network + weight * inversion,
            network,
            patients,
            NORMAL,
            resamples=RESAMPLES,
            seed=seed,
        )
        both, alone = found.pop("macro_auroc")
        together.append({"weight": weight, "macro_auroc": both, **found})
    return {"n": len(own), "network": alone, "together": together}


def scores_table(methods: dict[str, Evidence], reading: Reading) -> pd.DataFrame:
    """methods.csv: the score of each method for each test image."""
    table = {
        "image_id": reading.test.manifest["image_id"],
        "class": reading.classes,
        "label": reading.test.manifest["label"],
    }
    whole = {
        name: one.test.astype(float)
        for name, one in methods.items()
        if len(one.test) == len(reading.classes)
    }
    return pd.DataFrame(table | whole)


def _judged(evidence: Evidence, reading: Reading, own, specificity: float, seed: int) -> dict:
    """{n: {normal, abnormal}, macro_auroc, macro_auroc_ci95 (bootstrap of patients), sensitivity
    (mean over the classes), specificity, specificity_ci95 (exact), threshold, classes: {name: {n,
    auroc, auroc_ci95, detected, sensitivity, ci95}}, localisation where there are maps}."""
    found = _summary(evidence, np.ones(len(own), bool), reading, own, specificity, seed)
    classes, scores = (
        reading.classes[own],
        CalibratedScores(evidence.healthy, evidence.test, specificity),
    )
    normal = classes == NORMAL
    table = {name: _group(classes == name, normal, evidence, scores) for name in TABLE_6}
    where = None
    if evidence.maps is not None:
        masks = reading.test.masks(evidence.maps.shape[-1])[own]
        where = localization(evidence.maps, masks, classes, TABLE_6)
        where["hit_rate_of_detected"] = _hits_of_detected(evidence, masks, scores, classes)
    return {**found, "threshold": scores.threshold, "classes": table, "localisation": where}


def _hits_of_detected(evidence, masks, scores, classes) -> float | None:
    """How often the map's peak is in the lesion of a detected image whose mask is known."""
    known = np.nan_to_num(masks).max(axis=(1, 2)) > 0
    rows = scores.detected & (classes != NORMAL) & known
    if not rows.any():
        return None
    return float(peaks_in_lesions(evidence.maps[rows], masks[rows])[0].mean())


def _summary(evidence: Evidence, kept, reading: Reading, own, specificity, seed) -> dict:
    """{n, macro_auroc, macro_auroc_ci95, sensitivity, specificity, specificity_ci95} of the `kept`
    among a method's `own` rows."""
    scores = CalibratedScores(evidence.healthy, evidence.test[kept], specificity)
    classes = reading.classes[own][kept]
    patients = reading.test.manifest["patient_id"].to_numpy()[own][kept]
    normal = classes == NORMAL
    n, alarms = int(normal.sum()), int(scores.detected[normal].sum())
    present = [name for name in TABLE_6 if (classes == name).any()]
    macro = bootstrap_macro_auroc(
        classes, scores.test, patients, NORMAL, resamples=RESAMPLES, seed=seed
    )
    return {
        "n": {"normal": n, "abnormal": int((~normal).sum())},
        "macro_auroc": macro["macro_auroc"],
        "macro_auroc_ci95": macro["ci95"],
        "sensitivity": float(
            np.mean([scores.detected[classes == name].mean() for name in present])
        ),
        "specificity": 1 - alarms / n,
        "specificity_ci95": clopper_pearson(n - alarms, n),
    }


def _by_size(evidence: Evidence, reading: Reading, own, areas, specificity) -> dict:
    """{size: {n, auroc, auroc_ci95, detected, sensitivity, ci95}} of images with a mask."""
    scores = CalibratedScores(evidence.healthy, evidence.test, specificity)
    normal, areas = reading.classes[own] == NORMAL, areas[own]
    found = {}
    for name, (low, high) in SIZES.items():
        some = ~normal & (areas > 0) & (areas >= low) & (areas < high)
        found[name] = _group(some, normal, evidence, scores)
    return found


def _group(some, normal, evidence: Evidence, scores: CalibratedScores) -> dict:
    """{n, auroc, auroc_ci95, detected, sensitivity, ci95 (exact)} of the images `some` against the
    `normal` ones, bool [N] both."""
    n, detected = int(some.sum()), int(scores.detected[some].sum())
    both = some | normal
    area = delong_ci(some[both].astype(int), evidence.test[both]) if n > 1 else (None, None, None)
    return {
        "n": n,
        "auroc": area[0],
        "auroc_ci95": list(area[1:]),
        "detected": detected,
        "sensitivity": detected / n if n else None,
        "ci95": clopper_pearson(detected, n),
    }


def _devices(reading: Reading) -> np.ndarray | None:
    """bool [N]: which test images show a device; None where the cohort does not say."""
    rows = reading.test.manifest
    if "device" not in rows.columns or not rows["device"].isin(["0", "1"]).all():
        return None
    return (rows["device"] == "1").to_numpy()
