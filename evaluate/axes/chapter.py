"""The chapter on the latent axes of disease."""

import math
from pathlib import Path
from typing import Self

from evaluate import thesis
from evaluate.protocol import Result
from evaluate.thesis import words
from pgcxr.cohort.findings import FINDINGS
from pgcxr.options import Options
from pgcxr.plots.page import Page


class AxesResult(Result):
    """The axes of the diseases and what they do, and their chapter."""

    command = "evaluate.axes"
    float_format = "%.4f"
    line_terminator = "\r\n"

    def made_with(self, options: Options, seed: int) -> Self:
        """The result with what made it; an angle in report.json is in radians."""
        result = super().made_with(options, seed)
        for name in options.names_of_the_run():
            del result.made_by["config"][name]
        result.made_by["config"]["max_angle"] = math.radians(options.to_dict()["max_angle"])
        return result

    def chapter(self, page: Page) -> None:
        """Figures 4, 5, 10 and 12."""
        report = self.figures
        page.section("Latent axes of disease (thesis, Results 2)")
        page.text(
            f"Figure 4, in words: {report['samples']:,} synthetic images are read by the "
            "six-output classifier; the logit of each output is regressed on the latent vector, "
            "with weights for rare classes; the slope is the axis.",
            f"An axis counts as {report['criterion']}.",
        )
        _filter(page, report)
        _walks(page, report)
        _figures(page, self.folder, report)
        names = list(report["cosine_matrix"])
        page.table(
            ["", *map(words, names)],
            [(words(a), *(report["cosine_matrix"][a][b] for b in names)) for a in names],
            "Cosines between the axes: 0 for diseases that change apart, 1 for the same direction.",
        )


def _filter(page: Page, report: dict) -> None:
    """Figure 5: what the filter for a single pattern leaves."""
    page.table(
        ["Class", "Thesis: after filter (of 30,000)", "Before filter", "After filter"],
        [
            (
                words(name),
                thesis.COUNTS_AFTER[name],
                report["counts_before"][name],
                report["counts_after"][name],
            )
            for name in ("normal", *FINDINGS)
        ],
        "Figure 5, as a table. Synthetic images by their highest output, before and after the "
        "thesis's filter for a single pattern (highest output >= 0.9, all others <= 0.1).",
    )
    left, variant = sum(report["counts_after"].values()), report["variant"]
    page.text(
        f"The filter left {left:,} of {report['samples']:,} images here"
        + (": this classifier is hardly ever so sure. " if left < report["samples"] / 100 else ". ")
        + (
            "The axes below don't need it: they are fitted on all images "
            f"({report['variants']['all']['samples']:,}), the other "
            f"{report['samples'] - report['variants']['all']['samples']:,} judge them."
            if variant == "all"
            else "The axes below are fitted on what it left."
        )
    )


def _walks(page: Page, report: dict) -> None:
    """What each axis does, beside the thesis's numbers."""
    starts = report["starts"]
    page.text(
        f"Walks begin with the {sum(starts.values())} synthetic images that look most normal to "
        "the classifier. Half of them choose the angle at which a walk ends (where the disease "
        "stands out most from all others); all likelihoods in the table and the figures below are "
        f"means over the other {starts['reported']}."
    )
    page.table(
        [
            "Disease",
            "Thesis: likelihood at the end",
            "Likelihood at the start",
            "End of the walk",
            "Likelihood at the end",
            "Highest other disease there",
            "Held-out AUROC",
            "p",
            "Stability",
            "Found",
        ],
        [
            (
                words(name),
                thesis.LIKELIHOOD_END.get(name),
                axis["likelihood_start"],
                f"{math.degrees(axis['angle_end']):.0f}°",
                axis["likelihood_end"],
                f"{words(axis['off_target_disease'])} {axis['off_target_max']:.3f}",
                axis["heldout_auroc"],
                axis["null_p"],
                axis["bootstrap_cosine"],
                "yes" if axis["found"] else "no",
            )
            for name, axis in report["axes"].items()
        ],
        "The thesis found consolidation, interstitial opacity, pleural effusion. Held-out AUROC "
        "and p: whether the projection on the axis predicts the classifier on images that it was "
        "not fitted on. Stability: mean cosine with axes refitted on images drawn again.",
    )


def _figures(page: Page, folder: Path, report: dict) -> None:
    """Figures 10 and 12, and the likelihoods along the walks."""
    starts = report["starts"]
    page.figure(
        folder / "likelihood.png",
        f"Mean likelihood of each disease along its own axis, over {starts['reported']} "
        "normal-looking images. Shaded: from the lower to the upper quartile of these images. "
        "Large dot: where the walk ends, as in the table.",
    )
    for name, axis in report["axes"].items():
        missed = "" if axis["found"] else "Axis not found: shown to be judged, not as a result. "
        page.figure(
            folder / f"walk_{name}.png",
            f"Figure 10. Walking along the axis of {words(name).lower()}, from normal-looking to "
            f"the end of the walk. {missed}Above each column: the angle and the mean likelihood "
            f"of {words(name).lower()} over all {starts['reported']} images, "
            f"{report['starts_shown']} of which are shown; under each, Grad-CAM of that output "
            "(red to yellow: speaks strongly for it), on one scale for all.",
        )
        page.figure(
            folder / f"likelihood_{name}.png",
            f"All five likelihoods along the axis of {words(name).lower()}, means over the same "
            f"{starts['reported']} images. Large dots: where the walk ends.",
        )
    page.figure(
        folder / "two_axes.png",
        "Figure 12. One image changed along two axes at once, in percent of the angle at which "
        "each walk ends.",
    )
