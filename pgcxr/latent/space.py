"""Latents of a generator, and of a conditioned one latents with its labels.

A conditioned generator puts the labels beside the latent before anything else (AC-GAN, arXiv
1610.09585; so does the Progressive GAN, arXiv 1710.10196), and divides both by their common length.
So [z, c] is a latent of a generator without labels that has the same weights. Seen so, whatever is
done with latents can be done with labels, too: regressions, walks over the sphere, inversion. And
from the label of normal images to that of a disease leads an axis that no classifier had a part in.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pgcxr.cohort import labels as label_kinds
from pgcxr.cohort.findings import ABNORMAL, NORMAL
from pgcxr.errors import InputError
from pgcxr.latent.axes import unit
from pgcxr.sampling import generation
from pgcxr.sampling.selection import Selection


@dataclass(frozen=True)
class LatentSpace:
    """What a generator is given.

    Attributes:
        generator: of latents [N, size] alone.
        identity: `weights_sha256` of the RUN's own generator.
        names: of the K labels at the end of a latent; empty for a generator without labels.
        rows: float32 [P, K], the labels of the training images ...
        counts: [P], ... and how often they were shown.
        scale: by which labels are multiplied in a latent.
    """

    generator: Any
    identity: str
    names: tuple[str, ...] = ()
    rows: np.ndarray | None = None
    counts: np.ndarray | None = None
    scale: float = 1.0

    @classmethod
    def of(cls, run: str | Path, generator) -> "LatentSpace":
        """Of a RUN's generator.

        Raises:
            InputError: it is conditioned, and its report.json does not say by which labels.
        """
        identity = generation.weights_sha256(generator)
        if not generator.label_size:
            return cls(generator, identity)
        known = generation.report_of(run).get("labels")
        if known is None:
            raise InputError(
                f"{run}: its generator takes {generator.label_size} labels, and its report.json "
                "does not say which; name a RUN of `python -m train.gan`"
            )
        rows, counts = np.asarray(known["rows"], np.float32), np.asarray(known["counts"])
        alone, scale = unlabeled(generator), generator.label_scale
        return cls(alone, identity, tuple(known["names"]), rows, counts, scale)

    @property
    def size(self) -> int:
        """Numbers of a latent, those of the labels among them."""
        return self.generator.latent_size

    @property
    def latent_size(self) -> int:
        """L, numbers of a latent for the RUN's own generator."""
        return self.size - len(self.names)

    def draw(self, seed: int, n: int, purpose: int = 0) -> np.ndarray:
        """float32 [n, size]: random latents, with labels as often as the training images have
        them."""
        z = generation.latents(seed, n, self.latent_size, purpose)
        if self.rows is None:
            return z
        return self._beside(z, label_kinds.draw(self.rows, self.counts, n, seed))

    def labeled(self, z: np.ndarray, label: str = NORMAL) -> np.ndarray:
        """Latents [N, L] with one label, where the generator takes any: float32 [N, size].

        Args:
            label: normal, or findings joined by "+"; abnormal for who knows no findings.
        """
        if not self.names:
            return z
        told = label if set(label.split("+")) <= set(self.names) else ABNORMAL
        row = label_kinds.row(self.names, told, only_one=False)
        return self._beside(z, np.tile(row, (len(z), 1)))

    def split(self, latents: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
        """(latents [..., L], labels [..., K] or None) of latents [..., size]: what the RUN's own
        generator takes."""
        if not self.names:
            return latents, None
        z, scaled = np.split(latents, [self.latent_size], axis=-1)
        return z, scaled / np.float32(self.scale)

    def _beside(self, z: np.ndarray, labels: np.ndarray) -> np.ndarray:
        return np.concatenate([z, np.float32(self.scale) * labels], axis=1)

    def selection(self, latents: np.ndarray, numbers: np.ndarray, origin: str) -> Selection:
        """Latents [N, size] as `pgcxr generate --latents` reads them."""
        plain, labels = self.split(latents)
        return Selection(plain, numbers, origin, labels=labels, weights_sha256=self.identity)

    def axes(self, findings: Sequence[str]) -> np.ndarray | None:
        """[len(findings), size], of length 1: from the label of normal images to that of each
        finding; None where the generator was not told of all of these."""
        if not {NORMAL, *findings} <= set(self.names):
            return None
        found = np.zeros((len(findings), self.size))
        found[:, self.latent_size + self.names.index(NORMAL)] = -1
        for row, name in enumerate(findings):
            found[row, self.latent_size + self.names.index(name)] = 1
        return unit(found)


def unlabeled(generator):
    """A conditioned generator as one whose latents have the labels, times `label_scale`, as their
    last numbers; the same images of the same weights.

    Example:

        >>> from pgcxr.networks import Generator, synthesize
        >>> told = Generator(resolution=8, fmap_max=4, latent_size=4, label_size=2)
        >>> z, c = np.ones((1, 4), np.float32), np.array([[0, 1]], np.float32)
        >>> one = synthesize(unlabeled(told), np.concatenate([z, c], axis=1))
        >>> bool(np.all(one == synthesize(told, z, c)))
        True
    """
    config = generator.get_config()
    config |= {
        "latent_size": generator.latent_size + generator.label_size,
        "label_size": 0,
    }
    alone = type(generator).from_config(config)
    alone.set_weights(generator.get_weights())
    return alone
