"""Finds an axis for each disease in the latents of a GAN, and judges it (thesis 3; design section
6)."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from evaluate import common
from evaluate.axes import figures
from pgcxr.cohort.findings import FINDINGS, NORMAL
from pgcxr.errors import InputError
from pgcxr.io import artifacts, places
from pgcxr.latent import axes as latent_axes
from pgcxr.latent import evidence, walks

OUTPUTS = (NORMAL, *FINDINGS)
VARIANTS = ("all", "exclusive")
CONFIG = {
    "samples": 30_000,  # synthetic images that are classified (thesis 3: 30,000)
    # Regression on "all" images, or on those with an "exclusive" pattern (thesis 3.3).
    "variant": "all",
    "orthogonal": False,  # free each axis of its part in the others
    "held_out": 0.2,  # share of the images that judge the axes and have no part in them
    "permutations": 999,
    "bootstraps": 50,
    # Normal-looking images that walks begin with; half choose where to end, half are reported.
    "starts": 64,
    "steps": 17,
    "max_angle": float(np.pi / 3),  # radians; at pi / 2 nothing is left of the start
    "examples": 4,  # images per strip
    "batch": 64,
}
CRITERION = {"heldout_auroc": 0.7, "null_p": 0.01, "likelihood_end": 0.5}
CRITERION_TEXT = (
    "found: held-out AUROC >= 0.7 with permutation p < 0.01; and the walk from normal-looking "
    "images ends at a mean likelihood of the disease >= 0.5, at least twice that of its start and "
    "above that of every other disease"
)


def run(
    gan_run: str | Path,
    classifier_run: str | Path,
    out: str | Path,
    config: dict | None = None,
    seed: int = 0,
    progress: Callable[[str, int, int], None] = lambda what, done, total: None,
) -> dict:
    """Writes the folder `out` (report.json, axes.npz, counts.csv, curves.csv, figures) and returns
    the report.

    Args:
        gan_run: RUN of train.gan, of normal and abnormal images.
        classifier_run: RUN of train.classifier --labels findings, of the GAN's resolution.
        config: changes to `CONFIG`.
        progress: called with what is under way, how much is done, and of how much.
    """
    config = checked(common.merge(CONFIG, config))
    places.refuse_existing(Path(out))
    generator = common.load_generator(gan_run)
    if generator.channels != 1:
        raise InputError(
            f"{gan_run}: makes images of {generator.channels} channels; the classifier reads one"
        )
    classifier = common.load_classifier(classifier_run, len(OUTPUTS), generator.resolution)
    if "cohort" in common.load_run(gan_run) or not common.is_imported(gan_run):
        common.check_disjoint(gan_run, common.cohort_of(classifier_run).select("test"))
    read = Reader(generator, classifier, config["batch"], progress)
    with artifacts.new_folder(out) as folder:
        report = study(read, config, seed, folder)
        artifacts.write_report(folder, report, command="evaluate.axes", seed=seed, config=config)
    return report


def checked(config: dict) -> dict:
    """`config`, or InputError where a value makes no sense."""
    for key, least in (
        ("samples", 100),
        ("starts", 2),
        ("steps", 2),
        ("permutations", 199),
        ("bootstraps", 2),
    ):
        if config[key] < least:
            raise InputError(f"{key}: {config[key]} is too few; give at least {least}")
    if config["variant"] not in VARIANTS:
        raise InputError(f"variant: {config['variant']} is unknown; choose {' or '.join(VARIANTS)}")
    if not 0 < config["max_angle"] <= np.pi / 2:
        raise InputError(
            f"max_angle: {np.rad2deg(config['max_angle']):g} degrees; must be above 0 and at most "
            "90"
        )
    return config


class Reader:
    """Images and likelihoods of latents, batch by batch: 30,000 images of 1024 px would not fit
    into memory."""

    def __init__(self, generator, classifier, batch: int, progress: Callable):
        self.generator, self.classifier, self.batch, self.progress = (
            generator,
            classifier,
            batch,
            progress,
        )
        self.latent_size = generator.latent_size
        # Of one graph for all walks and figures: a new one each time is traced again each time.
        self._synthesize = common.synthesizer(generator, batch)

    def images(self, latents: np.ndarray) -> np.ndarray:
        """uint8 [N, R, R, 1]."""
        return np.concatenate(list(self._batches(latents)))

    def _batches(self, latents: np.ndarray):
        for begin in range(0, len(latents), self.batch):
            yield common.to_uint8(self._synthesize(latents[begin : begin + self.batch]))

    def likelihoods(self, latents: np.ndarray, what: str) -> np.ndarray:
        """[N, 6]: the classifier's outputs, normal first."""
        found = []
        for images in self._batches(latents):
            found.append(self.opinions(images))
            self.progress(what, sum(map(len, found)), len(latents))
        return np.concatenate(found)

    def opinions(self, images: np.ndarray) -> np.ndarray:
        """[N, 6]: the classifier's outputs for uint8 [N, R, R, 1]."""
        from pgcxr.classifier.training import predict

        return predict(self.classifier, images, self.batch).astype(np.float64)

    def activation(self, images: np.ndarray, output: int) -> np.ndarray:
        """[N, h, w] of 0 and up: where the classifier looks for one output (Grad-CAM)."""
        from pgcxr.classifier.gradcam import gradcam

        return gradcam(self.classifier, common.from_uint8(images), output)


