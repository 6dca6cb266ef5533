"""The gate: are synthetic images nearer to training images than real images of other patients
are?"""

import time
from pathlib import Path

import numpy as np
import pandas as pd

from evaluate import common, patients
from evaluate.privacy import figures, spaces
from evaluate.privacy.chapter import PrivacyResult
from evaluate.privacy.options import PrivacyOptions
from evaluate.protocol import Progress, silent
from pgcxr.classifier import features
from pgcxr.errors import InputError
from pgcxr.io import artifacts, places
from pgcxr.metrics import privacy
from pgcxr.sampling import generation
from pgcxr.sampling.runs import GENERATOR

# Chance of failing a generator that copies nothing, over all tests of both spaces together at most.
ALPHA = 0.01
TESTS = 8
SAID = {
    "near_copies": (
        "{share:.2%} of synthetic images are at or below the cut-off, {other:.2%} of held-out ones"
    ),
    "nearer_than_all": (
        "{count} of {n} synthetic images are nearer to a training image than any held-out one is"
    ),
    "c_t": "synthetic images are nearer to training images than held-out ones are (C_T {z:.1f})",
    "not_authentic": (
        "{share:.1%} of synthetic images are not authentic, {other:.1%} of held-out ones"
    ),
}


def run(
    gan_run: str | Path,
    classifier_run: str | Path,
    out: str | Path,
    options: PrivacyOptions | None = None,
    seed: int = 0,
    progress: Progress = silent,
) -> PrivacyResult:
    """Writes the folder `out` about the generator of `gan_run`; `passed` of the figures is the
    answer.

    Args:
        gan_run: RUN of train.gan, of gray images.
        classifier_run: RUN of train.classifier, whose features are compared.
        out: new folder; it shows images of patients.
        options: `PrivacyOptions()` where left out.
        seed: of the latents, as in `pgcxr generate`.
        progress: told how far it is.

    Raises:
        InputError: a run that does not do, too few real images, or `out` is not empty.
    """
    begin = time.perf_counter()
    options = options or PrivacyOptions()
    places.refuse_existing(Path(out))
    generator = common.load_generator(gan_run)
    if generator.channels != 1:
        raise InputError(
            f"{gan_run}: makes images of {generator.channels} channels; gray ones are compared"
        )
    common.load_classifier(classifier_run)
    extractor = features.load(classifier_run)
    real, disjoint = spaces.real_sets(gan_run)
    z = common.latents(seed, options.n, generator.latent_size)
    labels = generation.labels(gan_run, generator, None, options.n, seed)
    sets = {"generated": common.generate_batches(generator, z, labels, spaces.BATCH)}
    counts = {"generated": len(z)}
    for name, rows in _cohorts(real).items():
        sets[name], counts[name] = spaces.of_cohort(rows, generator.resolution), len(rows)
    with artifacts.new_folder(out) as folder:
        measured, tests, reasons = judged(_vectors(sets, extractor, counts, progress), real, seed)
        cutoff = {name: each["cutoff"]["value"] for name, each in tests.items()}
        forms = spaces.forms(generator.resolution)
        figures.histograms(measured, cutoff, folder / "distances.png")
        figures.pairs(
            *(measured, cutoff, real.training, generator.resolution, forms),
            lambda rows: common.generate(
                generator, z[rows], None if labels is None else labels[rows]
            ),
            folder / "pairs.png",
        )
        body = {
            "passed": not reasons,
            "reasons": reasons,
            "generator_sha256": artifacts.sha256(Path(gan_run) / GENERATOR),
            "classifier_sha256": artifacts.sha256(Path(classifier_run) / common.CLASSIFIER),
            "manifest_sha256": artifacts.sha256(real.training.folder / "manifest.csv"),
            "n": len(z),
            "training_images": len(real.training),
            "held_out_patients": len(real.held_out),
            "gan_patients": disjoint,
            "lineage": patients.lineage(gan_run),
            "alpha": ALPHA / TESTS,
            "cutoff": cutoff,
            "spaces": tests,
            "features": extractor.describe(),
            "for_release": False,
            "note": "pairs.png shows images of patients: this folder is not for release",
            "seconds": time.perf_counter() - begin,
        }
        ids = real.training.manifest["image_id"].to_numpy()
        tables = {"nearest.csv": nearest_table(measured, cutoff, ids, forms)}
        result = PrivacyResult(Path(out), body, tables).made_with(options, seed)
        result.write(folder)
    return result


