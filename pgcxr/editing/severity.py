"""Severity: how far to move along an axis, in equal steps of the guides' mean logit.

The guides' logit does not rise evenly with the angle. So the walks of evaluate.axes, from images
that nobody edits, say at which angle how much of the rise is done: severity 0 is the start, 1 where
the walk ends, and in between equal steps of severity are equal steps of the mean logit.
"""

from dataclasses import dataclass

import numpy as np

from pgcxr.errors import ArgumentError


@dataclass(frozen=True)
class Severity:
    """The severity of one disease.

    Attributes:
        angles: [S] in radians, rising from 0.
        logits: [S], the guides' mean logit there, up to the highest.
        starts: images that they are the mean of.
        end: angle at which the walk ends; the last of `angles` lies before it where the logit did
            not rise up to there.
    """

    angles: np.ndarray
    logits: np.ndarray
    starts: int
    end: float

    @classmethod
    def calibrated(cls, name: str, angles: np.ndarray, logits: np.ndarray, end: float):
        """From walks.

        Example:

            >>> angles = np.linspace(0, 1, 5)
            >>> walked = np.array([[-4.0], [-3.0], [-3.0], [3.0], [4.0]])
            >>> severity = Severity.calibrated("nodule", angles, walked, 0.75)
            >>> severity.angle(np.array([0, 0.5, 1])).round(3).tolist()
            [0.0, 0.604, 0.75]

        Args:
            name: of the disease.
            angles: [S] in radians, from 0.
            logits: [S, N] of the disease by the guides, on walks from N images.
            end: angle at which the walk ends.

        Raises:
            ArgumentError: the logit does not rise.
        """
        means = logits[angles <= end + 1e-6].mean(axis=1)
        # Behind the highest mean nothing is reached that was not reached before.
        kept = slice(int(np.argmax(means)) + 1)
        if not means[kept][-1] > means[0]:
            expected = "the guides' logit does not rise along its axis: there is nothing to show"
            raise ArgumentError("axis", expected, received=name)
        return cls(angles[kept], means[kept], logits.shape[1], float(end))

    def angle(self, severity: np.ndarray) -> np.ndarray:
        """The first angles, in radians, that reach severities from 0 to 1."""
        wanted = self.logit(severity)
        after = np.argmax(self.logits >= wanted[..., None] - 1e-9, axis=-1)
        before = np.maximum(after - 1, 0)
        step = self.logits[after] - self.logits[before]
        share = np.where(after > 0, (wanted - self.logits[before]) / np.where(step, step, 1), 0)
        return self.angles[before] + share * (self.angles[after] - self.angles[before])

    def logit(self, severity: np.ndarray) -> np.ndarray:
        """The guides' mean logit of severities on the images that it is calibrated on."""
        return self.logits[0] + np.asarray(severity) * self.rise

    @property
    def rise(self) -> float:
        """In logits, from severity 0 to 1."""
        return float(self.logits[-1] - self.logits[0])

    @property
    def stops_short(self) -> bool:
        """Whether the highest mean logit comes before the walk ends."""
        return self.end - self.angles[-1] > 1e-4
