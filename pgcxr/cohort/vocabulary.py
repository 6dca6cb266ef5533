"""The words that a manifest may hold of a patient: closed lists, as free text of a header never
goes out."""

import re

from pgcxr.cohort import spelling

SPLITS = ("train", "val", "test")

# HIPAA Safe Harbor: ages above 89 are one category.
OLDEST_SHOWN = 90
# Free text of a header never goes out: a maker is one of these, "other", or "" where the header is
# silent.
MAKERS = {
    "GE": ("GE", "GENERAL ELECTRIC"),
    "Siemens": ("SIEMENS",),
    "Philips": ("PHILIPS",),
    "Fujifilm": ("FUJI", "FUJIFILM"),
    "Agfa": ("AGFA",),
    "Carestream": ("CARESTREAM", "KODAK", "EASTMAN"),
    "Canon": ("CANON",),
    "Konica Minolta": ("KONICA", "MINOLTA"),
    "Samsung": ("SAMSUNG",),
    "Shimadzu": ("SHIMADZU",),
    "Toshiba": ("TOSHIBA",),
    "Hologic": ("HOLOGIC",),
    "DRTECH": ("DRTECH",),
    "Vieworks": ("VIEWORKS",),
}
VIEWS = {
    "PA": ("PA", "POSTEROANTERIOR", "POSTERIORANTERIOR"),
    "AP": ("AP", "ANTEROPOSTERIOR", "ANTERIORPOSTERIOR"),
    "LATERAL": ("LL", "RL", "LAT", "LATERAL", "LLAT", "RLAT", "LARGELATERAL"),
    "OBLIQUE": ("LLO", "RLO", "LPO", "RPO", "LAO", "RAO"),
}


def same_patient(identifier: str) -> str:
    """One spelling for one patient: case, blanks and leading zeros differ between a PACS and a
    table, and a spreadsheet does more."""
    return spelling.number(identifier)


def shown_age(age: float | None) -> str:
    """Whole years; 90 stands for 90 and above; "" where unknown."""
    return "" if age is None else str(min(int(age), OLDEST_SHOWN))


def shown_sex(sex: str) -> str:
    """M, F, O or ""."""
    return sex if sex in ("M", "F", "O") else ""


def shown_maker(text: str) -> str:
    """The maker's name from MAKERS, "other", or "" where `text` is empty."""
    words = " ".join(re.findall(r"[A-Z0-9]+", text.upper()))
    for name, spellings in MAKERS.items():
        if any(re.search(rf"\b{spelling}", words) for spelling in spellings if len(spelling) > 2):
            return name
        if any(spelling in words.split() for spelling in spellings):
            return name
    return "other" if words else ""


def shown_view(text: str) -> str:
    """PA, AP, LATERAL, OBLIQUE, "other", or "" where `text` is empty.

    Example:

        >>> shown_view("Chest: AP erect"), shown_view("Thorax p.a."), shown_view("PA and lateral")
        ('AP', 'PA', 'other')
    """
    words = re.findall(r"[A-Z]+", re.sub(r"\b([AP])[./]\s?([AP])\b", r"\1\2", text.upper()))
    for parts in (("".join(words),), words):
        found = {view for view, spellings in VIEWS.items() if {*parts} & {*spellings}}
        if len(found) == 1:
            return found.pop()
    return "other" if words else ""
