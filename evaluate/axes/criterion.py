"""When an axis counts as found: it predicts what the guides say of held-out images; walking along
it makes the disease for them; and for every judge, who had no part in the axis, it makes the
disease and no other (thesis 3.5; design.md, "An axis that moves the classifier that made it proves
nothing")."""

from dataclasses import dataclass

import numpy as np
from scipy.stats import rankdata

from evaluate.axes.judges import Calibration
from pgcxr.cohort.findings import FINDINGS, NORMAL
from pgcxr.metrics.proportions import wilson

OUTPUTS = (NORMAL, *FINDINGS)
CRITERION = {
    "heldout_auroc": 0.7,
    "null_p": 0.01,
    "likelihood_end": 0.5,
    "shift": 0.5,
    "share": 0.75,
    "off_target": 0.2,
}
CRITERION_TEXT = (
    "found: held-out AUROC >= 0.7 with permutation p < 0.01; the walk from normal-looking images "
    "ends at a mean likelihood of the disease >= 0.5 by the guides, at least twice that of its "
    "start; by every judge that took no part and can see the disease (AUROC >= 0.7 on real images; "
    "there must be one), at least 75 % of the images move by half or more of the gap between real "
    "normal and diseased images; and no other disease ends at a mean likelihood above 0.2, by the "
    "guides or by a judge that tells it apart from this one on real images"
)
# A likelihood that is not worth a longer walk.
NEXT_TO = 0.02
# Draws of the starts behind an interval.
RESAMPLES = 400


@dataclass(frozen=True)
class Walked:
    """What was said along walks toward one disease.

    Attributes:
        guides: [S, N, 6] likelihoods by the guides at S steps from N starts, normal first.
        scores: {judge: [S, N, 5]}.
    """

    guides: np.ndarray
    scores: dict[str, np.ndarray]

    def halved(self, first: int) -> "Walked":
        """Every second start, from 0 (those that choose) or 1 (those that are reported)."""
        half = (slice(None), slice(first, None, 2))
        scores = {name: score[half] for name, score in self.scores.items()}
        return Walked(self.guides[half], scores)


def reported(starts: np.ndarray, axis: int = 0) -> np.ndarray:
    """Every second start: those that had no part in choosing where a walk ends."""
    return starts[(slice(None),) * axis + (slice(1, None, 2),)]


def walk_end(curve: np.ndarray, output: int) -> dict:
    """Where a walk ends and what it does there.

    The end is the step at which the disease stands out most from all others in every second start,
    or the first that is next to it: further on only other things change. Everything else is read
    from the remaining starts, so that the choice doesn't flatter the result.

    Args:
        curve: [S, N, 6] likelihoods at S steps from N starts.
        output: the disease's place among the outputs.

    Returns:
        {likelihood_start, likelihood_end, off_target_max, off_target_disease, step_end}.
    """
    choosing, means = curve[:, ::2].mean(axis=1), reported(curve, axis=1).mean(axis=1)
    others = [index for index in range(1, curve.shape[2]) if index != output]
    margin = (choosing[:, output] - choosing[:, others].max(axis=1))[1:]
    end = 1 + int(np.argmax(margin >= margin.max() - NEXT_TO))
    return {
        "likelihood_start": means[0, output],
        "likelihood_end": means[end, output],
        "off_target_max": means[end, others].max(),
        "off_target_disease": OUTPUTS[others[int(np.argmax(means[end, others]))]],
        "step_end": end,
    }


def judged(scores: np.ndarray, index: int, found: Calibration, rng: np.random.Generator) -> dict:
    """What one judge says of walks toward one disease.

    Args:
        scores: [S, N, 5] from the starts to the end of the walks.
        index: the disease's place among the five.
        found: what the scores mean.
        rng: draws the starts again, for the intervals.

    Returns:
        {sees, confirms, shift, shift_ci95, share, share_ci95, likelihood_start, likelihood_end,
        flip_rate, spearman, off_target_max, off_target_disease, off_target_judged,
        off_target_change}. shift is the mean change in gaps, share that of the images that moved by
        half a gap or more, flip_rate that of the images without the disease at the start
        (likelihood below 0.5) that have it at the end, spearman the mean rank correlation of score
        and step. Off target only diseases count that the judge tells apart from this one
        (off_target_judged).
    """
    told = found.likelihoods(scores)
    own = scores[..., index]
    gap = found.gaps[index] if found.sees[index] else np.nan
    shifts = (own[-1] - own[0]) / gap
    moved = shifts >= CRITERION["shift"]
    drawn = rng.integers(len(shifts), size=(RESAMPLES, len(shifts)))
    others = found.tells_apart(index)
    ends, begins = told[-1][:, others].mean(axis=0), told[0][:, others].mean(axis=0)
    worst = int(np.argmax(ends)) if others else None
    without = told[0, :, index] < 0.5
    flipped = told[-1, without, index] >= 0.5
    off_target = 0.0 if worst is None else float(ends[worst])
    share = float(moved.mean())
    return {
        "sees": bool(found.sees[index]),
        "confirms": bool(
            found.sees[index]
            and share >= CRITERION["share"]
            and off_target <= CRITERION["off_target"]
        ),
        "shift": float(shifts.mean()),
        "shift_ci95": np.percentile(shifts[drawn].mean(axis=1), (2.5, 97.5)),
        "share": share if found.sees[index] else float("nan"),
        "share_ci95": wilson(int(moved.sum()), len(moved)),
        "likelihood_start": float(told[0, :, index].mean()),
        "likelihood_end": float(told[-1, :, index].mean()),
        "flip_rate": float(flipped.mean()) if without.any() else float("nan"),
        "spearman": _spearman(own),
        "off_target_max": off_target,
        "off_target_disease": None if worst is None else FINDINGS[others[worst]],
        "off_target_judged": [FINDINGS[k] for k in others],
        "off_target_change": 0.0 if worst is None else float((ends - begins).max()),
    }


