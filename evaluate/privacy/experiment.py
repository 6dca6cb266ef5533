"""The gate: are synthetic images nearer to training images than real images of other patients
are?"""

import time
from pathlib import Path

import numpy as np
import pandas as pd

from evaluate import common
from evaluate.privacy import figures, spaces
from pgcxr.classifier import features
from pgcxr.errors import InputError
from pgcxr.io import artifacts, places
from pgcxr.metrics import privacy
from pgcxr.sampling import generation

DEFAULTS = {"n": 2000}  # synthetic images
LEAST = 200
# Chance of failing a generator that copies nothing, over all tests of both spaces together at most.
ALPHA = 0.01
TESTS = 8
SAID = {
    "near_copies": "{share:.2%} of synthetic images are at or below the cut-off, {other:.2%} of held-out ones",
    "nearer_than_all": "{count} of {n} synthetic images are nearer to a training image than any held-out one is",
    "c_t": "synthetic images are nearer to training images than held-out ones are (C_T {z:.1f})",
    "not_authentic": "{share:.1%} of synthetic images are not authentic, {other:.1%} of held-out ones",
}


def run(
    gan_run: Path, classifier_run: Path, out: Path, config: dict | None = None, seed: int = 0
) -> dict:
    """Writes the folder `out` about the generator of `gan_run`; returns its report, whose `passed`
    is the answer.

    Args:
        config: changes to DEFAULTS.
    """
    begin = time.perf_counter()
    chosen = common.merge(DEFAULTS, config)
    if chosen["n"] < LEAST:
        raise InputError(f"--n {chosen['n']}: {LEAST} or more are needed to tell copies; raise it")
    places.refuse_existing(Path(out))
    generator = common.load_generator(gan_run)
    if generator.channels != 1:
        raise InputError(
            f"{gan_run}: makes images of {generator.channels} channels; grey ones are compared"
        )
    common.load_classifier(classifier_run)
    extractor = features.load(classifier_run)
    real, disjoint = spaces.real_sets(gan_run)
    z = common.latents(seed, chosen["n"], generator.latent_size)
    labels = generation.labels(gan_run, generator, None, chosen["n"], seed)
    with artifacts.new_folder(out) as folder:
        sets = {
            "generated": common.generate_batches(generator, z, labels, spaces.BATCH),
            **{
                name: spaces.of_cohort(rows, generator.resolution)
                for name, rows in _cohorts(real).items()
            },
        }
        seen = _vectors(
            sets, extractor, {"generated": len(z)} | {n: len(r) for n, r in _cohorts(real).items()}
        )
        measured, found, reasons = judged(seen, real, seed)
        report = {
            "passed": not reasons,
            "reasons": reasons,
            "generator_sha256": artifacts.sha256(Path(gan_run) / generation.GENERATOR),
            "classifier_sha256": artifacts.sha256(Path(classifier_run) / common.CLASSIFIER),
            "manifest_sha256": artifacts.sha256(real.training.folder / "manifest.csv"),
            "n": len(z),
            "training_images": len(real.training),
            "held_out_patients": len(real.held_out),
            "gan_patients": disjoint,
            "alpha": ALPHA / TESTS,
            "cutoff": {name: each["cutoff"]["value"] for name, each in found.items()},
            "spaces": found,
            "features": extractor.describe(),
            "for_release": False,
            "note": "pairs.png shows images of patients: this folder is not for release",
            "seconds": time.perf_counter() - begin,
        }
        artifacts.write_report(folder, report, command="evaluate.privacy", seed=seed, config=chosen)
        table = nearest_table(
            measured,
            report["cutoff"],
            real.training.manifest["image_id"].to_numpy(),
            spaces.forms(generator.resolution),
        )
        artifacts.write_text(folder / "nearest.csv", table.to_csv(index=False, float_format="%.6g"))
        figures.histograms(measured, report["cutoff"], folder / "distances.png")
        figures.pairs(
            *(
                measured,
                report["cutoff"],
                real.training,
                generator.resolution,
                spaces.forms(generator.resolution),
            ),
            lambda rows: common.generate(
                generator, z[rows], None if labels is None else labels[rows]
            ),
            folder / "pairs.png",
        )
    return artifacts.read_json(Path(out) / "report.json")


def _cohorts(real: spaces.RealSets) -> dict:
    return {
        "training": real.training,
        "held_out": real.held_out,
        "one": real.pairs[0],
        "other": real.pairs[1],
    }


def _vectors(sets: dict, extractor, counts: dict[str, int]) -> dict[str, dict[str, np.ndarray]]:
    """{space: {set: vectors}}."""
    found: dict[str, dict[str, np.ndarray]] = {"features": {}, "pixels": {}}
    total, done = sum(counts.values()), 0
    with common.progress_bars() as advance:

        def counted(batches):
            nonlocal done
            for images in batches:
                yield images
                done += len(images)
                advance("images", done, total)

        for name, batches in sets.items():
            for space, each in spaces.vectors(counted(batches), extractor).items():
                found[space][name] = each
    for each in found.values():
        # Without a pair there is no batch that would tell the length.
        for name in ("one", "other"):
            each[name] = each[name].reshape(-1, each["training"].shape[1])
    return found


def judged(
    seen: dict[str, dict[str, np.ndarray]], real: spaces.RealSets, seed: int
) -> tuple[dict[str, privacy.Distances], dict[str, dict], list[str]]:
    """({space: distances}, {space: tests}, why the generator fails; nothing where it passes).

    Args:
        seen: {space: {"generated", "training", "held_out", "one", "other": vectors as
            `spaces.vectors` gives them}}.
    """
    seen = {"features": spaces.scaled(seen["features"]), "pixels": spaces.per_pixel(seen["pixels"])}
    measured = {name: _measured(each, name, real) for name, each in seen.items()}
    found = {name: _copying(measured[name], seen[name], seed) for name in seen}
    return measured, found, [said for name in found for said in _reasons(name, found[name])]


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
    found = privacy.copying(distances, cell_of, ALPHA / TESTS)
    # Told, not judged: see its own words.
    beside = privacy.nearer_training(sets["generated"], sets["training"], sets["held_out"], seed)
    return found | {"nearer_training": beside, "distances": privacy.quantiles(distances)}


def _reasons(space: str, found: dict) -> list[str]:
    """One line for each test that failed."""
    said = []
    for name in found["failed"]:
        test = found[name]
        other = test.get("held_out", {}).get("share")
        said.append(f"{space}: " + SAID[name].format(**test | {"other": other}))
    return said


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
