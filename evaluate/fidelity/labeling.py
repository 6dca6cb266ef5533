"""The two sets that classifier (real) labels: images of the GAN, and, for the control arm, the real
ones."""

import math
import sys
from pathlib import Path

import numpy as np

from evaluate import common
from evaluate.fidelity.pseudo import (
    ABNORMAL,
    NORMAL,
    REJECTED,
    Synthetic,
    collect,
    counts,
    pseudo_labels,
)
from evaluate.fidelity.real_images import LEAST_PER_CLASS, RealImages
from evaluate.protocol import Progress, silent
from pgcxr.errors import InputError
from pgcxr.images import reduce_by_area
from pgcxr.options import Options

# AUROC on real images below which a classifier can hardly be sure of anything.
READS = 0.75


def synthesize(
    gan_run: Path,
    generator,
    real: RealImages,
    options: Options,
    seed: int,
    area: float,
    progress: Progress = silent,
) -> Synthetic:
    """Generates and labels images until there are as many of each class as wanted, or the bound is
    reached.

    Args:
        options: FidelityOptions.
        area: AUROC of classifier (real) on the real test set, for the message where it calls too
            few images.
        progress: told how many of the images that are wanted have a label.

    Raises:
        InputError: too few of a class to train on, with what is probably to blame.
    """
    from pgcxr.classifier.training import predict

    size, batch, wanted = (
        real.trained["size"],
        options.generate_batch,
        real.counts(options.per_class),
    )
    need = sum(map(sum, wanted.values()))
    most = math.ceil(need * options.most_generated / batch) * batch
    z = common.latents(seed, most, generator.latent_size)
    labels = None
    if generator.label_size:
        labels = np.eye(generator.label_size, dtype=np.float32)[
            np.random.default_rng([seed, 1]).integers(generator.label_size, size=most)
        ]
    pictures = common.generate_batches(generator, z, labels, batch)
    synthetic = collect(
        (
            np.stack([reduce_by_area(image, size, size) for image in images[..., 0]])[..., None]
            for images in pictures
        ),
        lambda images: predict(real.model, images)[:, 0],
        wanted,
        options.abnormal_above,
        options.normal_below,
        lambda count: progress("synthetic images", count, need),
    )
    for split, least in LEAST_PER_CLASS.items():
        if min(counts(synthetic.labels[split]).values()) < least:
            raise InputError(too_few(gan_run, synthetic, area, options))
    return synthetic


def sampling(synthetic: Synthetic, wanted: dict, most_generated: float) -> dict:
    """How the sampling by rejection ended, in all splits together.

    Returns:
        {wanted, labeled, used: {normal, abnormal}, bound_hit, share}: `labeled` of all that were
        generated, `used` after both classes were reduced alike to `share` of what was wanted, where
        the bound was hit.
    """
    needed = {
        name: sum(counts[place] for counts in wanted.values())
        for place, name in enumerate(("normal", "abnormal"))
    }
    labeled = {name: synthetic.counts[name] for name in needed}
    used = counts(np.concatenate(list(synthetic.labels.values())))
    return {
        "wanted": needed,
        "labelled": labeled,  # as report.json spells it
        "used": used,
        "most_generated": most_generated,
        "bound_hit": any(labeled[name] < needed[name] for name in needed),
        "share": min(1.0, *(labeled[name] / needed[name] for name in needed)),
    }


def warn(gan_run: Path, sampled: dict, generated: int) -> None:
    """Says on the terminal that the bound was hit: fewer synthetic images than real ones."""
    if sampled["bound_hit"]:
        labeled = ", ".join(
            f"{sampled['labelled'][name]:,} of {count:,} {name}"
            for name, count in sampled["wanted"].items()
        )
        print(
            f"warning: {gan_run}: {generated:,} images, {sampled['most_generated']:g} for each "
            f"wanted, gave {labeled}; classifier (synthetic) gets {sampled['share']:.0%} of the "
            "real numbers, in the same ratio; raise most_generated, or train the GAN longer",
            file=sys.stderr,
        )


def too_few(gan_run: Path, synthetic: Synthetic, area: float, options: Options) -> str:
    """Why there are too few pseudo-labels: the classifier knows nothing, or the GAN's images are
    all of one kind."""
    totals = synthetic.counts
    low, middle, high = np.percentile(synthetic.probability, (5, 50, 95))
    below, above = options.normal_below, options.abnormal_above
    never = " and ".join(name for name in ("normal", "abnormal") if not totals[name])
    if area < READS:
        cause = (
            "the classifier has learned too little to be sure of any image: train it on more "
            "images, or longer"
        )
    elif low <= below and above <= high:
        cause = (
            "both kinds come, but few are sure enough: raise most_generated, or set thresholds "
            "less strict"
        )
    else:
        cause = (
            "the classifier tells real images apart, so the GAN's are alike: train it longer, on "
            "both classes"
        )
    return (
        f"{gan_run}: of {totals['generated']} images, all that are allowed "
        f"({options.most_generated:g} for each wanted), classifier (real) called "
        f"{totals['normal']} normal (P(abnormal) < {below:g}) and {totals['abnormal']} abnormal (> "
        f"{above:g}), too few to train on{f' ({never} never came)' if never else ''}; its "
        f"P(abnormal) of them is {middle:.2f} in the median and {low:.2f} to {high:.2f} for nine "
        f"in ten, its AUROC on real test images {area:.2f}: {cause}"
    )


def pseudo_labeled_real(
    real: RealImages, options: Options, probability: dict
) -> tuple[dict, dict, dict]:
    """The control arm: real training and validation images with the labels that classifier (real)
    gives them.

    Args:
        probability: {split: P(abnormal) [N]} by classifier (real).

    Returns:
        (images, labels, {images, normal, abnormal, rejected, wrong, wrong_share, splits: {split:
        the same}}): `wrong_share` is of the labels that were given.
    """
    images, labels, splits = {}, {}, {}
    for split in ("train", "val"):
        _, pictures, truth = real.parts[split]
        called = pseudo_labels(probability[split], options.abnormal_above, options.normal_below)
        sure = called != REJECTED
        images[split], labels[split] = pictures[sure], called[sure, None].astype(np.float32)
        labeled = counts(labels[split])
        wrong = labels[split] != truth[sure]
        splits[split] = {
            "images": len(pictures),
            **labeled,
            "rejected": int((~sure).sum()),
            "wrong": int(wrong.sum()),
            "wrong_normal": int(wrong[labels[split] == NORMAL].sum()),
            "wrong_abnormal": int(wrong[labels[split] == ABNORMAL].sum()),
        }
        if min(labeled.values()) < LEAST_PER_CLASS[split]:
            raise InputError(
                f"classifier run: calls almost all real images of split {split} the same, or is "
                f"unsure of them ({labeled['normal']} normal, {labeled['abnormal']} abnormal); "
                "train it longer"
            )
    total = {name: sum(part[name] for part in splits.values()) for name in splits["train"]}
    for part in (total, *splits.values()):
        part["wrong_share"] = part["wrong"] / (part["normal"] + part["abnormal"])
    return images, labels, total | {"splits": splits}
