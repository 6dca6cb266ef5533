"""The Basic Application Level Confidentiality Profile (PS3.15 E.2) on one data set, nested ones
included.

What happens to which element is Table E.1-1 of edition 2026c, with dummy values by VR, both from
dicom-anonymizer. Where that library falls short of the table it is done here: it leaves nested data
sets alone, keeps removed dates as year 1, draws UIDs anew in every process and replaces those of
SOP classes in sequences, too. Beyond the table:

- private elements, elements that the standard does not know, and UIDs, names, dates and
  explanations in free text that the table does not name go;
- a character set or sex that is none of those that the standard defines goes (texts are written as
  UTF-8 then);
- an element that is kept, of any kind, is emptied if one of the file's own identifiers stands in
  it: a name in the manufacturer, a number in an exposure;
- patient ID, name and accession number become keyed hashes (those of cohorts of the same key), UIDs
  keyed UIDs (2.25.), so that files of one patient, study and series stay together, also in exports
  made at different times.
"""

import datetime
import hashlib
import hmac
import uuid
from dataclasses import dataclass

import pydicom
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.sr.codedict import codes
from pydicom.uid import UID_dictionary

import pgcxr
from pgcxr.cohort import vocabulary
from pgcxr.dicom import ages
from pgcxr.privacy import hashing
from pgcxr.privacy.audit import elements, own_words
from pgcxr.privacy.audit.fingerprints import MOST_WORDS, words
from pgcxr.privacy.deidentified.options import SHIFT, DeidentificationOptions

# Days that dates are put back by, at most: ten years.
FARTHEST = 3652
CHARACTERISTICS = ("PatientAge", "PatientSex", "PatientSize", "PatientWeight")
DEEPEST = 32
UTF_8 = "ISO_IR 192"


def apply(dataset: Dataset, key: bytes, options: DeidentificationOptions, cleaned: bool) -> None:
    """De-identifies `dataset` in place, but not its pixels.

    Args:
        cleaned: whether what was burned into the pixels has been made black (Clean Pixel Data
            Option).
    """
    pairs = [pair for pair in elements.of_dataset(dataset) if _is_identity(*pair)]
    identities = {
        value for (_, value), own in zip(pairs, own_words.are_own(pairs), strict=True) if not own
    }
    patient = vocabulary.same_patient(str(dataset.get("PatientID") or ""))
    number = str(dataset.get("AccessionNumber") or "")
    age = ages.age_in_years(str(dataset.get("PatientAge") or ""))
    work = _Work(key, options, identities, _days(key, patient or number))
    work.clean(dataset, 0)
    hashed = hashing.keyed_hash(key, "patient", patient) if patient else ""
    dataset.PatientID = dataset.PatientName = hashed
    dataset.AccessionNumber = hashing.keyed_hash(key, "accession", number) if number else ""
    if options.keep_characteristics and age is not None and age >= vocabulary.OLDEST_SHOWN:
        dataset.PatientAge = f"{vocabulary.OLDEST_SHOWN:03d}Y"
    _declare(dataset, options, cleaned)
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = dataset.file_meta.TransferSyntaxUID
    dataset.file_meta, dataset.preamble = meta, b"\0" * 128


def _is_identity(kind: str, value: str) -> bool:
    # A word of a comment or description may as well be that of a body part or a maker.
    return kind in ("name", "number", "date", "uid") or (kind == "text" and not value.isalpha())


def _declare(dataset: Dataset, options: DeidentificationOptions, cleaned: bool) -> None:
    """Says what was done (PS3.15 E.1.1, PS3.3 C.7.1.1, C.12.1)."""
    done = [codes.DCM.BasicApplicationConfidentialityProfile]
    done += [codes.DCM.CleanPixelDataOption] * cleaned
    if options.dates == SHIFT:
        done.append(codes.DCM.RetainLongitudinalTemporalInformationModifiedDatesOption)
    done += [codes.DCM.RetainPatientCharacteristicsOption] * options.keep_characteristics
    dataset.PatientIdentityRemoved = "YES"
    dataset.DeidentificationMethod = f"pgcxr {pgcxr.__version__}: DICOM PS3.15 basic profile"
    dataset.DeidentificationMethodCodeSequence = Sequence()
    for code in done:
        item = Dataset()
        item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = (
            code.value,
            "DCM",
            code.meaning,
        )
        dataset.DeidentificationMethodCodeSequence.append(item)
    dataset.LongitudinalTemporalInformationModified = (
        "MODIFIED" if options.dates == SHIFT else "REMOVED"
    )
    if cleaned:
        dataset.BurnedInAnnotation = "NO"


