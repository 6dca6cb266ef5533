"""The comparison: GAN, floor and baseline, each against the same held-out real images."""

import os
import time
from pathlib import Path

import numpy as np

from evaluate import common
from evaluate.distribution import baseline, figures, measures, sources
from evaluate.distribution.chapter import DistributionResult
from evaluate.distribution.estimate import BETTER, Estimate, compared
from evaluate.distribution.options import DistributionOptions
from evaluate.distribution.sources import Source
from evaluate.protocol import Progress, silent
from pgcxr.errors import InputError
from pgcxr.io import artifacts, places
from pgcxr.metrics import frechet, kid, prdc, swd
from pgcxr.metrics.frd import frd
from pgcxr.metrics.radiomics import NAMES as FEATURES
from pgcxr.metrics.resampling import half_samples

NAMES = ("gan", "floor", "baseline")
BATCH = 64


def run(
    gan_run: str | Path,
    out: str | Path,
    features: str = "",
    options: DistributionOptions | None = None,
    seed: int = 0,
    progress: Progress = silent,
) -> DistributionResult:
    """Compares the images of `gan_run` with real ones and writes the folder `out`.

    Args:
        gan_run: RUN of train.gan, of gray images.
        out: new folder.
        features: see pgcxr.classifier.features.KINDS; "" for the measures on pixels alone.
        options: `DistributionOptions()` where left out.
        seed: of latents, choices of images and halves.
        progress: told how far it is.

    Raises:
        InputError: a run that does not do, too few real images, or `out` is not empty.
    """
    begin = time.perf_counter()
    options = options or DistributionOptions()
    places.refuse_existing(Path(out))
    generator = common.load_generator(gan_run)
    if generator.resolution < swd.SMALLEST or generator.channels != 1:
        raise InputError(
            f"{gan_run}: makes images of {generator.resolution} px and {generator.channels} "
            f"channels; gray ones of {swd.SMALLEST} px or more are compared"
        )
    extractor = _extractor(features)
    real, disjoint = sources.real_sets(gan_run, seed)
    n = sources.chosen_number(gan_run, real, options.n)
    with artifacts.new_folder(out) as folder:
        size = generator.resolution
        gaussian = baseline.fit(real.training, size, options.explained, seed)
        sets = {
            "reference": sources.of_cohort(real.reference, n, size),
            "training": sources.of_cohort(real.training, n, size),
            "gan": sources.of_gan(gan_run, generator, n, seed, BATCH),
            "floor": sources.of_cohort(real.floor, n, size),
            "baseline": sources.of_baseline(gaussian, n, seed),
        }
        found, vectors = _seen(sets, extractor, options.replicates, seed, progress)
        p = _on_features(found, vectors, sets, options, seed, progress)
        report = {
            "n": n,
            "real_n": n,
            "resolution": size,
            "features": extractor
            and {
                "source": _seen_from(out, features),
                "sha256": _sha256(features),
                **extractor.describe(),
            },
            "metrics": _metrics(found, p),
            "radiomics": _radiomics(vectors),
            "training_set": _against_training(vectors),
            "baseline": gaussian.describe(),
            "gan_patients": disjoint,
            "swd_images": measures.groups(n)[0][1],
        }
        report["warnings"] = _few(
            n, report["radiomics"]["used"], "FRD", "radiomic ", "take more images"
        )
        if report["radiomics"]["left_out"]:
            report["warnings"].append(
                "radiomic features that are one value in all real images do not count: "
                + ", ".join(report["radiomics"]["left_out"])
            )
        if extractor is not None:
            published = _published(
                {name: each[measures.NETWORK] for name, each in vectors.items()}, seed
            )
            report |= published | {"warnings": published["warnings"] + report["warnings"]}
        report["gan_wins"] = {
            name: entry["mean"]["gan_wins"] if name == "swd" else entry["gan_wins"]
            for name, entry in report["metrics"].items()
        }
        report["seconds"] = time.perf_counter() - begin
        tables = {
            "distribution.csv": figures.table(report),
            "radiomics.csv": figures.radiomics_table(report),
        }
        result = DistributionResult(Path(out), report, tables).made_with(options, seed)
        result.write(folder)
        examples = {name: sets[name].examples(figures.SHOWN) for name in ("reference", *NAMES)}
        figures.write(folder, report, examples)
    return result


def _extractor(features: str):
    if not features:
        return None
    from pgcxr.classifier import features as networks

    return networks.load(features)


def _seen(
    sets: dict[str, Source], extractor, replicates: int, seed: int, progress: Progress
) -> tuple[dict, dict]:
    """({source: {measure on pixels: Estimate}}, {set: {kind of features: [N, D]}})."""
    names = [name for name in sets if name != "training" or extractor is not None]
    n, found, vectors = len(sets["gan"]), {}, {}
    for place, name in enumerate(names):
        against = sets["reference"] if name in NAMES else None
        found[name], vectors[name] = measures.one_pass(
            *(sets[name], against, extractor, replicates, seed),
            lambda images, place=place: progress("images", place * n + images, len(names) * n),
        )
    return found, vectors


