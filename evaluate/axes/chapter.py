"""The chapter on the latent axes of disease."""

import math
from pathlib import Path
from typing import Self

from evaluate import thesis
from evaluate.axes.scheme import scheme
from evaluate.axes.ways import WAYS
from evaluate.protocol import Result
from evaluate.thesis import p_value, words
from pgcxr.cohort.findings import FINDINGS
from pgcxr.metrics import saliency
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
            f"{report['samples']:,} synthetic images are read by the six-output classifiers that "
            "guide; in several ways a direction of the latent vector is found along which the "
            "output of a disease rises; that is its axis.",
            f"An axis counts as {report['criterion']}.",
        )
        page.drawing(scheme(report), "Figure 4. How the axes are found, with this run's numbers.")
        for note in report.get("notes", ()):
            page.verdict(None, note)
        _filter(page, report)
        _walks(page, report, self.made_by.get("config", {}).get("permutations", 0))
        if "ways" in report:  # not in earlier versions
            _judges(page, report)
            _ways(page, report)
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
    left = sum(report["counts_after"].values())
    page.text(
        f"The filter left {left:,} of {report['samples']:,} images here"
        + (": the classifier is hardly ever so sure. " if left < report["samples"] / 100 else ". ")
        + (
            "The axes below don't need it, but for that of the thesis's way."
            if report["variant"] == "all"
            else "The regression of logits below is fitted on what it left."
        )
    )


def _walks(page: Page, report: dict, draws: int) -> None:
    """What each axis does, beside the thesis's numbers."""
    starts = report["starts"]
    page.text(
        f"Walks begin with the {sum(starts.values())} synthetic images in which the guides see "
        "least of any disease. Half of them choose the angle at which a walk ends (where the "
        "disease stands out most from all others) and which way's axis is kept; all likelihoods in "
        f"the table and the figures below are means over the other {starts['reported']}."
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
            "Way",
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
                p_value(axis["null_p"], draws),
                axis["bootstrap_cosine"],
                axis.get("way", "ridge"),
                "yes" if axis["found"] else "no",
            )
            for name, axis in report["axes"].items()
        ],
        "The thesis found consolidation, interstitial opacity, pleural effusion. Held-out AUROC "
        "and p: whether the projection on the axis predicts the guides on images that it was "
        "not fitted on. Stability: mean cosine with axes refitted on images drawn again.",
    )


def _judges(page: Page, report: dict) -> None:
    """What those say who took no part."""
    page.table(
        ["Reader", "What it is", "Real normals called normal", *map(words, FINDINGS)],
        [
            (
                name,
                reader["kind"],
                reader["normals_called_normal"],
                *(reader["auroc"][finding] for finding in FINDINGS),
            )
            for name, reader in [*report["guides"].items(), *report["judges"].items()]
        ],
        "Who reads the images. For each disease the AUROC of real images with it against normal "
        "ones (split test); a judge with less than 0.7 says nothing of that disease. Likelihoods "
        "are calibrated on real images of split val.",
    )
    page.table(
        [
            "Disease",
            "Judge",
            "Likelihood at start and end",
            "Shift in gaps",
            "Images that move by half a gap",
            "Flip rate",
            "Monotony",
            "Highest other disease at the end",
            "Confirms",
        ],
        [
            (
                words(name),
                judge,
                f"{told['likelihood_start']:.2f} → {told['likelihood_end']:.2f}",
                _with_interval(told, "shift"),
                _with_interval(told, "share"),
                told["flip_rate"],
                told["spearman"],
                f"{words(told['off_target_disease'])} {told['off_target_max']:.2f}"
                if told["off_target_disease"]
                else "-",
                ("yes" if told["confirms"] else "no") if told["sees"] else "cannot see it",
            )
            for name, axis in report["axes"].items()
            for judge, told in axis["judges"].items()
        ],
        "The judges of the axes that are kept, who took no part in them. A gap is the distance of "
        "real images with the disease from normal ones in the judge's score; intervals (95 %) are "
        "over the starts. Another disease counts where the judge tells the two apart (a mean "
        "likelihood of 0.1 at most for real images of the first alone). Flip rate: of the images "
        "without the disease at the start, those with it at the end. Monotony: mean rank "
        "correlation (Spearman) of score and step.",
    )
    page.table(
        [
            "Disease",
            "Gray levels changed, of 255",
            "Likeness of start and end",
            "After the way back",
            "Divergence",
            "Change where lesions lie, as a multiple of elsewhere",
            "Age, years",
            "P(male)",
        ],
        [
            (
                words(name),
                axis["pixel_change"],
                axis["identity"],
                axis.get("reversal"),
                axis.get("divergence"),
                axis["region_change"],
                axis["age_change"],
                axis["male_change"],
            )
            for name, axis in report["axes"].items()
        ],
        "What else a walk changes: mean absolute change, correlation of the images at both ends, "
        "what is left to change after the way back along the axis (gray levels), the "
        "counterfactual latent divergence (0: real images of the disease are farther from the "
        "start than the end is, and those of normals nearer; 1: the other way round), the change "
        "in the region where real lesions of that disease lie (from masks), and the change of age "
        "and sex as a linear reader of real images sees them.",
    )


