"""The real images that calibrate guides and judges, teach the probe and measure."""

from collections.abc import Sequence
from pathlib import Path

from evaluate import common, patients
from evaluate.patients import RealImages
from pgcxr.classifier.dataset import LEAST_CLASS, study_images
from pgcxr.cohort.manifest import SPLITS, Cohort
from pgcxr.errors import InputError
from pgcxr.sampling.runs import is_pretrained


def named(folder: str | Path, networks: Sequence[str | Path]) -> RealImages:
    """Those of a cohort that is named, of whose val and test patients the RUNs `networks` know
    none.

    Raises:
        InputError: one does, or too few of its images say what they show.
    """
    real = patients.named(folder, networks)
    for split in SPLITS:
        abnormal = study_images(real.cohort.select(split)).binary().astype(bool)
        counts = int((~abnormal).sum()), int(abnormal.sum())
        if min(counts) < LEAST_CLASS:
            raise InputError(
                f"{real.cohort.folder / 'manifest.csv'}: split {split} has {counts[0]} normal "
                f"images and {counts[1]} with one of the five findings; axes are judged by "
                f"{LEAST_CLASS} of each at least, so name a cohort with more"
            )
    return real


def of_runs(gan_run: str | Path, classifier_runs: Sequence[str | Path]) -> RealImages | None:
    """Those of the first classifier's cohort, of whose test patients the GAN knows none, and of
    whose val and test patients no classifier does; None where it is not at hand and the GAN was
    imported."""
    first, *others = classifier_runs
    try:
        cohort = common.cohort_of(first)
    except InputError:
        if is_pretrained(gan_run) or not patients.knows_no_images(gan_run):
            raise
        return None
    notes = list(patients.check_disjoint(gan_run, cohort.select("test"))["notes"])
    rows = cohort.manifest
    held_out = Cohort(cohort.folder, rows[rows["split"] != "train"])
    for name in others:
        if patients.knows_no_images(name):
            notes += patients.check_disjoint(name, held_out)["notes"]
            continue
        seen = common.cohort_of(name)
        if seen.folder.resolve() != cohort.folder.resolve():
            patients.refuse_shared(name, seen.select("train"), held_out)
    return RealImages(cohort, notes=notes)
