"""One report of a whole study: report.html for people, report.json for programs."""

from pathlib import Path

from evaluate import thesis
from evaluate.anomaly.chapter import AnomalyResult
from evaluate.axes.chapter import AxesResult
from evaluate.distribution.chapter import DistributionResult
from evaluate.fidelity.chapter import FidelityResult
from evaluate.privacy.chapter import PrivacyResult
from evaluate.study import (
    chapters,
    class_curves,
    intervals,
    limits,
    methods,
    model_card,
    provenance,
    reader_studies,
    summary,
)
from evaluate.study.options import StudyOptions
from evaluate.study.plan import Plan
from evaluate.thesis import interval, listed, percent, words
from pgcxr.io import artifacts
from pgcxr.plots.page import Page

# In the order of their chapters.
RESULTS = {
    "fidelity": FidelityResult,
    "distribution": DistributionResult,
    "privacy": PrivacyResult,
    "axes": AxesResult,
    "anomaly": AnomalyResult,
}
# What is drawn after a chapter.
CURVES = {"fidelity": class_curves.of_classifiers, "anomaly": class_curves.of_anomalies}


def write(
    out: Path, options: StudyOptions, planned: Plan, seconds: dict, elapsed: float
) -> list[str]:
    """Writes out/report.html and out/report.json from the steps' reports; returns the lines to say
    at the end.

    Args:
        planned: what was done, of the options.
        seconds: {step: time that it took when it was made}.
        elapsed: wall time in which they were all made; less than the sum, as steps run side by
            side.
    """
    folders = {name: out / name for name in seconds if name != "export"}
    folders["cohort"] = planned.cohort or out / "cohort"
    steps = {name: artifacts.read_json(folders[name] / "report.json") for name in folders}
    page = Page("Image synthesis and anomaly detection on chest radiographs with a Progressive GAN")
    phantom, made_on = options.data is None, provenance.environment()
    chapters.opening(page, options.carried_out, steps, phantom)
    summary.summary(page, steps, phantom)
    chapters.glance(page.section("At a glance"), steps)
    methods.methods(page, steps, phantom)
    chapters.data(page, folders["cohort"], steps)
    chapters.growing(page, out, steps)
    for name, result in RESULTS.items():
        result.load(out / name).chapter(page)
        if name in CURVES:
            CURVES[name](page, out, folders["cohort"])
    reader_studies.chapters(page, out, seconds)
    limits.chapter(page, steps)
    intervals.glossary(page, steps)
    model_card.model_card(page, steps, phantom)
    commands = provenance.commands(options, planned)
    provenance.provenance(page, steps, commands, seconds, elapsed, made_on)
    page.write(out / "report.html")

    body = {name: steps[name] for name in ("gan", "gan_normal", "anomaly_network", *RESULTS)}
    body |= {name: steps[name] for name in reader_studies.named(seconds)}
    body |= {
        "cohort": steps["cohort"],
        "made_on": made_on,
        "seconds": elapsed,
        "seconds_per_step": seconds,
    }
    artifacts.write_report(
        out, body, command="evaluate.study", seed=options.seed, config=options.described()
    )
    return measured(steps)


def measured(steps: dict) -> list[str]:
    """What the study measured in four lines, each beside the thesis's number."""
    fidelity, anomaly, axes = steps["fidelity"], steps["anomaly"], steps["axes"]["axes"]
    found = [words(name).lower() for name, axis in axes.items() if axis["found"]]
    ways = anomaly["comparison"]["methods"]
    best = ways["fusion"]
    return [
        *(
            f"classifier trained on {what} images, read on real ones: AUROC "
            f"{_with_interval(fidelity[arm], 'auroc')}; thesis {thesis.ARMS[arm]['auroc']:.3f}"
            for what, arm in (("real", "real_on_real"), ("synthetic", "synthetic_on_real"))
        ),
        f"disease axes found: {len(found)} of {len(axes)} ({listed(found) or 'none'}); thesis 3 of "
        "5",
        "anomaly detection, from normal images alone: AUROC "
        f"{_with_interval(best, 'macro_auroc')}, sensitivity {percent(best['sensitivity'])} at a "
        f"specificity of {percent(best['specificity'])} on {best['n']['normal']} normal images "
        f"(inversion alone: AUROC {ways['inversion']['macro_auroc']:.3f}); thesis: sensitivity "
        "89 %, no normal image tested",
    ]


def _with_interval(found: dict, name: str) -> str:
    return f"{found[name]:.3f} ({interval(found[f'{name}_ci95'])})"
