"""Finds anomalies in images that no network has seen, from normal images alone (thesis 4)."""

from pathlib import Path

import numpy as np
import pandas as pd

from evaluate import common, patients
from evaluate.anomaly import (
    comparison,
    detection,
    figures,
    inverting,
    methods,
    runs,
    screening_model,
)
from evaluate.anomaly.chapter import AnomalyResult
from evaluate.anomaly.methods import Evidence, Found
from evaluate.anomaly.options import MANY, AnomalyOptions
from evaluate.anomaly.selection import Reading, select
from evaluate.protocol import Progress, silent
from pgcxr.anomaly import calibration, maps, ppca
from pgcxr.anomaly.calibration import CalibratedScores
from pgcxr.anomaly.lesions import localization
from pgcxr.cohort.findings import ABNORMAL, TABLE_6
from pgcxr.cohort.manifest import Cohort
from pgcxr.io import artifacts, places
from pgcxr.latent.inversion import Inversion


def run(
    gan_run: str | Path,
    classifier_run: str | Path,
    out: str | Path,
    options: AnomalyOptions | None = None,
    seed: int = 0,
    progress: Progress = silent,
    others: runs.Others = runs.Others(),
) -> AnomalyResult:
    """Writes the folder `out`: report.json, scores.csv, methods.csv, maps.npz, calibration.npz,
    figures; with a network, screening, a model for `pgcxr screen`.

    What the report has at its top level is of the GAN's inversion or, where `gan_run` is a RUN of
    train.anomaly, of the fusion; `comparison` holds every method.

    Args:
        gan_run: RUN of train.gan of normal images only, or of train.anomaly; its cohort is the one
            that is read, where `others` names none.
        classifier_run: RUN of train.classifier of findings, of the GAN's resolution.
        out: new folder.
        options: `AnomalyOptions()` where left out.
        seed: of the draws and of the bank.
        progress: told how far it is.
        others: more networks, an encoder, and a cohort.

    Raises:
        InputError: a run or cohort that does not do, or `out` is not empty.
    """
    options = options or AnomalyOptions()
    places.refuse_existing(Path(out))
    gan, networks = runs.sorted_runs(gan_run, others.networks)
    loaded = runs.load(gan, classifier_run, networks, others)
    cohort, generator, size = loaded.cohort, loaded.generator, loaded.size
    if generator is not None:
        inverting.refuse(loaded, options)
    fewest = max(calibration.fewest_healthy(options.specificity), calibration.FOLDS)
    # All test images and all held-out normals, for methods that take no time.
    every = {"per_class": MANY, "normals": MANY, "healthy": MANY, "familiar": options.learned}
    whole = select(cohort, every, fewest, seed)
    notes = list(loaded.real.notes)
    if not loaded.real.named:
        # Nor may a network have seen the normals that set the threshold.
        held_out = pd.concat([whole.test.manifest, whole.healthy.manifest])
        for each in loaded.runs:
            notes += patients.check_disjoint(each, Cohort(cohort.folder, held_out))["notes"]
    side = min(size, maps.FINEST)
    with artifacts.new_folder(out) as folder:
        found = methods.ask(
            whole,
            side,
            [*loaded.networks.values()],
            seed,
            progress,
            autoencoder_epochs=options.autoencoder_epochs,
        )
        asked, rows = dict(found.methods), {}
        supervised, _ = _supervised(loaded.classifier, whole, size)
        if generator is not None:
            reading = select(cohort, options.to_dict(), fewest, seed)
            queries = _queries(reading, size)
            inverted = inverting.invert(loaded, queries, options, seed, progress)
            report, tables, asked["inversion"] = _study(
                loaded.classifier, reading, queries, inverted, options, seed, folder
            )
            report["start"] = options.start if loaded.encoder is None else "encoder"
            report["freed"] = options.freed
            rows["inversion"] = _places(reading, whole)
        else:
            report, tables = _by_fusion(loaded, whole, found, options, seed, folder)
        asked["supervised"] = supervised
        if loaded.bound is not None:
            asked["bound"] = methods.bound(loaded.bound, whole)
        report["comparison"] = {
            **comparison.compare(asked, whole, options.specificity, seed, side, rows),
            **found.about,
        }
        abnormal = len(cohort.select("test", ABNORMAL))
        images = report["comparison"]["images"]
        images["without_class"] = abnormal - images["abnormal"]
        tables["methods.csv"] = comparison.scores_table(asked, whole)
        screening_model.write(folder, loaded, whole, found, report["comparison"], options, seed)
        report["resolution"] = size
        report["confounders"] = common.confounders_of(cohort)
        report |= {"cohort": loaded.real.report(out), "notes": notes}
        result = AnomalyResult(Path(out), report, tables).made_with(options, seed)
        result.write(folder)
    return result


def _supervised(classifier, reading: Reading, size: int) -> tuple[Evidence, np.ndarray]:
    """(the likeliest finding that it was trained on, which is what thesis 4 compares with; the
    likelihoods of the test images)."""
    from pgcxr.classifier.training import predict

    healthy, test = (
        predict(classifier, part.images(size)) for part in (reading.healthy, reading.test)
    )
    return Evidence(healthy[:, 1:].max(axis=1), test[:, 1:].max(axis=1)), test


def _places(reading: Reading, whole: Reading) -> np.ndarray:
    """Where the test images of one reading are in those of another that holds them all."""
    index = {name: place for place, name in enumerate(whole.test.manifest["image_id"])}
    return np.array([index[name] for name in reading.test.manifest["image_id"]])