def _with_interval(told: dict, key: str) -> str:
    if told[key] is None:
        return "-"
    low, high = told[f"{key}_ci95"]
    return f"{told[key]:.2f} ({low:.2f} to {high:.2f})"


def _ways(page: Page, report: dict) -> None:
    """All ways side by side."""
    rows = []
    for name in FINDINGS:
        for way, own in report["ways"].items():
            axis = own[name]
            moved = [
                f"{judge} {told['share']:.0%}"
                for judge, told in axis["judges"].items()
                if told["sees"]
            ]
            rows.append(
                (
                    words(name),
                    way,
                    axis.get("heldout_auroc"),
                    f"{axis['likelihood_start']:.2f} → {axis['likelihood_end']:.2f}",
                    axis["off_target_max"],
                    ", ".join(moved) or "-",
                    "yes" if axis["found"] else "; ".join(axis["why_not"]),
                )
            )
    page.table(
        [
            "Disease",
            "Way",
            "Held-out AUROC",
            "Likelihood by the guides",
            "Highest other disease",
            "Images that move by half the real gap",
            "Found",
        ],
        rows,
        "The ways to an axis. "
        + "; ".join(f"{way}: {text}" for way, text in WAYS.items() if way in report["ways"])
        + "."
        + "".join(f" Left out: {way} ({why})." for way, why in report["ways_left_out"].items()),
    )


def _looks(axis: dict) -> str:
    """What Grad-CAM shows at the end of the walk, in words."""
    if "gradcam" not in axis:  # not in earlier versions
        return ""
    return f" At the end the heat {saliency.in_words(axis['gradcam'])}."


def _figures(page: Page, folder: Path, report: dict) -> None:
    """Figures 10 and 12, and the likelihoods along the walks."""
    starts = report["starts"]
    page.figure(
        folder / "likelihood.png",
        f"Mean likelihood of each disease along its own axis, over {starts['reported']} "
        "normal-looking images. Shaded: from the lower to the upper quartile of these images. "
        "Large dot: where the walk ends, as in the table.",
    )
    page.text(
        "Figure 10 has a walk for each disease, from normal-looking to its end. Above each column: "
        f"the angle, and the mean likelihood of that disease over all {starts['reported']} images, "
        f"{report['starts_shown']} of which are shown; under each, what has changed since the "
        "start (red: brighter, blue: darker), and Grad-CAM of that output (red to yellow: speaks "
        "strongly for it), on one scale for all. Paths beside them: each image goes its own way "
        "along the guides' slopes, the other diseases held; not an axis."
    )
    for name, axis in report["axes"].items():
        missed = "" if axis["found"] else " Axis not found: shown to be judged, not as a result."
        strips = [
            (
                folder / f"walk_{name}.png",
                f"Figure 10. Walking along the axis of {words(name).lower()}.{missed}"
                f"{_looks(axis)}",
            )
        ]
        if (folder / f"paths_{name}.png").is_file():
            strips.append((folder / f"paths_{name}.png", f"Paths toward {words(name).lower()}."))
        page.figures(strips)
    page.figures(
        [
            (
                folder / f"likelihood_{name}.png",
                f"All five likelihoods along the axis of {words(name).lower()}, means over the "
                f"same {starts['reported']} images. Large dots: where the walk ends.",
            )
            for name in report["axes"]
        ],
        across=2,
    )
    page.figure(
        folder / "two_axes.png",
        "Figure 12. One image changed along two axes at once, in percent of the angle at which "
        "each walk ends; to the right what has changed since the first image "
        "(red: brighter, blue: darker).",
    )
