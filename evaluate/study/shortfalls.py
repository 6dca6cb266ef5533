"""Why a number fell short of its aim, in terms of what the run itself measured."""

from evaluate.study.wording import words
from pgcxr.data.findings import FINDINGS

# A finding that the classifier of findings reads no better than this limits everything that is built on it.
HARD = 0.85


def reasons(steps: dict) -> dict:
    """{aim: text} for the aims of the study; said only where the aim was not reached."""
    size, fidelity, anomaly = steps["gan"]["resolution"], steps["fidelity"], steps["anomaly"]
    read = {name: steps["classifier_findings"]["test"][name]["auroc"] for name in FINDINGS}
    hard = [f"{words(name).lower()} {value:.2f}" for name, value in read.items() if value is not None and value < HARD]
    seen = ", ".join(f"{words(name).lower()} {read[name]:.2f}" for name in FINDINGS if read[name] is not None)
    control = fidelity["pseudolabelled_real_on_real"]["auroc"]
    real, synthetic = fidelity["real_on_real"]["auroc"], fidelity["synthetic_on_real"]["auroc"]
    missed = [name for name, found in anomaly["classes"].items() if found["n"] and found["sensitivity"] < 0.5]
    training = steps["classifier_binary"]["images"]["train"]
    return {
        "real-on-real AUROC": (
            f"At {size} px the classifier of findings reads {seen}"
            + (f"; {' and '.join(hard)} pull the average down" if hard else "")
            + f". It learned from {sum(training.values()):,} images (thesis: about 9,000, at 1024 px)."
        ),
        "synthetic-on-real AUROC": (
            f"Real-on-real is its ceiling. It loses {real - synthetic:.3f} against that; the control arm (real images "
            f"with pseudo-labels: {control:.3f}) loses {real - control:.3f} by the labels of an imperfect classifier; "
            f"the rest is lost by a GAN trained on {steps['gan']['kimg']:,.0f} thousand images (thesis: 14,451)."
        ),
        "axes found": "An axis can be found only where the classifier reads the disease: " + seen + ".",
        "anomaly AUROC": (
            f"The nearest normal image of a GAN this small misses normal detail too, so lesions of a few pixels drown: "
            f"fewer than half were detected of {', '.join(words(name).lower() for name in missed) or 'no class'}."
        ),
        "specificity on normals": "The threshold was set on few held-out healthy images.",
    }
