"""Speed and memory of FID, KID, PRDC and ECS beside what their formulas say, and of radiomic
features; one JSON line for each measurement.

    python -m benchmarks.distribution [--images 10000] [--features 128,2048] [--measures
    fid,kid,prdc,ecs,radiomics]

"naive" are the same measures of the same float32 features in the same process: scipy.linalg.sqrtm
of the product of the covariances, whole matrices of kernels and of distances (scikit-learn's), as
in their authors' programs, and characteristic functions point by point. `ratio` is its time over
ours; `peak_mib` what the measure allocated at most beside its input.
"""

import argparse
import json
import time
import tracemalloc

import numpy as np
from scipy import linalg
from sklearn.metrics import pairwise_distances

from pgcxr.metrics import ecs, frechet, kid, prdc, radiomics


def naive_fid(real: np.ndarray, fake: np.ndarray) -> float:
    """By the square root of an unsymmetric product."""
    a, b = np.cov(real, rowvar=False), np.cov(fake, rowvar=False)
    apart = real.mean(axis=0) - fake.mean(axis=0)
    return float(apart @ apart + np.trace(a) + np.trace(b) - 2 * np.trace(linalg.sqrtm(a @ b)).real)


def naive_kid(real: np.ndarray, fake: np.ndarray) -> float:
    """By whole matrices."""
    real, fake = real.astype(np.float64), fake.astype(np.float64)
    n, d = real.shape
    within = [(x @ x.T / d + 1) ** 3 for x in (real, fake)]
    pairs = sum((kernel.sum() - np.trace(kernel)) / (n * (n - 1)) for kernel in within)
    return float(pairs - 2 * ((real @ fake.T / d + 1) ** 3).mean())


def naive_prdc(real: np.ndarray, fake: np.ndarray, k: int = prdc.NEIGHBORS) -> list[float]:
    """By whole matrices; the k + 1 smallest of a row are its own and k others."""
    radii = [np.partition(pairwise_distances(x), k, axis=1)[:, k] for x in (real, fake)]
    across = pairwise_distances(real, fake)
    inside = across < radii[0][:, None]
    return [
        inside.any(0).mean(),
        (across < radii[1]).any(1).mean(),
        inside.sum(0).mean() / k,
        inside.any(1).mean(),
    ]


def naive_ecs(real: np.ndarray, fake: np.ndarray) -> float:
    """An exponential for each point, and its plug-in variance."""
    along = ecs.axes(real).along
    sets = [along(each).astype(np.float64) for each in (real, fake)]
    total = 0.0
    for t, weight in zip(ecs.POINTS, ecs.WEIGHTS, strict=True):
        functions = [np.exp(1j * t * each) for each in sets]
        apart = np.abs(functions[0].mean(axis=0) - functions[1].mean(axis=0)) ** 2
        noise = sum(each.var(axis=0) / (len(each) - 1) for each in functions)
        total += weight * float((apart - noise).mean())
    return total


def our_ecs(real: np.ndarray, fake: np.ndarray) -> float:
    """With `tails`, which comes in the same call."""
    along = ecs.axes(real).along
    return ecs.ecs(along(real), along(fake))["ecs"]


def our_prdc(real: np.ndarray, fake: np.ndarray) -> list[float]:
    """The four values."""
    found = prdc.prdc(real, fake)
    return [found[name] for name in ("precision", "recall", "density", "coverage")]


OURS = {
    "fid": lambda real, fake: frechet.frechet(real, fake)["fid"],
    "kid": kid.mmd2,
    "prdc": our_prdc,
    "ecs": our_ecs,
}
NAIVE = {"fid": naive_fid, "kid": naive_kid, "prdc": naive_prdc, "ecs": naive_ecs}
SIZE = 64  # px of the images of radiomic features


def timed(function, real: np.ndarray, fake: np.ndarray) -> tuple:
    """(value, seconds, MiB that the call allocated at most)."""
    function(real[:300], fake[:300])  # libraries make their threads
    tracemalloc.start()
    begun = time.perf_counter()
    value = function(real, fake)
    seconds, peak = time.perf_counter() - begun, tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return value, seconds, round(peak / 2**20)


def _radiomics(images: int) -> None:
    made = np.random.default_rng(0).integers(0, 256, (images, SIZE, SIZE, 1), dtype=np.uint8)
    _, seconds, peak = timed(lambda made, _: radiomics.radiomics(made), made, made)
    line = {"benchmark": "radiomics", "images": images, "size": SIZE}
    line |= {"seconds": round(seconds, 2), "peak_mib": peak}
    print(json.dumps(line), flush=True)


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--images", type=int, default=10_000)
    parser.add_argument("--features", default="128,2048")
    parser.add_argument("--measures", default="fid,kid,prdc,ecs,radiomics")
    asked = parser.parse_args()
    names = asked.measures.split(",")
    if "radiomics" in names:
        names.remove("radiomics")
        _radiomics(asked.images)
    for dimensions in map(int, asked.features.split(",")):
        rng = np.random.default_rng(0)
        mix = rng.normal(size=(dimensions, dimensions)).astype(np.float32) / np.sqrt(dimensions)
        real, fake = (
            np.maximum(rng.standard_normal((asked.images, dimensions), np.float32) @ mix + shift, 0)
            for shift in (0.0, 0.05)
        )
        for name in names:
            ours, seconds, peak = timed(OURS[name], real, fake)
            naive, naive_seconds, naive_peak = timed(NAIVE[name], real, fake)
            line = {
                "benchmark": name,
                "images": asked.images,
                "features": dimensions,
                "seconds": round(seconds, 2),
                "naive_seconds": round(naive_seconds, 2),
                "ratio": round(naive_seconds / seconds, 2),
                "peak_mib": peak,
                "naive_peak_mib": naive_peak,
                "relative_difference": float(
                    np.max(np.abs(np.subtract(ours, naive)) / np.abs(naive))
                ),
            }
            print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
