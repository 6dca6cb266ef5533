"""A curve over a training: each of its snapshots against the same validation images."""

import time
from pathlib import Path

import numpy as np
import pandas as pd

from evaluate import common
from evaluate.distribution import measures, sources
from evaluate.distribution.options import LEAST
from evaluate.protocol import Progress, silent
from pgcxr.errors import InputError
from pgcxr.io import artifacts, places
from pgcxr.metrics.resampling import half_samples
from pgcxr.plots.curves import line_plot
from pgcxr.sampling import runs

MOST = 2000  # where the number is not given
REPLICATES = 30  # random halves behind each interval
MEASURES = ("fid", "kid", "precision", "recall")
LOWER_IS_BETTER = ("fid", "kid")
BATCH = 64


def run(
    gan_run: str | Path,
    out: str | Path,
    features: str,
    n: int = 0,
    seed: int = 0,
    progress: Progress = silent,
) -> dict:
    """Measures all snapshots of `gan_run` and writes the folder `out`; returns its report.

    Args:
        gan_run: RUN of train.gan with snapshots/, finished or not.
        out: new folder for report.json, curve.csv, fid.png and kid.png.
        features: see pgcxr.classifier.features.KINDS.
        n: images; 0: all of split val, at most 2,000.
        seed: of latents, choice of images and halves; all snapshots have the same latents.
        progress: told how far it is.

    Raises:
        InputError: no snapshots, a GAN that learned from split val, or too few images in it.
    """
    begin, gan_run, out = time.perf_counter(), Path(gan_run), Path(out)
    places.refuse_existing(out)
    config = common.load_run(gan_run)
    points = _points(gan_run)
    if config.get("split", "train") == "val":
        raise InputError(f"{gan_run}: learned from split val, so that nothing is left to choose by")
    label = config.get("label", "all")
    rows = common.cohort_of(gan_run).select("val", None if label == "all" else label)
    n = n or min(len(rows), MOST)
    if len(rows) < max(n, LEAST):
        raise InputError(
            f"{gan_run}: its cohort has {len(rows)} images of label {label} in split val, where "
            f"{max(n, LEAST)} are needed"
            + ("; lower --n" if len(rows) >= LEAST else ": curate more")
        )
    from pgcxr.classifier import features as networks

    extractor = networks.load(features)
    with artifacts.new_folder(out) as folder:
        generator = common.load_generator(points[0][1])
        real = sources.of_cohort(sources.shuffled(rows, seed), n, generator.resolution)
        seen = _features(real, extractor)
        halves = half_samples(real.clusters, REPLICATES, [seed, 0])
        others = half_samples(np.arange(n), REPLICATES, [seed, 1])
        table = []
        for place, (kimg, snapshot) in enumerate(points):
            generator = common.load_generator(snapshot)
            made = sources.of_gan(snapshot, generator, n, seed, BATCH)
            found = measures.with_halves(
                measures.on_features, seen, _features(made, extractor), (halves, others), _silent
            )
            table.append({"kimg": kimg, **_row(found)})
            progress("snapshots", place + 1, len(points))
        report = {
            "n": n,
            "resolution": generator.resolution,
            "label": label,
            "features": extractor.describe(),
            "curve": table,
            "best": {
                name: min(table, key=lambda row, name=name: row[name])["kimg"]
                for name in LOWER_IS_BETTER
            },
            "warnings": _few(n, seen.shape[1]),
            "seconds": time.perf_counter() - begin,
        }
        _write(folder, report)
        artifacts.write_report(
            folder, report, command="evaluate.distribution.curve", seed=seed, config={"n": n}
        )
    return report


def _points(gan_run: Path) -> list[tuple[float, Path]]:
    """(kimg, RUN) of every snapshot and of the end, where it is reached."""
    found = {float(path.name[4:]): path for path in (gan_run / "snapshots").glob("kimg*")}
    if not found:
        raise InputError(f"{gan_run}: has no snapshots/; train it with --set snapshot_kimg=20, say")
    if (gan_run / runs.GENERATOR).is_file():
        found[float(artifacts.read_json(gan_run / "report.json")["kimg"])] = gan_run
    return sorted(found.items())


def _features(source: sources.Source, extractor) -> np.ndarray:
    parts = measures.groups(len(source))
    return np.concatenate([extractor(source.draw(*part)) for part in parts])


def _row(found: dict) -> dict:
    row: dict = {}
    for name in MEASURES:
        row[name] = found[name].value
        row[f"{name}_ci95"] = found[name].summary()["ci95"]
    return row


def _few(n: int, dimensions: int) -> list[str]:
    if n > 2 * dimensions:
        return []
    return [
        f"FID of {n} images in {dimensions} features is largely bias; it still ranks snapshots, "
        "and KID has none"
    ]


def _silent(parts: int) -> None:
    """The halves of one snapshot are a second."""


def _write(folder: Path, report: dict) -> None:
    table = pd.DataFrame(report["curve"])
    for name in MEASURES:
        table[[f"{name}_low", f"{name}_high"]] = table.pop(f"{name}_ci95").tolist()
    text = table.to_csv(index=False, float_format="%.5g", lineterminator="\n")
    artifacts.write_text(folder / "curve.csv", text)
    kimg = table["kimg"].to_numpy()
    for name in LOWER_IS_BETTER:
        line_plot(
            kimg,
            {name.upper(): table[name]},
            folder / f"{name}.png",
            ("Images shown, kimg", f"{name.upper()} against {report['n']:,} validation images"),
            bands={name.upper(): (table[f"{name}_low"], table[f"{name}_high"])},
            marks={name.upper(): report["best"][name]},
        )
