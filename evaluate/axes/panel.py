"""Guides and judges of one experiment, each calibrated on the real images of the cohort."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from evaluate.axes import judges
from evaluate.axes.judges import Calibration, Judge, Persons, Real
from evaluate.axes.reader import Reader, classifier_judge
from evaluate.protocol import Progress
from pgcxr.classifier.dataset import study_images
from pgcxr.cohort.manifest import Cohort

PROBE, AREA = "probe", "area"
PROBE_KIND = "logistic regression on principal components of real images"
AREA_KIND = "area of the lesion, by a small network on principal components, taught by masks"


@dataclass(frozen=True)
class Panel:
    """Who speaks.

    Attributes:
        guides: the classifiers that axes are made with.
        judges: all that took no part, by name.
        features: images -> principal components; None without real images.
        known: (principal components [N, D], labels [N, 6]) of real test images; None likewise.
        persons: who reads age and sex off components; None likewise.
        regions: {disease: where its lesions lie}, where masks say so.
        notes: what the user should know, each a sentence.
    """

    guides: dict[str, Judge]
    judges: dict[str, Judge]
    features: Callable | None = None
    known: tuple[np.ndarray, np.ndarray] | None = None
    persons: Persons | None = None
    regions: dict[str, np.ndarray] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    @property
    def calibrations(self) -> dict[str, Calibration]:
        """Of the judges."""
        return {name: judge.calibration for name, judge in self.judges.items()}


def assemble(reader: Reader, cohort: Cohort | None, seed: int, progress: Progress) -> Panel:
    """Calibrates the reader's guides, and all judges.

    Args:
        reader: with all classifiers, the guides first.
        cohort: real images, of which split train teaches the probe, val calibrates and test
            measures; None where there is none, so that nothing can be judged.
        seed: of draws and of the area reader.
        progress: told how far it is.
    """
    if cohort is None:
        note = (
            "The cohort of the classifier is not at hand: nothing says how far real diseased "
            "images are from normal ones, so no axis can count as found."
        )
        return Panel(*_classifiers(reader, None, None, None), notes=[note])
    what, size = "calibrating on real images", reader.generator.resolution
    progress(what, 0, 4)
    val, test = (
        Real.of(study_images(cohort.select(split=split)), size, [seed, place])
        for place, split in ((21, "val"), (22, "test"))
    )
    progress(what, 1, 4)
    logits = [reader.logits_of(real.images) for real in (val, test)]
    reader.calibrate(logits[0], val.labels)
    guides, others = _classifiers(reader, val, test, logits)
    progress(what, 2, 4)
    train = Real.of(
        study_images(cohort.select(split="train")),
        min(size, judges.SIDE),
        [seed, 23],
        judges.MOST_TRAIN,
    )
    features = judges.Components(train.images, seed)
    learned = features(train.images)
    others |= _on_components(features, learned, (train, val, test), size, seed)
    progress(what, 3, 4)
    persons, places = Persons(learned, train.cohort), judges.regions(train.cohort, size)
    progress(what, 4, 4)
    known = features(test.images), test.labels
    notes = _notes(reader, guides, others)
    return Panel(guides, others, features, known, persons, places, notes)


def _classifiers(reader: Reader, val, test, logits) -> tuple[dict, dict]:
    """(guides, judges) among the classifiers."""
    found = []
    for place in range(len(reader.classifiers)):
        guides = place < reader.guides
        number = place + 1 if guides else place - reader.guides + 1
        judge = classifier_judge(f"{'guide' if guides else 'classifier'} {number}", place)
        found.append(judge if val is None else _calibrated(judge, val, test, logits))
    named = [
        {judge.name: judge for judge in part}
        for part in (found[: reader.guides], found[reader.guides :])
    ]
    return named[0], named[1]


def _calibrated(judge: Judge, val: Real, test: Real, logits=None) -> Judge:
    steepest = np.inf if logits is None else judges.AS_SURE
    logits = logits or (None, None)
    scores = [
        judge.scores(real.images, said) for real, said in zip((val, test), logits, strict=True)
    ]
    means = judges.calibrated(scores[0], val.labels, scores[1], test.labels, steepest)
    return Judge(judge.name, judge.kind, judge.scores, means)


def _on_components(features, learned, parts: tuple, size: int, seed: int) -> dict[str, Judge]:
    """The probe and, where masks teach one, the area reader."""
    train, val, test = parts
    readers = {PROBE: (PROBE_KIND, judges.probe(learned, train.labels[:, 1:]))}
    area = judges.area_reader(learned, train.cohort, size, seed)
    if area is not None:
        readers[AREA] = (AREA_KIND, area)
    found = {}
    for name, (kind, read) in readers.items():
        judge = Judge(
            name, kind, lambda images, _, read=read: read(features(images)), judges.UNCALIBRATED
        )
        found[name] = _calibrated(judge, val, test)
    return found


def _notes(reader: Reader, guides: dict, others: dict) -> list[str]:
    notes = []
    if len(reader.classifiers) == reader.guides:
        notes.append(
            "No classifier judges that took no part: "
            + (" and ".join(others) + " alone judge" + ("s" if len(others) == 1 else ""))
            + ", which see less than a network does; give another training with --judge."
        )
    for name, guide in guides.items():
        share = guide.calibration.called_normal
        if share < 0.5:
            notes.append(
                f"{name} calls {share:.0%} of the real normal images normal (every disease below "
                f"{judges.CALLED_NORMAL:.0%}): walks may not start at normal images."
            )
    for index, finding in enumerate(judges.FINDINGS):
        if not any(judge.calibration.sees[index] for judge in others.values()):
            notes.append(
                f"No judge can see {finding.replace('_', ' ')} (AUROC below {judges.SEES} on real "
                "images, or too few of them): its axis can't count as found."
            )
    return notes
