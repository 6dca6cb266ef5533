"""The model card of the networks that a study trains (Mitchell et al. 2019, Model cards for model
reporting)."""

from evaluate.study.chapters import export
from evaluate.thesis import interval, listed, percent, words
from pgcxr.plots.page import Page


def model_card(page: Page, steps: dict, phantom: bool) -> None:
    """Adds the section."""
    page.section("Model card")
    page.definitions(
        [
            ("Models", _models(steps)),
            (
                "Meant for",
                "research on synthetic radiographs: judging generators, showing how a disease "
                "looks in grades, finding what differs from normal, teaching.",
            ),
            (
                "Not meant for",
                "diagnosis or triage of patients; images of another view, age or manufacturer than "
                "those kept in Figure 1; replacing real images in the test of any medical product.",
            ),
            ("Trained on", _data(steps, phantom)),
            ("Tested on", _tests(steps)),
            ("Measured", _measured(steps)),
            ("Known weaknesses", _weak(steps)),
            ("Privacy", _privacy(steps, phantom)),
            (
                "License and files",
                "pgcxr's own for the code; the weights are their owner's, in STUDY/gan, "
                "STUDY/gan_normal (generator-ema.keras), STUDY/classifier_binary, "
                "STUDY/classifier_findings and STUDY/anomaly_network. "
                "pgcxr generate STUDY/gan --release asks for the gate's report.",
            ),
        ]
    )


def _models(steps: dict) -> str:
    gan, binary = steps["gan"], steps["classifier_binary"]
    return (
        f"two Progressive GANs of {gan['resolution']} px ({gan['generator_parameters']:,} "
        f"parameters in the generator; all images, and normal ones alone), two classifiers "
        f"({binary['architecture']}, {binary['parameters']:,} parameters), and a network that was "
        f"taught artificial anomalies ({steps['anomaly_network']['parameters']:,} parameters). "
        f"pgcxr {gan['made_by']['versions'].get('pgcxr', '')}, seed {gan['made_by']['seed']}."
    )


def _data(steps: dict, phantom: bool) -> str:
    gan, normal = steps["gan"], steps["gan_normal"]
    train = steps["cohort"]["table2"]["train"]
    return (
        f"{export(steps, phantom)}: {gan['images']:,} images ({train['normal']:,} normal, "
        f"{train['abnormal']:,} abnormal) of {train['patients']:,} patients; normal ones alone: "
        f"{normal['images']:,}."
    )


def _tests(steps: dict) -> str:
    test = steps["cohort"]["table2"]["test"]
    return (
        f"{test['images']:,} images of {test['patients']:,} patients of the same export, of whom "
        "no network has seen any. No image of another hospital."
    )


def _measured(steps: dict) -> str:
    fidelity, anomaly = steps["fidelity"]["synthetic_on_real"], steps["anomaly"]["overall"]
    found = [words(name).lower() for name, axis in steps["axes"]["axes"].items() if axis["found"]]
    fusion = steps["anomaly"]["comparison"]["methods"]["fusion"]
    return (
        f"classifier trained on synthetic images, on real ones: AUROC {fidelity['auroc']:.3f} "
        f"({interval(fidelity['auroc_ci95'])}). Axes found: {listed(found) or 'none'}. Anomalies "
        f"from normal images alone: AUROC {fusion['macro_auroc']:.3f} by all methods, "
        f"{anomaly['auroc']:.3f} by inversion."
    )


def _weak(steps: dict) -> str:
    missed = [
        f"{words(name).lower()} ({row['detected']} of {row['n']})"
        for name, row in steps["anomaly"]["classes"].items()
        if row["n"] and row["sensitivity"] < 0.5
    ]
    lost = [
        words(name).lower() for name, axis in steps["axes"]["axes"].items() if not axis["found"]
    ]
    labels = steps["fidelity"]["pseudo_labels"]
    parts = [
        f"detected in fewer than half: {listed(missed)}" if missed else "",
        f"no axis: {listed(lost)}" if lost else "",
        f"{percent(labels['rejected'] / labels['generated'])} of the synthetic images are neither "
        "clearly normal nor clearly abnormal to the classifier",
    ]
    lines = steps["anomaly"].get("confounders", {}).get("lines", [])
    return "; ".join([*filter(None, parts), *lines]) + "."


def _privacy(steps: dict, phantom: bool) -> str:
    gate = steps["privacy"]
    verdict = "passed" if gate["passed"] else f"not passed: {'; '.join(gate['reasons'])}"
    whose = (
        "" if phantom else " The weights were computed from patients' images; keep them in house"
    )
    whose += "" if phantom else " unless the review board agrees."
    return f"gate on copies of training images: {verdict}.{whose}"
