"""Thesis Tables 1 and 2 of a cohort: as CSV, and with the flow chart on one page, tables.html."""

import csv
from pathlib import Path
from typing import TYPE_CHECKING

from pgcxr.cohort.findings import ABNORMAL, FINDINGS, NORMAL
from pgcxr.cohort.manifest import SPLITS
from pgcxr.io import artifacts

if TYPE_CHECKING:
    from pgcxr.plots.page import Page

# As the thesis heads and abbreviates them.
TABLE_1 = ("Diagnosis", "Normal CXR dataset", "Abnormal CXR dataset")
WORDS = {
    NORMAL: "Normal (NM)",
    ABNORMAL: "Abnormal",
    "nodule": "Nodule (ND)",
    "consolidation": "Consolidation (CS)",
    "interstitial_opacity": "Interstitial opacity (IO)",
    "pleural_effusion": "Pleural effusion (PE)",
    "pneumothorax": "Pneumothorax (PT)",
    "other_findings": "None of the five",
    "images": "Images",
    "patients": "Patients",
}


def table_1(report: dict) -> list[tuple]:
    """Rows of TABLE_1: the normals alone (anomaly detection), and the cohort (synthesis). None:
    does not apply."""
    counts = report["table1"]
    normals = counts["normal_before_sampling"]
    return [
        ("Normal", normals, counts[NORMAL]),
        ("Abnormal", None, counts[ABNORMAL]),
        ("Total", normals, counts["total"]),
    ]


def table_2(report: dict) -> list[tuple]:
    """Rows (diagnosis, images in each split, in all): an image with two findings counts for
    both."""
    counts = report["table2"]
    order = (NORMAL, ABNORMAL, *FINDINGS, "other_findings", "images", "patients")
    return [
        (WORDS[name], *(counts[column][name] for column in (*SPLITS, "total"))) for name in order
    ]


def by_hospital(report: dict) -> list[tuple]:
    """Rows (diagnosis, images of each hospital), where several are told."""
    counts = report["hospitals"]
    order = (NORMAL, ABNORMAL, *FINDINGS, "images", "patients")
    return [(WORDS[name], *(own[name] for own in counts.values())) for name in order]


def write(folder: Path, report: dict, chart: dict) -> None:
    """Writes table1.csv, table2.csv, where several hospitals are told table2_by_hospital.csv, and
    tables.html beside flowchart.svg.

    Args:
        report: with `table1` and `table2` of `tables.composition`, and `hospitals`.
        chart: the content of flowchart.json.
    """
    second = ("Diagnosis", *SPLITS, "total")
    written = [("table1", TABLE_1, table_1(report)), ("table2", second, table_2(report))]
    if report["hospitals"]:
        header = ("Diagnosis", *report["hospitals"])
        written.append(("table2_by_hospital", header, by_hospital(report)))
    for name, header, rows in written:
        with (
            artifacts.atomic_path(folder / f"{name}.csv") as beside,
            open(beside, "w", newline="") as file,
        ):
            writer = csv.writer(file, lineterminator="\n")
            writer.writerows(
                [header, *(["" if cell is None else cell for cell in row] for row in rows)]
            )
    from pgcxr.plots.page import Page

    page = Page("The cohort")
    chapter(page, folder, report, chart)
    page.write(folder / "tables.html")


def chapter(page: "Page", folder: Path, report: dict, chart: dict) -> None:
    """Adds flow chart, exclusions, Tables 1 and 2 to a page.

    Args:
        page: to which.
        folder: where flowchart.svg is.
        report, chart: as of `write`.
    """
    from pgcxr.plots import flowchart

    second = ("Diagnosis", *SPLITS, "total")
    page.text(
        f"{report['images']:,} of {chart['collected']:,} files became images of "
        f"{report['patients']:,} patients, {report['size']} x {report['size']} pixels."
    )
    page.section("Selection").figure(folder / "flowchart.svg", "Figure 1. Selection of the images.")
    hospitals = tuple(chart.get("hospitals", ()))
    page.table(
        ["Excluded", "Normal", "Abnormal", "All", *_capitalized(hospitals)],
        _exclusions(chart, flowchart.words, hospitals),
        "Exclusions in order.",
    )
    off = [step["rule"].replace("_", " ") for step in chart["steps"] if not step["applies"]]
    if off:
        page.text(
            "Rules that were not applied (switched off, or the source does not say): "
            f"{', '.join(off)}."
        )
    page.section("Composition")
    page.table(
        list(TABLE_1),
        table_1(report),
        "Table 1. Images for the synthesis of normal and abnormal radiographs.",
    )
    surplus = report["table1"]["normal_before_sampling"] - report["table1"][NORMAL]
    if surplus:
        page.text(
            f"{surplus:,} normals of the first data set were not sampled: they are not in this "
            "cohort."
        )
    page.table(
        [name.capitalize() for name in second],
        table_2(report),
        "Table 2. Images by diagnosis and split.",
    )
    if report.get("hospitals"):  # not of earlier versions
        page.table(
            ["Diagnosis", *_capitalized(report["hospitals"])],
            by_hospital(report),
            "Table 2 by hospital (column hospital of the table of studies), the one with the most "
            "files first.",
        )
    page.text(
        "An image with several findings counts for each of them; a patient is in one split alone."
    )


def _exclusions(chart: dict, words, hospitals: tuple[str, ...]) -> list[tuple]:
    return [
        (words(step), step.get(NORMAL), step.get(ABNORMAL), step["excluded"])
        + tuple(step["hospitals"][hospital] for hospital in hospitals)
        for step in chart["steps"]
        if step["excluded"]
    ]


def _capitalized(names) -> list[str]:
    return [name.capitalize() for name in names]
