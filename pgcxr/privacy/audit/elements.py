"""The identifiers in the elements of a DICOM file.

Elements are those that PS3.15 Table E.1-1 (the basic profile) protects, in the edition that
dicom-anonymizer ships, and besides every person name, date, UID, private element, explanation in
free text and element that the standard does not know; in nested sequences too. The other text
elements (manufacturer, body part, protocol, ...) may stay in DICOM, so that their values count in
every output but that.
"""

import contextlib
import functools
import re
from collections.abc import Iterator
from pathlib import Path

import pydicom
from pydicom.datadict import dictionary_has_tag, dictionary_VR, keyword_for_tag
from pydicom.dataelem import RawDataElement

from pgcxr.dicom import deflated, reading
from pgcxr.dicom.header import check_installation
from pgcxr.privacy.audit import encodings, identifiers
from pgcxr.privacy.audit.identifiers import Identifiers
from pgcxr.privacy.audit.own_words import CHARACTER_SETS

PROFILE = "dicomfields_2026c"
# Where the table leaves a choice by IOD, the action that is allowed in every IOD.
CHOSEN = {"D_TAGS": "D", "Z_TAGS": "Z", "X_TAGS": "X", "U_TAGS": "U"}
CHOSEN |= {"Z_D_TAGS": "D", "X_Z_TAGS": "Z", "X_D_TAGS": "D", "X_Z_D_TAGS": "D"}
CHOSEN |= {"X_Z_U_STAR_TAGS": "U"}
TEXT_VRS = ("LO", "SH", "ST", "LT", "UC", "UT", "UR", "CS", "AE")
FREE_TEXT_VRS = ("ST", "LT", "UC", "UT")
# Of radiographs, what anybody may write into a table of gray values.
EXPLANATIONS = ("LUTExplanation", "WindowCenterWidthExplanation")
# What any number of patients share: the writing software.
NOT_OF_A_PATIENT = ("ImplementationClassUID", "ImplementationVersionName")
# What they share as long as it is one of the values that the standard defines.
DEFINED = {
    "SpecificCharacterSet": CHARACTER_SETS | {""},
    "PatientSex": frozenset(("M", "F", "O", "")),
}
PLACE = re.compile(r"(Address|Institution\w*Name|OfResidence)$")
NUMBER = re.compile(r"(ID|IDs|Number|Identifier|Identification|SerialNumber|Title)$")
# The printable parts of a private element that nobody knows how to read.
PRINTABLE = re.compile(rb"[\x20-\x7e\x80-\xff]{4,4096}")
# Of VRs in which a patient cannot be named, as long as the value is what the VR says.
OF_NUMBERS = {"US": 2, "SS": 2, "UL": 4, "SL": 4, "FL": 4, "FD": 8, "SV": 8, "UV": 8, "AT": 4}
OF_DIGITS = re.compile(rb"[0-9 .,+\-eE\\\0DWMY:]{0,256}")
# No comment or report is longer; what lies behind is looked for no more.
LONGEST_TEXT, LONGEST_BYTES = 1 << 20, 1 << 16
DEEPEST = 32
# How a data set without a preamble begins: group 2 or 8, in both byte orders.
GROUPS = (b"\x02\0", b"\x08\0", b"\0\x02", b"\0\x08")
# Values above this are left on the disk.
DEFER = 1 << 16
# Where pixels begin, in both byte orders.
PIXELS = re.compile(rb"\xe0\x7f[\x08\x09\x10]\0|\x7f\xe0\0[\x08\x09\x10]")


class Damaged(Exception):
    """pydicom cannot read a file that begins like DICOM, or nothing of an image; `found` is what it
    could read."""

    def __init__(self, found: Identifiers):
        super().__init__()
        self.found = found


def of_dicom(path: Path) -> Identifiers:
    """The identifiers of a DICOM file, and as kind "patient" whose it is; empty where it is none.

    Raises:
        Damaged: it begins like DICOM.
        OSError: it cannot be read.
    """
    with open(path, "rb") as file:
        start = file.read(132)
    if start[128:] != b"DICM" and start[:2] not in GROUPS:
        return set()
    with reading.quiet():
        dataset = _read(path)
        if not any(
            keyword in dataset for keyword in ("SOPClassUID", "Rows", "Modality", "PatientID")
        ):
            # pydicom takes a length that lies for the end of the file
            raise Damaged(of_dataset(dataset))
        found = of_dataset(dataset)  # before pydicom reads any text
        patient = reading.text(dataset, "PatientID") + reading.text(dataset, "PatientName")
        return found | {("patient", patient or reading.text(dataset, "SOPInstanceUID"))}


