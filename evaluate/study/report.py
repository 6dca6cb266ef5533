"""One report of a whole study: report.html for people, report.json for programs."""

from pathlib import Path

from evaluate.anomaly.chapter import AnomalyResult
from evaluate.axes.chapter import AxesResult
from evaluate.distribution.chapter import DistributionResult
from evaluate.fidelity.chapter import FidelityResult
from evaluate.privacy.chapter import PrivacyResult
from evaluate.study import chapters, shortfalls
from evaluate.study.plan import StudyOptions
from pgcxr.io import artifacts
from pgcxr.plots.page import Page

AIM = "The project's aim for the demo"
# What the miniature must reach; a number that does not is said to have fallen short.
AIMS = {
    "real-on-real AUROC": 0.95,
    "synthetic-on-real AUROC": 0.85,
    "axes found": 3,
    "anomaly AUROC": 0.80,
    "specificity on normals": 0.90,
}
# In the order of their chapters.
RESULTS = {
    "fidelity": FidelityResult,
    "distribution": DistributionResult,
    "privacy": PrivacyResult,
    "axes": AxesResult,
    "anomaly": AnomalyResult,
}


def write(
    out: Path, options: StudyOptions, cohort: Path | None, seconds: dict, elapsed: float
) -> list[str]:
    """Writes out/report.html and out/report.json from the steps' reports; returns the lines to say
    at the end.

    Args:
        cohort: the finished cohort that was studied; None where step "cohort" made it.
        seconds: {step: time that it took when it was made}.
        elapsed: wall time in which they were all made; less than the sum, as steps run side by
            side.
    """
    folders = {name: out / name for name in seconds if name != "export"}
    folders["cohort"] = cohort or out / "cohort"
    steps = {name: artifacts.read_json(folders[name] / "report.json") for name in folders}
    reached = measured(steps)
    page = Page("Image synthesis and anomaly detection on chest radiographs with a Progressive GAN")
    chapters.opening(page, options.preset, steps, phantom=options.data is None)
    chapters.glance(page.section("At a glance"), steps)
    why = shortfalls.reasons(steps)
    chapters.aims(page, options.preset)
    for name, aim in AIMS.items():
        page.verdict(
            reached[name] >= aim,
            f"{name}: {_number(reached[name])}. {AIM}: {_number(aim)} or more.",
        )
        if reached[name] < aim:
            page.text(why[name])
    chapters.data(page, folders["cohort"], steps)
    chapters.growing(page, out, steps)
    for name, result in RESULTS.items():
        result.load(out / name).chapter(page)
    chapters.provenance(page, steps, seconds, elapsed)
    page.write(out / "report.html")

    body = {name: steps[name] for name in ("gan", "gan_normal", *RESULTS)}
    body |= {"cohort": steps["cohort"], "seconds": elapsed, "seconds_per_step": seconds}
    body["aims"] = {}
    for name, aim in AIMS.items():
        ok = reached[name] >= aim
        body["aims"][name] = {
            "aim": aim,
            "found": reached[name],
            "reached": ok,
            "why_not": None if ok else why[name],
        }
    artifacts.write_report(
        out, body, command="evaluate.study", seed=options.seed, config=options.described()
    )
    lines = []
    for name, aim in AIMS.items():
        word = "reached    " if reached[name] >= aim else "NOT REACHED"
        lines.append(
            f"{word} {name}: {_number(reached[name])} (the project's aim for the demo: "
            f"{_number(aim)})"
        )
    return lines


def measured(steps: dict) -> dict:
    """The values of AIMS, from the steps' reports."""
    fidelity, anomaly = steps["fidelity"], steps["anomaly"]
    return {
        "real-on-real AUROC": fidelity["real_on_real"]["auroc"],
        "synthetic-on-real AUROC": fidelity["synthetic_on_real"]["auroc"],
        "axes found": sum(axis["found"] for axis in steps["axes"]["axes"].values()),
        "anomaly AUROC": anomaly["overall"]["auroc"],
        "specificity on normals": anomaly["normals"]["specificity"],
    }


def _number(value: float) -> str:
    return f"{value}" if isinstance(value, int) else f"{value:.3f}"
