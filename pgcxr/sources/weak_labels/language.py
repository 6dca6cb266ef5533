"""The phrases of a language, or of those that are written side by side, from TOML files
(english.toml, korean.toml), checked and ready to be found."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pgcxr.cohort.findings import FINDINGS, TABLE_6
from pgcxr.errors import InputError
from pgcxr.sources.weak_labels import toml_file
from pgcxr.sources.weak_labels.foreign import Others
from pgcxr.sources.weak_labels.opinion import NEGATIVE, POSITIVE, UNCERTAIN
from pgcxr.sources.weak_labels.phrases import ANY_ENDING, STEM, Phrases, spelled
from pgcxr.sources.weak_labels.sections import MINUS_BEFORE, header_pattern

# Kinds of phrases that say something of a finding, and the pseudo-findings that such phrases may
# stand for.
TERMS, HEDGED, DENIED = "terms", "hedged", "denied"
OTHER, FALSE_FRIEND, NORMAL_STATEMENT = "other", "false friend", "normal statement"
CONTEXT = (
    *("not_negations", "negations_before", "negations_after"),
    *("uncertainties_before", "uncertainties_after", "elsewhere_before", "elsewhere_after"),
    *("ends", "exceptions"),
)
# The sign behind a finding, with what it says.
SIGN = "sign"
SIGNED = (("(-)", (SIGN, NEGATIVE)), ("(+)", (SIGN, POSITIVE)), ("(?)", (SIGN, UNCERTAIN)))
WORDS = ("affirmations", "verbs", "alternatives", "lists", "connectives", "pronouns", "diagnoses")
# Of these, phrases and not single words.
PHRASES = ("alternatives", "diagnoses")
ANSWERS = ("denials", "confirmations", "doubts")
WITHDRAWN = "withdrawn"
LISTS = (*WORDS, *ANSWERS, WITHDRAWN)
SECTIONS = ("conclusion", "read", "skipped")
SHIPPED = ("english.toml", "korean.toml")
NOTHING, NO_PHRASES = re.compile(r"(?!)"), Phrases(())


@dataclass(frozen=True)
class Language:
    """What the labeler needs of a language; `name` is the file's."""

    name: str
    findings: Phrases  # meanings (finding, TERMS | HEDGED | DENIED)
    context: Phrases  # meanings (one of CONTEXT, "") or (SIGN, status)
    header: re.Pattern = NOTHING
    skipped: frozenset[str] = frozenset()
    conclusion: frozenset[str] = frozenset()
    affirmations: frozenset[str] = frozenset()
    verbs: frozenset[str] = frozenset()
    alternatives: frozenset[tuple[str, ...]] = frozenset()
    lists: frozenset[str] = frozenset()
    connectives: frozenset[str] = frozenset()
    pronouns: frozenset[str] = frozenset()
    diagnoses: Phrases = NO_PHRASES
    denials: tuple[str, ...] = ()
    confirmations: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()
    withdrawn: Phrases = NO_PHRASES  # of a report that is taken back
    others: Others = Others()


def load(path: str | Path | None = None) -> Language:
    """The English and Korean that are shipped with pgcxr, or the TOML file `path` in their place.

    Raises:
        InputError: the file is absent, not TOML, lacks a table or one of the five findings, or has
            an unknown key.
    """
    files = [toml_file.read(path and Path(path), __package__, shipped) for shipped in SHIPPED]
    # A file of the user's is one language; what is shipped is written side by side.
    checked = [_checked_tables(name, content) for name, content in files[: 1 if path else None]]
    headers = {key: _together(table[0][key] for table in checked) for key in SECTIONS}
    words = {key: _together(table[1][key] for table in checked) for key in (*CONTEXT, *LISTS)}
    signs = (*SIGNED, (MINUS_BEFORE, ("negations_before", "")), (MINUS_BEFORE, ("ends", "")))
    name = ", ".join(name for name, _ in files[: len(checked)])
    return Language(
        name=name,
        header=header_pattern(
            tuple(text for texts in headers.values() for text in texts) or ("findings",)
        ),
        skipped=frozenset(" ".join(text.lower().split()) for text in headers["skipped"]),
        conclusion=frozenset(" ".join(text.lower().split()) for text in headers["conclusion"]),
        findings=Phrases(
            entry for name, content in files[: len(checked)] for entry in _entries(name, content)
        ),
        context=Phrases(
            [(_checked(name, text), (kind, "")) for kind in CONTEXT for text in words[kind]]
            + [*signs]
        ),
        **{
            key: frozenset(word.lower() for word in words[key])
            for key in WORDS
            if key not in PHRASES
        },
        alternatives=frozenset(spelled(text) for text in words["alternatives"]),
        diagnoses=Phrases((text, ("diagnosis", "")) for text in words["diagnoses"]),
        **{key: words[key] for key in ANSWERS},
        withdrawn=Phrases((text, (WITHDRAWN, "")) for text in words[WITHDRAWN]),
        others=_others(*files[0]),
    )


def texts(path: str | Path | None = None) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The phrases of findings, and those of context and sections, that `load` reads."""
    files = [toml_file.read(path and Path(path), __package__, shipped) for shipped in SHIPPED]
    findings: list[str] = []
    context: list[str] = []
    for _, content in files[: 1 if path else None]:
        others = (content.get(key, {}) for key in ("other", "false_friends", "normal"))
        for table in (*content.get("findings", {}).values(), *others):
            findings += (text for phrases in table.values() for text in phrases)
        for table in (content.get(key, {}) for key in ("context", "sections")):
            context += (text for phrases in table.values() for text in phrases)
    return tuple(dict.fromkeys(findings)), tuple(dict.fromkeys(context))


def _checked_tables(name: str, content: dict) -> tuple[dict, dict]:
    """The lists of [sections] and [context] of a file."""
    allowed = ("sections", "context", "findings", "other", "false_friends", "normal", "others")
    toml_file.tables(name, content, dict.fromkeys(allowed, dict))
    for key in ("sections", "context", "findings"):
        if key not in content:
            raise InputError(f"{name}: has no table [{key}]; see pgcxr's english.toml for the form")
    sections, context = content["sections"], content["context"]
    toml_file.tables(f"{name}: [sections]", sections, dict.fromkeys(SECTIONS, list))
    toml_file.tables(f"{name}: [context]", context, dict.fromkeys((*CONTEXT, *LISTS), list))
    return (
        {key: toml_file.texts(f"{name}: [sections]", sections, key) for key in SECTIONS},
        {key: toml_file.texts(f"{name}: [context]", context, key) for key in (*CONTEXT, *LISTS)},
    )


def _others(name: str, content: dict) -> Others:
    table = content.get("others", {})
    toml_file.tables(f"{name}: [others]", table, dict.fromkeys(table, list))
    words = {key: toml_file.texts(f"{name}: [others]", table, key) for key in table}
    ours = frozenset(word.lower() for word in words.pop("ours", ()))
    return Others(ours, {word.lower(): key for key, texts in words.items() for word in texts})


def _together(lists: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(text for texts in lists for text in texts))


def _entries(name: str, content: dict):
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
