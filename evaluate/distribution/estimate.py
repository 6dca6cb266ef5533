"""A measured value with what its interval comes from, and who wins by it."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import stats

from pgcxr.metrics import resampling

LOWER, HIGHER, NEARER = "lower", "higher", "nearer to the floor"
# What is better, and what values are possible.
BETTER = {
    "fid": LOWER,
    "kid": LOWER,
    "precision": HIGHER,
    "recall": HIGHER,
    "density": HIGHER,
    "coverage": HIGHER,
    "ecs": LOWER,
    "tails": LOWER,
    "frd": LOWER,
    "radiomic_ecs": LOWER,
    "radiomic_tails": LOWER,
    "swd": LOWER,
    "ms_ssim": NEARER,
}
RANGE = {
    **dict.fromkeys(
        ("kid", "ecs", "tails", "frd", "radiomic_ecs", "radiomic_tails"), (-np.inf, np.inf)
    ),
    "density": (0.0, np.inf),
    "fid": (0.0, np.inf),
    "swd": (0.0, np.inf),
}


@dataclass(frozen=True)
class Estimate:
    """`value`, and `parts`: the same of random halves, or (`apart`) of sets of images that share
    none."""

    value: float
    parts: np.ndarray
    apart: bool = False
    range: tuple[float, float] = (-np.inf, np.inf)

    def summary(self) -> dict:
        """{value, ci95}."""
        if not self.apart:
            return {
                "value": self.value,
                "ci95": resampling.interval(self.value, self.parts, *self.range),
            }
        if len(self.parts) < 2:
            return {"value": self.value, "ci95": [float("nan")] * 2}
        # Student's, as the sets are few.
        reach = stats.t.ppf(0.975, len(self.parts) - 1) * stats.sem(self.parts)
        low, high = np.clip([self.value - reach, self.value + reach], *self.range)
        return {"value": self.value, "ci95": [float(low), float(high)]}


def compared(better: str, gan: Estimate, floor: Estimate, baseline: Estimate) -> dict:
    """{better, gan, floor, baseline, gan_ahead_by: {value, ci95}, gan_wins, certain: 0 is not in
    that interval}.

    Halves and sets are the same for all three, so that the interval of the lead is that of paired
    differences.
    """
    worse: dict[str, Callable] = {
        LOWER: lambda found, floor: found,
        HIGHER: lambda found, floor: -found,
        NEARER: lambda found, floor: np.abs(found - floor),
    }
    of = worse[better]
    lead = Estimate(
        float(of(baseline.value, floor.value) - of(gan.value, floor.value)),
        of(baseline.parts, floor.parts) - of(gan.parts, floor.parts),
        gan.apart,
    )
    ahead = lead.summary()
    low, high = ahead["ci95"]
    return {
        "better": better,
        "gan": gan.summary(),
        "floor": floor.summary(),
        "baseline": baseline.summary(),
        "gan_ahead_by": ahead,
        "gan_wins": lead.value > 0,
        "certain": low > 0 or high < 0,
    }
