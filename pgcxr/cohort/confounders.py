"""What tells normal from abnormal images without a look at the lungs: devices and views.

Where only one class shows devices, or one more often, a classifier can read the device instead of
the disease; so it can an AP view, which is taken at the bedside of those who are sick.
"""

from pgcxr.cohort.findings import ABNORMAL, NORMAL
from pgcxr.cohort.manifest import Cohort

CLASSES = (NORMAL, ABNORMAL)
# A difference that chance makes in fewer cohorts than this is said.
LEVEL = 0.01


def of_cohort(cohort: Cohort) -> dict:
    """Counts of devices and views by class, by the manifest's columns `device` and `view`.

    Returns:
        {"devices": {"known": whether every image has a word on it, "normal", "abnormal": {"images",
        "with_device": None where not known}, "one_class": the class that alone shows devices, or
        None, "p": of Fisher's exact test of both shares, None where not known}, "views": {"normal",
        "abnormal": {view: images}, "p": of a chi-squared test, None where there is one view},
        "lines": what somebody should know before results are believed, each with what to do}.
    """
    devices, views = _devices(cohort), _views(cohort)
    return {"devices": devices, "views": views, "lines": _of_devices(devices) + _of_views(views)}


def _devices(cohort: Cohort) -> dict:
    rows = cohort.manifest
    known = "device" in rows.columns and bool(rows["device"].isin(["0", "1"]).all())
    found: dict = {"known": known}
    for label in CLASSES:
        some = rows[rows["label"] == label]
        worn = int((some["device"] == "1").sum()) if known else None
        found[label] = {"images": len(some), "with_device": worn}
    alone = [label for label in CLASSES if known and found[label]["with_device"]]
    both = all(found[label]["images"] for label in CLASSES)
    found["one_class"] = alone[0] if both and len(alone) == 1 else None
    from scipy import stats  # slow to import, and only the evaluations need it

    table = [
        [found[label]["with_device"], found[label]["images"] - (found[label]["with_device"] or 0)]
        for label in CLASSES
    ]
    found["p"] = float(stats.fisher_exact(table).pvalue) if known else None
    return found


def _views(cohort: Cohort) -> dict:
    rows = cohort.manifest
    if "view" not in rows.columns:
        return {**{label: {} for label in CLASSES}, "p": None}
    names = sorted(set(rows["view"]))
    found: dict = {
        label: {
            name or "unknown": int(((rows["label"] == label) & (rows["view"] == name)).sum())
            for name in names
        }
        for label in CLASSES
    }
    from scipy import stats

    table = [list(found[label].values()) for label in CLASSES]
    compared = len(names) > 1 and all(map(sum, table))
    found["p"] = float(stats.chi2_contingency(table).pvalue) if compared else None
    return found


def _of_devices(found: dict) -> list[str]:
    if found["one_class"]:
        count, images = (found[found["one_class"]][key] for key in ("with_device", "images"))
        return [
            f"devices are in one class only: {count} of {images} {found['one_class']} images show "
            "one and none of the others, so a classifier can read the device instead of the "
            "disease; curate with support_devices exclude to treat both classes alike"
        ]
    if found["known"] and found["p"] < LEVEL:
        shares = [f"{_share(found[label])} of {label}" for label in CLASSES]
        return [
            f"devices are on {' and '.join(shares)} images (Fisher's p = {found['p']:.1g}), so a "
            "classifier can read the device instead of the disease; curate with support_devices "
            "exclude"
        ]
    return []


def _share(counts: dict) -> str:
    return f"{counts['with_device'] / max(counts['images'], 1):.1%}"


def _of_views(found: dict) -> list[str]:
    if found["p"] is None or found["p"] >= LEVEL:
        return []
    shares = [
        f"{label} "
        + ", ".join(
            f"{name} {count / sum(found[label].values()):.0%}"
            for name, count in found[label].items()
        )
        for label in CLASSES
    ]
    return [
        f"views differ between the classes ({'; '.join(shares)}), so a classifier can read the "
        "view instead of the disease; curate with one view"
    ]
