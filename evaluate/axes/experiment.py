"""Finds an axis for each disease in the latents of a GAN, and judges it (thesis 3)."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy import special

from evaluate import common
from evaluate.axes import figures
from evaluate.axes.chapter import AxesResult
from evaluate.axes.criterion import CRITERION_TEXT, OUTPUTS, is_found, reported, walk_end
from evaluate.axes.options import AxesOptions
from evaluate.protocol import Progress, silent
from pgcxr.cohort.findings import FINDINGS
from pgcxr.errors import ArgumentError, InputError
from pgcxr.io import artifacts, places
from pgcxr.latent import axes as latent_axes
from pgcxr.latent import evidence, labeling, walks

# Fewer images have nothing to teach.
FEWEST_FITTED = 20


@dataclass(frozen=True)
class Fitted:
    """Axes [5, L] of the diseases, and the `fit` to latents `u`, `targets` and `weights` that gave
    them."""

    axes: np.ndarray
    fit: latent_axes.AxisFit
    u: np.ndarray
    targets: np.ndarray
    weights: np.ndarray


class Reader:
    """Images and likelihoods of latents, batch by batch: 30,000 images of 1024 px would not fit
    into memory."""

    def __init__(self, generator, classifier, batch: int, progress: Progress, placed=None):
        self.generator, self.classifier = generator, classifier
        self.batch, self.progress = batch, progress
        self.latent_size = generator.latent_size
        self.labeler = labeling.Labeler(generator, [classifier], batch, placed)
        # Of one graph for all walks and figures: a new one each time is traced again each time.
        self._synthesize = common.synthesizer(generator, batch)

    def images(self, latents: np.ndarray) -> np.ndarray:
        """uint8 [N, R, R, 1]."""
        return np.concatenate(list(self._batches(latents)))

    def _batches(self, latents: np.ndarray):
        for begin in range(0, len(latents), self.batch):
            yield common.to_uint8(self._synthesize(latents[begin : begin + self.batch]))

    def samples(self, seed: int, samples: int, store: str | None) -> labeling.Labeled:
        """Random latents and the classifier's logits [N, 1, 6] for their images."""
        what = "synthesizing and classifying"
        return labeling.label(
            self.labeler, seed, samples, store, lambda done: self.progress(what, done, samples)
        )

    def likelihoods(self, latents: np.ndarray, what: str) -> np.ndarray:
        """[N, 6]: the classifier's outputs, normal first."""
        told = self.labeler.read(latents, lambda done: self.progress(what, done, len(latents)))
        return likelihoods_of(told[:, 0])

    def opinions(self, images: np.ndarray) -> np.ndarray:
        """[N, 6]: the classifier's outputs for uint8 [N, R, R, 1]."""
        from pgcxr.classifier.training import predict

        return predict(self.classifier, images, self.batch).astype(np.float64)

    def activation(self, images: np.ndarray, output: int) -> np.ndarray:
        """[N, h, w] of 0 and up: where the classifier looks for one output (Grad-CAM)."""
        from pgcxr.classifier.gradcam import gradcam

        return gradcam(self.classifier, common.from_uint8(images), output)


def likelihoods_of(logits: np.ndarray) -> np.ndarray:
    """Probabilities of float32 logits, float64."""
    return special.expit(logits.astype(np.float64))


def run(
    gan_run: str | Path,
    classifier_run: str | Path,
    out: str | Path,
    options: AxesOptions | None = None,
    seed: int = 0,
    progress: Progress = silent,
) -> AxesResult:
    """Writes the folder `out`: report.json, axes.npz, counts.csv, curves.csv, figures.

    Args:
        gan_run: RUN of train.gan, of normal and abnormal images.
        classifier_run: RUN of train.classifier of findings, of the GAN's resolution.
        out: new folder.
        options: `AxesOptions()` where left out.
        seed: of latents, permutations and bootstraps.
        progress: told how far it is.

    Raises:
        InputError: a run that does not do, or `out` is not empty.
        ArgumentError: too few images of exclusive patterns to fit on.
    """
    options = options or AxesOptions()
    places.refuse_existing(Path(out))
    placed = labeling.strategy()
    with placed.scope():
        generator = common.load_generator(gan_run)
    if generator.channels != 1:
        raise InputError(
            f"{gan_run}: makes images of {generator.channels} channels; the classifier reads one"
        )
    with placed.scope():
        classifier = common.load_classifier(classifier_run, len(OUTPUTS), generator.resolution)
    if "cohort" in common.load_run(gan_run) or not common.is_imported(gan_run):
        common.check_disjoint(gan_run, common.cohort_of(classifier_run).select("test"))
    reader = Reader(generator, classifier, options.batch, progress, placed)
    with artifacts.new_folder(out) as folder:
        report, tables = _study(reader, options, seed, folder)
        result = AxesResult(Path(out), report, tables).made_with(options, seed)
        result.write(folder)
    return result


