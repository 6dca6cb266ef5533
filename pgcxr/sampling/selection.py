"""Which images: their latents and numbers, and where these come from.

An image's number is its row, or, with seeds of their own, its seed. It names the file, and it gives
the image its place in a batch (`generation.one_by_one`): latent and number are all it takes to make
the image again, bit for bit.
"""

import hashlib
import re
from dataclasses import dataclass, replace

import numpy as np

from pgcxr.errors import ArgumentError
from pgcxr.sampling import sphere
from pgcxr.sampling.generation import latents as drawn

MOST = 1_000_000
MOST_NUMBER = 2**63 - 1
MOST_FRAMES = 2000
OWN_SEEDS = "own seeds"
_RANGE = re.compile(r"(\d{1,18})(?:-(\d{1,18}))?")


@dataclass(frozen=True)
class Selection:
    """`latents` float32 [N, L]; `numbers` int64 [N], each once; `origin`, one line of where the
    latents come from, and `seed` where it is one; `labels` float32 [N, K] or None; `truncation` and
    the `center` [L] it went toward; `weights_sha256` of the generator that they were first used
    with, "" where that is unknown."""

    latents: np.ndarray
    numbers: np.ndarray
    origin: str
    seed: int | None = None
    labels: np.ndarray | None = None
    truncation: float = 1.0
    center: np.ndarray | None = None
    weights_sha256: str = ""

    def __len__(self) -> int:
        return len(self.latents)

    def take(self, rows: np.ndarray) -> "Selection":
        """Those rows, with their numbers."""
        labels = None if self.labels is None else self.labels[rows]
        return replace(self, latents=self.latents[rows], numbers=self.numbers[rows], labels=labels)

    def numbered(self, only: np.ndarray) -> "Selection":
        """The images of these numbers, int64 [M], in this order."""
        row_of = {number: row for row, number in enumerate(self.numbers.tolist())}
        if missing := [str(number) for number in only.tolist() if number not in row_of]:
            raise ArgumentError(
                "only",
                f"no image {', '.join(missing[:5])} in the latent file; report.json beside it "
                "lists them",
            )
        return self.take(np.array([row_of[number] for number in only.tolist()]))

    def pulled(self, center: np.ndarray, truncation: float) -> "Selection":
        """Each latent's angle to `center` multiplied by `truncation`."""
        latents = sphere.toward(center, self.latents, truncation)
        return replace(
            self, latents=latents, truncation=truncation, center=np.asarray(center, np.float32)
        )

    def path(self, steps: int) -> "Selection":
        """The frames from each image to the next; labels are blended."""
        frames = sphere.path(self.latents, steps)
        at = np.arange(len(frames)) / steps
        labels = self.labels
        if labels is not None:
            known = np.arange(len(self))
            labels = np.stack([np.interp(at, known, column) for column in labels.T], axis=1).astype(
                np.float32
            )
        origin = f"path of {steps} steps, {fingerprint(self.latents)}"
        return replace(
            self, latents=frames, numbers=np.arange(len(frames)), origin=origin, labels=labels
        )


def of_seed(seed: int, n: int, latent_size: int) -> Selection:
    """The first n images of one seed: for any n the same."""
    return Selection(drawn(seed, n, latent_size), np.arange(n), f"seed {seed}", seed)


def of_seeds(seeds: np.ndarray, latent_size: int) -> Selection:
    """One image of each seed: the first of `of_seed`."""
    latents = np.concatenate([drawn(seed, 1, latent_size) for seed in seeds.tolist()])
    return Selection(latents, np.asarray(seeds, np.int64), OWN_SEEDS)


def parse_numbers(text: str, argument: str) -> np.ndarray:
    """The numbers that a text such as "1-100,205" lists.

    Args:
        text: numbers, and ranges from low to high.
        argument: which one it is, for errors.

    Returns:
        int64 [N].

    Raises:
        ArgumentError: it is no such list, names a number twice, or more than MOST.

    Example:

        >>> parse_numbers("1-3,205", "seeds").tolist()
        [1, 2, 3, 205]
    """
    listed: list[int] = []
    for part in text.replace(" ", "").split(","):
        match = _RANGE.fullmatch(part)
        low, high = (int(match[1]), int(match[2] or match[1])) if match else (1, 0)
        if high < low:
            expected = "expected numbers and ranges from low to high, such as 1-100,205"
            raise ArgumentError(argument, expected, received=text)
        if len(listed) + high - low >= MOST:
            expected = f"names more than {MOST:,} images; make them in several folders"
            raise ArgumentError(argument, expected, received=text)
        listed.extend(range(low, high + 1))
    numbers = np.array(listed, np.int64)
    values, counts = np.unique(numbers, return_counts=True)
    if (counts > 1).any():
        expected = f"names {values[counts > 1][0]} twice; leave it out once"
        raise ArgumentError(argument, expected, received=text)
    return numbers


def as_text(numbers: np.ndarray) -> str:
    """What `parse_numbers` reads: "1-100,205"."""
    parts = np.split(numbers, np.flatnonzero(np.diff(numbers) != 1) + 1)
    return ",".join(f"{part[0]}-{part[-1]}" if len(part) > 1 else f"{part[0]}" for part in parts)


def fingerprint(latents: np.ndarray) -> str:
    """12 hexadecimal digits that tell latents apart."""
    return hashlib.sha256(np.ascontiguousarray(latents, "<f4").tobytes()).hexdigest()[:12]
