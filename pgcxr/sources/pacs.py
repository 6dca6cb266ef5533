"""A hospital's export: a tree of DICOM files with any names, and studies.csv, joined by the
accession number.

studies.csv needs accession_number and diagnosis_codes (ICD-10, weak_labels/codes.py says in which
forms); patient_id, report, study_date and hospital are used where they are there (studies.py:
which row is whose). Any code that is not an encounter without a diagnosis (weak_labels/icd10.toml)
makes the study abnormal (thesis 1.1: "whether the case has any diseases"), also when it stands for
none of the findings; the codes that rules.toml calls neutral decide nothing. The policies report
and agree let the report decide, or both. Masks in truth/masks/<path with _ for />__<finding>.png,
if any, are kept.
"""

import os
from collections import defaultdict
from pathlib import Path

from pgcxr import dicom
from pgcxr.cohort import vocabulary
from pgcxr.cohort.findings import TABLE_6
from pgcxr.errors import InputError
from pgcxr.io import archives, trees
from pgcxr.sources import Scan, dicom_files, studies_csv
from pgcxr.sources import studies as table
from pgcxr.sources.studies import Study
from pgcxr.sources.weak_labels.labeling import Labeling

KNOWS = (
    *(
        "modality",
        "body_part",
        "study_date",
        "diagnosis",
        "label_conflict",
        "age",
        "sex",
        "manufacturer",
        "view",
    ),
    *("device", "burned_in_annotation"),
)
TABLE = studies_csv.NAME
# At the top of an export, of `pgcxr phantom` and `export-deidentified` too; not counted as files
# that might be images.
NO_IMAGES = (TABLE, "report.json", "excluded.csv", "truth/")


def matches(folder: Path) -> bool:
    """Whether studies.csv is there."""
    return (folder / TABLE).is_file()


def scans(folder: Path, map_files, labeling: Labeling | None = None) -> tuple[list[Scan], dict]:
    """Every file of the tree in the order of the paths.

    Args:
        map_files: function(worker, list of arguments) -> list of results, which may use several
            processes.
        labeling: how codes and reports become labels; by default the codes decide.
    """
    labeling = labeling or Labeling()
    files = trees.files(folder, lambda name: name not in NO_IMAGES)
    if not files:
        raise InputError(
            f"{folder}: has no files besides tables; expected DICOM images and {TABLE}"
        )
    warnings: list[str] = []
    rows = studies_csv.read(folder, labeling, warnings)
    headers = map_files(_header, [folder / name for name in files])
    unread = [header for header in headers if isinstance(header, tuple)]
    reasons = [header[1] if isinstance(header, tuple) else "" for header in headers]
    if all(reason.startswith(dicom.NOT_DICOM) or archives.is_reason(reason) for reason in reasons):
        raise InputError(
            f"{folder}: none of the {len(files)} files is DICOM; "
            f"{archives.advice(reasons) or 'name the folder of a PACS export'}"
        )
    known = [header for header in headers if not isinstance(header, tuple)]
    studies = table.Studies(rows, [(each.accession, each.patient) for each in known], labeling)
    if any(header.accession for header in known):
        table.refuse_strangers(folder, studies)
    other_days = studies.of_other_days((each.accession, each.study_date) for each in known)
    masks = _masks(folder / "truth" / "masks")
    found = []
    for number, (name, header) in enumerate(zip(files, headers, strict=True), 1):
        scan = Scan(number, folder / name, name)
        if isinstance(header, tuple):
            scan.rejected = header[:2]
        else:
            other = table.OTHER_DAY if header.accession in other_days else None
            _describe(scan, header, other or studies.of(header.accession, header.patient))
            flat = name.replace("/", "_")
            scan.masks = masks.get(flat) or masks.get(os.path.splitext(flat)[0], ())
        found.append(scan)
    unused = studies.unused(number for reason in unread for number in reason[2:])
    counts = {"studies": len(studies), "studies_without_file": unused}
    return found, counts | {"warnings": warnings + studies.warnings()}


def _header(path: Path) -> dicom.Header | tuple[str, str, str]:
    """The header, or (rule, detail) of its rejection and its accession number.

    Where no header can be read, `map_files` may give (rule, detail) alone.
    """
    try:
        return dicom.read_header(path)
    except dicom.Rejected as reason:
        return reason.rule, reason.detail, reason.accession


def _describe(scan: Scan, header: dicom.Header, study: Study | tuple[str, str]) -> None:
    dicom_files.describe(scan, header)
    scan.patient = vocabulary.same_patient(header.patient)
    if isinstance(study, tuple):
        scan.rejected = study
        return
    scan.patient = scan.patient or study.patient
    scan.codes, scan.report, scan.opinions = study.codes, study.report, study.opinions
    scan.hospital = study.hospital
    scan.study = study.first = study.first or scan.number
    if not scan.patient:
        scan.patient = f"study {header.accession}"
        scan.rejected = ("label_conflict", "no patient identity: the splits could share a patient")
    scan.decide(study.decided)


def _masks(folder: Path) -> dict[str, tuple[Path, ...]]:
    """Stem of an image -> the masks of its findings (a device's mask is no lesion)."""
    found = defaultdict(list)
    for path in sorted(folder.glob("*__*.png")) if folder.is_dir() else ():
        stem, _, finding = path.stem.rpartition("__")
        if finding in TABLE_6:
            found[stem].append(path)
    return {stem: tuple(paths) for stem, paths in found.items()}
