"""How a file becomes the image that a model reads: as the cohort's own files did."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from pgcxr.curation import rules_file
from pgcxr.curation.pixels import Decoding
from pgcxr.curation.rules import Rules
from pgcxr.dicom import normalization, pixel_data
from pgcxr.errors import ArgumentError, InputError
from pgcxr.images import CROP, PAD
from pgcxr.privacy import black_out


@dataclass(frozen=True)
class Preparation:
    """What is done with every file.

    Attributes:
        size: side of the cohort's images, px; these are reduced further to `sides`.
        sides: px at which networks and components read.
        fit: images.PAD or CROP.
        normalize: as `pgcxr curate` spells it.
        bits: of the cohort's images.
        regions: that are made black, as `pgcxr curate` spells them.
        text: whether text that is found is made black before anything reads the image.
        rules: the tables of the cohort's rules.
    """

    size: int
    sides: tuple[int, ...]
    fit: str = PAD
    normalize: str = "percentile:99"
    bits: int = 8
    regions: tuple[str, ...] = ()
    text: bool = False
    rules: dict = field(default_factory=rules_file.read)

    @classmethod
    def of_cohort(cls, report: Mapping, size: int, sides: tuple[int, ...]) -> "Preparation":
        """As report.json of a cohort says it; what it does not say is as `pgcxr curate` does it.

        Args:
            report: its content; {} for a cohort without.
            size: of its images, px.
        """
        made_by = report.get("made_by", {})
        config = made_by.get("config", {}) if isinstance(made_by, dict) else {}
        hidden = report.get("black_out") or {}
        rules = rules_file.read()
        for name, table in (config.get("rules") or {}).items():
            if name in rules:
                known = {key: value for key, value in table.items() if key in rules[name]}
                rules[name] = rules[name] | known
        return cls(
            size=size,
            sides=tuple(sorted(set(sides))),
            fit=report.get("fit", PAD),
            normalize=report.get("normalise", "percentile:99"),
            bits=report.get("bits", 8),
            regions=tuple(hidden.get("regions", ())),
            text=bool(hidden.get("text", False)),
            rules=rules,
        )

    @classmethod
    def read(cls, saved: Mapping, where: str) -> "Preparation":
        """What `to_dict` gave.

        Raises:
            InputError: a part is missing, or is none that can be followed; `where` it stands.
        """
        try:
            found = cls(
                **{**saved, "sides": tuple(saved["sides"]), "regions": tuple(saved["regions"])}
            )
            found.decoding()
            sizes = (found.size, *found.sides)
            known = set(found.rules) == set(rules_file.read()) and found.fit in (PAD, CROP)
            if (
                not known
                or not sizes[1:]
                or not all(type(each) is int and each > 0 for each in sizes)
            ):
                raise ValueError
        except (KeyError, TypeError, ValueError, AttributeError, ArgumentError):
            raise InputError(
                f"{where}: does not say how images are prepared; make the model again"
            ) from None
        return found

    def to_dict(self) -> dict:
        """For JSON."""
        names = ("size", "sides", "fit", "normalize", "bits", "regions", "text", "rules")
        return {name: getattr(self, name) for name in names}

    def decoding(self) -> Decoding:
        """How pixels are decoded."""
        hidden = black_out.asked(self.regions, self.text)
        normalize = normalization.parse(self.normalize)
        return Decoding(normalize, self.bits, pixel_data.PYDICOM, hidden)

    def rule_set(self) -> Rules:
        """What images the cohort has."""
        return Rules(self.rules)
