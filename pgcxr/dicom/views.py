"""Which projection a header names besides ViewPosition (0018,5101), which only some files have:
ViewCodeSequence (0054,0220), required of DX (PS3.3 C.8.11.5, CID 4010), and descriptions."""

import re

import pydicom

from pgcxr.dicom.reading import text

PA, AP, LATERAL, OBLIQUE = "PA", "AP", "LATERAL", "OBLIQUE"
# SNOMED CT, and SNOMED-RT as older files have it; others are read by their meaning.
CODES = {
    **dict.fromkeys(("272479007", "R-10214"), PA),
    **dict.fromkeys(("399348003", "R-10206"), AP),
    **dict.fromkeys(("399173006", "399198007", "399067008"), LATERAL),
    **dict.fromkeys(("R-10236", "R-10232"), LATERAL),
    **dict.fromkeys(("399033003", "R-10202"), ""),  # frontal, which is either
}
MEANINGS = (
    ("OBLIQUE", OBLIQUE),
    ("LATERAL", LATERAL),
    ("POSTEROANTERIOR", PA),
    ("POSTERIORANTERIOR", PA),
    ("ANTEROPOSTERIOR", AP),
    ("ANTERIORPOSTERIOR", AP),
    ("FRONTAL", ""),
)
DESCRIPTIONS = (
    *("SeriesDescription", "ProtocolName", "AcquisitionDeviceProcessingDescription"),
    "PerformedProcedureStepDescription",
)
WORDS = {
    **{"PA": PA, "AP": AP, "LAT": LATERAL, "LATERAL": LATERAL, "LL": LATERAL, "RL": LATERAL},
    **dict.fromkeys(("SEITLICH", "SEITL", "LATERALE", "LATERAAL", "PROFIL", "측면"), LATERAL),
}


def coded(dataset: pydicom.Dataset) -> str:
    """The view of ViewCodeSequence, "other" where it is none of a chest; "" where it says
    nothing."""
    try:
        items = list(dataset.get("ViewCodeSequence") or ())
    except Exception:
        return ""
    for item in items[:1]:
        value, meaning = text(item, "CodeValue").upper(), _letters(text(item, "CodeMeaning"))
        if value in CODES:
            return CODES[value]
        if meaning:
            found = (view for word, view in MEANINGS if word in meaning)
            return next(found, WORDS.get(meaning, "other"))
    return ""


def described(dataset: pydicom.Dataset) -> tuple[str, ...]:
    """The views that descriptions name, of those that name one alone: a study has PA and LAT."""
    views = set()
    for keyword in DESCRIPTIONS:
        words = re.sub(r"\b([AP])\. ?([AP])\b\.?", r"\1\2", text(dataset, keyword).upper())
        named = {WORDS[word] for word in re.findall(r"[^\W\d_]+", words) if word in WORDS}
        views |= named if len(named) == 1 else set()
    return tuple(sorted(views))


def rows_run_to(dataset: pydicom.Dataset) -> str:
    """The side of the patient to which rows run: A, P, R, L, H, F, or "" where PatientOrientation
    (0020,0020) says nothing. Of a frontal chest that is L, of one that is mirrored R, of a lateral
    one A or P (PS3.3 C.7.6.1.1.1)."""
    try:
        sides = [str(side).strip().upper() for side in dataset.get("PatientOrientation") or ()]
    except Exception:
        return ""
    return sides[0][:1] if len(sides) == 2 and set("".join(sides)) <= set("APRLHF") else ""


def _letters(words: str) -> str:
    return re.sub(r"[^A-Z]", "", words.upper())
