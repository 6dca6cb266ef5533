"""The cohort's tables: manifest, excluded, flow chart, report; and the private trace."""

import csv
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from pgcxr.cohort import vocabulary
from pgcxr.cohort.findings import ABNORMAL, FINDINGS, NORMAL
from pgcxr.cohort.manifest import SPLITS
from pgcxr.curation import losses, summary
from pgcxr.curation.choosing import Image, Selection
from pgcxr.curation.hospitals import Hospitals
from pgcxr.curation.rules import LABELED, ORDER
from pgcxr.io import artifacts
from pgcxr.privacy import hashing
from pgcxr.sources import DESCRIBED_VIEW, MIRRORED

COLUMNS = (
    *(
        "image_id",
        "patient_id",
        "label",
        *FINDINGS,
        "age",
        "sex",
        "view",
        "manufacturer",
        "split",
        "png",
        "sha256",
    ),
    *("diagnoses", "mask", "missing_tags", "image_flags", "label_confidence", "label_sources"),
    "device",
    "hospital",
)


def write(
    folder: Path,
    selection: Selection,
    images: Sequence[Image],
    described: dict,
    *,
    key: bytes,
    config: dict,
) -> dict:
    """Writes manifest.csv, excluded.csv, the flow chart, Tables 1 and 2 and report.json; returns
    the report.

    Args:
        images: of the cohort, in the order of the manifest.
        described: what the report says of how they were made.
        key: of the hashes of patients and files.
        config: the options that the cohort depends on, without private paths.
    """
    from pgcxr.plots import flowchart

    rules, excluded = selection.rules, selection.excluded
    hospitals = Hospitals(selection.scans)
    manifest = [
        _row(image, key, selection) | {"hospital": hospitals.of(image.scan)} for image in images
    ]
    write_csv(folder / "manifest.csv", COLUMNS, manifest)
    rows = [
        {
            "source": _source(scan, key),
            "rule": excluded[scan.number][0],
            "detail": excluded[scan.number][1],
        }
        for scan in selection.scans
        if scan.number in excluded
    ]
    write_csv(folder / "excluded.csv", ("source", "rule", "detail"), rows)
    # A source that says nothing of devices may still have images that were looked at for them.
    knows = selection.knows + (("device",) if described.get("device_model") else ())
    chart = flow(replace(selection, knows=knows), images)
    lost = described["losses"]
    chart |= {"rows": lost["rows"], "rows_without_file": lost["rows_without_file"]}
    artifacts.write_json(folder / "flowchart.json", chart)
    flowchart.draw(chart, folder / "flowchart.svg")
    surplus = next(step[NORMAL] for step in chart["steps"] if step["rule"] == "subsample")
    report = {
        **described,
        **composition(images, surplus),
        "hospitals": hospitals.composition(images),
        "collected": len(selection.scans),
        "excluded": Counter(r["rule"] for r in rows),
    }
    summary.write(folder, report, chart)
    # Only what the options ask for can be missed.
    asked = {split: share > 0 for split, share in zip(SPLITS, config["split"], strict=True)}
    lost["reasons"] = losses.reasons(chart)
    report["devices"] = losses.devices(replace(selection, knows=knows), manifest, chart)
    report["warnings"] = [
        *described.get("warnings", ()),
        *hospitals.warnings(images),
        *losses.device_warning(report["devices"], config["support_devices"]),
        *losses.warnings(report, chart, selection, asked),
    ]
    # Each split counts its own patients, so a patient in two splits would make the sum larger.
    assert len({image.scan.patient for image in images}) == report["patients"]
    # What was found out where an option left it open, and what texts were read as.
    decided = ("size", "fit", "normalise", "bits", "decoder", "black_out", "source")
    config = {"rules": rules.described()} | config | {name: described[name] for name in decided}
    artifacts.write_report(
        folder, report, command="pgcxr curate", seed=config["seed"], config=config
    )
    return artifacts.plain(report)


def flow(selection: Selection, images: Sequence[Image]) -> dict:
    """The flow chart's numbers. Every scan is either kept or excluded by exactly one rule, so they
    add up.

    Steps are in the order of rules.ORDER. Those after labeling (in the two columns of thesis
    Figure 1) also say how many normals and abnormals they take; `applies` is false where a rule is
    off or the source has no data for it. `hospitals`, where several are told, says how many files
    each had, and a step how many of each it takes.
    """
    scans, excluded, rules = selection.scans, selection.excluded, selection.rules
    labels = {scan.number: scan.label for scan in scans}
    by_rule = Counter(rule for rule, _ in excluded.values())
    by_label = Counter((rule, labels[number]) for number, (rule, _) in excluded.items())
    hospitals, taken = Hospitals(scans), defaultdict(list)
    for scan in scans:
        taken[excluded.get(scan.number, ("",))[0]].append(scan)
    steps, remaining = [], len(scans)
    for rule in ORDER:
        remaining -= by_rule[rule]
        step = {"rule": rule, "excluded": by_rule[rule], "remaining": remaining}
        step["applies"] = rules.applies(rule, selection.knows)
        if rule == "age":
            step |= {bound: rules.tables["age"][bound] for bound in ("minimum", "maximum")}
        if rule == "device":
            step["support_devices"] = rules.support_devices()
        if rule in ("modality", "sex", "view"):
            step["allowed"] = rules.tables[rule]["allowed"]
        if rule in LABELED:
            step |= {NORMAL: by_label[rule, NORMAL], ABNORMAL: by_label[rule, ABNORMAL]}
        if hospitals.names:
            step["hospitals"] = hospitals.counted(taken[rule])
        steps.append(step)
    final = Counter(image.scan.label for image in images)
    chart = {
        "collected": len(scans),
        "steps": steps,
        NORMAL: final[NORMAL],
        ABNORMAL: final[ABNORMAL],
    }
    if hospitals.names:
        chart["hospitals"] = hospitals.counted(scans)
    assert remaining == len(images) == chart[NORMAL] + chart[ABNORMAL]
    assert all(
        step["excluded"] == step[NORMAL] + step[ABNORMAL]
        for step in steps
        if step["rule"] in LABELED
    )
    return chart


