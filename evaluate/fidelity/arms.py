"""The trainings: each arm once for each seed, all in the same way, and kept until all are done.

A training that was finished before the command was killed is not made again: its network lies in a
hidden folder beside the output, under the hash of everything that decides it (images, labels,
settings, seed, versions).
"""

import hashlib
import json
from pathlib import Path

import numpy as np
import pandas as pd

from evaluate.protocol import Progress, silent
from pgcxr.errors import InputError
from pgcxr.io import artifacts
from pgcxr.options import LARGEST_SEED

REAL, SYNTHETIC, CONTROL = "real", "synthetic", "control"
TITLES = {
    REAL: "classifier (real)",
    SYNTHETIC: "classifier (synthetic)",
    CONTROL: "classifier (pseudo-labeled real)",
}
# What the report calls each reading; the keys as report.json spells them.
ARMS = {
    "real_on_real": "Classifier (real) on real test set",
    "synthetic_on_synthetic": "Classifier (synthetic) on synthetic test set",
    "synthetic_on_real": "Classifier (synthetic) on real test set",
    "pseudolabelled_real_on_real": "Classifier (pseudo-labeled real) on real test set",
}
# Where each arm's AUROC on the real test set stands in the report.
KEYS = {
    REAL: "real_on_real",
    SYNTHETIC: "synthetic_on_real",
    CONTROL: "pseudolabelled_real_on_real",
}


def seeds(first: int, count: int) -> list[int]:
    """`first` and the numbers after it."""
    return [(first + step) % (LARGEST_SEED + 1) for step in range(count)]


class Trainer:
    """Trains classifiers with the architecture and hyper-parameters `trained` of classifier (real).

    Args:
        trained: its settings.
        work: folder of finished trainings.
        progress: told how many epochs are done.
    """

    def __init__(self, trained: dict, work: Path, progress: Progress = silent):
        self.trained, self.work, self.progress = trained, work, progress

    def model(self, arm: str, images: dict, labels: dict, seed: int):
        """The network of one arm and seed; `images` and `labels` {"train", "val"} as of
        `fit_classifier`."""
        import keras

        from pgcxr.classifier.config import ClassifierConfig
        from pgcxr.classifier.training import Examples, fit_classifier
        from pgcxr.sampling.runs import load_network

        config = ClassifierConfig.of_run(self.trained, "config.json")
        settings = config.to_dict()
        name = f"{arm}-{_digest(images, labels, settings, seed)}.keras"
        if (self.work / name).exists():
            try:
                return load_network(self.work, name, "evaluate.fidelity")[1]
            except InputError:  # damaged: made again
                pass
        what, epochs = f"{TITLES[arm]}, seed {seed}: epochs", settings["epochs"]
        tell = keras.callbacks.LambdaCallback(
            on_epoch_end=lambda epoch, logs: self.progress(what, epoch + 1, epochs)
        )
        model, _ = fit_classifier(
            *(Examples(images[split], labels[split]) for split in ("train", "val")),
            config,
            seed,
            callbacks=[tell],
        )
        self.progress(what, epochs, epochs)  # early stopping may end before
        with artifacts.atomic_path(self.work / name) as beside:
            model.save(beside)
        return model


def _digest(images: dict, labels: dict, settings: dict, seed: int) -> str:
    digest = hashlib.sha256(
        json.dumps([artifacts.plain(settings), seed, artifacts.versions()]).encode()
    )
    for split in ("train", "val"):
        for array in (images[split], labels[split]):
            digest.update(f"{array.dtype} {array.shape}".encode())
            digest.update(np.ascontiguousarray(array))
    return digest.hexdigest()[:32]


def spread(values) -> dict:
    """{values, mean, sd, min, max}; `sd` with n - 1, NaN for a single value."""
    values = np.asarray(values, float)
    deviation = float(values.std(ddof=1)) if len(values) > 1 else float("nan")
    return {
        "values": values.tolist(),
        "mean": float(values.mean()),
        "sd": deviation,
        "min": float(values.min()),
        "max": float(values.max()),
    }


def over_seeds(areas: dict, trained_with: dict) -> dict:
    """What the seeds of the trainings make of the AUROCs on the real test set, and of their
    differences.

    The k-th network of one arm is compared with the k-th of the other; `training_noise` is the SD
    of the difference that two trainings on the same real images have by their seeds alone, sqrt(2)
    times that of classifier (real).

    Args:
        areas: {arm: AUROC of each seed}.
        trained_with: {arm: seeds}.
    """
    real = np.asarray(areas[REAL], float)
    return {
        "count": len(real),
        "trained_with": trained_with,
        "auroc": {KEYS[arm]: spread(areas[arm]) for arm in KEYS},
        "difference": spread(real - areas[SYNTHETIC]),
        "difference_control": spread(real - areas[CONTROL]),
        "training_noise": float(np.sqrt(2) * spread(real)["sd"]),
    }


def seeds_table(spreads: dict) -> pd.DataFrame:
    """seeds.csv: arm, seed and AUROC of every training, of what `over_seeds` returns."""
    table = [
        {"arm": arm, "seed": seeds, "auroc": spreads["auroc"][KEYS[arm]]["values"]}
        for arm, seeds in spreads["trained_with"].items()
    ]
    return pd.DataFrame(table).explode(["seed", "auroc"], ignore_index=True)
