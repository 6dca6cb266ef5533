"""A hospital's export: a tree of DICOM files with any names, and studies.csv, joined by the
accession number.

studies.csv needs accession_number and diagnosis_codes (ICD-10, ";" between them); patient_id and
report are used where they are there. Any code that is not an encounter without a diagnosis
(weak_labels/icd10.toml) makes the study abnormal (thesis 1.1: "whether the case has any diseases"),
also when it stands for none of the findings; the codes that rules.toml calls neutral decide
nothing. The policies report and agree let the report decide, or both. Masks in
truth/masks/<path with _ for />__<finding>.png, if any, are kept.
"""

import os
import re
from collections import defaultdict
from pathlib import Path

from pgcxr import dicom
from pgcxr.cohort import vocabulary
from pgcxr.cohort.findings import TABLE_6
from pgcxr.errors import InputError
from pgcxr.io import archives, trees
from pgcxr.sources import Scan, dicom_files, tables
from pgcxr.sources.weak_labels import decision
from pgcxr.sources.weak_labels.codes import CODE
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
TABLE = "studies.csv"
# At the top of an export, of `pgcxr phantom` and `export-deidentified` too; not counted as files
# that might be images.
NO_IMAGES = (TABLE, "report.json", "excluded.csv", "truth/")
# Of the table, by who decides on normal and abnormal.
NEEDED = {decision.CODES: ("diagnosis_codes",), decision.REPORT: ("report",)}
NEEDED[decision.AGREE] = (*NEEDED[decision.CODES], *NEEDED[decision.REPORT])


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
    studies = _studies(tables.rows(folder / TABLE, ("accession_number", *NEEDED[labeling.policy])))
    headers = map_files(dicom_files.header_or_reason, [folder / name for name in files])
    reasons = [header[1] if isinstance(header, tuple) else "" for header in headers]
    if all(reason == "not DICOM" or archives.is_reason(reason) for reason in reasons):
        raise InputError(
            f"{folder}: none of the {len(files)} files is DICOM; "
            f"{archives.advice(reasons) or 'name the folder of a PACS export'}"
        )
    accessions = {header.accession for header in headers if not isinstance(header, tuple)}
    if accessions and studies and not accessions & studies.keys():
        raise InputError(
            f"{folder / TABLE}: none of its {len(studies)} accession numbers is that of a file; "
            "are both of one export, and the numbers written alike?"
        )
    masks = _masks(folder / "truth" / "masks")
    found, used = [], set()
    for number, (name, header) in enumerate(zip(files, headers, strict=True), 1):
        scan = Scan(number, folder / name, name)
        if isinstance(header, tuple):
            scan.rejected = header
        else:
            _describe(scan, header, studies.get(header.accession), labeling)
            used.add(header.accession)
            flat = name.replace("/", "_")
            scan.masks = masks.get(flat) or masks.get(os.path.splitext(flat)[0], ())
        found.append(scan)
    return found, {"studies": len(studies), "studies_without_file": len(studies.keys() - used)}


def _describe(scan: Scan, header: dicom.Header, study: dict | None, labeling: Labeling) -> None:
    dicom_files.describe(scan, header)
    listed = study["patient"] if study else ""
    scan.patient = vocabulary.same_patient(header.patient) or listed
    if study is None:
        scan.rejected = ("diagnosis", f"no row in {TABLE}")
        return
    scan.codes, scan.report = study["codes"], study["report"]
    scan.study = study.setdefault("first", scan.number)
    if "decided" not in study:
        study["decided"] = labeling.of_study(scan.codes, scan.report)
    made, scan.opinions = study["decided"]
    if not scan.patient:
        scan.patient = f"study {header.accession}"
        scan.rejected = ("label_conflict", "no patient identity: the splits could share a patient")
    elif listed and listed != scan.patient:
        scan.rejected = ("label_conflict", f"the file and {TABLE} name different patients")
    scan.decide(made)


def _studies(rows: list[dict[str, str]]) -> dict[str, dict]:
    """Accession number -> patient, codes, report; several rows of one study are taken together."""
    studies: dict[str, dict] = {}
    for row in rows:
        if not row["accession_number"]:
            continue
        study = studies.setdefault(
            row["accession_number"], {"patient": "", "codes": (), "report": ""}
        )
        codes = (
            code.strip().upper() for code in re.split(r"[;,|]", row.get("diagnosis_codes", ""))
        )
        study["codes"] += tuple(
            code for code in codes if CODE.fullmatch(code) and code not in study["codes"]
        )
        study["patient"] = study["patient"] or vocabulary.same_patient(row.get("patient_id", ""))
        study["report"] = "\n".join(
            text for text in (study["report"], row.get("report", "")) if text
        )
    return studies


def _masks(folder: Path) -> dict[str, tuple[Path, ...]]:
    """Stem of an image -> the masks of its findings (a device's mask is no lesion)."""
    found = defaultdict(list)
    for path in sorted(folder.glob("*__*.png")) if folder.is_dir() else ():
        stem, _, finding = path.stem.rpartition("__")
        if finding in TABLE_6:
            found[stem].append(path)
    return {stem: tuple(paths) for stem, paths in found.items()}
