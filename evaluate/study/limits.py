"""What limits the numbers of a study, in terms of what the run itself measured."""

from evaluate.thesis import listed, percent, words
from pgcxr.cohort.findings import FINDINGS
from pgcxr.plots.page import Page

# A finding that the classifier of findings reads no better than this limits everything that is
# built on it.
HARD = 0.85
# A lesion of less of the image than that is small; one whose map is less above its surroundings
# hardly stands out.
SMALL, STANDS_OUT = 0.02, 1.25

# Distances to training images that are farther than held-out ones' by that many standard errors.
FAR = 3.0


def chapter(page: Page, steps: dict) -> None:
    """What limits each number of this run, and what a poor GAN does to each."""
    page.section("What limits these numbers")
    for heading, text in of_numbers(steps).items():
        page.heading(heading).text(text)
    page.heading("What a poor GAN does to each number")
    page.text(of_the_gan(steps))
    page.definitions(list(POOR.items()))


# What happens where a GAN is trained too short, on too few images, or collapses.
POOR = {
    "AUROC of the classifier trained on synthetic images": (
        "falls toward 0.5: what is not drawn cannot be learned. Pseudo-labels make it worse, as "
        "unclear images are dropped or all called alike, so that one class is hardly there."
    ),
    "AUROC on the synthetic test set": (
        "may stay high or rise: images are easy to tell apart by flaws of the GAN, and the labels "
        "are a classifier's own. A high number here says nothing good by itself."
    ),
    "FID, KID, ECS, FRD, SWD": (
        "rise above the floor of real images, and above the PCA-Gaussian that any GAN should beat."
    ),
    "Precision and recall": (
        "Low precision: images that no radiograph looks like. Low recall: kinds of radiograph that "
        "are never drawn, as after a collapse."
    ),
    "C_T": (
        "rises far above 0, as the images are farther from every training image than real ones of "
        "other patients are. That is underfit, not privacy: such a GAN copies nothing because it "
        "draws nothing well, and the gate's pass says little. It is near 0 for a good generator, "
        "and far below 0 for one that copies."
    ),
    "Disease axes": (
        "are not found, or what moves is blur and noise that the guides take for disease; judges "
        "who took no part then do not follow."
    ),
    "Anomaly detection by inversion": (
        "falls toward an AUROC of 0.5: the nearest image that the GAN makes is far from healthy "
        "and diseased images alike, so differences are everywhere. The other methods of the table "
        "use no GAN and are not touched."
    ),
    "Readers": "tell synthetic images from real ones nearly always.",
}


def distances(steps: dict) -> list[float]:
    """C_T of each space in which it was computed."""
    found = [each["c_t"]["z"] for each in steps["privacy"]["spaces"].values()]
    return [value for value in found if value is not None]


def is_far(steps: dict) -> bool:
    """Whether the GAN is underfit: its images farther from those of training than real ones are."""
    return min(distances(steps), default=0.0) > FAR


def of_the_gan(steps: dict) -> str:
    """What the numbers say of this run's GAN."""
    metrics = steps["distribution"]["metrics"]
    signs = []
    for name, title in (("fid", "FID"), ("kid", "KID")):
        if name in metrics:
            own, floor = (metrics[name][source]["value"] for source in ("gan", "floor"))
            signs.append(f"{title} is {own:.3g} (floor {floor:.3g})")
    if "precision" in metrics:
        signs.append(f"precision {metrics['precision']['gan']['value']:.2f}")
        signs.append(f"recall {metrics['recall']['gan']['value']:.2f}")
    far = distances(steps)
    if far:
        signs.append(f"C_T {listed([f'{value:.1f}' for value in far])} (features, pixels)")
    behind = [
        name for name, ahead in steps["distribution"].get("gan_wins", {}).items() if not ahead
    ]
    total = len(steps["distribution"].get("gan_wins", {}))
    told = f"Of this run's GAN of all images: {listed(signs)}"
    if total:
        told += f"; it is behind the PCA-Gaussian in {len(behind)} of {total} measures"
    told += "."
    if is_far(steps):
        told += (
            " C_T is far above 0: the GAN is underfit, and that the gate let it pass is no proof "
            "of privacy."
        )
    return told