def _spearman(own: np.ndarray) -> float:
    """Mean over N walks of the rank correlation between step and score [S, N]; 0 for a walk on
    which nothing changes."""
    ranks = rankdata(own, axis=0)
    ranks = ranks - ranks.mean(axis=0)
    steps = np.arange(len(own)) - (len(own) - 1) / 2
    size = np.linalg.norm(ranks, axis=0) * np.linalg.norm(steps)
    return float(np.mean(steps @ ranks / np.where(size > 0, size, 1.0)))


def proven(
    walked: Walked, index: int, calibrations: dict, prediction: dict, rng: np.random.Generator
) -> dict:
    """All that a walk toward one disease shows, and whether its axis is found.

    Args:
        walked: from all starts; every second chooses where the walk ends, the others are reported.
        index: the disease's place among the five.
        calibrations: {judge: `Calibration`}.
        prediction: {heldout_auroc, null_p} of the axis; {} for paths, which have none.
        rng: for intervals.

    Returns:
        `walk_end`, judges: {name: `judged`}, found, why_not: why it is not, in words.
    """
    row = walk_end(walked.guides, index + 1)
    end = row["step_end"] + 1
    told = {
        name: judged(reported(scores, axis=1)[:end], index, calibrations[name], rng)
        for name, scores in walked.scores.items()
    }
    row = {**prediction, **row, "judges": told}
    reasons = why_not(row)
    return {"found": not reasons, **row, "why_not": reasons}


def standing(walked: Walked, index: int, calibrations: dict, row: dict) -> tuple:
    """How a way stands on the starts that choose, the higher the better: whether all judges that
    see the disease confirm it and the axis predicts the guides; then by how much the disease stands
    out for the guides.

    Who judges does choose among the few ways here, but has no part in any of them, and not on the
    starts that are reported.
    """
    end, half = row["step_end"], walked.halved(0)
    rng = np.random.default_rng(0)
    told = [
        judged(scores[: end + 1], index, calibrations[name], rng)
        for name, scores in half.scores.items()
    ]
    seeing = [one["confirms"] for one in told if one["sees"]]
    means = half.guides[end].mean(axis=0)
    margin = means[index + 1] - np.delete(means[1:], index).max()
    confirmed = bool(seeing) and all(seeing) and _predicts(row)
    return confirmed, float(margin)


def _predicts(row: dict) -> bool:
    return bool(
        row["heldout_auroc"] >= CRITERION["heldout_auroc"] and row["null_p"] < CRITERION["null_p"]
    )


def why_not(row: dict) -> list[str]:
    """What `CRITERION_TEXT` misses in one disease's row of the report; nothing where it is
    found."""
    limits, reasons = CRITERION, []
    if "heldout_auroc" in row:
        area = row["heldout_auroc"]
        if not area >= limits["heldout_auroc"]:
            reasons.append(f"held-out AUROC {area:.2f}")
        if not row["null_p"] < limits["null_p"]:
            reasons.append(f"permutation p {row['null_p']:.3f}")
    end, start = row["likelihood_end"], row["likelihood_start"]
    if not end >= max(limits["likelihood_end"], 2 * start):
        reasons.append(f"likelihood by the guides from {start:.2f} to {end:.2f}")
    if not row["off_target_max"] <= limits["off_target"]:
        other = f"{row['off_target_disease']} at {row['off_target_max']:.2f}"
        reasons.append(f"guides: {other} at the end")
    seeing = {name: told for name, told in row["judges"].items() if told["sees"]}
    if not seeing:
        reasons.append("no judge that took no part can see it")
    for name, told in seeing.items():
        if not told["share"] >= limits["share"]:
            reasons.append(f"{name}: {told['share']:.0%} of the images move by half the real gap")
        if not told["off_target_max"] <= limits["off_target"]:
            other = f"{told['off_target_disease']} at {told['off_target_max']:.2f}"
            reasons.append(f"{name}: {other} at the end")
    return reasons
