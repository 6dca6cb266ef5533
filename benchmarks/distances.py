"""What each distance between sets sees: real images of a cohort that were changed in a known way,
or of which some are missing, against others of its patients; one JSON line for each change.

    python -m benchmarks.distances COHORT [--features NETWORK] [--images 1500]

Three sets of as many patients, one image each: the reference, the floor, and the one that is
changed. `floors` of each measure are its mean and deviation between the reference and the floor,
drawn anew `--floors` times from both together; `z` is (value - mean) / deviation.
"""

import argparse
import json

import cv2
import numpy as np

from pgcxr.cohort import manifest
from pgcxr.cohort.findings import FINDINGS
from pgcxr.metrics import frechet, kid
from pgcxr.metrics.ecs import axes, ecs, permutation_test
from pgcxr.metrics.frd import frd
from pgcxr.metrics.radiomics import radiomics


def changes(images: np.ndarray, rows, rng: np.random.Generator) -> dict:
    """{what was done: images uint8 [N, R, R, 1]}."""
    floats = images.astype(np.float32)
    mean = floats.mean(axis=(1, 2, 3), keepdims=True)

    def cut(values: np.ndarray) -> np.ndarray:
        return np.clip(np.rint(values), 0, 255).astype(np.uint8)

    made = {"nothing": images}
    for sigma in (0.4, 0.6):
        blurred = [cv2.GaussianBlur(image, (0, 0), sigma) for image in images]
        made[f"blur, {sigma} px"] = np.stack(blurred)[..., None]
    for deviation in (2, 4):
        made[f"noise, {deviation} gray levels"] = cut(
            floats + rng.normal(0, deviation, images.shape)
        )
    for gain in (0.95, 0.9):
        made[f"contrast x {gain}"] = cut((floats - mean) * gain + mean)
    vectors = radiomics(images)
    far = np.square(axes(vectors, scaled=True).along(vectors)[:, :10]).sum(axis=1)
    made["the tenth that is farthest out is missing"] = images[far < np.quantile(far, 0.9)]
    for finding in FINDINGS:
        without = (rows[finding] != "1").to_numpy()
        made[f"no {finding} ({(~without).mean():.1%})"] = images[without]
    made["300 images over and over"] = images[rng.integers(0, 300, len(images))]
    return made


def measures(real: dict, fake: dict) -> dict:
    """{measure: value} of {"radiomic", "network": [N, D]}."""
    found = {}
    for kind, name in (("network", ""), ("radiomic", "radiomic_")):
        if kind not in real:
            continue
        kept = axes(real[kind], scaled=kind == "radiomic")
        each = ecs(kept.along(real[kind]), kept.along(fake[kind]))
        found |= {name + measure: each[measure] for measure in ("ecs", "tails")}
    if "network" in real:
        found["fid"] = frechet.frechet(real["network"], fake["network"])["fid"]
        found["kid"] = kid.mmd2(real["network"], fake["network"])
    return found | {"frd": frd(real["radiomic"], fake["radiomic"])["frd"]}


def p_values(real: dict, fake: dict) -> dict:
    """{measure: p}."""
    found = {}
    for kind, name in (("network", ""), ("radiomic", "radiomic_")):
        if kind in real:
            kept = axes(real[kind], scaled=kind == "radiomic")
            each = permutation_test(kept.along(real[kind]), kept.along(fake[kind]))
            found |= {name + measure: each[measure] for measure in ("ecs", "tails")}
    return found


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("cohort")
    parser.add_argument("--features", default="")
    parser.add_argument("--images", type=int, default=1500)
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--floors", type=int, default=10)
    asked = parser.parse_args()
    cohort, rng, n = manifest.load(asked.cohort), np.random.default_rng(0), asked.images
    one_each = cohort.manifest.sample(frac=1, random_state=0).drop_duplicates("patient_id")
    parts = [
        manifest.Cohort(cohort.folder, one_each.iloc[at : at + n].reset_index(drop=True))
        for at in range(0, 3 * n, n)
    ]
    if min(map(len, parts)) < n:
        raise SystemExit(f"{asked.cohort}: has too few patients for three sets of {n}")
    extractor = None
    if asked.features:
        from pgcxr.classifier import features

        extractor = features.load(asked.features)

    def seen(images: np.ndarray) -> dict:
        network = {} if extractor is None else {"network": extractor(images)}
        return network | {"radiomic": radiomics(images)}

    reference, floor = (seen(part.images(asked.size)) for part in parts[:2])
    drawn = []
    for _ in range(asked.floors):
        order = rng.permutation(2 * n)
        both = {kind: np.concatenate([reference[kind], floor[kind]])[order] for kind in reference}
        halves = ({kind: each[some] for kind, each in both.items()}
                  for some in (slice(n), slice(n, None)))  # fmt: skip
        drawn.append(measures(*halves))
    floors = {
        name: (
            np.mean([each[name] for each in drawn]),
            np.std([each[name] for each in drawn], ddof=1),
        )
        for name in drawn[0]
    }
    print(json.dumps({"floors": {k: [float(v) for v in pair] for k, pair in floors.items()}}))
    sets = {what: seen(images) for what, images in
            changes(parts[2].images(asked.size), parts[2].manifest, rng).items()}  # fmt: skip
    sets["normal of the same mean and covariance"] = {
        kind: rng.multivariate_normal(each.mean(axis=0), np.cov(each, rowvar=False), n)
        for kind, each in reference.items()
    }
    for what, fake in sets.items():
        found = measures(reference, fake)
        line = {
            "change": what,
            "value": {name: float(f"{value:.4g}") for name, value in found.items()},
            "z": {
                name: round(float((value - floors[name][0]) / floors[name][1]), 1)
                for name, value in found.items()
            },
            "p": {name: round(p, 3) for name, p in p_values(reference, fake).items()},
        }
        print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
