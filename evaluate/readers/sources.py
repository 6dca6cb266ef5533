"""Which folders a kind of study is made from; free of heavy imports."""

from dataclasses import dataclass
from pathlib import Path

from evaluate.readers.kinds import ANOMALY, KINDS, PREFERENCE, SEVERITY, TURING
from pgcxr.errors import ArgumentError
from pgcxr.sampling import runs


@dataclass(frozen=True)
class Sources:
    """Folders that a study is made from; which of them depends on its kind.

    Attributes:
        first: RUN of train.gan; for "anomaly", the folder of evaluate.anomaly.
        cohort: where the real images are from; of a RUN, the one that it was trained on where left
            out.
        axes: folder of evaluate.axes, for "severity".
        other: second RUN, for "preference".
    """

    first: Path
    cohort: Path | None = None
    axes: Path | None = None
    other: Path | None = None


def refuse_sources(kind: str, sources: Sources) -> None:
    """Raises ArgumentError where a kind lacks a source, or has one that it would not use: what can
    be told in a moment."""
    if kind not in KINDS:
        raise ArgumentError("kind", f"must be one of {', '.join(KINDS)}", received=kind)
    if kind == TURING and sources.cohort is None and runs.is_pretrained(sources.first):
        raise ArgumentError(
            "cohort", f"is needed: {sources.first.name} comes with pgcxr and without real images"
        )
    needed = {SEVERITY: {"axes"}, ANOMALY: {"cohort"}, PREFERENCE: {"other"}, TURING: set()}[kind]
    allowed = needed | ({"cohort"} if kind == TURING else set())
    for name in ("cohort", "axes", "other"):
        given = getattr(sources, name)
        if given is None and name in needed:
            raise ArgumentError(name, f"is needed for a study of kind {kind}")
        if given is not None and name not in allowed:
            raise ArgumentError(name, f"is of no use for a study of kind {kind}; leave it out")
