"""What synthetic images with confirmed labels are worth to a classifier of a rare finding. One JSON
line, and a folder with every score.

    python -m benchmarks.augmentation COHORT LABELED --finding pneumothorax --out DIR

LABELED is a folder of `pgcxr generate-labeled` with images of the finding and normal ones. Each
turn draws a few real training images with the finding, and others without it; a small network
learns to tell them apart, from these alone (`real`), with the synthetic images of both labels
beside them (`synthetic`), and with as many more real ones in their place (`more_real`: what could
be gained at most). All arms have as many steps, classes weigh the same, and the best epoch is
chosen on as few real images. AUROC is that of all real test images with the finding against others.

The GAN and its guides learned from all training images with their labels. So `synthetic` is what a
hospital gains that has few such images itself and a GAN that has seen many: not what a GAN of those
few would give.
"""

import argparse
import csv
import json
from pathlib import Path

import numpy as np

from pgcxr.cohort import manifest
from pgcxr.cohort.image_files import load_images
from pgcxr.io import artifacts
from pgcxr.metrics.roc import auroc

ARMS = ("real", "synthetic", "more_real")
RESAMPLES = 1000
COMMAND = "benchmarks.augmentation"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("cohort", type=Path)
    parser.add_argument("labeled", type=Path)
    parser.add_argument("--finding", default="pneumothorax")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--positives", type=int, default=20, help="real ones with the finding")
    parser.add_argument("--negatives", type=int, default=780, help="real ones without")
    parser.add_argument("--held-out", type=int, default=400, help="real ones that choose the epoch")
    parser.add_argument("--test", type=int, default=1300, help="real test images, at most")
    parser.add_argument("--steps", type=int, default=500, help="of 32 images, of each training")
    parser.add_argument("--size", type=int, help="px that are read; the generator's by default")
    parser.add_argument("--turns", type=int, default=6)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    with artifacts.new_folder(options.out) as folder:
        body, scores = measure(options)
        artifacts.write_arrays(folder / "scores.npz", scores)
        config = {**vars(options), "cohort": None, "labeled": None, "out": None}
        artifacts.write_report(folder, body, command=COMMAND, seed=options.seed, config=config)
    print(json.dumps(artifacts.plain(body)), flush=True)


def measure(options: argparse.Namespace) -> tuple[dict, dict]:
    """(report, {labels [N], and of each arm scores [turns, N]})."""
    cohort, size = manifest.load(options.cohort), options.size or _size(options.labeled)
    synthetic = {
        label: _synthetic(options.labeled, name, size)
        for label, name in ((1, options.finding), (0, "normal"))
    }
    test = _drawn(cohort, "test", options, options.test, [options.seed, 1])
    test_images, truth = test.images(size), _truth(test, options.finding)
    scores = {arm: [] for arm in ARMS}
    for turn in range(options.turns):
        for arm, score in _turn(cohort, synthetic, options, turn, test_images).items():
            scores[arm].append(score)
        areas = {arm: round(auroc(truth, own[-1]), 4) for arm, own in scores.items()}
        print(json.dumps({"turn": turn, **areas}), flush=True)
    arrays = {arm: np.stack(own) for arm, own in scores.items()}
    body = {
        "finding": options.finding,
        "test": {"with": int(truth.sum()), "without": int((truth == 0).sum())},
        "synthetic": {"with": len(synthetic[1]), "without": len(synthetic[0])},
        "auroc": {arm: [auroc(truth, one) for one in own] for arm, own in arrays.items()},
        "difference": {arm: gain(truth, arrays[arm], arrays["real"]) for arm in ARMS[1:]},
        "labeled_report_sha256": artifacts.sha256(options.labeled / "report.json"),
    }
    return body, {"labels": truth, **arrays}


