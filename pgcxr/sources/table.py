"""Any folder of PNG, JPEG and DICOM files with a CSV table, by a column map (column_map.py).

The map is the folder's columns.toml, or the file `columns`. Labels come from a label column,
from columns or a list of findings, or, as in a PACS export, from diagnosis codes and reports
(`labels`). What `[findings]` and `[list]` do not cover is unknown on abnormal images. Cells mean
what the map says in any case (label_map.word); a cell of a finding that it does not name never
leaves an image normal.
"""

import re
import unicodedata
from collections import Counter
from pathlib import Path

import numpy as np

from pgcxr import dicom
from pgcxr.cohort import vocabulary
from pgcxr.cohort.findings import ABNORMAL, FINDINGS, NORMAL
from pgcxr.cohort.image_files import SUFFIXES, image_size, is_image
from pgcxr.dicom import ages
from pgcxr.errors import InputError
from pgcxr.io import trees
from pgcxr.sources import Scan, column_map, dicom_files, label_map, tables
from pgcxr.sources.column_map import ColumnMap
from pgcxr.sources.weak_labels import decision
from pgcxr.sources.weak_labels.labeling import Labeling
from pgcxr.sources.weak_labels.opinion import NEGATIVE, POSITIVE, Opinion

OF_HEADERS = ("modality", "body_part", "age", "sex", "manufacturer", "view")
# What a table has no column for.
OF_DICOM = ("study_date", "burned_in_annotation")
# What becomes of an age or a view that table and header say differently, and of what else the
# table is believed.
UNKNOWN = {"age": None, "view": ""}
BELIEVED = ("modality", "manufacturer")
OTHER_SEX = ("label_conflict", "table and header name patients of different sex")
OLD = 90
ENDINGS = (*SUFFIXES, ".dcm", ".dicom")


def matches(folder: Path) -> bool:
    """Whether a column map is there."""
    return (folder / column_map.NAME).is_file()


def knows(folder: Path, labeling: Labeling | None = None) -> tuple[str, ...]:
    """The rules whose columns are mapped; all of the headers' where the files are DICOM."""
    columns = _map(folder, labeling)
    asked = (*OF_HEADERS, *OF_DICOM) if columns.dicom else _said(columns)
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
    files = _Files(images, columns.extensions)
    boxes = _boxes(folder, columns, files)
    found: dict[str, Scan] = {}
    rows: dict[str, dict[str, str]] = {}
    counts = {"rows_without_file": 0, "rows_outside": 0}
    warnings: list[str] = []
    for row in _rows(table, columns, warnings):
        place, fitting = files.of(row[columns.columns["file"]])
        if place is None or not fitting:
            counts["rows_outside" if place is None else "rows_without_file"] += 1
            continue
        name = fitting[0].relative_to(folder).as_posix()
        if name in found:
            if rows[name] != row:
                found[name].rejected = ("label_conflict", "two rows of the table name this file")
            continue
        scan = found[name] = Scan(0, fitting[0], name)
        rows[name] = row
        _describe(scan, row, columns, labeling)
        _label(scan, row, columns, labeling)
        if len(fitting) > 1:
            scan.rejected = ("label_conflict", "the table's name for it is that of several files")
        scan.boxes = boxes.get(fitting[0])
    if not found:
        raise InputError(
            f"{table}: none of the files that column {columns.columns['file']} names is in "
            f"{images}; `extension` may be a list, of what their names end in"
        )
    listed = [found[name] for name in sorted(found)]
    for number, scan in enumerate(listed, 1):
        scan.number = scan.study = number
    of_dicom = _headers(listed, map_files, columns, warnings)
    if of_dicom and not columns.dicom:
        warnings.append(
            f"{of_dicom} files are DICOM, of whose headers the rules ask nothing that the table "
            f"does not say; dicom = true in {column_map.NAME} changes that"
        )
    if columns.boxes and columns.boxes["frame"] == 0:
        for scan in listed:
            if scan.boxes is not None and scan.rows and scan.columns:
                scan.boxes = scan.boxes / [scan.columns, scan.rows, scan.columns, scan.rows]
    return listed, counts | {"warnings": warnings}