def _cohorts(real: spaces.RealSets) -> dict:
    return {
        "training": real.training,
        "held_out": real.held_out,
        "one": real.pairs[0],
        "other": real.pairs[1],
    }


def _vectors(
    sets: dict, extractor, counts: dict[str, int], progress: Progress = silent
) -> dict[str, dict[str, np.ndarray]]:
    """{space: {set: vectors}}."""
    vectors: dict[str, dict[str, np.ndarray]] = {"features": {}, "pixels": {}}
    total, done = sum(counts.values()), 0

    def counted(batches):
        nonlocal done
        for images in batches:
            yield images
            done += len(images)
            progress("images", done, total)

    for name, batches in sets.items():
        for space, of_set in spaces.vectors(counted(batches), extractor).items():
            vectors[space][name] = of_set
    for of_space in vectors.values():
        # Without a pair there is no batch that would tell the length.
        for name in ("one", "other"):
            of_space[name] = of_space[name].reshape(-1, of_space["training"].shape[1])
    return vectors


def judged(
    vectors: dict[str, dict[str, np.ndarray]], real: spaces.RealSets, seed: int
) -> tuple[dict[str, privacy.Distances], dict[str, dict], list[str]]:
    """({space: distances}, {space: tests}, why the generator fails; nothing where it passes).

    Args:
        vectors: {space: {"generated", "training", "held_out", "one", "other": vectors as
            `spaces.vectors` gives them}}.
    """
    scaled = {
        "features": spaces.scaled(vectors["features"]),
        "pixels": spaces.per_pixel(vectors["pixels"]),
    }
    measured = {space: _measured(sets, space, real) for space, sets in scaled.items()}
    tests = {space: _copying(measured[space], scaled[space], seed) for space in scaled}
    return measured, tests, [line for space in tests for line in _reasons(space, tests[space])]


def _measured(sets: dict[str, np.ndarray], space: str, real: spaces.RealSets) -> privacy.Distances:
    training = sets["training"]
    side = round(training.shape[1] ** 0.5)
    forms = spaces.forms(side)[1:] if space == "pixels" else ()
    return privacy.measure(
        *(sets["generated"], sets["held_out"], training),
        real.training.manifest["patient_id"].to_numpy(str),
        (sets["one"], sets["other"]),
        # A twin has a mean square of 1 again: back to distances per pixel.
        lambda: (spaces.twin(training, form) / np.float32(side) for form in forms),
    )


def _copying(distances: privacy.Distances, sets: dict[str, np.ndarray], seed: int) -> dict:
    cell_of = privacy.cells(sets["training"], sets["generated"], sets["held_out"], seed)
    tests = privacy.copying(distances, cell_of, ALPHA / TESTS)
    # Told, not judged: see its own words.
    beside = privacy.nearer_training(sets["generated"], sets["training"], sets["held_out"], seed)
    return tests | {"nearer_training": beside, "distances": privacy.quantiles(distances)}


def _reasons(space: str, tests: dict) -> list[str]:
    """One line for each test that failed."""
    lines = []
    for name in tests["failed"]:
        test = tests[name]
        other = test.get("held_out", {}).get("share")
        lines.append(f"{space}: " + SAID[name].format(**test | {"other": other}))
    return lines


def nearest_table(
    measured: dict[str, privacy.Distances], limits: dict[str, float], ids: np.ndarray, forms: list
) -> pd.DataFrame:
    """One row for each synthetic image and space: image (its number in `pgcxr generate --seed`),
    space, distance, training_image_id, how that is nearest (mirrored, moved_right, moved_down),
    below_cutoff."""
    forms = np.array(forms, int)
    return pd.concat(
        pd.DataFrame(
            {
                "image": np.arange(len(each.generated)),
                "space": space,
                "distance": each.generated,
                "training_image_id": ids[each.of_generated],
                **dict(
                    zip(("mirrored", "moved_right", "moved_down"), forms[each.twin].T, strict=True)
                ),
                "below_cutoff": (each.generated <= limits[space]).astype(int),
            }
        )
        for space, each in measured.items()
    )
