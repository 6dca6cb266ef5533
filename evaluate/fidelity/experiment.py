"""The three steps of thesis 2.3, and a control arm.

1. classifier (real), trained before, reads the real test set.
2. It labels synthetic images; classifier (synthetic) is trained on those it is sure of.
3. classifier (synthetic) reads synthetic images of its own test part, and the real test set.

Control: a classifier trained on the real training images, labeled in the same way, reads the real
test set. What it loses against step 1 is lost by pseudo-labels; what classifier (synthetic) loses
beyond that is lost by the GAN.
"""

import shutil
import time
from pathlib import Path

import numpy as np

from evaluate import common, patients
from evaluate.fidelity import (
    acceptance,
    arms,
    explanations,
    figures,
    labeling,
    page,
    pseudo,
    real_images,
    statistics,
)
from evaluate.fidelity.chapter import FidelityResult
from evaluate.fidelity.explanations import HeldOut
from evaluate.fidelity.options import FidelityOptions
from evaluate.fidelity.pseudo import Synthetic
from evaluate.fidelity.real_images import RealImages
from evaluate.fidelity.scheme import scheme_plot
from evaluate.protocol import Progress, silent
from pgcxr.errors import InputError
from pgcxr.io import artifacts, places
from pgcxr.metrics.roc import auroc


def run(
    gan_run: str | Path,
    classifier_run: str | Path,
    out: str | Path,
    options: FidelityOptions | None = None,
    seed: int = 0,
    progress: Progress = silent,
) -> FidelityResult:
    """Evaluates the fidelity of the images of `gan_run` and writes the folder `out`: report.html,
    report.json, tables, figures and classifier-synthetic.keras.

    What is trained before an interruption is kept in a hidden folder beside `out`, and used when
    the same is run again.

    Args:
        gan_run: RUN of train.gan on normal and abnormal images.
        classifier_run: RUN of train.classifier of binary labels: classifier (real).
        out: new folder.
        options: `FidelityOptions()` where left out.
        seed: of the latents and of the first trainings.
        progress: told how far it is.

    Raises:
        InputError: a run that does not do, too few images of a class, or `out` is not empty.
        ArgumentError: `per_class` leaves too few images.
    """
    begin = time.perf_counter()
    options = options or FidelityOptions()
    gan_run, classifier_run, out = Path(gan_run), Path(classifier_run), Path(out)
    places.refuse_existing(out)
    trained = real_images.load_settings(classifier_run)
    generator = common.load_generator(gan_run)
    if generator.resolution < trained["size"]:
        raise InputError(
            f"{gan_run}: makes images of {generator.resolution} px, classifier {classifier_run} "
            f"reads {trained['size']} px; train a classifier of size {generator.resolution}"
        )
    real = RealImages(classifier_run, trained)
    real_images.refuse_too_few(real.counts(options.per_class), options.per_class)
    test_rows, _, test_labels = real.parts["test"]
    statistics.refuse_few_patients(test_rows, test_labels)
    disjoint = patients.check_disjoint(gan_run, test_rows)
    work = out.with_name(f".{out.name}.work")
    trainer = arms.Trainer(trained, work, progress)
    with artifacts.new_folder(out) as folder:
        report, tables = _study(gan_run, generator, real, options, seed, folder, trainer)
        report |= {
            "architecture": trained["architecture"],
            "size": trained["size"],
            "gan_patients": disjoint,
            "confounders": common.confounders_of(real.cohort),
            "seconds": time.perf_counter() - begin,
        }
        for kind in figures.KINDS:
            scheme_plot(report, folder / f"scheme{kind}")
        result = FidelityResult(out, report, tables).made_with(options, seed)
        page.write(folder, result)
        result.write(folder)
    shutil.rmtree(work, ignore_errors=True)
    return result