def study(read: Reader, config: dict, seed: int, folder: Path) -> dict:
    """The report of `run`; tables, figures and axes.npz are written to `folder`."""
    u = latent_axes.normalize(common.latents(seed, config["samples"], read.latent_size))
    likelihoods = read.likelihoods(u, "synthesizing and classifying")
    single = latent_axes.exclusive(likelihoods)
    first_held_out = int(round(len(u) * (1 - config["held_out"])))
    judged = slice(first_held_out, None)
    fits, variants = {}, {}
    for name in VARIANTS:
        rows = (
            np.flatnonzero(single[:first_held_out])
            if name == "exclusive"
            else np.arange(first_held_out)
        )
        fits[name] = fitted = fit_variant(u[rows], likelihoods[rows], config["orthogonal"])
        variants[name] = {"samples": len(rows), "axes": {}}
        if fitted is None:
            continue
        variants[name]["effective_samples"] = fitted["effective_samples"]
        for index, disease in enumerate(FINDINGS):
            rng = np.random.default_rng([seed, 1, index])
            seen = evidence.permutation_test(
                u[judged] @ fitted["axes"][index],
                likelihoods[judged, index + 1],
                config["permutations"],
                rng,
            )
            variants[name]["axes"][disease] = {
                "heldout_auroc": seen.auroc,
                "null_p": seen.p,
                "heldout_cases": seen.cases,
                "heldout_reference": seen.reference,
                "ridge": fitted["fit"].ridges[index],
                "loo_r2": fitted["fit"].loo_r2[index],
            }
    chosen = fits[config["variant"]]
    if chosen is None:
        raise InputError(
            f"--variant exclusive: only {variants['exclusive']['samples']} synthetic images show a "
            "single pattern; use --variant all, more --samples, or train the GAN longer"
        )
    cosines = evidence.bootstrap_cosines(
        chosen["u"],
        chosen["targets"],
        chosen["weights"],
        chosen["fit"],
        config["bootstraps"],
        np.random.default_rng([seed, 2]),
    ).mean(axis=0)
    starts = normal_starts(u[judged], likelihoods[judged], config["starts"])
    angles = np.linspace(0, config["max_angle"], config["steps"])
    axes, curves, ends = {}, {}, []
    for index, disease in enumerate(FINDINGS):
        path = walks.walk(starts, chosen["axes"][index], angles)
        seen = read.likelihoods(path.reshape(-1, read.latent_size), f"walking to {disease}")
        curves[disease] = seen.reshape(len(angles), len(starts), len(OUTPUTS))
        walked = judge_walk(curves[disease], index + 1)
        axes[disease] = {
            **variants[config["variant"]]["axes"][disease],
            "bootstrap_cosine": cosines[index],
            **walked,
            "angle_end": angles[walked["step_end"]],
            "deviations_end": np.sqrt(read.latent_size) * np.sin(angles[walked["step_end"]]),
        }
        axes[disease] = {"found": found(axes[disease]), **axes[disease]}
        ends.append(angles[walked["step_end"]])
    kept = latent_axes.Axes(
        chosen["axes"],
        FINDINGS,
        np.array(ends),
        np.array([axes[name]["found"] for name in FINDINGS]),
    )
    latent_axes.save(folder / latent_axes.FILE, kept)
    before, after = (
        latent_axes.class_counts(likelihoods),
        latent_axes.class_counts(likelihoods[single]),
    )
    curves = {disease: reported(seen, axis=1) for disease, seen in curves.items()}
    figures.write_tables(folder, OUTPUTS, before, after, angles, curves)
    figures.draw(folder, read, reported(starts), kept, angles, curves, config["examples"])
    products = chosen["axes"] @ chosen["axes"].T
    return {
        "samples": len(u),
        "counts_before": dict(zip(OUTPUTS, before, strict=True)),
        "counts_after": dict(zip(OUTPUTS, after, strict=True)),
        "axes": axes,
        "axes_found": int(kept.found.sum()),
        # Images that the walks begin with: the first choose where to end, all numbers and figures
        # are of the second.
        "starts": {
            "choosing": len(starts) - len(reported(starts)),
            "reported": len(reported(starts)),
        },
        "starts_shown": min(config["examples"], len(reported(starts))),
        "cosine_matrix": {
            a: dict(zip(FINDINGS, row, strict=True))
            for a, row in zip(FINDINGS, products, strict=True)
        },
        "criterion": CRITERION_TEXT,
        "variant": config["variant"],
        "variants": variants,
        "resolution": read.generator.resolution,
        "latent_size": read.latent_size,
    }


