"""What `evaluate.readers` can be told; free of heavy imports for the help text."""

from collections.abc import Callable
from dataclasses import dataclass

from pgcxr.cohort.findings import FINDINGS
from pgcxr.errors import ArgumentError
from pgcxr.metrics.mrmc import GENERALIZATIONS
from pgcxr.options import Options, Rule, each, number, one_of, option, or_none, whole


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


FIVE = Rule("five numbers", lambda value: isinstance(value, tuple) and len(value) == 5)
READERS = each(whole(1, 100), 1)


def _numbers(kind: type) -> Callable[[str], tuple]:
    return lambda text: tuple(map(kind, text.split(",")))


@dataclass(frozen=True)
class PowerOptions(Options):
    """What a planned study is to show, and what is assumed of it where no pilot says.

    Example:

        >>> PowerOptions(components=(0.0002, 0.00035, 0.00034, 0.00024, 0.0008))
        Traceback (most recent call last):
        pgcxr.errors.ArgumentError: of_cases: is needed with components: ...
    """

    power: float = option(
        0.8, number(0.5, 0.999), "chance that the study shows it, where it is true"
    )
    alpha: float = option(0.05, number(0.001, 0.2), "level of the test")
    readers: tuple[int, ...] = option(
        (1, 2, 3, 4, 5, 6, 8, 10), READERS, "numbers of readers to look at", parse=_numbers(int)
    )
    difference: float = option(
        0.05,
        number(0.005, 0.49),
        "anomaly: true difference in area between with and without the map; preference: true share "
        "of the first generator less 0.5",
    )
    margin: float = option(
        0.1, number(0.01, 0.49), "turing: the accuracy is to be shown within this of 0.5"
    )
    accuracy: float = option(0.5, number(0.02, 0.98), "turing: the readers' true mean accuracy")
    reader_sd: float = option(
        0.05,
        number(0, 0.4),
        "turing, preference without a pilot: standard deviation of the readers' true shares",
    )
    case_share: float = option(
        0.1,
        number(0, 1),
        "turing, preference without a pilot: correlation of two readers' answers to one case",
    )
    components: tuple[float, ...] | None = option(
        None,
        or_none(FIVE),
        "anomaly without a pilot: five variances and covariances with commas between, VarTR, Cov1, "
        "Cov2, Cov3, Var, as RJafroc and iMRMC print them",
        parse=_numbers(float),
    )
    of_cases: int | None = option(
        None, or_none(whole(4, 1_000_000)), "anomaly: cases of the study that components are from"
    )
    general: str = option(
        GENERALIZATIONS[0],
        one_of(*GENERALIZATIONS),
        "anomaly: what the result is to hold for beyond the study's own",
    )

    def check(self) -> None:
        """Components are of a number of cases, and what is to be shown must be true."""
        if abs(self.accuracy - 0.5) >= self.margin:
            raise ArgumentError(
                "accuracy",
                f"must be nearer to 0.5 than the margin, {self.margin:g}",
                received=self.accuracy,
            )
        if self.components is not None and self.of_cases is None:
            raise ArgumentError("of_cases", "is needed with components: how many cases they are of")
