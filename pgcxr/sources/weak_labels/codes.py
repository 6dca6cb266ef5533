"""Diagnosis codes: what they say of a study (thesis 1.1)."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pgcxr.cohort.findings import ABNORMAL, NORMAL, TABLE_6, covers
from pgcxr.errors import InputError
from pgcxr.sources.weak_labels import toml_file
from pgcxr.sources.weak_labels.opinion import POSITIVE, Opinion

CODE = re.compile(r"[A-Z]\d[0-9A-Z](\.?[0-9A-Z]{1,4})?")


@dataclass(frozen=True)
class CodeLists:
    """Roots of code subtrees: those of examinations without a diagnosis, and those of each
    finding."""

    normal: tuple[str, ...]
    findings: dict[str, tuple[str, ...]]

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

    def opinion(self, codes: Sequence[str], neutral: Sequence[str] = ()) -> Opinion:
        """What the codes of a study say; nothing where none is left without those under the
        `neutral` roots."""
        deciding = [code for code in codes if not any(covers(root, code) for root in neutral)]
        if not deciding:
            return Opinion("codes", "")
        label = NORMAL if all(self.is_normal(code) for code in deciding) else ABNORMAL
        return Opinion("codes", label, dict.fromkeys(self.findings_of(deciding), POSITIVE))


def load(path: str | Path | None = None) -> CodeLists:
    """The lists shipped with pgcxr, or those of the TOML file `path` in their place."""
    name, content = toml_file.read(path and Path(path), __package__, "icd10.toml")
    toml_file.tables(name, content, {"normal": list, "findings": dict})
    findings = content.get("findings", {})
    unknown = [finding for finding in findings if finding not in TABLE_6]
    if unknown:
        raise InputError(
            f"{name}: [findings] {unknown[0][:40]}: unknown; the findings are {', '.join(TABLE_6)}"
        )
    lists = CodeLists(
        toml_file.texts(name, content, "normal", needed=True),
        {finding: toml_file.texts(name, findings, finding) for finding in findings},
    )
    for root in (*lists.normal, *(root for roots in lists.findings.values() for root in roots)):
        if not CODE.fullmatch(root.upper()):
            raise InputError(
                f"{name}: {root[:20]!r} is no ICD-10 code; write them as in J90 or S27.0"
            )
    return lists
