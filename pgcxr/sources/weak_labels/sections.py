"""A report as its sentences, without the sections that do not describe the image."""

import re
from collections.abc import Iterator

SENTENCE = re.compile(
    r"(?<=\w)[.;!?]+(?=\s|$)|(?<=[)\]\"])[.;!]+(?=\s|$)|\n\s*\n|\n\s*(?:\d{1,2}[.)]|[-*•])\s"
)
MARKS = re.compile(r"[^\w,?/']+")
COMMAS = re.compile(r"\s*([,?/])\s*")
# No report is as long; what a broken table holds beyond is not read.
LONGEST = 20_000
# Nor is a sentence: a text without full stops is read in pieces.
MOST_WORDS = 100
BLANK_LINE = re.compile(r"\n[ \t]*\n")


def header_pattern(names: tuple[str, ...]) -> re.Pattern:
    """Finds the name of a section: before a colon, or alone on a line."""
    either = "|".join(
        re.escape(name).replace(r"\ ", r"[ \t]+") for name in sorted(names, key=len, reverse=True)
    )
    return re.compile(
        rf"(?:^|(?<=[.;])|(?<=[.;]\s))[ \t]*(?P<colon>{either})[ \t]*:"
        rf"|^[ \t]*(?P<line>{either})[ \t]*$",
        re.IGNORECASE | re.MULTILINE,
    )


def sections(report: str, header: re.Pattern) -> Iterator[tuple[str, str]]:
    """(name in lower case, text) of each section; the name is "" for what stands before the first
    one."""
    report = report[:LONGEST].replace("\r\n", "\n").replace("\r", "\n")
    at, name = 0, ""
    for found in header.finditer(report):
        yield name, report[at : found.start()]
        name = " ".join((found["colon"] or found["line"]).lower().split())
        at = found.end()
    yield name, report[at:]


def until_blank_line(text: str) -> tuple[str, str]:
    """What stands before the first empty line that follows some text, and the rest."""
    start = len(text) - len(text.lstrip())
    found = BLANK_LINE.search(text, start)
    return (text, "") if found is None else (text[: found.start()], text[found.end() :])


def sentences(text: str) -> Iterator[str]:
    """The words of sentences and list items in lower case, marks other than , ? / ' left out."""
    for sentence in SENTENCE.split(text):
        words = normal_form(sentence).split()
        for at in range(0, len(words), MOST_WORDS):
            yield " ".join(words[at : at + MOST_WORDS])


def normal_form(text: str) -> str:
    """One spelling for a sentence and for the phrases that are looked for in it."""
    text = MARKS.sub(" ", text.lower().replace("\u2019", "'").replace("_", " "))
    return " ".join(COMMAS.sub(r" \1 ", text).split())
