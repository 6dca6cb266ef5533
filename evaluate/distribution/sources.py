"""The sets that are compared: which patients are in them, and how their images come, some at a
time."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from evaluate import common, patients
from evaluate.distribution.options import LEAST
from pgcxr.cohort.image_files import load_images
from pgcxr.cohort.manifest import Cohort
from pgcxr.errors import InputError
from pgcxr.sampling import generation

MOST = 5000  # where the number is not given
SHUFFLE = 12  # streams of their own beside the latents of the same seed
BASELINE = 13


@dataclass(frozen=True)
class Source:
    """`draw(start, stop)` gives those images, uint8 [stop - start, R, R, 1]; `clusters` [n] says
    whose each is."""

    clusters: np.ndarray
    draw: Callable[[int, int], np.ndarray]

    def __len__(self) -> int:
        return len(self.clusters)

    def examples(self, count: int) -> np.ndarray:
        """The first image of each of the first `count` patients."""
        firsts = np.sort(np.unique(self.clusters, return_index=True)[1])[:count]
        return self.draw(0, int(firsts[-1]) + 1)[firsts]


@dataclass(frozen=True)
class RealSets:
    """Three patient-disjoint sets. `reference` and `floor` are halves of what the GAN did not
    see."""

    reference: Cohort
    floor: Cohort
    training: Cohort

    def most(self) -> int:
        """The largest number that every set has."""
        return min(len(self.reference), len(self.floor), len(self.training))


def real_sets(gan_run: str | Path, seed: int) -> tuple[RealSets, dict]:
    """The cohort that a GAN was trained on, as it was seen (split and label), and
    `patients.check_disjoint`'s answer.

    The floor is held out, too, rather than part of the training images: a classifier's features of
    what it was trained on are unlike those of new images, and the floor would be higher than what a
    perfect generator reaches.
    """
    config = common.load_run(gan_run)
    cohort = common.cohort_of(gan_run)
    sets, held_out = sets_of(cohort, config.get("split", "train"), config.get("label", "all"), seed)
    return sets, patients.check_disjoint(gan_run, held_out)


def sets_of(cohort: Cohort, split: str, label: str, seed: int) -> tuple[RealSets, Cohort]:
    """The sets for a GAN of that split and label, and all that it would not see."""
    same = cohort.select(label=None if label == "all" else label)
    held_out = same.manifest["split"] != split
    parts = [shuffled(_rows(same, chosen), seed) for chosen in (held_out, ~held_out)]
    return RealSets(*_halves(parts[0]), parts[1]), parts[0]


def chosen_number(where: str | Path, sets: RealSets, asked: int) -> int:
    """How many images each set has: `asked`, or as many as there are, up to MOST.

    Raises:
        InputError: there are too few; it names the run or cohort `where`.
    """
    n = asked or min(sets.most(), MOST)
    if sets.most() < max(n, LEAST):
        raise InputError(
            f"{where}: its cohort has {len(sets.reference)} and {len(sets.floor)} real images in "
            f"two halves of the held-out patients and {len(sets.training)} to train on, where "
            f"{max(n, LEAST)} of each are needed; "
            + ("lower n" if sets.most() >= LEAST else "train on a cohort with more")
        )
    return n


def of_cohort(rows: Cohort, n: int, size: int) -> Source:
    """The first `n` images of a cohort's rows, reduced to `size` px."""
    paths = rows.paths()
    return Source(
        rows.manifest["patient_id"].to_numpy()[:n],
        lambda start, stop: load_images(paths[start:stop], size),
    )


def of_gan(gan_run: str | Path, generator, n: int, seed: int, batch: int = 64) -> Source:
    """`n` images of a seed, with labels as often as the training images had them."""
    z = common.latents(seed, n, generator.latent_size)
    labels = generation.labels(gan_run, generator, None, n, seed)
    forward = common.synthesizer(generator, min(batch, n))

    def draw(start: int, stop: int) -> np.ndarray:
        parts = [slice(at, min(at + batch, stop)) for at in range(start, stop, batch)]
        made = [
            common.to_uint8(forward(z[part], None if labels is None else labels[part]))
            for part in parts
        ]
        return np.concatenate(made)

    return Source(np.arange(n), draw)


def of_baseline(gaussian, n: int, seed: int) -> Source:
    """`n` images of the PCA-Gaussian."""
    return Source(
        np.arange(n),
        lambda start, stop: gaussian.draw(
            stop - start, np.random.default_rng([seed, BASELINE, start])
        ),
    )


def shuffled(rows: Cohort, seed: int) -> Cohort:
    """In a random order of patients; the images of one stay together."""
    patients = rows.manifest["patient_id"]
    names = np.unique(patients.to_numpy(str))
    place = dict(
        zip(names, np.random.default_rng([seed, SHUFFLE]).permutation(len(names)), strict=True)
    )
    return Cohort(
        rows.folder, rows.manifest.iloc[np.argsort(patients.map(place).to_numpy(), kind="stable")]
    )


def _halves(rows: Cohort) -> tuple[Cohort, Cohort]:
    """Patient by patient into the half that has fewer images."""
    counts = rows.manifest.groupby("patient_id", sort=False).size()
    totals, half = [0, 0], {}
    for patient, count in counts.items():
        half[patient] = int(totals[1] < totals[0])
        totals[half[patient]] += count
    second = rows.manifest["patient_id"].map(half).to_numpy(int) == 1
    return _rows(rows, ~second), _rows(rows, second)


def _rows(rows: Cohort, chosen: np.ndarray) -> Cohort:
    return Cohort(rows.folder, rows.manifest[chosen].reset_index(drop=True))
