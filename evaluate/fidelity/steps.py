"""The three steps of thesis 2.3, and a control arm.

1. classifier (real), trained before, reads the real test set.
2. It labels synthetic images; classifier (synthetic) is trained on those it is sure of.
3. classifier (synthetic) reads synthetic images of its own test part, and the real test set.

Control: a classifier trained on the real training images, labelled in the same way, reads the real test set. What it
loses against step 1 is lost by pseudo-labels; what classifier (synthetic) loses beyond that is lost by the GAN.
"""

import time
from pathlib import Path

import cv2
import numpy as np

from evaluate import common
from evaluate.fidelity import figures, statistics
from evaluate.fidelity.pseudo import NORMAL, REJECTED, Synthetic, collect, pseudo_labels
from evaluate.fidelity.settings import settings
from pgcxr import artefacts
from pgcxr.data.cohort import SPLITS
from pgcxr.errors import InputError
from pgcxr.metrics.roc import auroc
from pgcxr.training import settings_check

LEAST_PER_CLASS = {"train": 4, "val": 2, "test": 2}
BINARY = "binary"
CLASSIFIER_KEYS = tuple(key for key in settings_check.CLASSIFIER if key != "seed")
# AUROC on real images below which a classifier can hardly be sure of anything.
READS = 0.75


def run(gan_run: Path, classifier_run: Path, out: Path, config: str | dict = "thesis", seed: int = 0) -> dict:
    """Evaluates the fidelity of the images of `gan_run` and writes the folder `out`; returns its report."""
    begin = time.perf_counter()
    chosen = settings(config)
    artefacts.refuse_existing(Path(out))
    gan_run, classifier_run = Path(gan_run), Path(classifier_run)
    trained = common.load_run(classifier_run)
    if trained.get("labels") != BINARY:
        raise InputError(f"{classifier_run}: is no classifier of binary labels; train one with --labels binary")
    trained = common.load_run(classifier_run, architecture=str)
    where = f"{classifier_run / 'config.json'}: "
    settings_check.check(settings_check.CLASSIFIER, trained, where, needed=CLASSIFIER_KEYS)
    generator = common.load_generator(gan_run)
    if generator.resolution < trained["size"]:
        raise InputError(
            f"{gan_run}: makes images of {generator.resolution} px, classifier {classifier_run} reads "
            f"{trained['size']} px; train a classifier with --set size={generator.resolution}"
        )
    real = RealImages(classifier_run, trained)
    _refuse_too_few(real.counts(chosen["per_class"]), chosen["per_class"])
    test_rows, _, test_labels = real.parts["test"]
    statistics.refuse_few_patients(test_rows, test_labels)
    disjoint = common.check_disjoint(gan_run, test_rows)
    with artefacts.new_folder(out) as folder:
        report = _steps(gan_run, generator, real, chosen, seed, folder)
        report |= {
            "architecture": trained["architecture"],
            "size": trained["size"],
            "gan_patients": disjoint,
            "seconds": time.perf_counter() - begin,
        }
        artefacts.write_report(folder, report, command="evaluate.fidelity", seed=seed, config=chosen)
    return artefacts.read_json(Path(out) / "report.json")


class RealImages:
    """Classifier (real) and its cohort: `parts` {split: (rows, images uint8 [N, H, W, 1], labels [N, 1])}."""

    def __init__(self, classifier_run: Path, trained: dict):
        from pgcxr.training import classifier_data

        self.trained = trained
        self.model = common.load_classifier(classifier_run, outputs=1, resolution=trained["size"])
        cohort = common.cohort_of(classifier_run)
        self.parts = {}
        for split in SPLITS:
            rows, labels = classifier_data.part(cohort, split, BINARY)
            self.parts[split] = rows, rows.images(trained["size"]), labels

    def counts(self, per_class: int) -> dict[str, tuple[int, int]]:
        """{split: (normal, abnormal)}; with `per_class`, so many in all of each, shared out as the real ones are."""
        found = {}
        for split, (_, _, labels) in self.parts.items():
            found[split] = int((labels == 0).sum()), int((labels == 1).sum())
        if per_class:
            total = [sum(counts[label] for counts in found.values()) for label in (0, 1)]
            found = {
                split: tuple(per_class * n // t for n, t in zip(c, total, strict=True)) for split, c in found.items()
            }
        return found


def _refuse_too_few(wanted: dict, per_class: int) -> None:
    for split, least in LEAST_PER_CLASS.items():
        if min(wanted[split]) < least:
            normal, abnormal = wanted[split]
            raise InputError(
                f"--per-class {per_class}: leaves {normal} normal and {abnormal} abnormal images for split {split}, "
                f"which needs {least} of each; ask for more, or 0 for as many as there are real ones"
            )


def _steps(gan_run: Path, generator, real: RealImages, chosen: dict, seed: int, folder: Path) -> dict:
    from pgcxr.training.classifier_fit import predict

    rows, test_images, test_labels = real.parts["test"]
    truth = test_labels[:, 0]
    scores = {"real": predict(real.model, test_images)[:, 0]}

    wanted = real.counts(chosen["per_class"])
    synthetic = _synthesize(gan_run, generator, real, wanted, chosen, seed, auroc(truth.astype(int), scores["real"]))
    model = _fit(synthetic.images, synthetic.labels, real.trained, seed, "classifier (synthetic)")
    scores["synthetic"] = predict(model, test_images)[:, 0]
    own = predict(model, synthetic.images["test"])[:, 0]
    own_truth = synthetic.labels["test"][:, 0]

    control_images, control_labels, control_counts = _pseudo_labelled_real(real, chosen)
    control = _fit(control_images, control_labels, real.trained, seed, "classifier (pseudo-labelled real)")
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
        "images": {
            "real": {split: _counts(labels) for split, (_, _, labels) in real.parts.items()},
            "synthetic": {split: _counts(labels) for split, labels in synthetic.labels.items()},
            "control": {split: _counts(labels) for split, labels in control_labels.items()},
        },
        "wanted_reached": all(tuple(_counts(synthetic.labels[split]).values()) == wanted[split] for split in wanted),
    }
    model.save(folder / "classifier-synthetic.keras")
    curves = {
        "Classifier (real) on real": (truth, scores["real"]),
        "Classifier (synthetic) on synthetic": (own_truth, own),
        "Classifier (synthetic) on real": (truth, scores["synthetic"]),
        "Classifier (pseudo-labelled real) on real": (truth, scores["control"]),
    }
    figures.write(folder, report, curves, rows, scores)
    statistics.write(folder, report, readings)
    figures.gradcam_sheet(folder / "gradcam.png", real.model, model, rows, test_images, truth, scores)
    figures.examples(folder / "synthetic.png", synthetic)
    return report


