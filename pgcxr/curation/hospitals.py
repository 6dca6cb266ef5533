"""Hospitals of a cohort: numbered, never named; thesis Table 2 has one column for each.

Only a column of the table of studies that is called `hospital` says which; InstitutionName of DICOM
is not read: it is written in many ways in one hospital, and names the practice that a film of
another place is from.
"""

from collections import Counter
from collections.abc import Iterable, Sequence

from pgcxr.cohort import spelling
from pgcxr.cohort.findings import ABNORMAL, FINDINGS, NORMAL
from pgcxr.curation.choosing import Image
from pgcxr.sources import Scan

# Where the table is silent, or says several of one study.
NOT_TOLD = "not told"
# More are no hospitals: departments, or names of people.
MOST = 20


class Hospitals:
    """The hospitals of an export by their numbers, the one with the most files first.

    Args:
        scans: of the export.

    Example:

        >>> from pathlib import Path
        >>> names = ("St. Mary's", "ST MARYS", "Asan", "")
        >>> scans = [
        ...     Scan(at, Path(f"{at}.dcm"), f"{at}.dcm", hospital=name)
        ...     for at, name in enumerate(names, 1)
        ... ]
        >>> found = Hospitals(scans)
        >>> [found.of(scan) for scan in scans]
        ['hospital 1', 'hospital 1', 'hospital 2', '']
    """

    def __init__(self, scans: Iterable[Scan]) -> None:
        self._files = Counter(_key(scan) for scan in scans)
        told = [key for key in self._files if key]
        self.named = len(told)
        # Whatever the order of the rows; the key of the hashes plays no part.
        order = sorted(told, key=lambda key: (-self._files[key], key))
        self._numbers = {key: f"hospital {at}" for at, key in enumerate(order, 1)}
        if self.named > MOST:
            self._numbers = {}

    def of(self, scan: Scan) -> str:
        """The number as "hospital N"; nothing where it is not told."""
        return self._numbers.get(_key(scan), "")

    @property
    def names(self) -> tuple[str, ...]:
        """Columns of a table by hospital; none where fewer than two are told."""
        if len(self._numbers) < 2:
            return ()
        return (*self._numbers.values(), *((NOT_TOLD,) if self._files[""] else ()))

    def counted(self, scans: Iterable[Scan]) -> dict[str, int]:
        """{one of `names`: how many of `scans`}."""
        counts = Counter(self.of(scan) or NOT_TOLD for scan in scans)
        return {name: counts[name] for name in self.names}

    def composition(self, images: Sequence[Image]) -> dict[str, dict[str, int]]:
        """{one of `names`: {images, patients, normal, abnormal, each finding}}, as thesis Table 2;
        an image may have several findings."""
        found = {}
        for name in self.names:
            own = [image.scan for image in images if (self.of(image.scan) or NOT_TOLD) == name]
            labels = Counter(scan.label for scan in own)
            findings = Counter(finding for scan in own for finding in scan.findings)
            found[name] = {
                "images": len(own),
                "patients": len({scan.patient for scan in own}),
                **{label: labels[label] for label in (NORMAL, ABNORMAL)},
                **{finding: findings[finding] for finding in FINDINGS},
            }
        return found

    def warnings(self, images: Sequence[Image]) -> list[str]:
        """What keeps the hospitals from being told, and patients that two of them share."""
        if self.named > MOST:
            return [
                f"the column hospital has {self.named} different texts, and {MOST} hospitals at "
                "most are told apart: none is; write one name for each hospital"
            ]
        places: dict[str, set[str]] = {}
        for image in images:
            places.setdefault(image.scan.patient, set()).add(self.of(image.scan))
        several = sum(len(each - {""}) > 1 for each in places.values())
        if not several:
            return []
        return [
            f"{several} patients have images of several hospitals: one PatientID may stand for two "
            "people there; put the hospital before it where that is so"
        ]


def _key(scan: Scan) -> str:
    return spelling.name(scan.hospital)