def of_remains(path: Path) -> Identifiers:
    """The identifiers in the printable parts of a file that cannot be read as DICOM, as far as its
    pixels.

    Raises:
        OSError: it cannot be read.
    """
    with open(path, "rb") as file:
        content = file.read(LONGEST_TEXT)
    pixels = PIXELS.search(content)
    content = content[: pixels.start()] if pixels else content
    parts = (content[at : at + LONGEST_BYTES] for at in range(0, len(content), LONGEST_BYTES - 256))
    return set().union(*map(of_bytes, parts))


def of_dataset(dataset: pydicom.Dataset) -> Identifiers:
    """The identifiers of a data set, its file meta information and all that is nested in it."""
    pairs: Identifiers = set()
    _add_dataset(pairs, getattr(dataset, "file_meta", None), 0)
    _add_dataset(pairs, dataset, 0)
    return pairs


def _read(path: Path) -> pydicom.Dataset:
    check_installation()
    with open(path, "rb") as file:
        if deflated.unpacks_to_more(file, reading.MAX_INFLATED):
            raise Damaged(set())
    # What follows the pixels is read too; a file that is cut short among them, up to there.
    for options in ({"defer_size": DEFER}, {"stop_before_pixels": True}):
        try:
            return pydicom.dcmread(path, force=True, **options)
        except (PermissionError, FileNotFoundError):
            raise
        except (Exception, MemoryError):
            continue
    raise Damaged(set())


def _add_dataset(pairs: Identifiers, dataset: pydicom.Dataset | None, depth: int) -> None:
    for tag in list(dataset.keys()) if dataset is not None and depth < DEEPEST else ():
        if tag.group == 0x7FE0:
            continue
        try:
            raw = dataset.get_item(tag)
            if _is_numbers(raw):
                continue
            content = _undeclared(raw)
            element = dataset[tag]
            if element.VR == "SQ":
                for item in element.value:
                    _add_dataset(pairs, item, depth + 1)
            else:
                pairs |= of_element(element)
                # Without a character set, or with a wrong one, pydicom reads other letters.
                for reading in encodings.readings(content) if content else ():
                    for value in reading.split("\\"):
                        pairs |= _of_value(tag, element.VR, value)
        except (Exception, MemoryError):  # a value that breaks its own rules: as bytes
            with contextlib.suppress(Exception):
                pairs |= of_bytes(dataset.get_item(tag).value)


def _is_numbers(element) -> bool:
    """Whether a known element that was not looked at yet holds numbers, which `of_element` gives
    nothing for.

    Most elements are such; pydicom would take most of the time for them.
    """
    if (
        not isinstance(element, RawDataElement)
        or not isinstance(element.value, bytes)
        or not known(element.tag)
    ):
        return False
    vr = element.VR if element.VR and element.VR != "UN" else _dictionary_vr(element.tag)
    if vr in OF_NUMBERS:
        return len(element.value) % OF_NUMBERS[vr] == 0 and len(element.value) <= 64
    return vr in ("IS", "DS", "AS", "TM") and OF_DIGITS.fullmatch(element.value) is not None


def undeclared(dataset: pydicom.Dataset) -> Iterator[bytes]:
    """The texts of a data set, nested ones too, that hold more than ASCII, as they are written.

    Asked before pydicom has read them.
    """
    for tag in list(dataset.keys()):
        raw = dataset.get_item(tag)
        content = _undeclared(raw) if tag.group != 0x7FE0 else b""
        if content:
            yield content
        elif (raw.VR or (known(tag) and _dictionary_vr(tag))) == "SQ":
            for item in dataset[tag].value:
                yield from undeclared(item)


def _undeclared(element) -> bytes:
    """The bytes of a text that has to be read in a character set; none where it needs none."""
    content = element.value if isinstance(element, RawDataElement) else None
    if not isinstance(content, bytes) or len(content) > LONGEST_BYTES:
        return b""
    if content.isascii() and b"\x1b" not in content:
        return b""
    vr = element.VR if element.VR and element.VR != "UN" else ""
    vr = vr or (_dictionary_vr(element.tag) if known(element.tag) else "")
    return content.strip(b"\0 ") if vr in (*TEXT_VRS, "PN") else b""