def _study(
    gan_run: Path,
    generator,
    real: RealImages,
    options: FidelityOptions,
    seed: int,
    folder: Path,
    trainer: arms.Trainer,
) -> tuple[dict, dict]:
    """(report, tables); figures and classifier (synthetic) are written to `folder`."""
    from pgcxr.classifier.training import predict

    rows, images, labels = real.parts["test"]
    probability = {
        split: predict(real.model, images)[:, 0] for split, images in real.images().items()
    }
    synthetic, data, counts = _labeled(
        gan_run, generator, real, probability, options, seed, trainer.progress
    )
    networks = {arms.REAL: real.model} | {
        arm: trainer.model(arm, *data[arm], seed) for arm in (arms.SYNTHETIC, arms.CONTROL)
    }
    scores = {arms.REAL: probability["test"]} | {
        arm: predict(networks[arm], images)[:, 0] for arm in (arms.SYNTHETIC, arms.CONTROL)
    }
    test = HeldOut(rows, images, labels[:, 0], scores)
    readings = _readings(networks, test, real, synthetic)
    report = {**statistics.measured(readings, options, seed), **counts}
    known = {split: (probability[split], labels[:, 0]) for split, labels in real.labels().items()}
    accepted = acceptance.curves(synthetic.probability, known)
    tables = {
        **figures.tables(report, readings, test),
        **statistics.tables(report),
        "acceptance.csv": accepted,
    }
    if options.seeds > 1:
        report["seeds"] = _more_seeds(trainer, data, test, options.seeds, seed)
        tables["seeds.csv"] = arms.seeds_table(report["seeds"])
    two = networks[arms.REAL], networks[arms.SYNTHETIC]
    report["explain"], tables["explain.csv"] = explanations.explain(
        *two, test, options.explained, seed
    )
    networks[arms.SYNTHETIC].save(folder / "classifier-synthetic.keras")
    figures.write(folder, report, readings)
    statistics.plot(folder, readings)
    figures.acceptance_plots(folder, accepted, options.abnormal_above, 1 - options.normal_below)
    figures.explained(folder, *two, test)
    figures.examples(folder, synthetic)
    return report, tables


def _labeled(
    gan_run: Path,
    generator,
    real: RealImages,
    probability: dict,
    options: FidelityOptions,
    seed: int,
    progress: Progress,
) -> tuple[Synthetic, dict, dict]:
    """(synthetic images, {arm: (images, labels)} to train on, counts for the report).

    Args:
        probability: {split: P(abnormal) [N]} of the real images by classifier (real).
    """
    truth = real.labels()["test"][:, 0]
    area = auroc(truth.astype(int), probability["test"])
    synthetic = labeling.synthesize(gan_run, generator, real, options, seed, area, progress)
    sampling = labeling.sampling(synthetic, real.counts(options.per_class), options.most_generated)
    labeling.warn(gan_run, sampling, synthetic.counts["generated"])
    *control, control_counts = labeling.pseudo_labeled_real(real, options, probability)
    data = {
        arms.REAL: (real.images(), real.labels()),
        arms.SYNTHETIC: (synthetic.images, synthetic.labels),
        arms.CONTROL: tuple(control),
    }
    images = {
        arm: {split: pseudo.counts(part) for split, part in labels.items()}
        for arm, (_, labels) in data.items()
    }
    counts = {
        "pseudo_labels": synthetic.counts,
        "pseudo_labels_control": control_counts,
        "sampling": sampling,
        "images": images,
        "wanted_reached": not sampling["bound_hit"],
        "same_numbers": images[arms.SYNTHETIC] == images[arms.REAL],
    }
    return synthetic, data, counts


def _readings(
    networks: dict, test: HeldOut, real: RealImages, synthetic: Synthetic
) -> dict[str, statistics.Reading]:
    """Who reads what, with real validation images where the test set is real."""
    from pgcxr.classifier.training import predict

    _, val_images, val_labels = real.parts["val"]
    patients = test.rows.manifest["patient_id"].to_numpy()

    def on_real(arm: str) -> statistics.Reading:
        validation = val_labels[:, 0], predict(networks[arm], val_images)[:, 0]
        return statistics.Reading(test.truth, test.scores[arm], validation, patients)

    def on_synthetic(split: str) -> tuple[np.ndarray, np.ndarray]:
        scores = predict(networks[arms.SYNTHETIC], synthetic.images[split])[:, 0]
        return synthetic.labels[split][:, 0], scores

    return {
        "real_on_real": on_real(arms.REAL),
        "synthetic_on_synthetic": statistics.Reading(*on_synthetic("test"), on_synthetic("val")),
        "synthetic_on_real": on_real(arms.SYNTHETIC),
        "pseudolabelled_real_on_real": on_real(arms.CONTROL),
    }


def _more_seeds(trainer: arms.Trainer, data: dict, test: HeldOut, count: int, seed: int) -> dict:
    """Trains every arm again with other seeds, on the same images and labels; the scores of `test`
    are the first seed's."""
    from pgcxr.classifier.training import predict

    first = {arms.REAL: trainer.trained.get("seed", 0), arms.SYNTHETIC: seed, arms.CONTROL: seed}
    trained_with = {arm: arms.seeds(first[arm], count) for arm in data}
    areas = {}
    for arm, (images, labels) in data.items():
        areas[arm] = [auroc(test.truth, test.scores[arm])]
        for other in trained_with[arm][1:]:
            model = trainer.model(arm, images, labels, other)
            areas[arm].append(auroc(test.truth, predict(model, test.images)[:, 0]))
    return arms.over_seeds(areas, trained_with)
