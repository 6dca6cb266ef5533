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

from evaluate import common
from evaluate.fidelity import (
    acceptance,
    arms,
    explain,
    figures,
    labeling,
    page,
    pseudo,
    real_images,
    statistics,
)
from evaluate.fidelity.real_images import RealImages
from evaluate.fidelity.scheme import scheme_plot
from evaluate.fidelity.settings import settings
from pgcxr.errors import InputError
from pgcxr.io import artifacts, places
from pgcxr.metrics.roc import auroc


def run(
    gan_run: Path, classifier_run: Path, out: Path, config: str | dict = "thesis", seed: int = 0
) -> dict:
    """Evaluates the fidelity of the images of `gan_run` and writes the folder `out`; returns its
    report."""
    begin = time.perf_counter()
    chosen = settings(config)
    gan_run, classifier_run, out = Path(gan_run), Path(classifier_run), Path(out)
    places.refuse_existing(out)
    trained = real_images.load_settings(classifier_run)
    generator = common.load_generator(gan_run)
    if generator.resolution < trained["size"]:
        raise InputError(
            f"{gan_run}: makes images of {generator.resolution} px, classifier {classifier_run} "
            f"reads {trained['size']} px; train a classifier with --set size={generator.resolution}"
        )
    real = RealImages(classifier_run, trained)
    real_images.refuse_too_few(real.counts(chosen["per_class"]), chosen["per_class"])
    test_rows, _, test_labels = real.parts["test"]
    statistics.refuse_few_patients(test_rows, test_labels)
    disjoint = common.check_disjoint(gan_run, test_rows)
    work = out.with_name(f".{out.name}.work")
    with artifacts.new_folder(out) as folder:
        report = _steps(gan_run, generator, real, chosen, seed, folder, arms.Trainer(trained, work))
        report |= {
            "architecture": trained["architecture"],
            "size": trained["size"],
            "gan_patients": disjoint,
            "seconds": time.perf_counter() - begin,
        }
        for kind in figures.KINDS:
            scheme_plot(report, folder / f"scheme{kind}")
        page.write(folder, artifacts.plain(report), chosen)
        artifacts.write_report(
            folder, report, command="evaluate.fidelity", seed=seed, config=chosen
        )
    shutil.rmtree(work, ignore_errors=True)
    return artifacts.read_json(out / "report.json")


def _steps(
    gan_run: Path,
    generator,
    real: RealImages,
    chosen: dict,
    seed: int,
    folder: Path,
    trainer: arms.Trainer,
) -> dict:
    from pgcxr.classifier.training import predict

    rows, test_images, test_labels = real.parts["test"]
    truth = test_labels[:, 0]
    probability = {
        split: predict(real.model, images)[:, 0] for split, images in real.images().items()
    }
    scores = {"real": probability["test"]}

    area = auroc(truth.astype(int), scores["real"])
    synthetic = labeling.synthesize(gan_run, generator, real, chosen, seed, area)
    wanted = real.counts(chosen["per_class"])
    sampling = labeling.sampling(synthetic, wanted, chosen["most_generated"])
    labeling.warn(gan_run, sampling, synthetic.counts["generated"])
    control_images, control_labels, control_counts = labeling.pseudo_labeled_real(
        real, chosen, probability
    )
    data = {
        arms.REAL: (real.images(), real.labels()),
        arms.SYNTHETIC: (synthetic.images, synthetic.labels),
        arms.CONTROL: (control_images, control_labels),
    }

    model = trainer.model(arms.SYNTHETIC, *data[arms.SYNTHETIC], seed)
    scores["synthetic"] = predict(model, test_images)[:, 0]
    own = predict(model, synthetic.images["test"])[:, 0]
    own_truth = synthetic.labels["test"][:, 0]
    control = trainer.model(arms.CONTROL, *data[arms.CONTROL], seed)
    scores["control"] = predict(control, test_images)[:, 0]

    _, val_images, val_labels = real.parts["val"]
    patients = rows.manifest["patient_id"].to_numpy()

    def on_real(arm: str, network) -> statistics.Reading:
        validation = val_labels[:, 0], predict(network, val_images)[:, 0]
        return statistics.Reading(truth, scores[arm], validation, patients)

    own_validation = synthetic.labels["val"][:, 0], predict(model, synthetic.images["val"])[:, 0]
    readings = {
        "real_on_real": on_real("real", real.model),
        "synthetic_on_synthetic": statistics.Reading(own_truth, own, own_validation),
        "synthetic_on_real": on_real("synthetic", model),
        "pseudolabelled_real_on_real": on_real("control", control),
    }
    report = {
        **statistics.measured(readings, chosen, seed),
        "pseudo_labels": synthetic.counts,
        "pseudo_labels_control": control_counts,
        "sampling": sampling,
        "images": {
            arm: {split: pseudo.counts(each) for split, each in labels.items()}
            for arm, (_, labels) in data.items()
        },
        "wanted_reached": not sampling["bound_hit"],
    }
    report["same_numbers"] = report["images"]["synthetic"] == report["images"]["real"]
    if chosen["seeds"] > 1:
        report["seeds"] = _more_seeds(
            trainer, data, truth, test_images, scores, chosen["seeds"], seed
        )
        artifacts.write_text(
            folder / "seeds.csv", arms.seeds_table(report["seeds"]).to_csv(index=False)
        )
    report["explain"], table = explain.explain(
        real.model, model, rows, test_images, truth, scores, chosen["explained"], seed
    )
    artifacts.write_text(folder / "explain.csv", table.to_csv(index=False, float_format="%.6f"))

    model.save(folder / "classifier-synthetic.keras")
    curves = {
        "real_on_real": (truth, scores["real"]),
        "synthetic_on_synthetic": (own_truth, own),
        "synthetic_on_real": (truth, scores["synthetic"]),
        "pseudolabelled_real_on_real": (truth, scores["control"]),
    }
    figures.write(folder, report, curves, rows, scores)
    statistics.write(folder, report, readings)
    known = {split: (probability[split], labels[:, 0]) for split, labels in real.labels().items()}
    figures.acceptance_plots(folder, acceptance.curves(synthetic.probability, known), chosen)
    figures.explained(folder, real.model, model, rows, test_images, truth, scores)
    figures.examples(folder, synthetic)
    return report


def _more_seeds(
    trainer: arms.Trainer,
    data: dict,
    truth: np.ndarray,
    test_images: np.ndarray,
    scores: dict,
    count: int,
    seed: int,
) -> dict:
    """Trains every arm again with other seeds, on the same images and labels; `scores` are the
    first seed's."""
    from pgcxr.classifier.training import predict

    first = {arms.REAL: trainer.trained.get("seed", 0), arms.SYNTHETIC: seed, arms.CONTROL: seed}
    trained_with = {arm: arms.seeds(first[arm], count) for arm in data}
    areas = {}
    for arm, (images, labels) in data.items():
        areas[arm] = [auroc(truth, scores[arm])]
        for other in trained_with[arm][1:]:
            model = trainer.model(arm, images, labels, other)
            areas[arm].append(auroc(truth, predict(model, test_images)[:, 0]))
    return arms.over_seeds(areas, trained_with)
