"""Any folder of PNG, JPEG or DICOM files with a CSV table, by a column map (column_map.py).

The map is the folder's columns.toml, or the file `columns`. Labels come from a label column,
from columns or a list of findings, or, as in a PACS export, from diagnosis codes and reports
(`labels`). What `[findings]` and `[list]` do not cover is unknown on abnormal images.
"""

from pathlib import Path

import numpy as np

from pgcxr import dicom
from pgcxr.cohort import vocabulary
from pgcxr.cohort.findings import ABNORMAL, FINDINGS
from pgcxr.cohort.image_files import image_size, is_image
from pgcxr.dicom import ages
from pgcxr.errors import InputError
from pgcxr.sources import Scan, column_map, dicom_files, label_map, tables
from pgcxr.sources.column_map import ColumnMap
from pgcxr.sources.weak_labels import codes as diagnosis_codes
from pgcxr.sources.weak_labels import decision
from pgcxr.sources.weak_labels.labeling import Labeling
from pgcxr.sources.weak_labels.opinion import NEGATIVE, POSITIVE, Opinion

OF_HEADERS = ("modality", "body_part", "age", "sex", "manufacturer", "view")


def matches(folder: Path) -> bool:
    """Whether a column map is there."""
    return (folder / column_map.NAME).is_file()


def knows(folder: Path, labeling: Labeling | None = None) -> tuple[str, ...]:
    """The rules whose columns are mapped; all of the headers' where the files are DICOM."""
    columns = _map(folder, labeling)
    asked = (
        OF_HEADERS
        if columns.dicom
        else tuple(name for name in OF_HEADERS if name in columns.columns)
    )
    device = {"codes", "report"} & columns.columns.keys() or "device" in {
        *columns.findings,
        *columns.meanings.values(),
    }
    return ("diagnosis", "label_conflict", *asked, *(("device",) if device else ()))


def scans(folder: Path, map_files, labeling: Labeling | None = None) -> tuple[list[Scan], dict]:
    """Every row whose file is there, in the order of the names; a file that two rows name is a
    conflict."""
    labeling = labeling or Labeling()
    columns = _map(folder, labeling)
    table = _inside(folder, columns, columns.table)
    images = _inside(folder, columns, columns.images) if columns.images else folder
    boxes = _boxes(folder, columns)
    found: dict[str, Scan] = {}
    counts = {"rows_without_file": 0, "rows_outside": 0}
    for row in _rows(table, columns):
        given = row[columns.columns["file"]]
        place = tables.inside(images, given if Path(given).suffix else given + columns.extension)
        if place is None or not place.is_file():
            counts["rows_outside" if place is None else "rows_without_file"] += 1
            continue
        name = place.relative_to(folder).as_posix()
        if name in found:
            found[name].rejected = ("label_conflict", "two rows of the table name this file")
            continue
        scan = found[name] = Scan(0, place, name)
        _describe(scan, row, columns)
        _label(scan, row, columns, labeling)
        scan.boxes = boxes.get(given)
    if not found:
        raise InputError(
            f"{table}: none of the files that column {columns.columns['file']} names is in {images}"
        )
    listed = [found[name] for name in sorted(found)]
    for number, scan in enumerate(listed, 1):
        scan.number = scan.study = number
    _headers(listed, map_files)
    if columns.boxes and columns.boxes["frame"] == 0:
        for scan in listed:
            if scan.boxes is not None and scan.rows and scan.columns:
                scan.boxes = scan.boxes / [scan.columns, scan.rows, scan.columns, scan.rows]
    return listed, counts


def _map(folder: Path, labeling: Labeling | None) -> ColumnMap:
    path = (
        labeling.columns if labeling is not None and labeling.columns else folder / column_map.NAME
    )
    if not path.exists():
        raise InputError(
            f"{path}: no such file; the source table needs a column map there, or as `columns`"
        )
    return column_map.load(path)


def _inside(folder: Path, columns: ColumnMap, text: str) -> Path:
    place = tables.inside(folder, text)
    if place is None:
        raise InputError(
            f"{columns.path}: {text[:40]!r} leads out of the folder; name a place in it"
        )
    return place


def _rows(table: Path, columns: ColumnMap):
    listed = (columns.listed[0],) if columns.listed else ()
    marks = tuple(name for names in columns.findings.values() for name in names)
    wanted = tuple(dict.fromkeys((*columns.columns.values(), *marks, *listed)))
    for cells in tables.columns(table, wanted):
        yield dict(zip(wanted, cells, strict=True))


