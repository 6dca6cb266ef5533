"""The exclusion rules: data from rules.toml, applied to one image at a time.

The first rule that is broken, in the order of `ORDER`, is the one that an image is excluded by.
"""

import re
import tomllib
from dataclasses import dataclass
from functools import cached_property
from importlib import resources
from pathlib import Path

from pgcxr.data import deidentify, device_words
from pgcxr.data.dicom import REASONS
from pgcxr.data.findings import covers
from pgcxr.errors import InputError

# Before an image has a label; then, as in thesis Figure 1, among normals and abnormals apart.
UNLABELLED = (*REASONS, "modality", "body_part", "diagnosis", "label_conflict")
LABELLED = ("age", "manufacturer", "view", "device", "quality", "too_small", "duplicate", "subsample")
ORDER = (*UNLABELLED, *LABELLED)
UNKNOWN = ("exclude", "keep")


@dataclass(frozen=True)
class Rules:
    """`tables` is the content of rules.toml, checked."""

    tables: dict[str, dict]

    def enabled(self, rule: str) -> bool:
        """Whether images are excluded by `rule`; what keeps a file from being an image always counts."""
        return self.tables.get(rule, {}).get("enabled", True)

    @cached_property
    def _mentions(self) -> device_words.Mentions:
        device = self.tables["device"]
        return device_words.Mentions(device["words"], device["negations"], device["removals"])

    def broken(self, scan, knows: tuple[str, ...]) -> tuple[str, str] | None:
        """(rule, detail) of the first rule that `scan` (pgcxr.data.sources.Scan) breaks, or None.

        Args:
            knows: the rules that the source can answer at all; NIH's set says nothing of manufacturers.
        """
        checks = {
            "modality": lambda: self._modality(scan.modality),
            "body_part": lambda: self._body_part(scan.body_part),
            "diagnosis": lambda: None if scan.label else "neither normal nor abnormal",
            "age": lambda: self._age(scan.age),
            "manufacturer": lambda: self._manufacturer(scan.manufacturer),
            "view": lambda: self._one_of("view", deidentify.shown_view(scan.view)),
            "device": lambda: self._device(scan),
        }
        for rule in ORDER:
            if scan.rejected and scan.rejected[0] == rule and self.enabled(rule):
                return scan.rejected
            if rule in checks and rule in knows and self.enabled(rule):
                detail = checks[rule]()
                if detail:
                    return rule, detail
        return None

    def _one_of(self, rule: str, shown: str) -> str | None:
        table = self.tables[rule]
        if not shown:
            return "unknown" if table["unknown"] == "exclude" else None
        return None if shown in table["allowed"] else f"{shown}, not {' or '.join(table['allowed'])}"

    def _modality(self, text: str) -> str | None:
        # Only what the rule names is repeated: anything may stand in a broken header.
        allowed = self.tables["modality"]["allowed"]
        return self._one_of("modality", text if text in allowed else "another" if text else "")

    def _manufacturer(self, text: str) -> str | None:
        words = " ".join(re.findall(r"[A-Z0-9]+", text.upper()))
        named = any(f" {name.upper()} " in f" {words} " for name in self.tables["manufacturer"]["allowed"])
        return None if named else self._one_of("manufacturer", deidentify.shown_maker(text))

    def _body_part(self, text: str) -> str | None:
        table = self.tables["body_part"]
        if not text.strip():
            return "unknown" if table["unknown"] == "exclude" else None
        return None if any(word.upper() in text.upper() for word in table["words"]) else "another part of the body"

    def _age(self, age: float | None) -> str | None:
        table = self.tables["age"]
        if age is None:
            return "unknown" if table["unknown"] == "exclude" else None
        return f"under {table['minimum']}" if age < table["minimum"] else None

    def _device(self, scan) -> str | None:
        table = self.tables["device"]
        if scan.label not in table["labels"]:
            return None
        if scan.device:
            return "labelled as having a device"
        if any(covers(root, code) for root in table["codes"] for code in scan.codes):
            return "diagnosis code of a device"
        word = self._mentions.first(scan.report)
        return f"the report mentions: {word}" if word else None


def load(path: str | Path | None = None) -> Rules:
    """The rules shipped with pgcxr, with the tables and keys of the TOML file `path` on top.

    Raises:
        InputError: no such file, not TOML, a table or key that does not exist, or a value of another type.
    """
    tables = tomllib.loads(resources.files("pgcxr.data").joinpath("rules.toml").read_text(encoding="utf-8"))
    if path is not None:
        for name, table in _read(Path(path)).items():
            if name not in tables:
                raise InputError(f"{path}: unknown rule [{name}]; the rules are {', '.join(tables)}")
            if not isinstance(table, dict):
                raise InputError(f"{path}: {name} must be a table, [{name}]")
            for key, value in table.items():
                _check(path, name, key, value, tables[name])
            tables[name] = {**tables[name], **table}
    return Rules(tables)


def _read(path: Path) -> dict:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, IsADirectoryError):
        raise InputError(f"{path}: no such file of rules") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: is not TOML: {error}") from None


def _check(path, name: str, key: str, value, defaults: dict) -> None:
    if key not in defaults:
        raise InputError(f"{path}: [{name}] has no key {key}; its keys are {', '.join(defaults)}")
    wanted = defaults[key]
    if isinstance(wanted, list):
        right = isinstance(value, list) and all(isinstance(item, str) for item in value)
        expected = "a list of texts"
    elif isinstance(wanted, bool):
        right, expected = isinstance(value, bool), "true or false"
    elif isinstance(wanted, int):
        right, expected = isinstance(value, (int, float)) and not isinstance(value, bool), "a number"
    else:
        right, expected = value in UNKNOWN, " or ".join(f'"{word}"' for word in UNKNOWN)
    if not right:
        raise InputError(f"{path}: [{name}] {key} must be {expected}")
