"""What the sources whose images are DICOM files have in common."""

import math
import re
from collections.abc import Sequence
from pathlib import Path

from pgcxr import dicom, sources
from pgcxr.cohort import vocabulary
from pgcxr.sources import Scan

# As spreadsheets write in most of Europe; with three digits behind it may be thousands.
DECIMAL_COMMA = re.compile(r"\s*-?\d+,(?:\d{1,2}|\d{4,})\s*")
FIELDS = (
    *(
        "age",
        "sex",
        "modality",
        "body_part",
        "view",
        "manufacturer",
        "rows",
        "columns",
        "study_date",
        "burned_in",
        "for_processing",
    ),
)

FRONTAL = ("PA", "AP")


def header_or_reason(path: Path) -> "dicom.Header | tuple[str, str]":
    """The header, or (rule, detail) of its rejection."""
    try:
        return dicom.read_header(path)
    except dicom.Rejected as reason:
        return reason.rule, reason.detail


def scans(folder: Path, paths: Sequence[Path], map_files) -> list[Scan]:
    """One Scan for each file, with what its header says."""
    found = []
    for number, (path, header) in enumerate(
        zip(paths, map_files(header_or_reason, paths), strict=True), 1
    ):
        scan = Scan(number, path, path.relative_to(folder).as_posix(), study=number)
        describe(scan, header)
        found.append(scan)
    return found


def describe(scan: Scan, header: "dicom.Header | tuple[str, str]") -> None:
    """Takes over what a header says, or why there is none."""
    if isinstance(header, tuple):
        scan.rejected = header
        return
    for name in FIELDS:
        setattr(scan, name, getattr(header, name))
    stated = vocabulary.shown_view(header.view)
    scan.view = header.view or header.coded_view
    differ = [sources.AGE] if header.two_ages else []
    shown = vocabulary.shown_view(scan.view)
    other_code = stated and header.coded_view and stated != header.coded_view
    # Of 3,792 real frontal films whose headers say it (Open-i), rows run to the left in all but 14,
    # and in those to the right.
    if other_code or (shown in FRONTAL and header.rows_run_to in ("A", "P")):
        scan.view = shown = ""
        differ.append(sources.VIEW)
    if shown in FRONTAL and header.rows_run_to == "R":
        differ.append(sources.MIRRORED)
    if shown and set(header.described_views) - {shown}:
        differ.append(sources.DESCRIBED_VIEW)
    scan.contradicts = tuple(differ)


def numbers(cells: Sequence[str]) -> list[float] | None:
    """The cells as finite numbers, or None where one of them is none, or may be another (1,024).

    Example:

        >>> numbers(["50,5", "1e2"]), numbers(["1,024"])
        ([50.5, 100.0], None)
    """
    try:
        found = [
            float(cell.replace(",", ".") if DECIMAL_COMMA.fullmatch(cell) else cell)
            for cell in cells
        ]
    except ValueError:
        return None
    return found if all(map(math.isfinite, found)) else None
