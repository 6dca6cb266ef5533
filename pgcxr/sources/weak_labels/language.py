"""The phrases of one language, from a TOML file (english.toml), checked and ready to be found."""

import re
from dataclasses import dataclass
from pathlib import Path

from pgcxr.cohort.findings import FINDINGS, TABLE_6
from pgcxr.errors import InputError
from pgcxr.sources.weak_labels import toml_file
from pgcxr.sources.weak_labels.phrases import ANY_ENDING, STEM, Phrases, spelled
from pgcxr.sources.weak_labels.sections import header_pattern

# Kinds of phrases that say something of a finding, and the pseudo-findings that such phrases may
# stand for.
TERMS, HEDGED, DENIED = "terms", "hedged", "denied"
OTHER, FALSE_FRIEND, NORMAL_STATEMENT = "other", "false friend", "normal statement"
CONTEXT = (
    *(
        "not_negations",
        "negations_before",
        "negations_after",
        "uncertainties_before",
        "uncertainties_after",
    ),
    *("elsewhere_before", "ends"),
)
WORDS = ("affirmations", "verbs", "alternatives", "lists")
SECTIONS = ("conclusion", "read", "skipped")
NOTHING = re.compile(r"(?!)")


@dataclass(frozen=True)
class Language:
    """What the labeler needs of a language; `name` is the file's."""

    name: str
    findings: Phrases  # meanings (finding, TERMS | HEDGED | DENIED)
    context: Phrases  # meanings (one of CONTEXT, "")
    header: re.Pattern = NOTHING
    skipped: frozenset[str] = frozenset()
    conclusion: frozenset[str] = frozenset()
    affirmations: frozenset[str] = frozenset()
    verbs: frozenset[str] = frozenset()
    alternatives: frozenset[tuple[str, ...]] = frozenset()
    lists: frozenset[str] = frozenset()


def load(path: str | Path | None = None) -> Language:
    """The English that is shipped with pgcxr, or the TOML file `path` in its place.

    Raises:
        InputError: the file is absent, not TOML, lacks a table or one of the five findings, or has
            an unknown key.
    """
    name, content = toml_file.read(path and Path(path), __package__, "english.toml")
    allowed = ("sections", "context", "findings", "other", "false_friends", "normal")
    toml_file.tables(name, content, dict.fromkeys(allowed, dict))
    for key in ("sections", "context", "findings"):
        if key not in content:
            raise InputError(f"{name}: has no table [{key}]; see pgcxr's english.toml for the form")
    sections, context = content["sections"], content["context"]
    toml_file.tables(f"{name}: [sections]", sections, dict.fromkeys(SECTIONS, list))
    toml_file.tables(f"{name}: [context]", context, dict.fromkeys((*CONTEXT, *WORDS), list))
    headers = {key: toml_file.texts(f"{name}: [sections]", sections, key) for key in SECTIONS}
    words = {key: toml_file.texts(f"{name}: [context]", context, key) for key in (*CONTEXT, *WORDS)}
    return Language(
        name=name,
        header=header_pattern(
            tuple(text for texts in headers.values() for text in texts) or ("findings",)
        ),
        skipped=frozenset(" ".join(text.lower().split()) for text in headers["skipped"]),
        conclusion=frozenset(" ".join(text.lower().split()) for text in headers["conclusion"]),
        findings=Phrases(_finding_entries(name, content)),
        context=Phrases(
            (_checked(name, text), (kind, "")) for kind in CONTEXT for text in words[kind]
        ),
        affirmations=frozenset(word.lower() for word in words["affirmations"]),
        verbs=frozenset(word.lower() for word in words["verbs"]),
        alternatives=frozenset(spelled(text) for text in words["alternatives"]),
        lists=frozenset(word.lower() for word in words["lists"]),
    )


def _finding_entries(name: str, content: dict):
    findings = content["findings"]
    toml_file.tables(f"{name}: [findings]", findings, dict.fromkeys(TABLE_6, dict))
    missing = [finding for finding in FINDINGS if finding not in findings]
    if missing:
        raise InputError(
            f"{name}: has no table [findings.{missing[0]}]; give the phrases for each of the five "
            "findings"
        )
    kinds = dict.fromkeys((TERMS, HEDGED, DENIED), list)
    for finding, table in (*findings.items(), (OTHER, content.get("other", {}))):
        toml_file.tables(f"{name}: [{finding}]", table, kinds)
        for kind in kinds:
            for text in toml_file.texts(f"{name}: [{finding}]", table, kind):
                yield _checked(name, text), (finding, kind)
    for table, key, meaning in (
        ("false_friends", "terms", FALSE_FRIEND),
        ("normal", "statements", NORMAL_STATEMENT),
    ):
        toml_file.tables(f"{name}: [{table}]", content.get(table, {}), {key: list})
        for text in toml_file.texts(f"{name}: [{table}]", content.get(table, {}), key):
            yield _checked(name, text), (meaning, DENIED)


def _checked(name: str, phrase: str) -> str:
    words = spelled(phrase)
    if not all(words) or (words[0].endswith(ANY_ENDING) and len(words[0]) <= STEM):
        raise InputError(
            f"{name}: phrase {phrase[:40]!r}: its first word needs {STEM} letters or more before *"
        )
    return phrase
