"""Who is compared, and the two spaces in which it is done: what a classifier sees, and pixels."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from evaluate import common, patients
from pgcxr.classifier import features
from pgcxr.cohort.image_files import load_images
from pgcxr.cohort.manifest import Cohort
from pgcxr.errors import InputError

# px: coarse enough that a copy of a slightly moved or noisy image stays near, and quick.
PIXELS = 32
BATCH = 64
LEAST_HELD_OUT = 50  # patients


@dataclass(frozen=True)
class RealSets:
    """`training` is what the GAN learned from; `held_out` has one image of each other patient, and
    `pairs` two images of each, where there are two."""

    training: Cohort
    held_out: Cohort
    pairs: tuple[Cohort, Cohort]


def real_sets(gan_run: Path) -> tuple[RealSets, dict]:
    """Of the GAN's own cohort, images with the label it was trained on; and
    `patients.check_disjoint`'s answer."""
    config = common.load_run(gan_run)
    split, label = config.get("split", "train"), config.get("label", "all")
    sets, others = sets_of(patients.trained_on(gan_run), split, label, gan_run)
    return sets, patients.check_disjoint(gan_run, others)


def sets_of(cohort: Cohort, split: str, label: str, where: str | Path) -> tuple[RealSets, Cohort]:
    """The sets for a GAN of that split and label, and all that it would not see.

    Raises:
        InputError: there are too few to tell copies; it names the run or cohort `where`.
    """
    same = cohort.select(label=None if label == "all" else label)
    learned = same.manifest["split"] == split
    others = _rows(same, ~learned)
    place = others.manifest.groupby("patient_id").cumcount()
    first, second = _rows(others, place == 0), _rows(others, place == 1)
    twice = first.manifest["patient_id"].isin(second.manifest["patient_id"])
    by_patient = [
        _rows(rows, np.ones(len(rows), bool), "patient_id")
        for rows in (_rows(first, twice), second)
    ]
    if min(len(first), learned.sum()) < LEAST_HELD_OUT or _patients(same, learned) < 2:
        raise InputError(
            f"{where}: its cohort has {len(first)} held-out patients and {learned.sum()} images "
            f"to train on, where {LEAST_HELD_OUT} of each are needed to tell copies; train on a "
            "larger cohort"
        )
    return RealSets(_rows(same, learned), first, tuple(by_patient)), others


def _patients(rows: Cohort, chosen: np.ndarray) -> int:
    return rows.manifest.loc[chosen, "patient_id"].nunique()


def _rows(rows: Cohort, chosen: np.ndarray, order: str | None = None) -> Cohort:
    found = rows.manifest[np.asarray(chosen)]
    found = found.sort_values(order, kind="stable") if order else found
    return Cohort(rows.folder, found.reset_index(drop=True))


def of_cohort(rows: Cohort, size: int) -> Iterable[np.ndarray]:
    """Batches of a cohort's images, uint8 [n, size, size, 1], in its order."""
    paths = rows.paths()
    return (
        load_images(paths[start : start + BATCH], size) for start in range(0, len(paths), BATCH)
    )


def vectors(batches: Iterable[np.ndarray], extractor: features.Extractor) -> dict[str, np.ndarray]:
    """{"features": float32 [N, D], "pixels": float32 [N, P * P]}, P at most PIXELS; a batch at a
    time.

    Of each image's pixels the mean is 0 and the mean square 1: a copy of other brightness or
    contrast is a copy.
    """
    seen, pixels = [np.empty((0, extractor.dimensions), np.float32)], []
    for images in batches:
        seen.append(extractor(images))
        small = features.resized(images, min(PIXELS, images.shape[1]))
        pixels.append(_standardized(small.reshape(len(small), -1).astype(np.float32)))
    return {
        "features": np.concatenate(seen),
        "pixels": np.concatenate(pixels or [np.empty((0, 0), np.float32)]),
    }


def forms(resolution: int) -> list[tuple[bool, int, int]]:
    """(mirrored, right, down) of the forms in which a training image is looked for; the first is as
    it is.

    Mirrored, as a GAN trained with mirroring may repeat images so, and moved by 1/PIXELS of the
    width each way.
    """
    steps = (0, -1, 1) if resolution >= PIXELS else (0,)
    return [(mirror, right, down) for mirror in (False, True) for right in steps for down in steps]


def twin(pixels: np.ndarray, form: tuple[bool, int, int]) -> np.ndarray:
    """float32 [N, P * P] of images in one of the `forms`; moved ones repeat their border."""
    mirror, right, down = form
    side = round(pixels.shape[1] ** 0.5)
    images = pixels.reshape(-1, side, side)
    images = images[:, :, ::-1] if mirror else images
    place = np.arange(side)
    rows, columns = (np.clip(place - by, 0, side - 1) for by in (down, right))
    return _standardized(images[:, rows][:, :, columns].reshape(len(pixels), -1))


def _standardized(pixels: np.ndarray) -> np.ndarray:
    """Each row less its mean, over its standard deviation; 0 where all pixels are equal."""
    centered = pixels - pixels.mean(axis=1, keepdims=True)
    deviation = centered.std(axis=1, keepdims=True)
    return centered / np.maximum(deviation, 1e-6)


def scaled(sets: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Each feature over its deviation in the training images, so that none decides by its unit;
    constant ones left out.

    Distances are per dimension: those of pixels and of other networks can be read beside each
    other.
    """
    mean, deviation = sets["training"].mean(axis=0), sets["training"].std(axis=0)
    varying = deviation > 1e-6 * deviation.max()
    if not varying.any():
        raise InputError("features: are the same for all training images; name another classifier")
    scale = deviation[varying] * np.sqrt(varying.sum())
    return {name: (vectors[:, varying] - mean[varying]) / scale for name, vectors in sets.items()}


def per_pixel(sets: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Scaled so that a distance is the root mean square difference of pixels: the root of 2 (1 -
    correlation)."""
    return {name: each / np.float32(np.sqrt(each.shape[1])) for name, each in sets.items()}
