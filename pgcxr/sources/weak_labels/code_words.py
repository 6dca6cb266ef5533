"""The words beside a diagnosis code: whether they take it back, and whether they say nothing but
what the code of an examination says itself."""

import re
import unicodedata
from functools import cache

from pgcxr.sources.weak_labels import toml_file

# German suffixes (ICD-10-GM): excluded, suspected, status post; confirmed, and the sides.
DOUBTED, CONFIRMED = "AVZ", "GLRB"
SUFFIXES = re.compile(
    rf"\s*[-:=.]?\s*[(\[]?\s*([{DOUBTED}{CONFIRMED}](?:\s*[+,/]?\s*[{DOUBTED}{CONFIRMED}])?)"
    r"\s*[)\]]?\s*(?=$|[-.:;()*+!]|[A-Z]\d)"
)
GROWN = re.compile(
    rf"([A-Z]\d[0-9A-Z](?:\.?\d+)?)([{DOUBTED}{CONFIRMED}]{{1,2}})|([JR]\d\d)\.([AVZG])"
)
# With more characters the letter is the seventh of ICD-10-CM: S22.31XA.
SEVENTH = 7
# A suffix behind the text, and what a letter belongs to otherwise.
LAST_LETTER = re.compile(rf"([^\W\d_]+)\W+[{DOUBTED}]\W*$")
LETTERED = frozenset(
    ("INFLUENZA", "HEPATITIS", "VITAMIN", "TYPE", "TYP", "GRADE", "STAGE", "FACTOR", "FAKTOR")
    + ("GROUP", "GRUPPE", "STREPTOCOCCUS", "STREPTOKOKKEN", "CLASS")
)
# Behind a code and alone; within a title it is part of one (old myocardial infarction).
OLD = ("OLD", "ALT", "ALTE", "ALTER")
SCREENING = re.compile(
    r"SCREEN|VORSORGE|TESTING|DEPIST|PESQUISA|CHECK|REIHENUNTERSUCHUNG|\uc120\ubcc4"
)
# "Of lung cancer" before "screening" or "concerning".
KOREAN_SCREENED = (
    "(?:호흡기관의|호흡기관|호흡기|폐|기관지|심혈관|위장관|유방|감염성)?\\s*(?:결핵|신생물|암|장애|질환|감염)"
    "(?=(?:에|의|을|를)?\\s*(?:대한|위한)?\\s*(?:특수)?\\s*(?:선별|검진))"
)
QUERIED = re.compile(r"(?<!\?)\?(?!\?)")
WORD = re.compile(r"[^\W\d_]+")


def suffixes(code: str, after: str) -> tuple[str, str, str]:
    """(code without letters that have grown onto it, suffixes, the text `after` it without them).

    Example:

        >>> suffixes("J90A", ""), suffixes("J18.9", " V links"), suffixes("S22.31XA", "")
        (('J90', 'A', ''), ('J18.9', '', ' V links'), ('S22.31XA', '', ''))
    """
    letters = ""
    grown = GROWN.fullmatch(code) if len(code.replace(".", "")) < SEVENTH else None
    if grown:
        code, letters = grown[1] or grown[3], grown[2] or grown[4]
    found = SUFFIXES.match(after)
    if found:
        letters, after = letters + found[1], after[found.end() :]
    return code, letters, after


def take_back(before: str, after: str, *, examination: bool = False) -> bool:
    """Whether texts before and behind codes deny or doubt them; beside an `examination` (and other
    reasons for an encounter) the titles themselves speak of histories and of what is ruled out."""
    before, after = _without_titles(before), _without_titles(after)
    negations = _pattern("negations")
    near, last = _pattern("negations_near").finditer(before.strip()), len(before.strip())
    if any(found.start() == 0 or found.end() == last for found in near):
        return True
    alone = after.strip(" -:=.()[]")
    if negations.search(before) or negations.fullmatch(alone) or alone in OLD:
        return True
    if QUERIED.search(before[-3:]) or QUERIED.match(after.strip(" ([")):
        return True
    last_letter = LAST_LETTER.search(after[-40:])
    if last_letter and last_letter[1] not in LETTERED:
        return True
    doubts = _pattern("doubts")
    return not examination and (bool(doubts.search(before)) or bool(doubts.search(after)))


def only_doubt(text: str) -> bool:
    """Whether a text denies or doubts what stands before it, and says nothing else."""
    text = plain(text)
    if re.fullmatch(rf"\W*[{DOUBTED}]\W*", text):
        return True
    left = _pattern("doubts").sub(" ", text)
    return left != text and not WORD.search(_pattern("negations").sub(" ", left))


def is_title(text: str) -> bool:
    """Whether a text says no more than the code of an examination does.

    Example:

        >>> is_title("GENERAL MEDICAL EXAMINATION"), is_title("PNEUMOTHORAX")
        (True, False)
    """
    text = _pattern("examination_phrases").sub(" ", _without_titles(text))
    if "?" in text or "\ufffd" in text:
        return False
    if SCREENING.search(text):
        text = _screened().sub(" ", text)
    words, parts = _words("examination_words"), _parts()
    return all(word in words or not parts.sub("", word) for word in WORD.findall(text))


def plain(text: str) -> str:
    """Capitals without accents."""
    text = unicodedata.normalize("NFKD", text.upper())
    text = "".join(mark for mark in text if unicodedata.category(mark) != "Mn")
    return unicodedata.normalize("NFC", text)


def _without_titles(text: str) -> str:
    return _pattern("title_phrases").sub(" ", plain(text))


@cache
def _content() -> dict:
    return toml_file.read(None, __package__, "code_words.toml")[1]


@cache
def _words(key: str) -> frozenset[str]:
    return frozenset(map(plain, _content()[key]))


@cache
def _pattern(key: str) -> re.Pattern:
    """Finds a phrase of the list, the longest first."""
    spelled = sorted(_words(key) - {"?"}, key=len, reverse=True)
    either = "|".join(
        r"[\s.,-]*".join(re.escape(word).replace(r"\*", r"\w*") for word in phrase.split())
        for phrase in spelled
    )
    return re.compile(rf"(?<![^\W_])(?:{either})(?![^\W_])")


@cache
def _parts() -> re.Pattern:
    return re.compile(
        f"(?:{'|'.join(sorted(_words('examination_parts'), key=len, reverse=True))})+"
    )


@cache
def _screened() -> re.Pattern:
    either = rf"(?:{'|'.join(sorted(_words('screened'), key=len, reverse=True))})\b"
    return re.compile(
        rf"\b(?:FOR|OF|AUF|DE|DES)\s+{either}(?:[\s/-]+{either})*"
        rf"|\b{either}(?:[\s/-]+{either})*(?=[\s-]+(?:SCREEN|CHECK))"
        rf"|{KOREAN_SCREENED}"
    )
