"""What was lost on the way from an export to a cohort, said aloud: four lines after every curation,
and warnings that say what to do."""

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from pgcxr.cohort import vocabulary
from pgcxr.cohort.findings import ABNORMAL, NORMAL
from pgcxr.cohort.image_files import SUFFIXES
from pgcxr.cohort.manifest import SPLITS
from pgcxr.curation.choosing import Selection
from pgcxr.curation.rules import ORDER
from pgcxr.curation.stages import NOWHERE
from pgcxr.io import archives, folders, formats, trees
from pgcxr.sources import Scan

# Shares that may be lost without a warning: of files and rows, and of radiographs to one rule.
UNMATCHED, ONE_RULE = 0.05, 0.1
# Reasons that a line shows.
SHOWN = 3
# How every source begins the detail of a file without a row; what is said of a file that the system
# doesn't open.
NO_ROW, NO_ACCESS = "no row in ", "cannot be read from the disk"
NO_NUMBER = "the file names no accession number"
IMAGES = (formats.DICOM, formats.PNG, formats.JPEG)
DICOM_SUFFIXES = (".dcm", ".dicom")


def unlisted(export: Path, scans: Sequence[Scan], not_images: Sequence[str] = ()) -> list[Scan]:
    """Images that no row names and archives, which the source has not listed: as scans with the
    reason why they are out, numbered after the others.

    Args:
        export: the folder.
        scans: that the source lists.
        not_images: files and folders ("truth/") at the top of the export that hold no images.
    """
    tree = trees.walk(export, lambda path: not trees.is_hidden(path) and path not in not_images)
    found = []
    for name in sorted({*tree.files} - {scan.name for scan in scans}):
        reason = _why_out(export / name)
        if reason:
            scan = Scan(len(scans) + len(found) + 1, export / name, name, rejected=reason)
            # Nobody has looked at its header.
            scan.silent = ORDER
            found.append(scan)
    return found


def count(
    selection: Selection, counts: dict, listed: int, not_images: Sequence[str] = ()
) -> dict[str, int]:
    """What report.json says under "losses".

    Args:
        selection: whose excluded are those by headers and tables alone, or all.
        counts: of the source.
        listed: how many scans are its own; they come first.
        not_images: as for `unlisted`.

    Returns:
        "files": all that were seen; "radiographs": those that the header doesn't speak against, and
        of them "files_without_row" and "files_without_number"; "rows" of the table,
        "rows_without_file", and of these "rows_outside" of the export; "archives";
        "closed_folders" and "closed_files", which the system refuses; "broken_links";
        "hidden": files and folders with images whose names begin with a dot, which are not read.
    """
    tree = trees.walk(
        selection.export, lambda path: not trees.is_hidden(path) and path not in not_images
    )
    details = [detail for _, detail in selection.excluded.values()]
    earlier = ORDER[: ORDER.index("diagnosis")]
    without_row = sum(detail.startswith(NO_ROW) for detail in details)
    no_file = counts.get("rows_without_file", counts.get("studies_without_file", 0))
    outside = counts.get("rows_outside", 0)
    of_table = sum(
        number <= listed and detail.startswith(NO_ROW)
        for number, (_, detail) in selection.excluded.items()
    )
    files = len(selection.scans)
    return {
        "files": files,
        "radiographs": files - sum(rule in earlier for rule, _ in selection.excluded.values()),
        "files_without_row": without_row,
        "files_without_number": sum(NO_NUMBER in detail for detail in details),
        "rows": counts.get("studies", listed - of_table + no_file + outside),
        "rows_without_file": no_file + outside,
        "rows_outside": outside,
        "archives": sum(map(archives.is_reason, details)),
        "closed_folders": len(tree.closed),
        "closed_files": details.count(NO_ACCESS),
        "broken_links": details.count(NOWHERE),
        "hidden": _hidden(selection.export),
    }