def of_numbers(steps: dict) -> dict:
    """{heading: text}."""
    size, fidelity, anomaly = steps["gan"]["resolution"], steps["fidelity"], steps["anomaly"]
    read = {name: steps["classifier_findings"]["test"][name]["auroc"] for name in FINDINGS}
    hard = [
        f"{words(name).lower()} {value:.2f}"
        for name, value in read.items()
        if value is not None and value < HARD
    ]
    seen = ", ".join(
        f"{words(name).lower()} {read[name]:.2f}" for name in FINDINGS if read[name] is not None
    )
    control = fidelity["pseudolabelled_real_on_real"]["auroc"]
    real, synthetic = fidelity["real_on_real"]["auroc"], fidelity["synthetic_on_real"]["auroc"]
    missed = [
        name
        for name, found in anomaly["classes"].items()
        if found["n"] and found["sensitivity"] < 0.5
    ]
    training = steps["classifier_binary"]["images"]["train"]
    return {
        "Classifier trained on real images": (
            "What makes it hard to tell normal from abnormal is seen in the six-output classifier "
            "of the same images, by its AUROC for each finding on the real test set at "
            f"{size} px: {seen}"
            + (f"; the hardest are {listed(hard)}" if hard else "")
            + f". The binary classifier learned from {sum(training.values()):,} images "
            "(thesis: 17,338 in all, at a higher resolution)."
        ),
        "Classifier trained on synthetic images": (
            "All three are AUROC of binary classifiers on the same real test set. Classifier "
            f"(real) has {real:.3f}; one trained on real images with pseudo-labels (control) has "
            f"{control:.3f}, so {real - control:.3f} is lost by the labels of an imperfect "
            f"classifier; classifier (synthetic) has {synthetic:.3f}, so a further "
            f"{control - synthetic:.3f} is lost by the images of a GAN that was shown "
            f"{steps['gan']['kimg']:,.0f} kimg at {size} px (thesis: 14,451 kimg at 1024 px)."
        ),
        "Disease axes": (
            "An axis can be found only where the six-output classifier reads the disease; its "
            f"AUROC on the real test set: {seen}. {_unproven(steps['axes']['axes'])}"
        ),
        "Anomaly detection by inversion": _drowned(steps, missed),
        "Its specificity": (
            f"The threshold was set on {anomaly['healthy']['n']} held-out healthy images for "
            f"{anomaly['healthy']['specificity_aimed_at']:.0%}; so few leave it uncertain by some "
            "percent."
        ),
    }


def _unproven(axes: dict) -> str:
    """What the axes that were not found lack."""
    said = [
        f"{words(name)}: {'; '.join(axis['why_not']).replace('_', ' ')}."
        for name, axis in axes.items()
        if axis.get("why_not")
    ]
    return " ".join(said)


def _drowned(steps: dict, missed: list[str]) -> str:
    """Why lesions were missed, class by class, from the lesions' sizes and how far the maps stand
    out in them."""
    known, size = steps["anomaly"]["localisation"]["classes"], steps["anomaly"]["resolution"]
    kinds = {"small": [], "faint": [], "clear": []}
    for name in missed:
        if name not in known:
            continue
        area, contrast = known[name]["area"], known[name]["contrast"]
        kind = "small" if area < SMALL else "faint" if contrast < STANDS_OUT else "clear"
        kinds[kind].append(f"{words(name).lower()} ({percent(area)}, {contrast:.2f})")
    said = [
        "The nearest image that the GAN of normals makes differs from a healthy image too, so a "
        "lesion is found only where it differs more. In brackets for the classes of which fewer "
        "than half were detected: the median share of the image that is lesion (of whatever "
        "class), and how many times as high the anomaly map is there as elsewhere."
    ]
    if kinds["small"]:
        said.append(
            f"Small (under {SMALL:.0%}, {SMALL * size**2:.0f} of {size**2:,} pixels): "
            f"{listed(kinds['small'])}."
        )
    if kinds["faint"]:
        said.append(
            f"Larger, but hardly standing out from the error elsewhere: {listed(kinds['faint'])}. "
            "There it is not size that is missing."
        )
    if kinds["clear"]:
        said.append(
            "Standing out, but in most images not above the highest errors of healthy ones: "
            f"{listed(kinds['clear'])}."
        )
    rival = steps["anomaly"]["supervised"]["auroc"]
    said.append(
        f"On the same images the supervised classifier (six outputs) has AUROC {rival:.3f}."
    )
    return " ".join(said)
