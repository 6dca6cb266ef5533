"""The identifiers of an export: of every DICOM element that identifies, of tables, of the names of files and folders.

Elements are those that PS3.15 Table E.1-1 (the basic profile) protects, in the edition that dicom-anonymizer ships, and
besides every person name, date, UID, private element and element that the standard does not know; in nested sequences
too. The other text elements (manufacturer, body part, protocol, ...) may stay in DICOM, so that their values count in
every output but that.
"""

import contextlib
import csv
import functools
import os
import re
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pydicom
from pydicom.datadict import dictionary_has_tag, keyword_for_tag

from pgcxr.data.dicom_file import MAX_BYTES, quiet
from pgcxr.data.privacy import identifiers
from pgcxr.data.privacy.identifiers import Found

PROFILE = "dicomfields_2026c"
TEXT_VRS = ("LO", "SH", "ST", "LT", "UC", "UT", "UR", "CS", "AE")
# What any number of patients share: the writing software, the encoding.
NOT_OF_A_PATIENT = ("ImplementationClassUID", "ImplementationVersionName", "SpecificCharacterSet", "PatientSex")
NUMBER = re.compile(r"(ID|IDs|Number|Identifier|Identification|SerialNumber|Title)$")
# The printable parts of a private element that nobody knows how to read.
PRINTABLE = re.compile(rb"[\x20-\x7e\x80-\xff]{4,4096}")
# No comment or report is longer; what lies behind is looked for no more.
LONGEST_TEXT = 1 << 16
DEEPEST = 32
# Files whose identifiers are held as texts at once.
BATCH = 20_000
# Values above this are left on the disk.
DEFER = 1 << 16
TABLES = (".csv", ".tsv", ".txt")


def of_export(export: Path, files: list[str], run: Callable) -> Iterator[Found]:
    """The identifiers of an export, those of BATCH files at a time.

    Args:
        files: as `names` gives them.
        run: run(function, items) -> results in order, as `audit.in_processes` gives it.
    """
    for at in range(0, len(files), BATCH):
        found: Found = set()
        for values, kinds in run(functools.partial(of_file, export), files[at : at + BATCH]):
            found.update((identifiers.KINDS[kind], value) for value, kind in zip(values, kinds, strict=True))
        yield found


def names(export: Path) -> list[str]:
    """All files of an export but the phantom's own truth, relative to it, sorted."""
    found = []
    for folder, inside, files in os.walk(export):
        here = os.path.relpath(folder, export)
        if here == ".":
            inside[:] = [name for name in inside if name != "truth"]
        found += [name if here == "." else f"{here}/{name}" for name in files]
    return sorted(found)


def of_file(export: Path, name: str) -> tuple[list[str], bytes]:
    """The identifiers of one file and of its name; a file that is neither DICOM nor a table has only its name's."""
    found = identifiers.of_path(name)
    path = export / name
    with contextlib.suppress(OSError):
        status = os.stat(path)
        if stat.S_ISREG(status.st_mode) and status.st_size <= MAX_BYTES:
            found |= of_table(path) if path.suffix.lower() in TABLES else of_dicom(path)
    return identifiers.arrays(found)


def of_dicom(path: Path) -> Found:
    """The identifiers of a DICOM file; empty where it is none."""
    with open(path, "rb") as file:
        start = file.read(132)
    if start[128:] != b"DICM" and start[:2] not in (b"\x02\x00", b"\x08\x00", b"\x00\x02", b"\x00\x08"):
        return set()
    with quiet():
        dataset = _read(path)
        return of_dataset(dataset) if dataset is not None else set()


def of_dataset(dataset: pydicom.Dataset) -> Found:
    """The identifiers of a data set, its file meta information and all that is nested in it."""
    found: Found = set()
    _add_dataset(found, getattr(dataset, "file_meta", None), 0)
    _add_dataset(found, dataset, 0)
    return found


def _read(path: Path) -> pydicom.Dataset | None:
    # What follows the pixels is read too; a file that is cut short among them, up to there.
    for options in ({"defer_size": DEFER}, {"stop_before_pixels": True}):
        try:
            return pydicom.dcmread(path, force=True, **options)
        except (Exception, MemoryError):
            continue
    return None


def _add_dataset(found: Found, dataset: pydicom.Dataset | None, depth: int) -> None:
    for tag in list(dataset.keys()) if dataset is not None and depth < DEEPEST else ():
        if tag.group == 0x7FE0:
            continue
        try:
            element = dataset[tag]
            if element.VR == "SQ":
                for item in element.value:
                    _add_dataset(found, item, depth + 1)
            else:
                found |= of_element(element)
        except (Exception, MemoryError):  # a value that breaks its own rules: as bytes
            with contextlib.suppress(Exception):
                found |= _of_bytes(dataset.get_item(tag).value)


