"""Finds anomalies in images that no network has seen, with a GAN trained on normals (thesis 4;
design section 6)."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from evaluate import common
from evaluate.anomaly import detection, figures
from evaluate.anomaly.selection import Reading, select
from pgcxr.anomaly import calibration, maps, ppca
from pgcxr.anomaly.lesions import localization
from pgcxr.cohort.findings import FINDINGS, NORMAL, TABLE_6
from pgcxr.cohort.manifest import Cohort
from pgcxr.errors import InputError
from pgcxr.io import artifacts, places
from pgcxr.latent import inversion

CONFIG = {
    "per_class": 12,  # test images of each class of thesis Table 6 at most
    "normals": 150,  # normal test images at most
    "familiar": 300,  # normals of split train that teach which differences are healthy, at most
    "healthy": 150,  # held-out normals (split val) that calibrate maps and threshold, at most
    "specificity": 0.95,  # on normals, that the threshold aims at
    "loss": "mpse",  # pgcxr.losses.residuals (thesis 4.2)
    "iterations": 60,
    "learning_rate": 0.3,
    "starts": 2,  # searches per image
    "bank": 2048,  # random images that guess where to start
    "batch": 64,
}


def run(
    gan_run: str | Path,
    classifier_run: str | Path,
    out: str | Path,
    config: dict | None = None,
    seed: int = 0,
    progress: Callable[[str, int, int], None] = lambda what, done, total: None,
) -> dict:
    """Writes the folder `out` (report.json, scores.csv, maps.npz, calibration.npz, figures) and
    returns the report.

    Args:
        gan_run: RUN of train.gan --label normal; its cohort is the one that is read.
        classifier_run: RUN of train.classifier --labels findings, of the GAN's resolution.
        config: changes to `CONFIG`.
        progress: called with what is under way, how much is done, and of how much.
    """
    config = checked(common.merge(CONFIG, config))
    places.refuse_existing(Path(out))
    generator, classifier, cohort = load(gan_run, classifier_run)
    fewest = calibration.fewest_healthy(config["specificity"])
    reading = select(cohort, config, max(fewest, calibration.FOLDS), seed)
    common.check_disjoint(gan_run, reading.test)
    with artifacts.new_folder(out) as folder:
        report = study(generator, classifier, reading, config, seed, folder, progress)
        artifacts.write_report(folder, report, command="evaluate.anomaly", seed=seed, config=config)
    return report


def checked(config: dict) -> dict:
    """`config`, or InputError where a value makes no sense."""
    from pgcxr.losses.residuals import LOSSES

    # Specificity and AUROC need two normals at least.
    least = {"normals": 2} | dict.fromkeys(
        ("per_class", "familiar", "healthy", "starts", "batch"), 1
    )
    for key, fewest in least.items():
        if config[key] < fewest:
            raise InputError(f"{key}: {config[key]} is too few; give at least {fewest}")
    if config["iterations"] < 0 or config["bank"] < 10:
        raise InputError("iterations must be 0 or more, bank 10 or more")
    if not 0.5 <= config["specificity"] < 1:
        raise InputError(f"specificity: {config['specificity']} must be from 0.5 to below 1")
    if config["loss"] not in LOSSES:
        raise InputError(f"loss: {config['loss']} is unknown; choose {' or '.join(LOSSES)}")
    return config


def load(gan_run: str | Path, classifier_run: str | Path) -> tuple:
    """(generator, classifier, cohort), or InputError where they don't belong together."""
    label = common.load_run(gan_run).get("label")
    if label != NORMAL:
        raise InputError(
            f"{Path(gan_run) / 'config.json'}: trained on {label} images; what it can make is what "
            "passes as normal: train one with `python -m train.gan --label normal`"
        )
    generator = common.load_generator(gan_run)
    if generator.channels != 1:
        raise InputError(
            f"{gan_run}: makes images of {generator.channels} channels; radiographs have one"
        )
    classifier = common.load_classifier(classifier_run, 1 + len(FINDINGS), generator.resolution)
    return generator, classifier, common.cohort_of(gan_run)