def gain(truth: np.ndarray, scores: np.ndarray, others: np.ndarray) -> dict:
    """Mean difference of the AUROC over turns, with an interval over turns and test images, both
    drawn again.

    Args:
        truth: [N], 0 or 1.
        scores, others: [T, N], paired by turn.
    """

    def mean(rows, turns) -> float:
        areas = [
            auroc(truth[rows], scores[t][rows]) - auroc(truth[rows], others[t][rows]) for t in turns
        ]
        return float(np.mean(areas))

    rng, kinds = np.random.default_rng(0), [np.flatnonzero(truth == kind) for kind in (0, 1)]
    drawn = [
        mean(
            np.concatenate([rng.choice(kind, len(kind)) for kind in kinds]),
            rng.integers(len(scores), size=len(scores)),
        )
        for _ in range(RESAMPLES)
    ]
    whole = np.arange(len(truth)), range(len(scores))
    return {"mean": mean(*whole), "ci95": np.percentile(drawn, (2.5, 97.5))}


def _turn(cohort, synthetic: dict, options, turn: int, test_images: np.ndarray) -> dict:
    """{arm: scores [N] of the test images}."""
    from pgcxr.classifier.config import ClassifierConfig
    from pgcxr.classifier.training import Examples, fit_classifier, predict

    size = test_images.shape[1]
    rng = np.random.default_rng([options.seed, 2, turn])
    train = cohort.select(split="train")
    known = _truth(train, options.finding)
    more = [len(synthetic[0]), len(synthetic[1])]
    rows = {
        kind: rng.permutation(np.flatnonzero(known == kind))[: count + more[kind]]
        for kind, count in ((0, options.negatives), (1, options.positives))
    }
    real = {kind: _images(train, own, size) for kind, own in rows.items()}
    few = {0: real[0][: options.negatives], 1: real[1][: options.positives]}
    both = {kind: np.concatenate([few[kind], synthetic[kind]]) for kind in (0, 1)}
    val = _drawn(cohort, "val", options, options.held_out, [options.seed, 3, turn])
    chooses = Examples(val.images(size), _truth(val, options.finding)[:, None].astype(np.float32))
    scores = {}
    for arm, images in zip(ARMS, (few, both, real), strict=True):
        shown = np.concatenate([images[0], images[1]])
        labels = np.repeat([0.0, 1.0], [len(images[0]), len(images[1])]).astype(np.float32)
        epochs = max(round(options.steps / (len(shown) // 32)), 1)
        config = ClassifierConfig(
            **{"size": size, "blocks": (1, 1, 1), "width": 12, "stem": "half", "momentum": 0.9},
            **{"batch_size": 32, "epochs": epochs, "patience": epochs, "learning_rate": 1e-3},
        )
        model, _ = fit_classifier(Examples(shown, labels[:, None]), chooses, config, turn)
        scores[arm] = predict(model, test_images)[:, 0]
    return scores


def _drawn(cohort, split: str, options, most: int, seed: list[int]):
    """Rows of a split: of validation as rare a finding as in training, of test all that have it."""
    rows = cohort.select(split=split)
    known, rng = _truth(rows, options.finding), np.random.default_rng(seed)
    with_it, without = (rng.permutation(np.flatnonzero(known == kind)) for kind in (1, 0))
    if split == "val":
        share = options.positives / (options.positives + options.negatives)
        with_it = with_it[: max(round(most * share), 5)]
    kept = np.concatenate([with_it, without[: most - len(with_it)]])
    return manifest.Cohort(rows.folder, rows.manifest.iloc[kept].reset_index(drop=True))


def _truth(rows, finding: str) -> np.ndarray:
    """int [N]; -1 where unknown."""
    return np.array([{"1": 1, "0": 0}.get(value, -1) for value in rows.manifest[finding]])


def _images(rows, places: np.ndarray, size: int) -> np.ndarray:
    kept = rows.manifest.iloc[places].reset_index(drop=True)
    return manifest.Cohort(rows.folder, kept).images(size)


def _synthetic(folder: Path, name: str, size: int) -> np.ndarray:
    """uint8 [N, size, size, 1] of the images that were accepted for a label."""
    with (folder / "labels.csv").open() as file:
        rows = [r for r in csv.DictReader(file) if r["accepted"] == "1" and r["asked"] == name]
    files = [folder / "images" / f"{row['image']}.png" for row in rows]
    return load_images(files, size)


def _size(folder: Path) -> int:
    return artifacts.read_json(folder / "report.json")["resolution"]


if __name__ == "__main__":
    main()