def _why_out(path: Path) -> tuple[str, str] | None:
    """(rule, detail) of an image or archive that no source has listed; None for other files."""
    if path.name.lower().endswith((*SUFFIXES, *DICOM_SUFFIXES)) or folders.is_dicom(path):
        return "diagnosis", f"{NO_ROW}the table"
    archive = archives.kind_of(path)
    return ("unreadable", archives.reason(archive)) if archive else None


def _hidden(export: Path) -> int:
    """How many hidden files are images, and hidden folders hold any: not what systems and programs
    leave (.DS_Store, ._IM0001, .git)."""
    hidden: list[str] = []

    def seen(path: str) -> bool:
        if trees.is_hidden(path):
            hidden.append(path)
        return not trees.is_hidden(path)

    trees.walk(export, seen)
    return sum(
        any(
            formats.kind_of(export / path / name) in IMAGES
            for name in (trees.walk(export / path).files if path.endswith("/") else [""])
        )
        for path in hidden
    )


def lines(report: dict, out: str | os.PathLike) -> list[str]:
    """Files seen, images kept, the largest reasons, rows without a file: four lines for the screen.

    Args:
        report: as `pgcxr.curation.run.curate` gives it.
        out: the cohort.
    """
    lost = report["losses"]
    reasons = [f"{step['files']} {step['words']} ({step['rule']})" for step in lost["reasons"]]
    return [
        f"files seen: {lost['files']}",
        f"images kept: {report['images']} of {report['patients']} patients ({report['normal']} "
        f"normal, {report['abnormal']} abnormal) at {report['size']} px, in {out}",
        f"largest reasons to exclude: {', '.join(reasons[:SHOWN]) or 'none, nothing is excluded'}",
        f"rows of the table without a file: {lost['rows_without_file']} of {lost['rows']}",
    ]


def reasons(chart: dict) -> list[dict]:
    """The rules that took files, the largest first: {"rule", "files", "words"}."""
    from pgcxr.plots import flowchart

    taken = [
        {"rule": step["rule"], "files": step["excluded"], "words": flowchart.words(step)}
        for step in chart["steps"]
        if step["excluded"]
    ]
    return sorted(taken, key=lambda step: -step["files"])


def warnings(
    report: dict, chart: dict, selection: Selection, asked: Mapping[str, bool]
) -> list[str]:
    """What somebody should look at before the cohort is used; each says what to do.

    Args:
        report: with "losses" and the composition.
        chart: the content of flowchart.json.
        asked: split -> whether it is to have images.
    """
    lost, found = report["losses"], []
    if lost["files_without_row"] > UNMATCHED * lost["radiographs"]:
        found.append(
            f"{_share(lost['files_without_row'], lost['radiographs'])} files have no row in the "
            "table and are left out: check that table and files are of one export, and that "
            "numbers and names are written alike in both"
            + (
                f"; {lost['files_without_number']} of them name no accession number"
                if lost["files_without_number"]
                else ""
            )
        )
    if lost["rows_without_file"] > UNMATCHED * lost["rows"]:
        found.append(
            f"{_share(lost['rows_without_file'], lost['rows'])} rows of the table have no file: "
            "check that the export is whole and unpacked, and of the same studies as the table"
        )
    if lost["rows_outside"]:
        found.append(
            f"{lost['rows_outside']} rows of the table name files outside the folder, which were "
            "not read: give names relative to it"
        )
    if lost["closed_folders"] or lost["closed_files"]:
        found.append(
            f"folders that cannot be listed: {lost['closed_folders']}; files that cannot be "
            f"opened: {lost['closed_files']}; what is in them is left out: give yourself "
            "permission (chmod -R u+rX), or check the disk, and curate again"
        )
    if lost["broken_links"]:
        found.append(
            f"{lost['broken_links']} links lead nowhere: copy what they stand for into the export, "
            "and curate again"
        )
    if lost["hidden"]:
        found.append(
            f"{lost['hidden']} hidden files or folders (names that begin with a dot) hold images "
            "and are not read: rename those that belong to the export, and curate again"
        )
    if lost["archives"]:
        found.append(
            f"{lost['archives']} archives are among the files (ZIP, tar, 7z, RAR, gzip or the "
            "like) and not read: unpack them first (unzip, or the tool for that kind), unless what "
            "is in them is there already, and curate again"
        )
    both = _two_sexes(selection)
    if both:
        found.append(
            f"{both} patients have images of both sexes: patients of several hospitals may have "
            "one PatientID (put the hospital before it), or one somebody else's images; each "
            "counts once"
        )
    return found + _maker(chart, selection) + _composition(report, asked)