def fit_variant(u: np.ndarray, likelihoods: np.ndarray, orthogonal: bool) -> dict | None:
    """The axes [5, L] of the five diseases from these images, or None where there is too little to
    learn from."""
    if len(u) < 20:
        return None
    targets, weights = (
        latent_axes.logits(likelihoods)[:, 1:],
        latent_axes.class_weights(likelihoods),
    )
    fitted = latent_axes.fit_axes(u, targets, weights)
    return {
        "fit": fitted,
        "axes": latent_axes.orthogonalized(fitted.axes) if orthogonal else fitted.axes,
        "u": u,
        "targets": targets,
        "weights": weights,
        "effective_samples": latent_axes.effective_samples(weights),
    }


def normal_starts(u: np.ndarray, likelihoods: np.ndarray, count: int) -> np.ndarray:
    """[count, L]: the latents of the images that look most normal to the classifier."""
    return u[np.argsort(-likelihoods[:, 0], kind="stable")[:count]]


def reported(starts: np.ndarray, axis: int = 0) -> np.ndarray:
    """Every second start: those that had no part in choosing where a walk ends."""
    return starts[(slice(None),) * axis + (slice(1, None, 2),)]


def judge_walk(curve: np.ndarray, output: int) -> dict:
    """Where a walk ends and what it does there.

    The end is the step at which the disease stands out most from all others in every second start;
    everything else is read from the remaining starts, so that the choice doesn't flatter the
    result.

    Args:
        curve: [S, N, 6] likelihoods.
        output: the disease's place among the outputs.
    """
    choosing, seen = curve[:, ::2].mean(axis=1), reported(curve, axis=1).mean(axis=1)
    others = [index for index in range(1, curve.shape[2]) if index != output]
    end = 1 + int(np.argmax((choosing[:, output] - choosing[:, others].max(axis=1))[1:]))
    return {
        "likelihood_start": seen[0, output],
        "likelihood_end": seen[end, output],
        "off_target_max": seen[end, others].max(),
        "off_target_disease": OUTPUTS[others[int(np.argmax(seen[end, others]))]],
        "step_end": end,
    }


def found(axis: dict) -> bool:
    """`CRITERION_TEXT` for one disease's row of the report."""
    predicts = (
        axis["heldout_auroc"] >= CRITERION["heldout_auroc"] and axis["null_p"] < CRITERION["null_p"]
    )
    reaches = axis["likelihood_end"] >= max(
        CRITERION["likelihood_end"], 2 * axis["likelihood_start"]
    )
    return bool(predicts and reaches and axis["off_target_max"] < axis["likelihood_end"])