def composition(images: Sequence[Image], surplus: int = 0) -> dict:
    """Counts as in thesis Tables 1 and 2: images by label; and by split and finding (an image may
    have several).

    Args:
        surplus: normals that passed every rule but were not sampled: thesis Table 1 counts them
            among normals alone.
    """
    counted = ("patients", "images", NORMAL, ABNORMAL, *FINDINGS, "other_findings")
    table = {split: dict.fromkeys(counted, 0) for split in SPLITS}
    patients = {split: set() for split in SPLITS}
    for image in images:
        row = table[image.split]
        for name in (
            "images",
            image.scan.label,
            *(name for name in image.scan.findings if name in FINDINGS),
        ):
            row[name] += 1
        row["other_findings"] += image.scan.label == ABNORMAL and not set(
            image.scan.findings
        ) & set(FINDINGS)
        patients[image.split].add(image.scan.patient)
    for split in SPLITS:
        table[split]["patients"] = len(patients[split])
    totals = {name: sum(row[name] for row in table.values()) for name in table[SPLITS[0]]}
    named = {name: totals[name] for name in ("images", "patients", NORMAL, ABNORMAL)}
    masks = sum(image.done.mask for image in images)
    table1 = {NORMAL: totals[NORMAL], ABNORMAL: totals[ABNORMAL], "total": totals["images"]}
    table1["normal_before_sampling"] = totals[NORMAL] + surplus
    return {**named, "masks": masks, "table1": table1, "table2": {**table, "total": totals}}


def write_trace(
    path: Path, selection: Selection, images: Sequence[Image], note: Callable[[Path], None]
) -> None:
    """Which file became which image: identifies patients, so it is readable by its owner alone.

    Args:
        note: is told where the finished table lies, before it becomes `path`.
    """
    names = {image.scan.number: image.image_id for image in images}
    rows = [
        {"file": f"{scan.number:06d}", "path": scan.name, "image_id": names.get(scan.number, "")}
        | {"rule": selection.excluded.get(scan.number, ("", ""))[0]}
        for scan in selection.scans
    ]
    with artifacts.atomic_path(path, private=True) as beside:
        write_csv(beside, ("file", "path", "image_id", "rule"), rows)
        note(beside)


def _row(image: Image, key: bytes, selection: Selection) -> dict:
    scan, rules, knows = image.scan, selection.rules, selection.knows
    told = rules.told_device(scan) is not None if "device" in knows else None
    device = selection.seen.get(scan.number) if told is None else told
    flags = [
        *(["view"] if DESCRIBED_VIEW in scan.contradicts else []),
        *(["mirrored"] if MIRRORED in scan.contradicts else []),
        *(["for_processing"] if scan.for_processing else []),
        *(rule for rule, _ in rules.image_flags(image.done.measures, scan.view)),
        *(["burned_in_text"] if image.done.text else []),
    ]
    return {
        "image_id": image.image_id,
        "patient_id": hashing.keyed_hash(key, "patient", scan.patient),
        "label": scan.label,
        **{name: "" if name in scan.unknown else int(name in scan.findings) for name in FINDINGS},
        "age": vocabulary.shown_age(scan.age),
        "sex": vocabulary.shown_sex(scan.sex),
        "view": vocabulary.shown_view(scan.view),
        "manufacturer": vocabulary.shown_maker(scan.manufacturer),
        "split": image.split,
        "png": f"images/{image.image_id}.png",
        "sha256": image.done.sha256,
        "diagnoses": ";".join(scan.findings),
        "mask": f"masks/{image.image_id}.png" if image.done.mask else "",
        "missing_tags": ";".join(rules.missing(scan, knows)),
        "image_flags": ";".join(flags),
        "label_confidence": "" if scan.confidence is None else f"{scan.confidence:.2f}",
        "label_sources": ";".join(scan.witnesses),
        "device": "" if device is None else int(device),
    }


def _source(scan, key: bytes) -> str:
    return f"file {scan.number:06d} {hashing.keyed_hash(key, 'file', scan.name)}"


def write_csv(path: Path, columns, rows: list[dict]) -> None:
    """A table of UTF-8 with a header line."""
    # Names of files that are no UTF-8 go out as they are.
    with open(path, "w", newline="", encoding="utf-8", errors="surrogateescape") as file:
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
