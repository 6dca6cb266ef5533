"""The exclusion rules: data from rules.toml, applied to one image at a time.

The first rule that is broken, in the order of `ORDER`, is the one that an image is excluded by;
what only the pixels say comes after everything that the header says, as files that are out already
are not decoded.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from pgcxr import sources
from pgcxr.cohort import vocabulary
from pgcxr.cohort.findings import ABNORMAL, NORMAL, covers
from pgcxr.curation import rules_file
from pgcxr.dicom import REASONS
from pgcxr.sources.weak_labels import device_words

# Before an image has a label; then, as in thesis Figure 1, among normals and abnormals apart.
UNLABELED = (*REASONS, "modality", "body_part", "study_date", "diagnosis", "label_conflict")
HEADER = (
    "age",
    "sex",
    "manufacturer",
    "view",
    "for_processing",
    "device",
    "quality",
    "burned_in_annotation",
    "too_small",
)
# Names stay as the files of earlier cohorts spell them: "mislabelled_view".
PIXELS = ("inverted", "rotated", "mislabelled_view", "cropped", "duplicate", "near_duplicate")
LABELED = (*HEADER, *PIXELS, "subsample")
ORDER = (*UNLABELED, *LABELED)
# What becomes of images with devices -> the labels of those that are excluded. Only where both
# classes are treated alike can no classifier read the device instead of the disease.
DEVICES = {
    "exclude-normal": (NORMAL,),
    "exclude": (NORMAL, ABNORMAL),
    "keep": (),
    "exclude-abnormal": (ABNORMAL,),  # by a file of rules alone
}
# Rules that a source may have no data for.
ASKED_OF_SOURCE = (
    *(
        "modality",
        "body_part",
        "study_date",
        "age",
        "sex",
        "manufacturer",
        "view",
        "device",
        "quality",
    ),
    "burned_in_annotation",
)


@dataclass(frozen=True)
class Rules:
    """`tables` is the content of rules.toml, checked."""

    tables: dict[str, dict]

    def enabled(self, rule: str) -> bool:
        """Whether images are excluded by `rule`; what keeps a file from being an image always
        counts."""
        return self.tables.get(rule, {}).get("enabled", True)

    def applies(self, rule: str, knows: tuple[str, ...]) -> bool:
        """Whether `rule` is on and the source has the data for it."""
        return self.enabled(rule) and (rule not in ASKED_OF_SOURCE or rule in knows)

    def described(self) -> dict[str, dict]:
        """The tables as they may be published: with no date, as a date might be a patient's."""
        hidden = dict.fromkeys(("earliest", "latest"), "not shown")
        return {**self.tables, "study_date": {**self.tables["study_date"], **hidden}}

    @cached_property
    def _mentions(self) -> device_words.Mentions:
        device = self.tables["device"]
        return device_words.Mentions(device["words"], device["negations"], device["removals"])

    def with_options(self, view: Sequence[str], support_devices: str | None) -> "Rules":
        """These rules, with what the options of the same name say in place of the tables [view] and
        [device]; nothing and None leave them."""
        tables = dict(self.tables)
        if view:
            tables["view"] = {**tables["view"], "enabled": True, "allowed": list(view)}
        if support_devices is not None:
            labels = DEVICES[support_devices]
            change = {"enabled": bool(labels)} | ({"labels": list(labels)} if labels else {})
            tables["device"] = {**tables["device"], **change}
        return Rules(tables)

    def support_devices(self) -> str:
        """Which images with devices are excluded, in a word of DEVICES."""
        table = self.tables["device"]
        labels = set(table["labels"]) if table["enabled"] else set()
        return next(word for word, known in DEVICES.items() if set(known) == labels)

    def broken(self, scan, knows: tuple[str, ...]) -> tuple[str, str] | None:
        """(rule, detail) of the first rule that `scan` (pgcxr.sources.Scan) breaks, or None.

        Args:
            knows: the rules that the source can answer at all; NIH's set says nothing of
                manufacturers.
        """
        in_conflict = bool(scan.rejected) and scan.rejected[0] == "label_conflict"
        in_conflict = in_conflict and self.enabled("label_conflict")
        checks = {
            "modality": lambda: self._modality(scan.modality),
            "body_part": lambda: self._body_part(scan.body_part),
            "study_date": lambda: self._study_date(scan.study_date),
            # What contradicts itself may have no label; that rule then says why.
            "diagnosis": lambda: (
                None if scan.label or in_conflict else "neither normal nor abnormal"
            ),
            "age": lambda: self._twice(scan, sources.AGE) or self._age(scan.age, scan.unread_age),
            "sex": lambda: self._one_of("sex", vocabulary.shown_sex(scan.sex)),
            "manufacturer": lambda: self._manufacturer(scan.manufacturer),
            "view": lambda: (
                self._twice(scan, sources.VIEW)
                or self._one_of("view", vocabulary.shown_view(scan.view))
            ),
            "for_processing": lambda: "raw values of the detector" if scan.for_processing else None,
            "device": lambda: self._device(scan),
            "burned_in_annotation": lambda: self._burned_in(scan.burned_in),
        }
        for rule in ORDER:
            if scan.rejected and scan.rejected[0] == rule and self.enabled(rule):
                return scan.rejected
            if rule in scan.silent:
                continue
            known = rule in knows or rule not in (*ASKED_OF_SOURCE, *UNLABELED)
            if rule in checks and known and self.enabled(rule):
                detail = checks[rule]()
                if detail:
                    return rule, detail
        return None

    def missing(self, scan, knows: tuple[str, ...]) -> tuple[str, ...]:
        """The rules, of those that the source can answer, for which the header of `scan` says
        nothing that is known."""
        values = {
            "modality": scan.modality,
            "body_part": scan.body_part.strip(),
            "study_date": scan.study_date,
            "age": scan.age is not None,
            "sex": vocabulary.shown_sex(scan.sex),
            "manufacturer": vocabulary.shown_maker(scan.manufacturer),
            "view": vocabulary.shown_view(scan.view),
            "burned_in_annotation": scan.burned_in in ("YES", "NO"),
        }
        return tuple(
            rule
            for rule in ORDER
            if rule in values and rule in knows and rule not in scan.silent and not values[rule]
        )

    def image_flags(self, measures, view: str) -> list[tuple[str, str]]:
        """(rule, detail) of every rule on pixels that doubts an image, on or off, in the order of
        ORDER.

        Args:
            measures: pgcxr.curation.image_checks.Measures, or None where the image is too small to
                be judged.
            view: as the header says it.
        """
        return [(rule, detail) for rule, detail, _ in self._doubts(measures, view)]

    def broken_by_image(self, measures, view: str) -> tuple[str, str] | None:
        """(rule, detail) of the first rule on pixels that is on and broken, or None. An image that
        one rule doubts and another measure vouches for breaks none."""
        return next(
            (
                (rule, detail)
                for rule, detail, sure in self._doubts(measures, view)
                if sure and self.enabled(rule)
            ),
            None,
        )

    def _doubts(self, measures, view: str) -> list[tuple[str, str, bool]]:
        """(rule, detail, whether nothing vouches for the image)."""
        if measures is None:
            return []
        if measures.structure < self.tables["blank"]["structure"]:
            # What shows nothing is neither turned nor cut.
            return [("blank", "no structure", True)]
        doubts = []
        wrong = (
            ("inverted", measures.inverted, "bones black"),
            ("rotated", measures.turned, f"by {measures.turned} degrees, or mirrored so"),
        )
        for rule, explained, detail in wrong:
            table = self.tables[rule]
            if explained and measures.wrong_by > 0 and measures.likeness >= table["likeness"]:
                doubts.append((rule, detail, measures.wrong_by > table["margin"]))
        shown = vocabulary.shown_view(view)
        if (
            not doubts
            and shown in ("PA", "AP")
            and measures.lateral_by > self.tables["mislabelled_view"]["margin"]
        ):
            doubts.append(("mislabelled_view", f"called {shown}, looks lateral", True))
        cropped = self._cropped(measures) if shown in ("PA", "AP", "") else None
        return [*doubts, ("cropped", *cropped)] if cropped else doubts

    def _cropped(self, measures) -> tuple[str, bool] | None:
        """(detail, whether nothing vouches for the framing)."""
        table = self.tables["cropped"]
        if measures.aspect > table["aspect"]:
            return "more oblong than a chest", True
        if measures.likeness < table["likeness"]:
            # However faint, it is upright, and its bones are white.
            vouched = measures.wrong_by < -self.tables["rotated"]["margin"]
            return "hardly like a chest", not vouched
        if measures.lateral_by > 0:
            return None
        if measures.picture < table["picture"]:
            return "a small picture in wide borders", True
        if measures.white > table["white"]:
            return "white borders", measures.likeness < table["bordered_likeness"]
        if measures.cut_by > table["margin"]:
            return "the lungs are cut", measures.cut_not_white_by > table["margin"]
        return None

    def _twice(self, scan, rule: str) -> str | None:
        """What is said of a header that gives two ages or views, neither of which is taken, or
        another one than a table does."""
        # A table may say it instead.
        known = getattr(scan, rule) not in (None, "")
        if rule not in scan.contradicts or known or not self._unknown(rule):
            return None
        of_table = f"{rule} of the table" in scan.contradicts
        return f"the header contradicts {'the table' if of_table else 'itself'}"

    def _one_of(self, rule: str, shown: str) -> str | None:
        table = self.tables[rule]
        if not shown:
            return self._unknown(rule)
        return (
            None if shown in table["allowed"] else f"{shown}, not {' or '.join(table['allowed'])}"
        )

    def _unknown(self, rule: str) -> str | None:
        return "unknown" if self.tables[rule]["unknown"] == "exclude" else None

    def _modality(self, text: str) -> str | None:
        # Only what the rule names is repeated: anything may stand in a broken header.
        allowed = self.tables["modality"]["allowed"]
        return self._one_of("modality", text if text in allowed else "another" if text else "")

    def _manufacturer(self, text: str) -> str | None:
        words = " ".join(re.findall(r"[A-Z0-9]+", text.upper()))
        named = any(
            f" {name.upper()} " in f" {words} " for name in self.tables["manufacturer"]["allowed"]
        )
        return None if named else self._one_of("manufacturer", vocabulary.shown_maker(text))

    def _body_part(self, text: str) -> str | None:
        if not text.strip():
            return self._unknown("body_part")
        words = self.tables["body_part"]["words"]
        return (
            None
            if any(word.upper() in text.upper() for word in words)
            else "another part of the body"
        )

    def _study_date(self, date) -> str | None:
        table = self.tables["study_date"]
        if date is None:
            return self._unknown("study_date")
        return (
            None
            if table["earliest"] <= date.isoformat() <= table["latest"]
            else "outside of the range"
        )

    def _age(self, age: float | None, unread: bool) -> str | None:
        table = self.tables["age"]
        if age is None:
            return self._unknown("age") and ("the table's cannot be read" if unread else "unknown")
        if age < table["minimum"]:
            return f"under {table['minimum']:g}"
        # "Up to 60" takes in everybody who is 60 years old.
        return f"over {table['maximum']:g}" if age >= table["maximum"] + 1 else None

    def _burned_in(self, tag: str) -> str | None:
        if tag not in ("YES", "NO"):
            return self._unknown("burned_in_annotation")
        return "the header says so" if tag == "YES" else None

    def _device(self, scan) -> str | None:
        return self.told_device(scan) if self.asks_for_devices(scan) else None

    def asks_for_devices(self, scan) -> bool:
        """Whether an image with this label may show no device."""
        return scan.label in self.tables["device"]["labels"]

    def told_device(self, scan) -> str | None:
        """What says that a device is on the image, whatever its label; None where nothing does."""
        table = self.tables["device"]
        if scan.device:
            return "labelled as having a device"  # as excluded.csv spells it
        if any(covers(root, code) for root in table["codes"] for code in scan.codes):
            return "diagnosis code of a device"
        word = self._mentions.first(scan.report)
        return f"the report mentions: {word}" if word else None


def load(path: str | Path | None = None) -> Rules:
    """The rules shipped with pgcxr (thesis 1.1), with the tables and keys of the TOML file `path`
    on top.

    Raises:
        InputError: as pgcxr.curation.rules_file.read.

    Example:

        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder, "rules.toml")
        ...     count = path.write_text("[age]\\nminimum = 18")
        ...     rules = load(path)
        >>> rules.tables["age"]["minimum"], rules.enabled("age")
        (18, True)
    """
    return Rules(rules_file.read(path))