def _on_features(
    found: dict[str, dict[str, Estimate]],
    vectors: dict[str, dict[str, np.ndarray]],
    sets: dict[str, Source],
    options: DistributionOptions,
    seed: int,
    progress: Progress,
) -> dict[str, dict[str, float]]:
    """Adds the measures on features to `found`; returns {measure: {source: p}} of those that have
    a test."""
    clusters = {name: sets[name].clusters for name in ("reference", *NAMES)}
    halves = {
        name: half_samples(clusters[name], options.replicates, [seed, place])
        for place, name in enumerate(("reference", "floor", "gan"))
    }
    kinds = measures.kinds(vectors, "reference")
    p: dict[str, dict[str, float]] = {}
    done, total = 0, len(kinds) * len(NAMES) * options.replicates
    for kind in kinds:
        for name in NAMES:
            found[name] |= measures.with_halves(
                *(kind.of, kind.vectors["reference"], kind.vectors[name]),
                (halves["reference"], halves["floor" if name == "floor" else "gan"]),
                lambda parts, done=done: progress("intervals", done + parts, total),
            )
            done += options.replicates
            tested = measures.p_values(
                *(kind, "reference", name, clusters, options.permutations, seed)
            )
            for measure, value in tested.items():
                p.setdefault(measure, {})[name] = value
    return p


def _metrics(
    found: dict[str, dict[str, Estimate]], p: dict[str, dict[str, float]] | None = None
) -> dict:
    """{measure: see `estimate.compared`, and p {source: p} where there is a test}, of "swd" one for
    each level and their mean."""
    metrics: dict[str, dict] = {}
    for measure in sorted(
        found["gan"], key=lambda name: list(BETTER).index(name.partition(" ")[0])
    ):
        name, _, level = measure.partition(" ")
        entry = compared(BETTER[name], *(found[source][measure] for source in NAMES))
        if p and measure in p:
            entry["p"] = p[measure]
        if level:
            metrics.setdefault(name, {})[level] = entry
        else:
            metrics[name] = entry
    return metrics


def _radiomics(vectors: dict[str, dict[str, np.ndarray]]) -> dict:
    """{used: how many features count, left_out: names of those that are one value in the reference,
    differences: {feature: {source: {shift, spread}}}}: see `pgcxr.metrics.frd`."""
    sets = {name: each[measures.RADIOMIC] for name, each in vectors.items()}
    of = {name: frd(sets["reference"], sets[name]) for name in NAMES}
    return {
        "used": of["gan"]["features"],
        "left_out": [FEATURES[place] for place in of["gan"]["left_out"]],
        "differences": {
            feature: {
                name: {key: float(of[name][key][place]) for key in ("shift", "spread")}
                for name in NAMES
            }
            for place, feature in enumerate(FEATURES)
        },
    }


def _against_training(vectors: dict[str, dict[str, np.ndarray]]) -> dict | None:
    """{measure: {gan, floor, baseline}} with training images as the real ones, as is often
    published; no intervals.

    A generator that repeats its training images does better here than against held-out ones. The
    floor is held-out images; it holds as well what the classifier knows of the images that it was
    trained on.
    """
    if "training" not in vectors:
        return None
    of: dict[str, dict] = {name: {} for name in NAMES}
    for kind in measures.kinds(vectors, "training"):
        for name in NAMES:
            of[name] |= kind.of(kind.vectors["training"], kind.vectors[name])
    return {measure: {name: of[name][measure] for name in NAMES} for measure in of["gan"]}


def _few(n: int, dimensions: int, measure: str, which: str, instead: str) -> list[str]:
    """A warning where there are too few images for a Fréchet distance in `which` features, and what
    to do `instead`."""
    # The halves behind the interval have n / 2.
    if n > 2 * dimensions:
        return []
    return [
        f"{measure} of {n} images in {dimensions} {which}features is largely bias (its "
        f"covariances, or those of halves, are singular); {instead}"
    ]


def _published(vectors: dict[str, np.ndarray], seed: int) -> dict:
    """What papers give besides: FID_infinity, KID of subsets; and whether there are enough images
    for FID."""
    real = vectors["reference"]
    n, dimensions = real.shape
    subsets = {name: kid.kid(real, vectors[name], seed=seed) for name in NAMES}
    kept = ("subset_mean", "subset_std", "subset_size", "subsets")
    return {
        "fid_infinity": {name: frechet.fid_infinity(real, vectors[name], seed) for name in NAMES},
        "kid_subsets": {name: {key: found[key] for key in kept} for name, found in subsets.items()},
        "neighbours": prdc.NEIGHBORS,  # as report.json spells it
        "warnings": _few(
            *(n, dimensions, "FID", ""),
            "read KID, or take more images or a network of fewer features",
        ),
    }


def _seen_from(out: Path, features: str) -> str:
    """Where the network is, from the report's folder: a path of this machine says nothing
    elsewhere."""
    kind, colon, path = (
        features.rpartition(":") if features.startswith("inception:") else ("", "", features)
    )
    return kind + colon + os.path.relpath(os.path.realpath(path), os.path.realpath(out))


def _sha256(features: str) -> str:
    """Of the network's file."""
    path = Path(features.removeprefix("inception:"))
    path = path / common.CLASSIFIER if path.is_dir() else path
    return artifacts.sha256(path)
