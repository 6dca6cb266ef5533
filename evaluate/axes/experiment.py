"""Finds an axis for each disease in the latents of a GAN in several ways, and lets those judge who
took no part (thesis 3)."""

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy import special

from evaluate import common
from evaluate.axes import comparison, figures, panel, real_images, ways
from evaluate.axes.chapter import AxesResult
from evaluate.axes.comparison import Compared
from evaluate.axes.criterion import CRITERION_TEXT, OUTPUTS, reported
from evaluate.axes.options import AxesOptions
from evaluate.axes.reader import Reader
from evaluate.protocol import Progress, silent
from pgcxr.cohort.findings import FINDINGS
from pgcxr.cohort.manifest import Cohort
from pgcxr.errors import ArgumentError, InputError
from pgcxr.io import artifacts, places
from pgcxr.latent import axes as latent_axes
from pgcxr.latent import labeling
from pgcxr.latent.space import LatentSpace
from pgcxr.sampling.runs import is_pretrained, named


@dataclass(frozen=True)
class Runs:
    """What is named beside the GAN and the first classifier.

    Attributes:
        guides: RUNs that guide, too.
        judges: RUNs that only judge.
        cohort: whose real images are read, in place of the first classifier's.
    """

    guides: Sequence[str | Path] = ()
    judges: Sequence[str | Path] = ()
    cohort: str | Path | None = None


def run(
    gan_run: str | Path,
    classifier_run: str | Path,
    out: str | Path,
    options: AxesOptions | None = None,
    seed: int = 0,
    progress: Progress = silent,
    others: Runs = Runs(),
) -> AxesResult:
    """Writes the folder `out`: report.json, axes.npz, walks.npz, counts.csv, curves.csv, ways.csv,
    figures.

    Args:
        gan_run: RUN of train.gan, of normal and abnormal images.
        classifier_run: RUN of train.classifier of findings, of the GAN's resolution: the first
            guide; its cohort calibrates all and teaches the probe, where `others` names none.
        out: new folder.
        options: `AxesOptions()` where left out.
        seed: of latents, permutations and bootstraps.
        progress: told how far it is.
        others: more classifiers, and a cohort.

    Raises:
        InputError: a run that does not do, or `out` is not empty.
        ArgumentError: too few images of exclusive patterns to fit on.
    """
    options = options or AxesOptions()
    places.refuse_existing(Path(out))
    classifier_runs = [classifier_run, *others.guides, *others.judges]
    real = None
    if others.cohort is not None:
        real = real_images.named(others.cohort, [gan_run, *classifier_runs])
    placed = labeling.strategy()
    with placed.scope():
        generator = common.load_generator(gan_run)
        if generator.channels != 1:
            raise InputError(
                f"{gan_run}: makes images of {generator.channels} channels; the classifier reads "
                "one"
            )
        classifiers = [
            common.load_classifier(name, len(OUTPUTS), generator.resolution)
            for name in classifier_runs
        ]
        space = LatentSpace.of(gan_run, generator)
    if options.way == ways.LABEL and space.axes(FINDINGS) is None:
        expected = f"needs a generator that was told of the findings, which {gan_run}'s was not"
        raise ArgumentError("way", expected, options.way)
    if real is not None:
        real.refuse_small(generator.resolution)
    else:
        real = real_images.of_runs(gan_run, classifier_runs)
    guides = 1 + len(others.guides)
    reader = Reader(space, classifiers, guides, options.batch, progress, placed)
    _refuse_same(classifier_runs, reader.labeler.identity[1:])
    with artifacts.new_folder(out) as folder:
        report, tables = _study(reader, real and real.cohort, options, seed, folder)
        report["cohort"] = real and real.report(out)
        report["notes"] += real.notes if real else []
        runs = [gan_run, *classifier_runs]
        identities = [space.identity, *reader.labeler.identity[1:]]
        report["networks"] = _networks(Path(out), runs, identities, guides)
        result = AxesResult(Path(out), report, tables).made_with(options, seed)
        result.write(folder)
    return result


def _refuse_same(runs: list, identities: list[str]) -> None:
    """Raises InputError where one network comes twice: who guides can't judge."""
    for place, identity in enumerate(identities):
        if identity in identities[:place]:
            raise InputError(
                f"{runs[place]}: holds the same network as {runs[identities.index(identity)]}; "
                "guides and judges must be trainings of their own (another --seed, at least)"
            )


def _networks(out: Path, runs: list, identities: list[str], guides: int) -> dict:
    """{generator, guides, judges}: where each network is, as seen from `out`, and its identity, so
    that who reads the folder (`pgcxr edit`) need not be told; what comes with pgcxr by its name."""
    home = os.path.realpath(out)
    found = []
    for run, identity in zip(runs, identities, strict=True):
        shipped = is_pretrained(run)
        where = named(run).name if shipped else os.path.relpath(os.path.realpath(run), home)
        found.append({"run": where, "weights_sha256": identity})
        if shipped:
            found[-1]["pretrained"] = True
    return {"generator": found[0], "guides": found[1 : guides + 1], "judges": found[guides + 1 :]}


