"""A report as its sections, and the spelling in which words and phrases are compared."""

import re
import unicodedata
from collections.abc import Iterator

# What stands for plus, minus and "perhaps" behind a finding, and for a minus before one.
PLUS, MINUS, PERHAPS, MINUS_BEFORE = "⊕", "⊖", "⊘", "⊟"
SIGNS = {"(+)": PLUS, "(-)": MINUS, "(?)": PERHAPS}
MARKS = re.compile(rf"[^\w,?/'{PLUS}{MINUS}{PERHAPS}{MINUS_BEFORE}]+")
COMMAS = re.compile(rf"\s*([,?/{PLUS}{MINUS}{PERHAPS}{MINUS_BEFORE}])\s*")
DASHES = re.compile("[\u2010-\u2015\u2212]")
# Chinese, Japanese and Korean are written with and without blanks, and particles grow onto their
# words: each character is a word.
ALONE = re.compile("([\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff])")
# No report is as long; what a broken table holds beyond is not read.
LONGEST = 20_000
BLANK_LINE = re.compile(r"\n[ \t]*\n")


def header_pattern(names: tuple[str, ...]) -> re.Pattern:
    """Finds the name of a section: before a colon or a bracket, in brackets, or alone on a line."""
    either = "|".join(
        re.escape(name).replace(r"\ ", r"[ \t]+") for name in sorted(names, key=len, reverse=True)
    )
    return re.compile(
        rf"(?:^|(?<=[.;])|(?<=[.;]\s))[ \t]*(?P<colon>{either})[ \t]*[:)\]]"
        rf"|^[ \t]*[\[<(][ \t]*(?P<bracketed>{either})[ \t]*[\]>)][ \t]*:?"
        rf"|^[ \t]*(?P<line>{either})[ \t]*$",
        re.IGNORECASE | re.MULTILINE,
    )


def sections(report: str, header: re.Pattern) -> Iterator[tuple[str, str]]:
    """(name in lower case, text) of each section; the name is "" for what stands before the first
    one."""
    report = unified(report[:LONGEST])
    at, name = 0, ""
    for found in header.finditer(report):
        before = report[at : found.start()].rstrip(" \t").removesuffix("\n").rstrip(" \t")
        if (found["line"] or "").islower() and before and before[-1] not in ".:;\n":
            continue  # "compared to the prior\nstudy"
        yield name, report[at : found.start()]
        name = " ".join((found["colon"] or found["bracketed"] or found["line"]).lower().split())
        at = found.end()
    yield name, report[at:]


def until_blank_line(text: str) -> tuple[str, str]:
    """What stands before the first empty line that follows some text, and the rest."""
    start = len(text) - len(text.lstrip())
    found = BLANK_LINE.search(text, start)
    return (text, "") if found is None else (text[: found.start()], text[found.end() :])


def unified(text: str) -> str:
    """One character for what looks the same: full and half width, Korean in parts, dashes, quotes,
    ends of lines."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if text.isascii():
        return text
    text = unicodedata.normalize("NFKC", text.replace("\u2019", "'"))
    return DASHES.sub("-", text).replace("\u2028", "\n").replace("\u00b1", "+/-")


def normal_form(text: str) -> str:
    """One spelling for a sentence and for the phrases that are looked for in it."""
    text = MARKS.sub(" ", text.lower().replace("\u2019", "'").replace("_", " "))
    if not text.isascii():
        text = ALONE.sub(r" \1 ", text)
    return " ".join(COMMAS.sub(r" \1 ", text).split())