class _Files:
    """The files that a table names, in the folder `images`."""

    def __init__(self, images: Path, extensions: tuple[str, ...]):
        self._images = images
        self._extensions = tuple(f".{end.lstrip('.')}" for end in extensions)
        self._folded: dict[str, list[Path]] | None = None

    def of(self, given: str) -> tuple[Path | None, list[Path]]:
        """(where the name leads, None: out of the folder; the files that it may be).

        A file of just that name is the one. Otherwise it is a name without its ending or with
        another one, and at last with other capitals, or accents that are written as letters of
        their own (a ZIP from a Mac).
        """
        place = tables.inside(self._images, given)
        if place is None:
            return None, []
        if place.is_file():
            return place, [place]
        names = [place.name + end for end in self._extensions]
        if place.suffix.lower() in ENDINGS:
            names += [place.stem + end for end in self._extensions]
        fitting = [path for path in map(place.with_name, dict.fromkeys(names)) if path.is_file()]
        return place, fitting or self._in_any_case([place, *map(place.with_name, names)])

    def _in_any_case(self, places: list[Path]) -> list[Path]:
        if self._folded is None:
            self._folded = {}
            for name in trees.files(self._images) if self._images.is_dir() else ():
                self._folded.setdefault(_folded(name), []).append(self._images / name)
        keys = [_folded(place.relative_to(self._images).as_posix()) for place in places]
        return [path for key in dict.fromkeys(keys) for path in self._folded.get(key, ())]


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


def _said(columns: ColumnMap) -> tuple[str, ...]:
    """What of OF_HEADERS the table or the map says."""
    return tuple(name for name in OF_HEADERS if name in {*columns.columns, *columns.constants})


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


def _rows(table: Path, columns: ColumnMap, notes: list[str]):
    listed = (columns.listed[0],) if columns.listed else ()
    marks = tuple(name for names in columns.findings.values() for name in names)
    wanted = tuple(dict.fromkeys((*columns.columns.values(), *marks, *listed)))
    for cells in tables.columns(table, wanted, notes=notes):
        yield dict(zip(wanted, cells, strict=True))


def _describe(scan: Scan, row: dict[str, str], columns: ColumnMap, labeling: Labeling) -> None:
    def cell(name: str) -> str:
        if name in columns.constants:
            return columns.constants[name]
        said = row[columns.columns[name]] if name in columns.columns else ""
        return columns.words.get(name, {}).get(label_map.word(said), said)

    scan.patient = vocabulary.same_patient(cell("patient"))
    scan.age = ages.age_in_words(cell("age"))
    # Without a number it says that the age is unknown, in whatever words.
    scan.unread_age = scan.age is None and any(map(str.isdigit, cell("age")))
    scan.sex = cell("sex").upper()[:1]
    scan.view, scan.manufacturer, scan.modality = (
        cell("view"),
        cell("manufacturer"),
        column_map.modality(cell("modality")),
    )
    scan.body_part, scan.report = cell("body_part"), cell("report")
    scan.hospital = cell("hospital")
    scan.codes = labeling.codes_of(cell("codes"))
    if not scan.patient:
        scan.patient, scan.rejected = (
            f"file {scan.name}",
            ("label_conflict", "no patient identity: the splits could share a patient"),
        )


def _label(scan: Scan, row: dict[str, str], columns: ColumnMap, labeling: Labeling) -> None:
    labeled = "label" in {*columns.columns, *columns.constants}
    if not (columns.findings or columns.listed or labeled):
        made, scan.opinions = labeling.of_study(scan.codes, scan.report)
        scan.decide(made)
        return
    statuses, meanings = _statuses(row, columns)
    scan.device = label_map.has_device(statuses, meanings)
    opinion = label_map.opinion("table", statuses, meanings)
    scan.rejected = scan.rejected or label_map.refusal(statuses, meanings)
    if labeled:
        said = columns.constants.get("label") or columns.label.get(
            label_map.word(row[columns.columns["label"]]), ""
        )
        if said and {said, opinion.label} == {NORMAL, ABNORMAL}:
            scan.rejected = ("label_conflict", "the label and the findings contradict each other")
        # A code of I10 does not contradict a normal radiograph, one of J90 does.
        if said == NORMAL and labeling.of_study(scan.codes, "")[1][0].having(POSITIVE):
            scan.rejected = ("label_conflict", "the label says normal, a code names a finding")
        opinion = Opinion("table", said, opinion.statuses)
        if said == ABNORMAL and scan.rejected == label_map.NOT_READ:
            scan.rejected = None
    scan.decide(decision.decide(opinion, None, labeling.uncertain))
    if scan.label == ABNORMAL:
        covered = {*columns.findings, *columns.meanings.values()}
        missed = {*FINDINGS} - covered | {*label_map.unread(statuses, meanings)}
        scan.unknown += tuple(
            name for name in FINDINGS if name in missed and name not in scan.unknown
        )


