"""Thesis Figure 4: how an axis of a disease is found, with the numbers of this run."""

from markupsafe import Markup

from pgcxr.plots.diagram import Diagram
from pgcxr.plots.figure import COLORS


def scheme(report: dict) -> Markup:
    """The drawing of a report of `evaluate.axes`."""
    of = report["starts"]
    found = sum(axis["found"] for axis in report["axes"].values())
    drawn = Diagram()
    drawn.box("z", 0, 0, "Latent vectors z", f"{report['samples']:,} random ones")
    drawn.box("images", 1, 0, "Synthetic images", f"of the PGGAN, {report['resolution']} px")
    guides = ["Classifier", "of five findings and normal"]
    if len(report.get("guides", {})) > 1:
        guides = [f"{len(report['guides'])} classifiers", guides[1]]
    drawn.box("guides", 2, 0, *guides, color=COLORS[1])
    drawn.arrow("z", "images", "G").arrow("images", "guides")
    ways = len(report.get("ways", {})) or 1
    drawn.box(
        "axes", 2, 1, "Regression of outputs on z", f"slope = axis; {ways} ways", color=COLORS[1]
    )
    drawn.arrow("guides", "axes", "outputs y")
    drawn.box(
        "start",
        1,
        1,
        "z + axis, on the sphere",
        f"from {sum(of.values())} normal-looking images",
        "to where the disease stands out most",
    )
    drawn.box("walks", 0, 1, "Images along each axis", "severity rises from left to right")
    drawn.arrow("axes", "start").arrow("start", "walks", "G")
    judges = listed_judges(report)
    drawn.box("judges", 0, 2, "Judges who took no part", *judges, color=COLORS[2])
    drawn.box("found", 1, 2, f"{found} of {len(report['axes'])} axes found", color=COLORS[2])
    drawn.arrow("walks", "judges").arrow("judges", "found")
    return drawn.svg("How the axes are found: latents, images, classifier, regression, judges")


def listed_judges(report: dict) -> list[str]:
    """Their names, in lines of three."""
    names = list(report.get("judges", {}))
    return [", ".join(names[at : at + 3]) for at in range(0, len(names), 3)] or ["none"]
