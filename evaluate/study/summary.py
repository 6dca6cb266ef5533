"""The study on half a page, for a physician: what was asked, what came out, in words that need no
list of abbreviations."""

from evaluate import thesis
from evaluate.study import limits
from evaluate.study.reader_studies import named
from evaluate.thesis import listed, percent, words
from pgcxr.cohort.findings import FINDINGS
from pgcxr.plots.page import Page


def summary(page: Page, steps: dict, phantom: bool) -> None:
    """Adds the section."""
    page.section("Summary for a physician")
    for text in (_done(steps, phantom), _real(steps), _axes(steps), _anomaly(steps), _rest(steps)):
        page.text(text)


def _done(steps: dict, phantom: bool) -> str:
    cohort, gan = steps["cohort"], steps["gan"]
    kind = "computer-generated stand-ins for chest radiographs" if phantom else "chest radiographs"
    return (
        f"{cohort['images']:,} {kind} of {cohort['patients']:,} patients were kept of "
        f"{cohort['collected']:,}. On {gan['images']:,} of them, normal and abnormal, a generative "
        "adversarial network (GAN) was trained: one network draws images, another judges whether "
        "they are real, and both learn from each other. A second one learned from the "
        f"{steps['gan_normal']['images']:,} normal images alone. Images are "
        f"{gan['resolution']} by {gan['resolution']} pixels."
    )


def _real(steps: dict) -> str:
    fidelity = steps["fidelity"]
    read = sum(steps["classifier_binary"]["images"]["test"].values())
    arms = [
        f"{_area(fidelity[arm])} after {kind} images (thesis {thesis.ARMS[arm]['auroc']:.3f})"
        for arm, kind in (("real_on_real", "real"), ("synthetic_on_real", "drawn"))
    ]
    margin = fidelity["comparison"]["non_inferiority"]
    passed = "was shown" if margin["passed"] else "was not shown"
    return (
        "Can one learn from drawn images? A program that tells abnormal radiographs from normal "
        f"ones was trained twice, and both read {read:,} real images of patients that nothing had "
        "been trained on. How often such a program puts an abnormal image above a normal one is "
        "its area under the receiver operating characteristic curve (area for short: 1 is perfect, "
        f"0.5 is guessing). It was {listed(arms)}. In brackets, the range that holds the true "
        f"value in 95 of 100 such studies. That drawn images are worse by no more than "
        f"{margin['margin']:g} {passed}."
    )


def _axes(steps: dict) -> str:
    axes = steps["axes"]["axes"]
    found = [words(name).lower() for name, axis in axes.items() if axis["found"]]
    said = f"({listed(found)}) " if found else ""
    return (
        f"Can a disease be drawn at will? For {len(found)} of {len(axes)} diseases {said}a way was "
        "found to make it appear and grow in a drawn image so that programs that took no part in "
        "finding it agree (thesis: three of five, judged by one radiologist)."
    )


def _anomaly(steps: dict) -> str:
    methods = steps["anomaly"]["comparison"]["methods"]
    best, inversion = methods["fusion"], methods.get("inversion")
    alone = f"; by the thesis's method, {inversion['macro_auroc']:.3f}" if inversion else ""
    return (
        "Can disease be found by who knows normal images only? By all such methods together "
        f"{percent(best['sensitivity'])} of the abnormal images were found, on average over "
        f"{_classes(best)} kinds of finding, and {percent(1 - best['specificity'])} of "
        f"{best['n']['normal']:,} normal ones were called abnormal; the area is "
        f"{best['macro_auroc']:.3f} ({_range(best['macro_auroc_ci95'])}){alone}. The thesis found "
        "89 of 100 abnormal images and looked at no normal one."
    )


def _rest(steps: dict) -> str:
    passed = steps["privacy"]["passed"]
    gate = (
        "No drawn image was found to repeat a training image"
        if passed
        else "Drawn images were found to repeat training images: they must not leave the hospital"
    )
    if passed and limits.is_far(steps):
        gate += ", but that is no merit here: the drawn images are far from all real ones"
    studies = named(steps)
    readers = (
        f"Radiologists read {len(studies)} blinded stud{'ies' if len(studies) > 1 else 'y'}; "
        "what they found has its own chapter."
        if studies
        else "No radiologist has looked at these images yet."
    )
    poor = [
        words(name).lower()
        for name in FINDINGS
        if (steps["classifier_findings"]["test"][name]["auroc"] or 1.0) < 0.85
    ]
    weak = f" Even on real images the programs read {listed(poor)} poorly." if poor else ""
    return f"{gate}. {readers}{weak} None of this is a medical device, and nothing here is advice."


def _classes(method: dict) -> int:
    return sum(1 for row in method["classes"].values() if row["n"])


def _area(arm: dict) -> str:
    return f"{arm['auroc']:.3f} ({_range(arm['auroc_ci95'])})"


def _range(ends: list) -> str:
    return f"{ends[0]:.3f} to {ends[1]:.3f}"