def _study(
    reader: Reader, cohort: Cohort | None, options: AxesOptions, seed: int, folder: Path
) -> tuple[dict, dict]:
    """(report, tables); axes.npz and figures are written to `folder`."""
    people = panel.assemble(reader, cohort, seed, reader.progress)
    for note in people.notes:
        print(f"warning: {note}", file=sys.stderr)
    labeled = reader.samples(seed, options.samples, options.store)
    logits = reader.guided(labeled.logits)
    data = ways.Fitting(labeled.u, logits[:, 1:], special.expit(logits), seed, options.bootstraps)
    single = latent_axes.exclusive(data.likelihoods)
    first = int(round(len(data.u) * (1 - options.held_out)))
    fitted, held_out = data.of(np.arange(first)), data.of(np.arange(first, len(data.u)))
    starts = normal_starts(held_out, options.starts)
    angles = np.linspace(0, np.radians(options.max_angle), options.steps)
    found = _ways(reader, fitted, single[:first], starts, options)
    compared = comparison.compare(reader, people, found, held_out, (starts, angles), options, seed)
    chosen = {name: compared.chosen(name, options.way) for name in FINDINGS}
    axes = _axes(compared, chosen, angles)
    latent_axes.save(folder / latent_axes.FILE, axes)
    artifacts.write_arrays(folder / "walks.npz", comparison.walks_of(compared))
    before = latent_axes.class_counts(data.likelihoods)
    after = latent_axes.class_counts(data.likelihoods[single])
    curves = {name: compared.walked[chosen[name]][name].halved(1).guides for name in FINDINGS}
    shown = figures.Walks(reported(starts), angles, curves)
    looks = figures.draw(folder, reader, axes, shown, options.examples)
    if compared.followed:
        figures.draw_paths(folder, reader, compared, options.examples)
    rows = {
        name: {
            "way": chosen[name],
            **compared.rows[chosen[name]][name],
            "found_by": compared.found_by(name),
            **comparison.side_effects(reader, people, name, axes, reported(starts)),
            "gradcam": looks[name],
        }
        for name in FINDINGS
    }
    report = {
        "samples": len(data.u),
        "samples_from_store": labeled.reused,
        "counts_before": dict(zip(OUTPUTS, before, strict=True)),
        "counts_after": dict(zip(OUTPUTS, after, strict=True)),
        "axes": rows,
        "axes_found": int(axes.found.sum()),
        "ways": compared.rows,
        "ways_left_out": compared.left_out,
        "guides": {name: guide.describe() for name, guide in people.guides.items()},
        "judges": {name: judge.describe() for name, judge in people.judges.items()},
        "notes": people.notes,
        # Images that the walks begin with: the first choose where to end and which way, all numbers
        # and figures are of the second.
        "starts": {"choosing": len(starts) - len(shown.starts), "reported": len(shown.starts)},
        "starts_shown": min(options.examples, len(shown.starts)),
        "start_persons": comparison.persons_of(reader, people, reported(starts)),
        "cosine_matrix": _cosines(axes.vectors),
        "criterion": CRITERION_TEXT,
        "variant": options.variant,
        "resolution": reader.generator.resolution,
        "latent_size": reader.latent_size,
    }
    tables = {
        "counts.csv": figures.counts_table(OUTPUTS, before, after),
        "curves.csv": figures.curves_table(OUTPUTS, shown),
        "ways.csv": comparison.table(compared.rows),
    }
    return report, tables


def _ways(
    reader: Reader,
    fitted: ways.Fitting,
    single: np.ndarray,
    starts: np.ndarray,
    options: AxesOptions,
) -> "comparison.Found":
    """The axes of every way, and the paths of the starts."""
    exclusive = options.variant == "exclusive"
    basis = fitted.of(single) if exclusive else fitted
    regressed = ways.ridge(basis, options.orthogonal)
    if regressed is None:
        raise ArgumentError(
            "variant",
            f"only {len(basis.u)} synthetic images show a single pattern; regress on "
            "all, classify more samples, or train the GAN longer",
            received=options.variant,
        )
    found = {"thesis": ways.thesis(fitted), "ridge": regressed}
    reader.progress("fitting axes", 1, 3)
    found["hyperplane"] = ways.hyperplane(fitted)
    reader.progress("fitting axes", 2, 3)
    found["network"] = ways.network(fitted)
    reader.progress("fitting axes", 3, 3)
    if (told := reader.space.axes(FINDINGS)) is not None:
        found[ways.LABEL] = ways.label(told)
    followed = comparison.follow(reader, starts[: options.path_starts], options, fitted.seed)
    if followed:
        own = [path[:, ::2] for path in followed.values()]
        found["displacement"] = ways.displacement(own, fitted.seed, options.bootstraps)
    return comparison.Found(found, followed)


def normal_starts(held_out: ways.Fitting, count: int) -> np.ndarray:
    """[count, L]: the latents of the images whose likeliest disease is least likely for the
    guides."""
    return held_out.u[np.argsort(held_out.logits.max(axis=1), kind="stable")[:count]]


def _axes(compared: Compared, chosen: dict, angles: np.ndarray) -> latent_axes.Axes:
    """The chosen axis of each disease."""
    rows = [compared.rows[chosen[name]][name] for name in FINDINGS]
    return latent_axes.Axes(
        np.stack([compared.axes[chosen[name]][index] for index, name in enumerate(FINDINGS)]),
        FINDINGS,
        np.array([angles[row["step_end"]] for row in rows]),
        np.array([row["found"] for row in rows]),
    )


def _cosines(axes: np.ndarray) -> dict:
    """{disease: {disease: cosine of their axes}}."""
    rows = zip(FINDINGS, axes @ axes.T, strict=True)
    return {name: dict(zip(FINDINGS, row, strict=True)) for name, row in rows}
