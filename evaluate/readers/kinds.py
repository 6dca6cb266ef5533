"""The four kinds of study: what is shown, what is asked, and which keys answer."""

from dataclasses import dataclass

from pgcxr.errors import ArgumentError

TURING, SEVERITY, ANOMALY, PREFERENCE = "turing", "severity", "anomaly", "preference"
# Marks of one image; more are a slip of the hand.
MOST_MARKS = 20
CONFIDENCE = (1, 2, 3, 4, 5)


@dataclass(frozen=True)
class Question:
    """One thing that is asked of a case.

    Attributes:
        name: of the answer in the tables.
        text: shown to the reader.
        choices: (value, shown, key) of each possible answer.
    """

    name: str
    text: str
    choices: tuple[tuple[str | int, str, str], ...]

    def values(self) -> tuple:
        """All that may be answered."""
        return tuple(value for value, _, _ in self.choices)


@dataclass(frozen=True)
class Kind:
    """A kind of study.

    Attributes:
        name: of the kind.
        text: what the reader is told at the start.
        questions: in the order in which they are asked.
        phases: readings of one case, in their order, and the images that are shown in each: the
            hanging protocol.
        marks: the question and answer that need a place in the first image, or None.
        truth: the keys of a case's truth.
    """

    name: str
    text: str
    questions: tuple[Question, ...]
    phases: tuple[tuple[str, tuple[str, ...]], ...]
    truth: tuple[str, ...]
    marks: tuple[str, str] | None = None

    def phase_names(self) -> tuple[str, ...]:
        """Of the readings of one case."""
        return tuple(name for name, _ in self.phases)

    def panes(self, phase: str) -> tuple[str, ...]:
        """The images that are shown in a phase, from left to right."""
        return dict(self.phases)[phase]

    def check(self, answer: object) -> dict:
        """`answer` as it is kept; ArgumentError where something is missing or may not be so."""
        names = {question.name for question in self.questions} | (
            {"marks"} if self.marks else set()
        )
        if not isinstance(answer, dict) or set(answer) - names:
            raise ArgumentError("answer", f"must hold {', '.join(sorted(names))} and nothing else")
        kept: dict = {}
        for question in self.questions:
            value = answer.get(question.name)
            if type(value) not in (str, int) or value not in question.values():
                allowed = ", ".join(map(str, question.values()))
                raise ArgumentError(question.name, f"must be one of {allowed}")
            kept[question.name] = value
        if self.marks:
            kept["marks"] = _marks(answer.get("marks", []))
            question, needed = self.marks
            if (kept[question] == needed) != bool(kept["marks"]):
                raise ArgumentError("marks", f"are needed where {question} is {needed}, only there")
        return kept


def _marks(given: object) -> list[dict]:
    """[{x, y, confidence}], places as shares of the image's width and height."""
    if not isinstance(given, list) or len(given) > MOST_MARKS:
        raise ArgumentError("marks", f"must be a list of at most {MOST_MARKS}")
    kept = []
    for mark in given:
        inside = isinstance(mark, dict) and all(
            type(mark.get(axis)) in (int, float) and 0 <= mark[axis] <= 1 for axis in "xy"
        )
        if not inside or mark.get("confidence") not in CONFIDENCE:
            raise ArgumentError("marks", "must each have x, y from 0 to 1 and a confidence 1 to 5")
        kept.append({name: mark[name] for name in ("x", "y", "confidence")})
    return kept


_SURE = ("guess", "unsure", "fairly sure", "sure", "certain")
_CONFIDENCE = Question(
    "confidence",
    "How sure are you?",
    tuple((value, word, str(value)) for value, word in zip(CONFIDENCE, _SURE, strict=True)),
)
KINDS = {
    kind.name: kind
    for kind in (
        Kind(
            TURING,
            "Some of these radiographs are of patients, others were made by a computer. Say of "
            "each which it is, and how sure you are.",
            (
                Question(
                    "label",
                    "Real or synthetic?",
                    (("real", "real", "r"), ("synthetic", "synthetic", "s")),
                ),
                _CONFIDENCE,
            ),
            (("read", ("image",)),),
            ("label",),
        ),
        Kind(
            SEVERITY,
            "Grade the finding that is named with each radiograph.",
            (
                Question(
                    "grade",
                    "How severe is the finding?",
                    (
                        (0, "normal", "1"),
                        (1, "mild", "2"),
                        (2, "moderate", "3"),
                        (3, "severe", "4"),
                    ),
                ),
            ),
            (("read", ("image",)),),
            ("axis", "angle", "step", "start"),
        ),
        Kind(
            ANOMALY,
            "Is anything abnormal, and where? Answer first from the radiograph alone; then the "
            "nearest normal image and a map of the differences are shown, and you answer again. "
            "The first answer can't be changed afterwards.",
            (
                Question(
                    "detected", "Anything abnormal?", (("yes", "yes", "y"), ("no", "no", "n"))
                ),
                _CONFIDENCE,
            ),
            (("without", ("query",)), ("with", ("query", "reconstruction", "map"))),
            ("class",),
            marks=("detected", "yes"),
        ),
        Kind(
            PREFERENCE,
            "Two radiographs side by side: which looks more like one of a patient?",
            (
                Question(
                    "choice",
                    "Which looks more real?",
                    (
                        ("left", "left", "l"),
                        ("right", "right", "r"),
                        ("equal", "no difference", "e"),
                    ),
                ),
            ),
            (("read", ("left", "right")),),
            ("left", "right"),
        ),
    )
}