def _statuses(row: dict[str, str], columns: ColumnMap) -> tuple[dict[str, str], dict[str, str]]:
    """(label -> status, label -> meaning) of a row, from the columns of findings and from the
    list."""
    meanings = {name: finding for finding, names in columns.findings.items() for name in names}
    read = {name: label_map.status(row[name], columns.statuses) for name in meanings}
    statuses = {name: status for name, status in read.items() if status}
    if columns.listed:
        column, separator = columns.listed
        spelled = {label_map.word(label): label for label in columns.meanings}
        present = {
            spelled.get(label_map.word(label), label.strip())
            for label in row[column].split(separator)
            if label.strip()
        }
        statuses |= {
            label: POSITIVE if label in present else NEGATIVE for label in columns.meanings
        }
        statuses |= dict.fromkeys(present, POSITIVE)
        # Labels that stand together in one part: the separator is another one.
        for label in present - columns.meanings.keys():
            parts = re.split(r"[;,|/]", label)
            if len(parts) > 1 and any(label_map.word(part) in spelled for part in parts):
                statuses[label] = label_map.UNREAD
        meanings |= columns.meanings
    return statuses, meanings


def _headers(listed: list[Scan], map_files, columns: ColumnMap, warnings: list[str]) -> int:
    """Sizes of images, and what DICOM headers say where the table is silent; how many are DICOM.

    The rules on headers are not asked of PNG and JPEG files, but for what the table says. Where a
    header contradicts the table, and is asked at all, an age or a view is unknown, and a row with
    another sex is somebody else's.
    """
    silent = tuple(name for name in (*OF_HEADERS, *OF_DICOM) if name not in _said(columns))
    of_dicom, differing = 0, Counter()
    for scan, header in zip(
        listed, map_files(_header, [scan.path for scan in listed]), strict=True
    ):
        if isinstance(header, tuple) and isinstance(header[0], int):
            scan.rows, scan.columns, scan.silent = *header, silent
        elif isinstance(header, tuple):
            scan.rejected = scan.rejected or header
        else:
            of_dicom += 1
            said = Scan(0, scan.path, scan.name)
            dicom_files.describe(said, header)
            differ = _differing(scan, said) if columns.dicom else ()
            for name in dicom_files.FIELDS:
                setattr(scan, name, getattr(scan, name) or getattr(said, name))
            scan.contradicts = said.contradicts
            for name in differ:
                if name in UNKNOWN:
                    setattr(scan, name, UNKNOWN[name])
                    scan.contradicts += (name, f"{name} of the table")
                elif name == "sex":
                    scan.rejected = scan.rejected or OTHER_SEX
            differing.update(differ)
    for name in [name for name in BELIEVED if differing[name]]:
        warnings.append(
            f"{differing[name]} of {of_dicom} DICOM files have another {name} in their header than "
            "in the table, which is believed: check that rows and files belong together"
        )
    return of_dicom


def _differing(scan: Scan, said: Scan) -> tuple[str, ...]:
    """What of OF_HEADERS a table and a header say in different words, both of which are known."""
    pairs = {
        "age": (scan.age, said.age),
        "sex": (vocabulary.shown_sex(scan.sex), vocabulary.shown_sex(said.sex)),
        "view": (vocabulary.shown_view(scan.view), vocabulary.shown_view(said.view)),
        "modality": (scan.modality, column_map.modality(said.modality)),
        "manufacturer": tuple(vocabulary.shown_maker(each.manufacturer) for each in (scan, said)),
    }

    def differ(name: str, one, other) -> bool:
        if name == "age":
            # Of the old, tables say "90+".
            return abs(min(one, OLD) - min(other, OLD)) > ages.CLOSE
        # Another sex or view is a word for what is not told, and either is a radiograph.
        alike = name in ("sex", "view") and {one, other} & {"O", "other"}
        return one != other and not (alike or {one, other} == {"CR", "DX"})

    known = {name: pair for name, pair in pairs.items() if all(v not in (None, "") for v in pair)}
    return tuple(name for name, pair in known.items() if differ(name, *pair))


def _header(path: Path) -> "tuple[int, int] | tuple[str, str] | dicom.Header":
    return image_size(path) if is_image(path) else dicom_files.header_or_reason(path)


def _boxes(folder: Path, columns: ColumnMap, files: _Files) -> dict[Path, np.ndarray]:
    """File -> [N, 4] x, y, width, height, as fractions unless the frame is 0 (pixels)."""
    if not columns.boxes:
        return {}
    found: dict[Path, list] = {}
    path = _inside(folder, columns, columns.boxes["table"])
    for file, *cells in tables.columns(path, (columns.boxes["file"], *columns.boxes["four"])):
        box, fitting = dicom_files.numbers(cells), files.of(file)[1]
        if box is not None and len(fitting) == 1:
            if columns.boxes["corners"]:
                box = [box[0], box[1], box[2] - box[0], box[3] - box[1]]
            found.setdefault(fitting[0], []).append(box)
    scale = columns.boxes["frame"] or 1.0
    return {file: np.array(boxes) / scale for file, boxes in found.items()}