def of_element(element: pydicom.DataElement) -> Found:
    """The identifiers in one element that is no sequence."""
    keyword = keyword_for_tag(element.tag)
    if keyword in NOT_OF_A_PATIENT or element.VR == "PN" and not element.value:
        return set()
    values = element.value if isinstance(element.value, (pydicom.multival.MultiValue, list, tuple)) else [element.value]
    found: Found = set()
    for value in values:
        if isinstance(value, bytes):
            found |= _of_bytes(value) if not known(element.tag) or is_protected(element.tag) else set()
            continue
        text = str(value)[:LONGEST_TEXT].strip().strip("\0").strip()
        if element.VR == "PN":
            found |= identifiers.of_name(text)
        elif element.VR in ("DA", "DT"):
            found |= identifiers.of_date(text)
        elif element.VR == "UI":
            found |= identifiers.of_uid(text)
        elif element.VR in TEXT_VRS or element.VR == "UN":
            found |= _of_text(element, keyword, text)
        elif element.tag.is_private and element.VR in ("IS", "DS"):
            found |= identifiers.of_number(text)
    return found


def _of_text(element: pydicom.DataElement, keyword: str, text: str) -> Found:
    if known(element.tag) and not is_protected(element.tag):
        return identifiers.of_kept(text)
    found = identifiers.of_text(text)
    if NUMBER.search(keyword):
        found |= identifiers.of_number(text)
    if "^" in text:
        found |= identifiers.of_name(text)
    return found


def _of_bytes(content: bytes | None) -> Found:
    found: Found = set()
    for run in PRINTABLE.findall((content or b"")[:LONGEST_TEXT]):
        try:
            text = run.decode()
        except UnicodeDecodeError:
            text = run.decode("latin-1")
        found |= identifiers.of_text(text) | (identifiers.of_name(text) if "^" in text else set())
    return found


def known(tag) -> bool:
    """Whether the standard has this element."""
    return not tag.is_private and dictionary_has_tag(tag)


@functools.cache
def _protected() -> tuple[frozenset, tuple]:
    from dicomanonymizer.dicomfields_selector import dicom_anonymization_database_selector

    tags = dicom_anonymization_database_selector(PROFILE)["ALL_TAGS"]
    return frozenset(tag for tag in tags if len(tag) == 2), tuple(tag for tag in tags if len(tag) == 4)


def is_protected(tag) -> bool:
    """Whether Table E.1-1 names this element."""
    single, masked = _protected()
    if (tag.group, tag.element) in single:
        return True
    return any(tag.group & g == group & g and tag.element & e == element & e for group, element, g, e in masked)


def of_table(path: Path) -> Found:
    """The identifiers in the cells of a CSV table, by the names of its columns; of a text, line by line."""
    content = path.read_bytes()
    try:
        text = content.decode("utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("latin-1")
    found: Found = set()
    header: list[str] = []
    with contextlib.suppress(csv.Error):
        for row in csv.reader(text.replace("\0", "").splitlines(keepends=True), _dialect(text)):
            if not header:
                header = [cell.strip().lower() for cell in row]
            for column, cell in zip([*header, *[""] * len(row)], row, strict=False):
                found |= _of_cell(column, cell.strip()[:LONGEST_TEXT])
    return found


def _dialect(text: str) -> type[csv.Dialect]:
    class Dialect(csv.excel):
        delimiter = max(",;\t|", key=text[:4096].split("\n")[0].count)

    return Dialect


def _of_cell(column: str, cell: str) -> Found:
    if not cell or cell.lower() == column:
        return set()
    if re.search(r"name|physician|doctor|arzt", column) or re.fullmatch(r"\w+\^[\w^ .'-]+", cell):
        return identifiers.of_name(cell) | identifiers.of_text(cell)
    if re.search(r"(^|_|\b)(id|number|accession|uid|mrn|pid)($|_|\b)", column):
        return identifiers.of_number(cell) | identifiers.of_uid(cell)
    if re.search(r"code|icd|label|finding|view|sex|gender|age$", column):
        return set()
    try:
        float(cell)  # a measurement, or a number of fewer than 8 digits that could as well be one
        return identifiers.of_number(cell) if cell.isdigit() and len(cell) >= 8 else set()
    except ValueError:
        return identifiers.of_text(cell) | identifiers.of_uid(cell)