def _by_fusion(
    loaded: runs.Loaded,
    reading: Reading,
    found: Found,
    options: AnomalyOptions,
    seed: int,
    folder: Path,
) -> tuple[dict, dict]:
    """(report, tables) of the fusion of all that was learned from normals, without a GAN."""
    size, fusion = loaded.size, found.methods["fusion"]
    rival, likelihoods = _supervised(loaded.classifier, reading, size)
    ours = CalibratedScores(fusion.healthy, fusion.test, options.specificity)
    supervised = CalibratedScores(rival.healthy, rival.test, options.specificity)
    side = fusion.maps.shape[-1]
    cases = figures.Cases(
        queries=reading.test.images(size),
        nearest=found.nearest[..., None],
        differences=found.differences,
        maps=fusion.maps,
        masks=reading.test.masks(side),
        likelihoods=likelihoods,
        classes=reading.classes,
        by=figures.FUSION,
    )
    _save_maps(folder / "maps.npz", reading, cases)
    _save(
        folder / "calibration.npz",
        healthy_scores=ours.healthy,
        threshold=np.float64(ours.threshold),
    )
    figures.draw(folder, cases, ours, supervised, loaded.classifier)
    patients = reading.test.manifest["patient_id"].to_numpy()
    network = [value for name, value in found.about["seconds"].items() if "network" in name]
    report = {
        **detection.report(reading.classes, ours, supervised, patients, seed),
        "method": "fusion",
        "localisation": localization(cases.maps, cases.masks, reading.classes, TABLE_6),
        "seconds_per_image": sum(network) / (len(reading.healthy) + len(reading.test)),
        "iterations": 0,
        "healthy": {
            "n": len(reading.healthy),
            "specificity_aimed_at": options.specificity,
            "familiar": {"n": len(reading.familiar), "components": found.about["components"]},
        },
    }
    return report, {"scores.csv": detection.scores_table(reading, ours, supervised)}


def _queries(reading: Reading, size: int) -> np.ndarray:
    """uint8 [N, R, R, 1]: all images that are read, in the order of `Reading`."""
    parts = (reading.familiar, reading.healthy, reading.test)
    return np.concatenate([part.images(size) for part in parts])


def _study(
    classifier,
    reading: Reading,
    queries: np.ndarray,
    inverted: Inversion,
    options: AnomalyOptions,
    seed: int,
    folder: Path,
) -> tuple[dict, dict, Evidence]:
    """(report, tables, what the inversion says); maps and figures are written to `folder`."""
    from pgcxr.classifier.training import predict

    n_familiar, n_healthy = len(reading.familiar), len(reading.healthy)
    first_test = n_familiar + n_healthy
    differences = maps.differences(common.from_uint8(queries), inverted.means)
    components = ppca.fit_ppca(differences[:n_familiar], np.random.default_rng([seed, 5]))
    windows = maps.windowed(maps.scaled(components.remove(differences[n_familiar:])))
    healthy_windows, test_windows = windows[:n_healthy], windows[n_healthy:]
    healthy_scores = calibration.cross_scores(healthy_windows, np.random.default_rng([seed, 3]))
    healthy = maps.learn_healthy(healthy_windows)
    z = maps.standardized(test_windows, healthy)
    ours = CalibratedScores(healthy_scores, calibration.image_scores(z), options.specificity)
    likelihoods = predict(classifier, queries[n_familiar:])
    # A finding that it was trained on: what thesis 4 compares with.
    likeliest = likelihoods[:, 1:].max(axis=1)
    supervised = CalibratedScores(likeliest[:n_healthy], likeliest[n_healthy:], options.specificity)
    anomaly_maps = maps.anomaly_map(z)
    cases = figures.Cases(
        queries=queries[first_test:],
        nearest=inverted.images[first_test:],
        differences=differences[first_test:],
        maps=anomaly_maps,
        masks=reading.test.masks(anomaly_maps.shape[-1]),
        likelihoods=likelihoods[n_healthy:],
        classes=reading.classes,
    )
    _save_maps(folder / "maps.npz", reading, cases)
    _save(
        folder / "calibration.npz",
        mean=healthy.mean,
        deviation=healthy.deviation,
        windows=np.array(maps.WINDOWS),
        familiar_mean=components.mean,
        familiar_directions=components.directions,
        familiar_gains=components.gains,
        healthy_scores=healthy_scores,
        threshold=np.float64(ours.threshold),
    )
    figures.draw(folder, cases, ours, supervised, classifier)
    patients = reading.test.manifest["patient_id"].to_numpy()
    held_out = slice(n_familiar, first_test)
    report = {
        **detection.report(reading.classes, ours, supervised, patients, seed),
        "method": "inversion",
        # As report.json spells it.
        "localisation": localization(cases.maps, cases.masks, reading.classes, TABLE_6),
        "seconds_per_image": inverted.seconds / len(differences),
        "iterations": inverted.iterations,
        "healthy": {
            "n": n_healthy,
            "specificity_aimed_at": options.specificity,
            "loss_before": float(np.mean(inverted.first_losses[held_out])),
            "loss_after": float(np.mean(inverted.losses[held_out])),
            "familiar": {"n": n_familiar, "components": len(components.gains)},
        },
    }
    tables = {"scores.csv": detection.scores_table(reading, ours, supervised)}
    return report, tables, Evidence(ours.healthy, ours.test, anomaly_maps)


def _save_maps(path: Path, reading: Reading, cases: figures.Cases) -> None:
    half = np.float16  # a thousandth of a map's range is enough to look at
    _save(
        path,
        image_id=np.array(reading.test.manifest["image_id"].tolist(), dtype=np.str_),
        difference=cases.differences.astype(half),
        anomaly=cases.maps.astype(half),
    )


def _save(path: Path, **arrays) -> None:
    """A compressed .npz."""
    with artifacts.atomic_path(path) as beside, open(beside, "wb") as file:
        np.savez_compressed(file, **arrays)
