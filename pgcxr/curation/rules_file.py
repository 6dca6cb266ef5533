"""Reads files of rules and says in one line what is wrong with one: the key, and what is
allowed."""

import datetime
import math
import tomllib
from importlib import resources
from pathlib import Path

from pgcxr.errors import InputError
from pgcxr.io import user_files
from pgcxr.options import meant
from pgcxr.sources.weak_labels.codes import CODE

ABSENT = "pgcxr/curation/rules.toml shows the form of a file of rules"
UNKNOWN = ("exclude", "keep")
# Lists whose words are the only ones there are: what is shown in a cohort is one of these.
WORDS = {
    ("sex", "allowed"): ("F", "M", "O"),
    ("view", "allowed"): ("PA", "AP", "LATERAL", "OBLIQUE", "other"),
    ("device", "labels"): ("normal", "abnormal"),
}
# Least and largest of each number.
RANGES = {
    ("age", "minimum"): (0, 120),
    ("age", "maximum"): (0, 120),
    ("device", "probability"): (0, 1),
    ("blank", "structure"): (0, 128),
    **{(rule, "margin"): (0, 2) for rule in ("inverted", "rotated", "cropped", "mislabelled_view")},
    **{(rule, "likeness"): (0, 1) for rule in ("inverted", "rotated", "cropped")},
    ("cropped", "picture"): (0, 1),
    ("cropped", "white"): (0, 1),
    ("cropped", "bordered_likeness"): (0, 1),
    ("cropped", "aspect"): (1, 100),
    # Two different images differ in 128 bits on average; above 31 the search for near ones would
    # miss some.
    ("near_duplicate", "distance"): (0, 31),
}
WHOLE = (("near_duplicate", "distance"),)
# Roots of diagnosis codes.
OF_CODES = (("diagnosis", "neutral"), ("device", "codes"))
# Rules that cannot be switched off.
ALWAYS = (("diagnosis", "enabled"),)
# Lower and upper bound of one thing.
ORDERED = (("age", "minimum", "maximum"), ("study_date", "earliest", "latest"))
# Lists of what may stay: an empty one would exclude everything.
NEVER_EMPTY = (
    *((rule, "allowed") for rule in ("modality", "sex", "manufacturer", "view")),
    ("body_part", "words"),
)


def read(path: str | Path | None = None) -> dict[str, dict]:
    """The tables of the rules shipped with pgcxr, with those of the TOML file `path` on top; days
    as "2016-06-30".

    Raises:
        InputError: no such file, not TOML, a table or key that does not exist, or a value that is
            not allowed.
    """
    tables = tomllib.loads(
        resources.files(__package__).joinpath("rules.toml").read_text(encoding="utf-8")
    )
    for name, table in (
        user_files.read_toml(path, absent=ABSENT).items() if path is not None else ()
    ):
        if name not in tables:
            raise InputError(f"{path}: unknown rule [{name[:40]}]; {meant(name, tables)}")
        if not isinstance(table, dict):
            raise InputError(f"{path}: {name} must be a table, [{name}]")
        for key, value in table.items():
            if key not in tables[name]:
                raise InputError(
                    f"{path}: [{name}] has no key {key[:40]}; {meant(key, tables[name])}"
                )
            expected = _expected(name, key, value, tables[name][key])
            if expected:
                raise InputError(f"{path}: [{name}] {key} must be {expected}")
        tables[name] = {**tables[name], **table}
    for name, low, high in ORDERED:
        if tables[name][low] > tables[name][high]:
            raise InputError(f"{path}: [{name}] {high} must not be less than {low}")
    return {
        name: {key: _plain(value) for key, value in table.items()} for name, table in tables.items()
    }


def _plain(value):
    return value.isoformat() if isinstance(value, datetime.date) else value


def _expected(name: str, key: str, value, default) -> str | None:
    """What `value` should have been, or None where it is right."""
    if isinstance(default, list):
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            return "a list of texts"
        if not value and (name, key) in NEVER_EMPTY:
            return "a list of one text or more; to take everything, write enabled = false"
        if not all(item.strip() for item in value):
            return "a list of texts, none empty"
        words = WORDS.get((name, key))
        if words and not set(value) <= set(words):
            return f"a list of {', '.join(words)}"
        wrong = [
            item
            for item in value
            if (name, key) in OF_CODES and not CODE.fullmatch(item.strip().upper())
        ]
        return (
            f"a list of ICD-10 codes such as J90 or S27.0, which {wrong[0][:20]!r} is not"
            if wrong
            else None
        )
    if isinstance(default, bool):
        if value is False and (name, key) in ALWAYS:
            return "true: an image in a cohort is normal or abnormal, so others are always excluded"
        return None if isinstance(value, bool) else "true or false"
    if isinstance(default, datetime.date):
        right = isinstance(value, datetime.date) and not isinstance(value, datetime.datetime)
        return None if right else "a day without quotes, for example 2016-06-30"
    if isinstance(default, (int, float)):
        low, high = RANGES[name, key]
        is_whole = (name, key) in WHOLE
        if isinstance(value, bool) or not isinstance(value, int if is_whole else (int, float)):
            return f"a {'whole ' if is_whole else ''}number from {low} to {high}"
        return None if math.isfinite(value) and low <= value <= high else f"from {low} to {high}"
    return None if value in UNKNOWN else " or ".join(f'"{word}"' for word in UNKNOWN)
