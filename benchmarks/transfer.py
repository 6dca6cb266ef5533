"""What transfer and augmentation are worth to a GAN with few images: one JSON line for each
training.

    python -m benchmarks.transfer COHORT BINARY --images 200 800 --kimg 12 --out DIR

Every cell of images x init x augment is a training of its own for the same number of kimg, from
scratch (growing from 4 px within them) or at full resolution from the networks of `--init`, and is
compared with real test images of COHORT by `evaluate.distribution`, in the features of BINARY, a
RUN of `train.classifier --labels binary`. `--augment` takes none, adaptive, and fixed:P for a
probability P. Training images are those of patients drawn at random;
fewer are a part of more. A cell that is there is not made again, and a training that was stopped
goes on. Figures: FID, KID and recall in BINARY's features and the radiomic distance, each as
{gan, ci95, floor}; "seconds" are those of the training.
"""

import argparse
import itertools
import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from pgcxr.cohort import manifest
from pgcxr.io import artifacts

SCRATCH, PLAIN = "scratch", "none"
# Share of a training from scratch that each stable and each fading part takes.
PART = 1 / 16
MEASURES = ("fid", "kid", "precision", "recall", "frd")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("cohort", type=Path)
    parser.add_argument("binary", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--images", type=int, nargs="+", default=[200, 800, 3200])
    parser.add_argument("--init", nargs="+", default=[SCRATCH, "phantom-64-normal"])
    parser.add_argument("--augment", nargs="+", default=[PLAIN, "adaptive"])
    parser.add_argument("--kimg", type=float, default=12.0)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    for images, init, augment in itertools.product(options.images, options.init, options.augment):
        cell = {"images": images, "init": Path(init).name, "augment": augment}
        print(json.dumps(cell | measure(options, images, init, augment)), flush=True)


def measure(options: argparse.Namespace, images: int, init: str, augment: str) -> dict:
    """The figures of one cell."""
    cohort = subset(options.cohort, options.out / f"images-{images}", images, options.seed)
    name = f"{images}-{Path(init).name}-{augment.replace(':', '-')}"
    run, compared = options.out / name, options.out / f"{name}-distribution"
    begin = time.perf_counter()
    trained = [cohort, "--config", "small", "--seed", options.seed, "--out", run]
    changes = [f"total_kimg={options.kimg}", f"tick_kimg_base={options.kimg / 8}"]
    if init == SCRATCH:
        part = options.kimg * PART
        changes += [f"lod_training_kimg={part}", f"lod_transition_kimg={part}"]
    else:
        trained += ["--init", init]
        changes += ["lod_initial_resolution=0"]
    how, _, probability = augment.partition(":")
    if how != PLAIN:
        changes += [f"augment={how}"] + [f"augment_p={probability}"] * bool(probability)
    if not (run / "report.json").exists():
        command("train.gan", *trained, *itertools.chain(*(("--set", each) for each in changes)))
    seconds = time.perf_counter() - begin
    if not (compared / "report.json").exists():
        command("evaluate.distribution", run, "--features", options.binary, "--out", compared)
    metrics = artifacts.read_json(compared / "report.json")["metrics"]
    figures = {
        key: {
            "gan": metrics[key]["gan"]["value"],
            "ci95": metrics[key]["gan"]["ci95"],
            "floor": metrics[key]["floor"]["value"],
        }
        for key in MEASURES
    }
    # How probable the changes were at the end; adaptive ones may never have begun.
    ended = artifacts.read_json(run / "report.json").get("augment_p")
    return figures | {"augment_p": ended, "seconds": round(seconds)}


def subset(source: Path, out: Path, images: int, seed: int) -> Path:
    """A cohort with that many training images of `source`, its held-out ones, and its files."""
    if out.exists():
        return out
    rows = manifest.load(source).manifest
    training = rows[rows["split"] == "train"]
    patients = np.random.default_rng(seed).permutation(sorted(set(training["patient_id"])))
    place = {patient: at for at, patient in enumerate(patients)}
    drawn = training.assign(place=training["patient_id"].map(place)).sort_values(
        ["place", "image_id"], kind="stable"
    )
    if len(drawn) < images:
        raise SystemExit(f"{source}: {len(drawn)} training images, {images} are asked for")
    kept = rows[(rows["split"] != "train") | rows["image_id"].isin(drawn["image_id"][:images])]
    with artifacts.new_folder(out) as folder:
        kept.to_csv(folder / "manifest.csv", index=False)
        for name in ("images", "masks"):
            if (source / name).is_dir():
                (folder / name).symlink_to((source / name).resolve())
    return out


def command(module: str, *words) -> None:
    """Runs it; its output goes to this one's standard error."""
    subprocess.run([sys.executable, "-m", module, *map(str, words)], check=True, stdout=sys.stderr)


if __name__ == "__main__":
    main()
