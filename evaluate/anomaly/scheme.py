"""Thesis Figure 6: how an anomaly is found by a GAN of normal images, with numbers of this run."""

from markupsafe import Markup

from pgcxr.plots.diagram import Diagram
from pgcxr.plots.figure import COLORS
from pgcxr.plots.page import typeset


def scheme(report: dict) -> Markup:
    """The drawing of a report of `evaluate.anomaly` that inverts a GAN."""
    healthy, normals = report["healthy"], report["normals"]["n"]
    abnormal = sum(row["n"] for row in report["classes"].values())
    drawn = Diagram()
    drawn.box("query", 0, 1, "Query image", f"{abnormal} abnormal, {normals} normal ones")
    drawn.box("loss", 1, 0, "Residual loss", "how much of it there is", color=COLORS[1])
    drawn.box("z", 2, 0, "Latent vector z", f"{report['iterations']} steps of gradient descent")
    drawn.box("nearest", 2, 1, "Generator of normals", "G(z): the nearest normal image")
    drawn.box(
        "difference", 1, 1, "Difference map", "query \N{MINUS SIGN} nearest normal", color=COLORS[1]
    )
    drawn.arrow("query", "difference").arrow("difference", "loss")
    drawn.arrow("loss", "z", "gradient").arrow("z", "nearest").arrow("nearest", "difference")
    drawn.box(
        "familiar",
        0,
        2,
        f"{healthy['familiar']['n']} normals, split train",
        "which differences are healthy",
        color=COLORS[2],
    )
    drawn.box("map", 1, 2, "Anomaly map and score", color=COLORS[1])
    drawn.arrow("difference", "map").arrow("familiar", "map")
    drawn.box(
        "threshold",
        0,
        3,
        f"{healthy['n']} held-out normals",
        typeset(f"threshold for {healthy['specificity_aimed_at']:.0%} specificity"),
        color=COLORS[2],
    )
    detected = sum(row["detected"] for row in report["classes"].values())
    drawn.box(
        "called",
        1,
        3,
        "Abnormal or not",
        f"{detected} of {abnormal} abnormal detected,",
        f"{report['normals']['false_alarms']} of {normals} normal called so",
        color=COLORS[1],
    )
    drawn.arrow("map", "called").arrow("threshold", "called")
    return drawn.svg("How an anomaly is found: query, nearest normal image, difference, threshold")