def _two_sexes(selection: Selection) -> int:
    sexes: dict[str, set[str]] = {}
    for scan in selection.scans:
        if scan.number not in selection.excluded and scan.patient:
            sexes.setdefault(scan.patient, set()).add(vocabulary.shown_sex(scan.sex))
    return sum({"F", "M"} <= said for said in sexes.values())


def text_warning(images: int) -> list[str]:
    """A warning where this many images of the cohort keep what looks like text."""
    if not images:
        return []
    return [
        f"{images} images keep what looks like text near the borders (image_flags of the manifest: "
        "burned_in_text), which may be a name: make it black (black_out_text), or exclude "
        'them with found_text = "exclude" under [black_out] in a file of rules'
    ]


def devices(selection: Selection, manifest: Sequence[Mapping], chart: dict) -> dict:
    """What report.json says under "devices".

    Args:
        manifest: its rows.
        chart: the content of flowchart.json.

    Returns:
        {support_devices: which are excluded, as the option has it, known: whether the source or a
        device model tells of devices, and of each class the images that were "excluded" and, as
        codes, reports and tables say, are "kept" (None: not known)}.
    """
    step = next(step for step in chart["steps"] if step["rule"] == "device")
    told = [(row["label"], row["device"]) for row in manifest]
    return {
        "support_devices": step["support_devices"],
        "known": "device" in selection.knows,
        "excluded": {label: step[label] for label in (NORMAL, ABNORMAL)},
        "kept": {
            label: None if ("" in (cell for _, cell in told)) else told.count((label, 1))
            for label in (NORMAL, ABNORMAL)
        },
    }


def device_warning(found: dict, asked: str | None) -> list[str]:
    """A warning where devices were asked for that nothing tells of."""
    if found["known"] or asked in (None, "keep"):
        return []
    return [
        f"support_devices says {asked}, but nothing here tells of devices (no diagnosis codes, "
        "reports or column of a table), so that none were excluded: name a device_model, or a "
        "table that tells of them"
    ]


def _share(part: int, whole: int) -> str:
    return f"{part} of {whole} ({100 * part / whole:.0f} %)"


def _maker(chart: dict, selection: Selection) -> list[str]:
    step = next(step for step in chart["steps"] if step["rule"] == "manufacturer")
    taken, reached = step["excluded"], step["excluded"] + step["remaining"]
    if taken <= ONE_RULE * reached:
        return []
    makers = Counter(detail for rule, detail in selection.excluded.values() if rule == step["rule"])
    which = "; ".join(f"{count} {detail}" for detail, count in makers.most_common(SHOWN))
    return [
        f"the rule manufacturer alone takes {_share(taken, reached)} images ({which}): the thesis "
        "had one maker. To keep them, name yours in `allowed` of [manufacturer] in a file of "
        "rules, or write `enabled = false` there"
    ]


def _composition(report: dict, asked: Mapping[str, bool]) -> list[str]:
    found = []
    if not (report[NORMAL] and report[ABNORMAL]):
        found.append(
            f"all images are of one class, {NORMAL if report[NORMAL] else ABNORMAL}: classifiers "
            "and evaluations need both; check the codes of the table, which policy of labels "
            "decides, and the largest reasons to exclude"
        )
    if report["patients"] == 1:
        found.append(
            "all images are of one patient, and so in one split: check that PatientID, or the "
            "table's column of patients, tells patients apart"
        )
    for split in SPLITS:
        if not report["table2"][split]["images"] and asked[split]:
            found.append(
                f"the split {split} is empty, and what needs it will refuse the cohort: curate "
                "more patients, or choose other shares (`split`)"
            )
    return found
