"""When an axis counts as found: it predicts the classifier on held-out images, and walking along it
makes the disease, and no other, from normal-looking images (thesis 3.5)."""

import numpy as np

from pgcxr.cohort.findings import FINDINGS, NORMAL

OUTPUTS = (NORMAL, *FINDINGS)
CRITERION = {"heldout_auroc": 0.7, "null_p": 0.01, "likelihood_end": 0.5}
CRITERION_TEXT = (
    "found: held-out AUROC >= 0.7 with permutation p < 0.01; and the walk from normal-looking "
    "images ends at a mean likelihood of the disease >= 0.5, at least twice that of its start and "
    "above that of every other disease"
)


def reported(starts: np.ndarray, axis: int = 0) -> np.ndarray:
    """Every second start: those that had no part in choosing where a walk ends."""
    return starts[(slice(None),) * axis + (slice(1, None, 2),)]


def walk_end(curve: np.ndarray, output: int) -> dict:
    """Where a walk ends and what it does there.

    The end is the step at which the disease stands out most from all others in every second start;
    everything else is read from the remaining starts, so that the choice doesn't flatter the
    result.

    Args:
        curve: [S, N, 6] likelihoods at S steps from N starts.
        output: the disease's place among the outputs.

    Returns:
        {likelihood_start, likelihood_end, off_target_max, off_target_disease, step_end}.
    """
    choosing, means = curve[:, ::2].mean(axis=1), reported(curve, axis=1).mean(axis=1)
    others = [index for index in range(1, curve.shape[2]) if index != output]
    end = 1 + int(np.argmax((choosing[:, output] - choosing[:, others].max(axis=1))[1:]))
    return {
        "likelihood_start": means[0, output],
        "likelihood_end": means[end, output],
        "off_target_max": means[end, others].max(),
        "off_target_disease": OUTPUTS[others[int(np.argmax(means[end, others]))]],
        "step_end": end,
    }


def is_found(axis: dict) -> bool:
    """`CRITERION_TEXT` for one disease's row of the report."""
    predicts = (
        axis["heldout_auroc"] >= CRITERION["heldout_auroc"] and axis["null_p"] < CRITERION["null_p"]
    )
    reaches = axis["likelihood_end"] >= max(
        CRITERION["likelihood_end"], 2 * axis["likelihood_start"]
    )
    return bool(predicts and reaches and axis["off_target_max"] < axis["likelihood_end"])