def _describe(scan: Scan, row: dict[str, str], columns: ColumnMap) -> None:
    def cell(name: str) -> str:
        return row[columns.columns[name]] if name in columns.columns else ""

    scan.patient = vocabulary.same_patient(cell("patient"))
    scan.age = ages.age_in_years(cell("age").removesuffix(".0"))
    scan.sex = cell("sex").upper()[:1]
    scan.view, scan.manufacturer, scan.modality = (
        cell("view"),
        cell("manufacturer"),
        cell("modality").upper(),
    )
    scan.body_part, scan.report = cell("body_part"), cell("report")
    split = (
        code.strip().upper()
        for code in cell("codes").replace("|", ";").replace(",", ";").split(";")
    )
    scan.codes = tuple(code for code in split if diagnosis_codes.CODE.fullmatch(code))
    if not scan.patient:
        scan.patient, scan.rejected = (
            f"file {scan.name}",
            ("label_conflict", "no patient identity: the splits could share a patient"),
        )


def _label(scan: Scan, row: dict[str, str], columns: ColumnMap, labeling: Labeling) -> None:
    own = bool(columns.findings or columns.listed or "label" in columns.columns)
    if not own:
        made, scan.opinions = labeling.of_study(scan.codes, scan.report)
        scan.decide(made)
        return
    statuses, meanings = _statuses(row, columns)
    scan.device = label_map.has_device(statuses, meanings)
    opinion = label_map.opinion("table", statuses, meanings)
    if label_map.contradicts(statuses, meanings):
        scan.rejected = scan.rejected or ("label_conflict", "normal beside a finding")
    if "label" in columns.columns:
        said = columns.label.get(row[columns.columns["label"]], "")
        if said and opinion.label == ABNORMAL != said:
            scan.rejected = scan.rejected or (
                "label_conflict",
                "the label says normal, a finding abnormal",
            )
        opinion = Opinion("table", said, opinion.statuses)
    scan.decide(decision.decide(opinion, None, labeling.uncertain))
    if scan.label == ABNORMAL:
        covered = {*columns.findings, *columns.meanings.values()}
        scan.unknown += tuple(
            name for name in FINDINGS if name not in covered and name not in scan.unknown
        )


def _statuses(row: dict[str, str], columns: ColumnMap) -> tuple[dict[str, str], dict[str, str]]:
    """(label -> status, label -> meaning) of a row, from the columns of findings and from the
    list."""
    meanings = {name: finding for finding, names in columns.findings.items() for name in names}
    statuses = {
        name: columns.statuses[row[name]] for name in meanings if row[name] in columns.statuses
    }
    if columns.listed:
        column, separator = columns.listed
        present = {label.strip() for label in row[column].split(separator) if label.strip()}
        statuses |= {
            label: POSITIVE if label in present else NEGATIVE for label in columns.meanings
        }
        statuses |= dict.fromkeys(present, POSITIVE)
        meanings |= columns.meanings
    return statuses, meanings


def _headers(listed: list[Scan], map_files) -> None:
    """Sizes of images, and what DICOM headers say where the table is silent."""
    for scan, header in zip(
        listed, map_files(_header, [scan.path for scan in listed]), strict=True
    ):
        if isinstance(header, tuple) and isinstance(header[0], int):
            scan.rows, scan.columns = header
        elif isinstance(header, tuple):
            scan.rejected = scan.rejected or header
        else:
            for name in dicom_files.FIELDS:
                setattr(scan, name, getattr(scan, name) or getattr(header, name))


def _header(path: Path) -> "tuple[int, int] | tuple[str, str] | dicom.Header":
    return image_size(path) if is_image(path) else dicom_files.header_or_reason(path)


def _boxes(folder: Path, columns: ColumnMap) -> dict[str, np.ndarray]:
    """File, as the table names it -> [N, 4] x, y, width, height, as fractions unless the frame is 0
    (pixels)."""
    if not columns.boxes:
        return {}
    found: dict[str, list] = {}
    path = _inside(folder, columns, columns.boxes["table"])
    for file, *cells in tables.columns(path, (columns.boxes["file"], *columns.boxes["four"])):
        box = dicom_files.numbers(cells)
        if box is not None:
            if columns.boxes["corners"]:
                box = [box[0], box[1], box[2] - box[0], box[3] - box[1]]
            found.setdefault(file, []).append(box)
    scale = columns.boxes["frame"] or 1.0
    return {file: np.array(boxes) / scale for file, boxes in found.items()}