def keyed_uid(key: bytes, uid: str) -> str:
    """A UID under 2.25 (PS3.5 B.2) that only who holds the key could compute; the standard's own
    UIDs stay."""
    if uid in UID_dictionary or uid.startswith("1.2.840.10008."):
        return uid
    digest = hmac.new(key, f"uid\0{uid}".encode(), hashlib.sha256).digest()
    return f"2.25.{uuid.UUID(bytes=digest[:16], version=4).int}"


def _days(key: bytes, patient: str) -> int:
    digest = hmac.new(key, f"days\0{patient}".encode(), hashlib.sha256).digest()
    return 1 + int.from_bytes(digest[:8], "big") % FARTHEST


@dataclass(frozen=True)
class _Work:
    key: bytes
    options: DeidentificationOptions
    found: set[str]
    days: int

    def clean(self, dataset: Dataset, depth: int) -> None:
        for tag in list(dataset.keys()):
            if tag.group == 0x7FE0:
                continue
            if not elements.known(tag) or depth > DEEPEST:
                del dataset[tag]
                continue
            try:
                self._element(dataset, dataset[tag], depth)
            except Exception:  # a value that breaks the rules of its VR
                del dataset[tag]
        for keyword, terms in elements.DEFINED.items():
            # Last, so that all texts are decoded by then.
            if (
                keyword in dataset
                and not set(map(str, _as_list(dataset[keyword].value or ""))) <= terms
            ):
                dataset[keyword].value = UTF_8 if keyword == "SpecificCharacterSet" else None

    def _element(self, dataset: Dataset, element: pydicom.DataElement, depth: int) -> None:
        action = elements.action(element.tag)
        if self.options.keep_characteristics and element.keyword in CHARACTERISTICS:
            action = "K"
        if (
            element.VR in ("DA", "DT")
            and self.options.dates == SHIFT
            and element.tag.group not in (0x0010, 0x0012)
        ):
            element.value = self._shifted(element.value)
        elif element.VR == "TM" and self.options.dates == SHIFT and action:
            pass
        elif action == "U" or (element.VR == "UI" and action is None):
            self._replace_uids(element)
        elif action == "X" or (action is None and _is_anybodys(element)):
            del dataset[element.tag]
        elif action == "Z":
            element.value = [] if element.VR == "SQ" else None
        elif action == "D":
            self._dummy(dataset, element)
        elif element.VR == "SQ":
            for item in element.value:
                self.clean(item, depth + 1)
        elif element.keyword not in elements.DEFINED and self._identifies(element):
            element.value = None

    def _replace_uids(self, element: pydicom.DataElement) -> None:
        if element.VR == "SQ":  # X/Z/U*: references to other images
            for item in element.value:
                self.clean(item, 1)
        elif isinstance(element.value, pydicom.multival.MultiValue):
            element.value = [keyed_uid(self.key, str(uid)) for uid in element.value]
        elif element.value:
            element.value = keyed_uid(self.key, str(element.value))

    def _dummy(self, dataset: Dataset, element: pydicom.DataElement) -> None:
        """A non-empty value that fits the VR. The sequences of action D are in no image's IOD: they
        go."""
        from dicomanonymizer.simpledicomanonymizer import replace_element

        if element.VR == "SQ":
            del dataset[element.tag]
        elif element.VR == "UI":
            self._replace_uids(element)
        elif element.VR in ("DA", "DT", "TM"):
            element.value = (
                None  # nor needs any a date; the library's year 1 is none that validators take
            )
        elif element.value not in (None, "", b""):
            replace_element(element)

    def _identifies(self, element: pydicom.DataElement) -> bool:
        """Whether one of the file's identifiers stands in what would be kept."""
        value = element.value
        text = (
            value.decode("latin-1")
            if isinstance(value, bytes)
            else "\n".join(map(str, _as_list(value)))
        )
        parts = words(text[: elements.LONGEST_TEXT])
        runs = (
            "".join(parts[at : at + n])
            for at in range(len(parts))
            for n in range(1, MOST_WORDS + 1)
        )
        return any(run in self.found for run in runs)

    def _shifted(self, value):
        moved = []
        for text in map(str, _as_list(value)):
            try:
                day = datetime.datetime.strptime(text[:8], "%Y%m%d") - datetime.timedelta(
                    days=self.days
                )
            except (ValueError, OverflowError):
                continue
            moved.append(day.strftime("%Y%m%d") + text[8:])
        return moved[0] if len(moved) == 1 else moved or None


def _is_anybodys(element: pydicom.DataElement) -> bool:
    """Whether an element that the table does not name may identify whatever it says."""
    return element.VR in ("PN", "DA", "DT") or elements.is_explanation(element.VR, element.keyword)


def _as_list(value) -> list:
    return list(value) if isinstance(value, (list, tuple, pydicom.multival.MultiValue)) else [value]
