"""Diagnosis codes: what they say of a study (thesis 1.1), and how they are written.

A cell is read as people write it: several codes with any usual separator between; dagger and
asterisk (A15.0+ J91*), a trailing dash or dot, lower case, no dot, blanks, full-width characters,
and texts before or behind a code. What names no code, or looks like one that is spoilt, becomes
UNREAD: it says that something is there, so that such a study is never normal.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

from pgcxr.cohort.findings import ABNORMAL, NORMAL, TABLE_6, covers
from pgcxr.errors import InputError
from pgcxr.sources.weak_labels import code_words, markup, toml_file
from pgcxr.sources.weak_labels.opinion import POSITIVE, Opinion

CODE = re.compile(r"[A-Z]\d[0-9A-Z](\.?[0-9A-Z]{1,4})?")
# Stands among the codes of a study for what cannot be read.
UNREAD = "?"
# Within a text. A third letter is A or B (ICD-10-CM): J9O is J90 with a wrong key.
WITHIN = re.compile(
    r"(?<![A-Z0-9])([A-Z]\d[0-9AB])"
    r"(?:\s?[.,]\s?(\d[0-9A-Z]{0,3})|\.([A-Z]\d{0,3}|X{1,3}[A-Z])|([0-9A-Z]{1,4}))?(?![A-Z0-9])"
)
# Between two codes, or texts for them. A comma before a digit is a decimal one: J18,9.
SEPARATORS = re.compile(
    r"([;|~\n\r\t\v\f\u3001\u30fb\u00b7\u2022\u2028\u2029]|,(?!\s?\d)|(?<![A-Z])\s*[/&]\s*)"
)
# Names of the code system: HL7's I10 in J18.9^Pneumonia^I10 is no hypertension.
SYSTEM = re.compile(
    r"\^\s*(?:I10[A-Z]{0,2}|I9C?|ICD[-\s]?\d*[-A-Z]*)(?=$|[\s;|,~&])"
    r"|\b(?:ICD|KCD)[-\s]?(?:10|11|\d)?(?:[-\s](?:CM|GM|WHO|AM|CA|TM|KM))?\b\s*[:=#]?"
)
# "1. J90" and "J 90" at the beginning of a part.
ENUMERATED, PARTED = (
    re.compile(r"^\W*\(?\d{1,2}[.):]\s*(?=[A-Z])"),
    re.compile(r"^(\W*[A-Z])[\s.-](?=\d[0-9AB](?![A-Z]))"),
)
RULED_OUT = re.compile(r"\bR\s*[/.]\s*O\b")
# How the titles of codes go on behind a comma: "Special examination, unspecified".
TITLE = re.compile(
    r"\s*(?:W/O|WITHOUT|WITH NO|NOT ELSEWHERE|NOT SPECIFIED|UNSPECIFIED|NOS\b|NEC\b|INITIAL|"
    r"SUBSEQUENT|SO DESCRIBED|SUSPECTED OR REPORTED|NICHT N|AND?ERENORTS|NON CLASS|NO CLASIF)"
)
# In titles of diseases: type 2, COVID-19, grade3.
NUMBERED = re.compile(r"\d{1,2}|[A-Z]{3,}\d")
# Two codes with nothing between them: J189J90.
GLUED = re.compile(r"[A-WYZ]\d[0-9AB]")
BLANK = frozenset(("NULL", "NONE", "NIL", "NAN", "NA", "N/A", "\\N", "#N/A"))


@dataclass(frozen=True)
class CodeLists:
    """Roots of code subtrees: those of examinations without a diagnosis, those of each finding, and
    of the examinations that found something without a word of what."""

    normal: tuple[str, ...]
    findings: dict[str, tuple[str, ...]]
    unclear: tuple[str, ...] = ()

    def findings_of(self, codes: Sequence[str]) -> tuple[str, ...]:
        """The findings that the codes stand for, in the order of Table 6."""
        return tuple(
            name
            for name in TABLE_6
            if any(covers(root, code) for root in self.findings.get(name, ()) for code in codes)
        )

    def is_normal(self, code: str) -> bool:
        """Whether the code says that somebody was examined and nothing was found."""
        return any(covers(root, code) for root in self.normal)

    def is_unclear(self, code: str) -> bool:
        """Whether the code says that something was found, but not what."""
        return any(covers(root, code) for root in self.unclear)

    def opinion(self, codes: Sequence[str], neutral: Sequence[str] = ()) -> Opinion:
        """What the codes of a study say; nothing where none is left without those under the
        `neutral` roots."""
        deciding = [code for code in codes if not any(covers(root, code) for root in neutral)]
        known = [code for code in deciding if code != UNREAD and not self.is_unclear(code)]
        normal = all(self.is_normal(code) for code in known)
        if not known or (normal and len(known) < len(deciding)):
            return Opinion("codes", "")
        label = NORMAL if normal else ABNORMAL
        return Opinion("codes", label, dict.fromkeys(self.findings_of(known), POSITIVE))


@lru_cache(1 << 16)
def parse(cell: str, examinations: tuple[str, ...] | None = None) -> tuple[str, ...]:
    """The codes in a cell of a table, each once, in its order; UNREAD at their end where something
    in it cannot be read.

    Args:
        cell: as it stands in the table.
        examinations: roots of the codes without a diagnosis, beside which no text but their titles
            may stand; those of the lists shipped where None.

    Example:

        >>> parse("Z01.8;A16.5+ J91*"), parse("J90 Pleural effusion / j189")
        (('Z01.8', 'A16.5', 'J91'), ('J90', 'J189'))
        >>> parse("Z00.0; pleural effusion"), parse("Z00.0;J9"), parse("Z00.0 Pneumonia; no J90")
        (('Z00.0', '?'), ('Z00.0', '?'), ('Z00.0', '?'))
    """
    roots = _shipped() if examinations is None else examinations
    text = unicodedata.normalize("NFKC", markup.plain(cell)).upper()
    text = "".join(mark for mark in text if unicodedata.category(mark) != "Cf")
    text = RULED_OUT.sub("R/O", re.sub(r"[\u2010-\u2015\u2212]", "-", text))
    parts = SEPARATORS.split(SYSTEM.sub(" ", text))
    read: list[tuple[str, ...]] = []
    unread = titled = False
    for part, before in zip(parts[::2], ("", *parts[1::2]), strict=True):
        part = PARTED.sub(r"\1", ENUMERATED.sub("", part))
        found, spoilt, texts = _codes_of(part)
        words = re.findall(r"[^\W_]+", " ".join(texts))
        examined = bool(found) and all(any(covers(r, code) for r in roots) for code in found)
        goes_on = titled and before == "," and TITLE.match(part) is not None
        if found:
            title = not examined and any(word.isalpha() and len(word) > 1 for word in words)
            unread = (
                unread
                or spoilt
                or any(
                    any(map(str.isdigit, word)) and not (title and NUMBERED.fullmatch(word))
                    for word in words
                )
            )
            if code_words.take_back(
                " ".join(texts[:-1]), texts[-1], examination=all(c[0] == "Z" for c in found)
            ):
                found, unread = (), True
            unread = unread or (examined and not code_words.is_title(" ; ".join(texts)))
        elif spoilt:
            unread = True
        elif words and not goes_on and part.strip() not in BLANK:
            unread = True
            if read and code_words.only_doubt(part):
                read[-1] = ()
        elif goes_on and titled == "examination":
            unread = unread or not code_words.is_title(part)
        # A spreadsheet shows #### where a column is too narrow.
        unread = unread or (not found and ("?" in part or "##" in part))
        if found:
            read.append(found)
        titled = (
            goes_on
            and titled
            or (bool(found and words) and ("examination" if examined else "disease"))
        )
    codes = dict.fromkeys(code for found in read for code in found)
    return (*codes, *((UNREAD,) if unread else ()))


def _codes_of(part: str) -> tuple[tuple[str, ...], bool, list[str]]:
    """(codes, whether any is spoilt or taken back by its suffix, texts before, between and behind
    them) of what stands between two separators."""
    found, texts, at, spoilt = [], [], 0, False
    matches = list(WITHIN.finditer(part))
    ends = [match.start() for match in matches[1:]] + [len(part)]
    for match, stop in zip(matches, ends, strict=False):
        end = match[2] or match[3] or match[4] or ""
        code = match[1] + ("" if match[4] or not end else ".") + end
        texts.append(part[at : match.start()])
        behind = part[match.end() : stop]
        code, letters, left = code_words.suffixes(code, behind)
        at = match.end() + len(behind) - len(left)
        spoilt = spoilt or GLUED.search(end) is not None
        if set(letters) & set(code_words.DOUBTED):
            spoilt = True
        else:
            found.append(code)
    return tuple(found), spoilt, [*texts, part[at:]]


@cache
def _shipped() -> tuple[str, ...]:
    return load().normal


def load(path: str | Path | None = None) -> CodeLists:
    """The lists shipped with pgcxr, or those of the TOML file `path` in their place."""
    name, content = toml_file.read(path and Path(path), __package__, "icd10.toml")
    toml_file.tables(name, content, {"normal": list, "unclear": list, "findings": dict})
    findings = content.get("findings", {})
    unknown = [finding for finding in findings if finding not in TABLE_6]
    if unknown:
        raise InputError(
            f"{name}: [findings] {unknown[0][:40]}: unknown; the findings are {', '.join(TABLE_6)}"
        )
    lists = CodeLists(
        toml_file.texts(name, content, "normal", needed=True),
        {finding: toml_file.texts(name, findings, finding) for finding in findings},
        toml_file.texts(name, content, "unclear"),
    )
    of_findings = (root for roots in lists.findings.values() for root in roots)
    for root in (*lists.normal, *lists.unclear, *of_findings):
        if not CODE.fullmatch(root.upper()):
            raise InputError(
                f"{name}: {root[:20]!r} is no ICD-10 code; write them as in J90 or S27.0"
            )
    return lists