@functools.cache
def _dictionary_vr(tag) -> str:
    return dictionary_VR(tag)


def of_element(element: pydicom.DataElement) -> Identifiers:
    """The identifiers in one element that is no sequence."""
    values = (
        element.value
        if isinstance(element.value, (pydicom.multival.MultiValue, list, tuple))
        else [element.value]
    )
    return set().union(*(_of_value(element.tag, element.VR, value) for value in values))


def _of_value(tag, vr: str, value) -> Identifiers:
    keyword = keyword_for_tag(tag)
    if keyword in NOT_OF_A_PATIENT or not value:
        return set()
    if isinstance(value, bytes):
        return of_bytes(value) if not known(tag) or is_protected(tag) else set()
    text = str(value)[:LONGEST_TEXT].strip().strip("\0").strip()
    if vr == "PN":
        return identifiers.of_name(text)
    if vr in ("DA", "DT"):
        return identifiers.of_date(text)
    if vr == "UI":
        return identifiers.of_uid(text)
    if vr in TEXT_VRS or vr == "UN":
        return _of_text(tag, vr, keyword, text)
    return identifiers.of_number(text) if tag.is_private and vr in ("IS", "DS") else set()


def _of_text(tag, vr: str, keyword: str, text: str) -> Identifiers:
    if keyword in DEFINED:
        if text in DEFINED[keyword]:
            return set()
        return identifiers.of_text(text) | identifiers.of_name(text)
    if may_stay(tag, vr, keyword):
        # The same few words in every file of an export.
        return _of_kept(text) if len(text) <= 64 else identifiers.of_kept(text)
    pairs = identifiers.of_place(text) if PLACE.search(keyword) else identifiers.of_text(text)
    if NUMBER.search(keyword):
        pairs |= identifiers.of_number(text)
    if "^" in text:
        pairs |= identifiers.of_name(text)
    return pairs


@functools.lru_cache(1 << 14)
def _of_kept(text: str) -> frozenset[tuple[str, str]]:
    return frozenset(identifiers.of_kept(text))


def of_bytes(content: bytes | None) -> Identifiers:
    """The identifiers in the printable parts of binary content."""
    pairs: Identifiers = set()
    for run in PRINTABLE.findall((content or b"")[:LONGEST_BYTES]):
        for text in encodings.decode(run).splitlines():
            pairs |= identifiers.of_text(text)
            pairs |= identifiers.of_name(text) if "^" in text else set()
    return pairs


def may_stay(tag, vr: str, keyword: str) -> bool:
    """Whether a text element may stay in de-identified DICOM."""
    return known(tag) and not is_explanation(vr, keyword) and not is_protected(tag)


def is_explanation(vr: str, keyword: str) -> bool:
    """Whether anything may be written into an element, which the profile's table leaves alone."""
    return keyword in EXPLANATIONS or vr in FREE_TEXT_VRS


@functools.cache
def known(tag) -> bool:
    """Whether the standard has this element."""
    return not tag.is_private and dictionary_has_tag(tag)


def is_protected(tag) -> bool:
    """Whether Table E.1-1 names this element."""
    return action(tag) is not None


@functools.cache
def action(tag) -> str | None:
    """What Table E.1-1 does with this element: D, Z, X or U; None where it does not name it."""
    exact, masked = _table()
    named = exact.get((tag.group, tag.element))
    for (group, element, of_group, of_element), masked_action in masked.items():
        if named is None and tag.group & of_group == group & of_group:
            named = masked_action if tag.element & of_element == element & of_element else None
    return named


@functools.cache
def _table() -> tuple[dict[tuple, str], dict[tuple, str]]:
    """{(group, element): action}, {(group, element and the masks of both): action}."""
    from dicomanonymizer.dicomfields_selector import dicom_anonymization_database_selector

    actions = {}
    for name, tags in dicom_anonymization_database_selector(PROFILE).items():
        if name in CHOSEN:
            actions |= dict.fromkeys(tags, CHOSEN[name])
    exact = {tag: action for tag, action in actions.items() if len(tag) == 2}
    return exact, {tag: action for tag, action in actions.items() if len(tag) == 4}
