"""A divergence alarm: a training that can no longer recover is stopped, and says by which sign.

WGAN-GP does not converge by its losses, so no sign is taken from their size alone; each must last
before it counts, as single bad steps are normal (a step whose gradients are not finite is skipped
by the optimizer).

- non-finite: losses or gradient norms are not finite for `PATIENCE` steps in a row, beyond those in
  which a loss scale comes down to what float16 holds.
- critic drift: the median score of reals or fakes over `WINDOW` steps is beyond `SCORE`; the drift
  term (arXiv 1710.10196, A.1) no longer holds it.
- gradient explosion: the median gradient norm over `WINDOW` steps is `EXPLOSION` times its smallest
  in this half-phase.
- collapse: the fixed samples differ among each other by less than `COLLAPSE` of what reals do,
  `TICKS` ticks in a row.
"""

import math
from collections import deque
from dataclasses import dataclass

import numpy as np

from pgcxr.errors import InputError

PATIENCE = 50
WINDOW = 64
SCORE = 1e4
EXPLOSION = 1e4
# Below this a gradient norm is not large, whatever the smallest was.
LARGE_NORM = 1e3
COLLAPSE = 0.01
TICKS = 3
LOSSES = ("d_loss", "g_loss", "d_gradient_norm", "g_gradient_norm")
SCORES = ("d_real_score", "d_fake_score")
NORMS = ("d_gradient_norm", "g_gradient_norm")


class Diverged(InputError):
    """The alarm went off; the last good state is on the disk."""


@dataclass(frozen=True)
class Sign:
    """What was seen: `name`, the quantity `of` which it was seen, its `value`, and the `limit` that
    it broke."""

    name: str
    of: str
    value: float
    limit: float

    def __str__(self) -> str:
        return f"{self.name}: {self.of} is {self.value:.3g}, the limit is {self.limit:.3g}"


class Alarm:
    """Looks at each step's logs and each tick's samples of one half-phase; `doubtful` while a sign
    may be coming.

    Args:
        real_diversity: of as many real images as there are samples.
        scale_log2: where a loss scale starts, which halves with each step that is not finite; 0
            without one.
    """

    def __init__(self, real_diversity: float, scale_log2: float = 0.0):
        self.real_diversity = real_diversity
        self.patience = PATIENCE + math.ceil(scale_log2)
        self.bad, self.alike = 0, 0
        self.recent = {name: deque(maxlen=WINDOW) for name in {*SCORES, *NORMS}}
        self.smallest: dict[str, float] = {}

    @property
    def doubtful(self) -> bool:
        """Whether the last step was not finite, or a median is within a tenth of its limit."""
        scores = (abs(np.median(self.recent[name])) for name in SCORES if self.recent[name])
        return self.bad > 0 or any(score > SCORE / 10 for score in scores)

    def step(self, logs: dict) -> Sign | None:
        """The sign seen in the logs of one training step, {name: number}."""
        odd = next(
            (name for name in LOSSES if name in logs and not math.isfinite(logs[name])), None
        )
        self.bad = self.bad + 1 if odd else 0
        if odd:
            of = f"{odd}, for {self.bad} steps,"
            return Sign("non-finite", of, logs[odd], 0) if self.bad >= self.patience else None
        for name, values in self.recent.items():
            if name in logs:
                values.append(logs[name])
        if any(len(self.recent[name]) < WINDOW for name in self.recent if name in logs):
            return None
        medians = {name: float(np.median(values)) for name, values in self.recent.items() if values}
        for name in SCORES:
            if abs(medians.get(name, 0.0)) > SCORE:
                return Sign("critic drift", f"the median of {name}", medians[name], SCORE)
        for name in NORMS:
            if name in medians:
                self.smallest[name] = min(self.smallest.get(name, math.inf), medians[name])
                limit = max(LARGE_NORM, EXPLOSION * self.smallest[name])
                if medians[name] > limit:
                    return Sign("gradient explosion", f"the median of {name}", medians[name], limit)
        return None

    def tick(self, samples: np.ndarray) -> Sign | None:
        """The sign seen in the fixed samples, uint8 [N, R, R, C]."""
        found, limit = diversity(samples), COLLAPSE * self.real_diversity
        self.alike = self.alike + 1 if found < limit else 0
        return (
            Sign("collapse", "the diversity of the samples", found, limit)
            if self.alike >= TICKS
            else None
        )


def diversity(images: np.ndarray) -> float:
    """Root mean square over pixels of the standard deviation over images [N, ...], in gray
    levels."""
    return float(np.sqrt(np.mean(np.var(np.asarray(images, np.float32), axis=0))))