def _synthesize(
    gan_run: Path, generator, real: RealImages, wanted: dict, chosen: dict, seed: int, area: float
) -> Synthetic:
    """`area`: AUROC of classifier (real) on the real test set, for the message where it calls too few images."""
    from rich import progress

    from pgcxr.training.classifier_fit import predict

    size, batch = real.trained["size"], chosen["generate_batch"]
    need = sum(sum(counts) for counts in wanted.values())
    most = int(np.ceil(need * chosen["most_generated"] / batch)) * batch
    z = common.latents(seed, most, generator.latent_size)
    labels = None
    if generator.label_size:
        labels = np.eye(generator.label_size, dtype=np.float32)[
            np.random.default_rng([seed, 1]).integers(generator.label_size, size=most)
        ]

    said = []

    def score(images):
        said.append(predict(real.model, images)[:, 0])
        return said[-1]

    def reduced():
        for images in common.generate_batches(generator, z, labels, batch):
            yield np.stack([cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA) for image in images])[
                ..., None
            ]

    with progress.Progress() as bar:
        task = bar.add_task("synthetic images", total=need)
        synthetic = collect(
            reduced(),
            score,
            wanted,
            chosen["abnormal_above"],
            chosen["normal_below"],
            lambda kept: bar.update(task, completed=kept),
        )
    for split, least in LEAST_PER_CLASS.items():
        counts = _counts(synthetic.labels[split])
        if min(counts.values()) < least:
            raise InputError(_too_few(gan_run, synthetic.counts, np.concatenate(said), area, chosen))
    return synthetic


def _too_few(gan_run: Path, counts: dict, said: np.ndarray, area: float, chosen: dict) -> str:
    """Why there are too few pseudo-labels: the classifier knows nothing, or the GAN's images are all of one kind."""
    low, middle, high = np.percentile(said, (5, 50, 95))
    below, above = chosen["normal_below"], chosen["abnormal_above"]
    if area < READS:
        cause = "the classifier has learned too little to be sure of any image: train it on more images, or longer"
    else:
        cause = "the classifier tells real images apart, so the GAN's are alike: train it longer, on both classes"
    return (
        f"{gan_run}: of {counts['generated']} images, classifier (real) called {counts['normal']} normal "
        f"(P(abnormal) < {below:g}) and {counts['abnormal']} abnormal (> {above:g}), too few to train on; its "
        f"P(abnormal) of them is {middle:.2f} in the median and {low:.2f} to {high:.2f} for nine in ten, its AUROC on "
        f"real test images {area:.2f}: {cause}"
    )


def _pseudo_labelled_real(real: RealImages, chosen: dict) -> tuple[dict, dict, dict]:
    """The real training and validation images with the labels that classifier (real) gives them; what it drops."""
    from pgcxr.training.classifier_fit import predict

    images, labels = {}, {}
    counts = {"images": 0, "normal": 0, "abnormal": 0, "rejected": 0, "wrong": 0}
    for split in ("train", "val"):
        _, pictures, truth = real.parts[split]
        called = pseudo_labels(predict(real.model, pictures)[:, 0], chosen["abnormal_above"], chosen["normal_below"])
        kept = called != REJECTED
        images[split], labels[split] = pictures[kept], called[kept, None].astype(np.float32)
        counts["images"] += len(pictures)
        counts["normal"] += int((called == NORMAL).sum())
        counts["abnormal"] += int((called == 1).sum())
        counts["rejected"] += int((~kept).sum())
        counts["wrong"] += int((labels[split] != truth[kept]).sum())
        if min(_counts(labels[split]).values()) < LEAST_PER_CLASS[split]:
            raise InputError(
                f"classifier run: calls almost all real images of split {split} the same, or is unsure of them "
                f"({counts['normal']} normal, {counts['abnormal']} abnormal); train it longer"
            )
    return images, labels, counts


def _fit(images: dict, labels: dict, trained: dict, seed: int, title: str):
    """A classifier of the same architecture and hyper-parameters as classifier (real)."""
    from pgcxr.training.classifier_fit import fit_classifier
    from pgcxr.training.fit_progress import FitProgress

    model, _ = fit_classifier(
        *(images["train"], labels["train"], images["val"], labels["val"], trained, seed),
        callbacks=[FitProgress(title, trained["epochs"])],
    )
    return model


def _counts(labels: np.ndarray) -> dict[str, int]:
    return {"normal": int((labels == 0).sum()), "abnormal": int((labels == 1).sum())}
