"""What `evaluate.readers` can be told; free of heavy imports for the help text."""

from dataclasses import dataclass

from pgcxr.cohort.findings import FINDINGS
from pgcxr.errors import ArgumentError
from pgcxr.options import Options, number, one_of, option, whole


@dataclass(frozen=True)
class StudyOptions(Options):
    """How a study is made.

    Example:

        >>> StudyOptions(cases=8, repeats=6)
        Traceback (most recent call last):
        pgcxr.errors.ArgumentError: repeats: must be at most half of the 8 cases. Received: ...
    """

    cases: int = option(
        40, whole(2, 10_000), "cases that each reader reads, without training and repeats"
    )
    repeats: int = option(
        0,
        whole(0, 5_000),
        "cases shown a second time, half of the study later: for a reader's agreement with herself",
    )
    training: int = option(
        0, whole(0, 1_000), "cases at the start with the right answer after each; they don't count"
    )
    axis: str = option(
        "all", one_of("all", *FINDINGS), "severity: the finding whose axis is walked, or all found"
    )
    steps: int = option(
        5, whole(2, 20), "severity: positions along the axis, from normal to its end"
    )
    title: str = option("", help="shown to the readers; it must not give the answer away")

    def check(self) -> None:
        """Repeats are of the first half."""
        if self.repeats > self.cases // 2:
            raise ArgumentError(
                "repeats", f"must be at most half of the {self.cases} cases", received=self.repeats
            )


@dataclass(frozen=True)
class AnalysisOptions(Options):
    """How the answers are analyzed.

    Example:

        >>> AnalysisOptions(margin=0.1).margin
        0.1
    """

    margin: float = option(
        0.1,
        number(0.01, 0.49),
        "equivalence with chance: the accuracy may be so far from 0.5; set it before the study",
    )
    difference: float = option(
        0.05, number(0.005, 0.5), "power: the difference in area that a next study is to find"
    )
    near: float = option(
        0.05, number(0, 0.5), "a mark hits a lesion within this share of the image's width"
    )
    resamples: int = option(1000, whole(100, 100_000), "bootstrap samples of readers and cases")