def study(
    generator,
    classifier,
    reading: Reading,
    config: dict,
    seed: int,
    folder: Path,
    progress: Callable,
) -> dict:
    """The report of `run`; tables, maps and figures are written to `folder`."""
    from pgcxr.classifier.training import predict

    parts = [reading.familiar, reading.healthy, reading.test]
    queries = [part.images(generator.resolution) for part in parts]
    found = invert(generator, np.concatenate(queries), config, seed, progress)
    differences = maps.differences(common.from_uint8(np.concatenate(queries)), found.means)
    edges = np.cumsum([len(part) for part in parts])[:-1]
    known = ppca.fit_ppca(differences[: edges[0]], np.random.default_rng([seed, 5]))
    seen = maps.windowed(maps.scaled(known.remove(differences[edges[0] :])))
    count = len(reading.healthy)
    healthy_scores = calibration.cross_scores(seen[:count], np.random.default_rng([seed, 3]))
    healthy = maps.learn_healthy(seen[:count])
    z = maps.standardized(seen[count:], healthy)
    marks, shown, made = (
        maps.anomaly_map(z),
        differences[edges[1] :],
        found.images[edges[1] :],
    )
    ours = calibration.CalibratedScores(
        healthy_scores, calibration.image_scores(z), config["specificity"]
    )
    likelihoods = predict(classifier, np.concatenate(queries[1:]))
    # A finding that it was trained on: what thesis 4 compares with.
    rivals = likelihoods[:, 1:].max(axis=1)
    supervised = calibration.CalibratedScores(rivals[:count], rivals[count:], config["specificity"])
    masks = reading.test.masks(marks.shape[-1])

    detection.write_scores(folder / "scores.csv", reading, ours, supervised)
    half = np.float16  # a thousandth of a map's range is enough to look at
    _save(
        folder / "maps.npz",
        image_id=_ids(reading.test),
        difference=shown.astype(half),
        anomaly=marks.astype(half),
    )
    _save(
        folder / "calibration.npz",
        mean=healthy.mean,
        deviation=healthy.deviation,
        windows=np.array(maps.WINDOWS),
        familiar_mean=known.mean,
        familiar_directions=known.directions,
        familiar_gains=known.gains,
        healthy_scores=healthy_scores,
        threshold=np.float64(ours.threshold),
    )
    figures.draw(
        folder,
        figures.Cases(queries[2], made, shown, marks, masks, likelihoods[count:], reading.classes),
        ours,
        supervised,
        classifier,
    )
    return {
        **detection.report(
            reading.classes, ours, supervised, reading.test.manifest["patient_id"].to_numpy(), seed
        ),
        "localisation": localization(marks, masks, reading.classes, TABLE_6),
        "seconds_per_image": found.seconds / len(differences),
        "iterations": found.iterations,
        "healthy": {
            "n": count,
            "specificity_aimed_at": config["specificity"],
            "loss_before": float(np.mean(found.first_losses[edges[0] : edges[1]])),
            "loss_after": float(np.mean(found.losses[edges[0] : edges[1]])),
            "familiar": {"n": len(reading.familiar), "components": len(known.gains)},
        },
        "resolution": generator.resolution,
    }


def invert(
    generator, queries: np.ndarray, config: dict, seed: int, progress: Callable
) -> inversion.Inversion:
    """The inversion of uint8 images [N, R, R, 1] on the part of the generator that has grown."""
    import tensorflow as tf

    from pgcxr.losses.residuals import LOSSES
    from pgcxr.networks import synthesize

    lod = float(np.asarray(generator.lod))

    def generate(z: tf.Tensor) -> tf.Tensor:
        return synthesize(generator, z, lod=lod)

    latents = common.latents(seed, config["bank"], generator.latent_size, purpose=4)
    bank = inversion.make_bank(generate, latents, config["batch"])
    inverter = inversion.Inverter(
        generate, bank, LOSSES[config["loss"]], config["starts"], config["batch"]
    )
    finished = [0]

    def advance(images: int) -> None:
        finished[0] += images
        progress("finding the nearest normal images", finished[0], len(queries))

    return inverter.invert(
        common.from_uint8(queries),
        iterations=config["iterations"],
        learning_rate=config["learning_rate"],
        progress=advance,
    )


def _ids(cohort: Cohort) -> np.ndarray:
    return np.array(cohort.manifest["image_id"].tolist(), dtype=np.str_)


def _save(path: Path, **arrays) -> None:
    """A compressed .npz."""
    with artifacts.atomic_path(path) as beside, open(beside, "wb") as file:
        np.savez_compressed(file, **arrays)