def _study(reader: Reader, options: AxesOptions, seed: int, folder: Path) -> tuple[dict, dict]:
    """(report, tables); axes.npz and figures are written to `folder`."""
    labeled = reader.samples(seed, options.samples, options.store)
    u, likelihoods = labeled.u, likelihoods_of(labeled.logits[:, 0])
    single = latent_axes.exclusive(likelihoods)
    first = int(round(len(u) * (1 - options.held_out)))
    rows = {"all": np.arange(first), "exclusive": np.flatnonzero(single[:first])}
    fits = {
        name: fit_variant(u[own], likelihoods[own], options.orthogonal)
        for name, own in rows.items()
    }
    variants = {
        name: _judged(fitted, len(rows[name]), u[first:], likelihoods[first:], options, seed)
        for name, fitted in fits.items()
    }
    chosen = fits[options.variant]
    if chosen is None:
        raise ArgumentError(
            "variant",
            f"only {len(rows['exclusive'])} synthetic images show a single pattern; regress on "
            "all, classify more samples, or train the GAN longer",
            received=options.variant,
        )
    starts = normal_starts(u[first:], likelihoods[first:], options.starts)
    angles = np.linspace(0, np.radians(options.max_angle), options.steps)
    curves = _walked(reader, chosen.axes, starts, angles)
    axis_rows = _axis_rows(variants[options.variant]["axes"], chosen, curves, angles, options, seed)
    axes = latent_axes.Axes(
        chosen.axes,
        FINDINGS,
        np.array([row["angle_end"] for row in axis_rows.values()]),
        np.array([row["found"] for row in axis_rows.values()]),
    )
    latent_axes.save(folder / latent_axes.FILE, axes)
    before = latent_axes.class_counts(likelihoods)
    after = latent_axes.class_counts(likelihoods[single])
    shown = figures.Walks(
        reported(starts), angles, {name: reported(curve, axis=1) for name, curve in curves.items()}
    )
    figures.draw(folder, reader, axes, shown, options.examples)
    report = {
        "samples": len(u),
        "samples_from_store": labeled.reused,
        "counts_before": dict(zip(OUTPUTS, before, strict=True)),
        "counts_after": dict(zip(OUTPUTS, after, strict=True)),
        "axes": axis_rows,
        "axes_found": int(axes.found.sum()),
        # Images that the walks begin with: the first choose where to end, all numbers and figures
        # are of the second.
        "starts": {"choosing": len(starts) - len(shown.starts), "reported": len(shown.starts)},
        "starts_shown": min(options.examples, len(shown.starts)),
        "cosine_matrix": _cosines(chosen.axes),
        "criterion": CRITERION_TEXT,
        "variant": options.variant,
        "variants": variants,
        "resolution": reader.generator.resolution,
        "latent_size": reader.latent_size,
    }
    tables = {
        "counts.csv": figures.counts_table(OUTPUTS, before, after),
        "curves.csv": figures.curves_table(OUTPUTS, shown),
    }
    return report, tables


def fit_variant(u: np.ndarray, likelihoods: np.ndarray, orthogonal: bool) -> Fitted | None:
    """The axes of the five diseases from images of latents u [N, L] and their likelihoods [N, 6];
    None where there is too little to learn from."""
    if len(u) < FEWEST_FITTED:
        return None
    targets = latent_axes.logits(likelihoods)[:, 1:]
    weights = latent_axes.class_weights(likelihoods)
    fit = latent_axes.fit_axes(u, targets, weights)
    axes = latent_axes.orthogonalized(fit.axes) if orthogonal else fit.axes
    return Fitted(axes, fit, u, targets, weights)


def _judged(
    fitted: Fitted | None,
    samples: int,
    u: np.ndarray,
    likelihoods: np.ndarray,
    options: AxesOptions,
    seed: int,
) -> dict:
    """How well the axes predict the classifier on held-out images u, for the report."""
    judged: dict = {"samples": samples, "axes": {}}
    if fitted is None:
        return judged
    judged["effective_samples"] = latent_axes.effective_samples(fitted.weights)
    for index, disease in enumerate(FINDINGS):
        rng = np.random.default_rng([seed, 1, index])
        prediction = evidence.permutation_test(
            u @ fitted.axes[index], likelihoods[:, index + 1], options.permutations, rng
        )
        judged["axes"][disease] = {
            "heldout_auroc": prediction.auroc,
            "null_p": prediction.p,
            "heldout_cases": prediction.cases,
            "heldout_reference": prediction.reference,
            "ridge": fitted.fit.ridges[index],
            "loo_r2": fitted.fit.loo_r2[index],
        }
    return judged


def _cosines(axes: np.ndarray) -> dict:
    """{disease: {disease: cosine of their axes}}."""
    rows = zip(FINDINGS, axes @ axes.T, strict=True)
    return {name: dict(zip(FINDINGS, row, strict=True)) for name, row in rows}


def normal_starts(u: np.ndarray, likelihoods: np.ndarray, count: int) -> np.ndarray:
    """[count, L]: the latents of the images that look most normal to the classifier."""
    return u[np.argsort(-likelihoods[:, 0], kind="stable")[:count]]


def _walked(reader: Reader, axes: np.ndarray, starts: np.ndarray, angles: np.ndarray) -> dict:
    """{disease: likelihoods [S, N, 6]} along each axis, from N starts at S angles."""
    curves = {}
    for index, disease in enumerate(FINDINGS):
        path = walks.walk(starts, axes[index], angles).reshape(-1, reader.latent_size)
        likelihoods = reader.likelihoods(path, f"walking to {disease}")
        curves[disease] = likelihoods.reshape(len(angles), len(starts), len(OUTPUTS))
    return curves


def _axis_rows(
    predictions: dict,
    fitted: Fitted,
    curves: dict,
    angles: np.ndarray,
    options: AxesOptions,
    seed: int,
) -> dict:
    """{disease: its row of the report}."""
    cosines = evidence.bootstrap_cosines(
        fitted.u,
        fitted.targets,
        fitted.weights,
        fitted.fit,
        options.bootstraps,
        np.random.default_rng([seed, 2]),
    ).mean(axis=0)
    rows = {}
    for index, disease in enumerate(FINDINGS):
        end = walk_end(curves[disease], index + 1)
        angle = angles[end["step_end"]]
        row = {
            **predictions[disease],
            "bootstrap_cosine": cosines[index],
            **end,
            "angle_end": angle,
            "deviations_end": np.sqrt(fitted.u.shape[1]) * np.sin(angle),
        }
        rows[disease] = {"found": is_found(row), **row}
    return rows
