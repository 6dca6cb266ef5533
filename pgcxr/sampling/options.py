"""Which synthetic images are made, and how they are written; free of heavy imports for the help
text."""

import re
from dataclasses import dataclass
from pathlib import Path

from pgcxr.errors import ArgumentError, InputError
from pgcxr.options import (
    PATH,
    TEXT,
    Options,
    Rule,
    each,
    number,
    one_of,
    option,
    or_none,
    whole,
)

STEPS = 16
# Of NumPy's generator, which takes more than the others.
SEED = whole(0, 2**63 - 1)
BITS = Rule("8 or 16", lambda value: value in (8, 16))
GRID = Rule("ROWSxCOLUMNS, such as 4x8", each(whole(1, 999), 2, 2).holds)


def _grid(text: str) -> tuple[int, int]:
    match = re.fullmatch(r"(\d{1,3})[xX](\d{1,3})", text.strip())
    if not match or not int(match[1]) or not int(match[2]):
        raise ValueError
    return int(match[1]), int(match[2])


@dataclass(frozen=True)
class SelectionOptions(Options):
    """Which images of a generator are made."""

    pretrained: str | None = option(
        None, or_none(TEXT), "in place of RUN, a network that comes with pgcxr"
    )
    n: int | None = option(None, or_none(whole(1, 10**6)), "how many images of the seed")
    seed: int | None = option(None, or_none(SEED), "of the latents [default: 0]")
    seeds: str | None = option(
        None, or_none(TEXT), "one image of each of these seeds, such as 1-100,205"
    )
    latents: Path | None = option(
        None,
        or_none(PATH),
        "latents.npz of earlier images, or an .npy array [N, L]: those images again",
    )
    only: str | None = option(
        None, or_none(TEXT), "of the latents, the images with these numbers, such as 3,7-9"
    )
    label: str | None = option(
        None, or_none(TEXT), "of a conditioned RUN: abnormal, nodule+pneumothorax, ..."
    )
    truncation: float = option(
        1.0,
        number(0.01, 1.0),
        "below 1, toward the most typical image: fewer odd images, less variety",
    )
    interpolate: int | None = option(
        None, or_none(whole(2, 2**31)), "frames of a path through this many images"
    )


@dataclass(frozen=True)
class OutputOptions(Options):
    """How a set of images is written. With `steps` they are frames of a path, shown as a strip and
    an animation in place of samples.png."""

    steps: int | None = option(
        None, or_none(whole(1, 2**31)), "from image to image of a path [default: 16]"
    )
    grid: tuple[int, int] | None = option(
        None, or_none(GRID), "ROWSxCOLUMNS of samples.png, such as 4x8", parse=_grid
    )
    bits: int = option(8, BITS, "8 or 16 bits a pixel")
    format: str = option(
        "png", one_of("png", "dicom"), "png, or dicom: Secondary Capture marked as synthetic"
    )
    batch: int = option(32, whole(1, 2**31), "images held in memory; changes no image")


# The fields of the last base come first.
@dataclass(frozen=True)
class GenerateOptions(OutputOptions, SelectionOptions):
    """Which images `pgcxr generate` makes, and how they are written.

    Example:

        >>> GenerateOptions(grid=(4, 8)).count
        32
        >>> GenerateOptions(n=4, only="1-2")
        Traceback (most recent call last):
        pgcxr.errors.ArgumentError: only: chooses from a file of latents; name the file too
    """

    release: Path | None = option(
        None,
        or_none(PATH),
        "for others: the folder of `python -m evaluate.privacy RUN`, which must have passed",
    )

    @property
    def count(self) -> int | None:
        """Images of one seed: `n` or `interpolate`, or as many as `grid` shows."""
        if self.n is None and self.grid and self.seeds is None and self.latents is None:
            return self.interpolate or self.grid[0] * self.grid[1]
        return self.interpolate or self.n

    def check(self) -> None:
        """Raises InputError where options do not go together."""
        sources = {"n": self.n, "seeds": self.seeds, "latents": self.latents}
        named = [name for name, value in sources.items() if value is not None]
        if not named and self.count is None:
            raise InputError("which images? name n, seeds, latents, grid or interpolate")
        if len(named) > 1:
            raise InputError(f"{' and '.join(named)} each say which images; leave one out")
        if self.seed is not None and named not in ([], ["n"]):
            raise ArgumentError("seed", f"{named[0]} says which images already; leave this out")
        if self.only is not None and self.latents is None:
            raise ArgumentError("only", "chooses from a file of latents; name the file too")
        if self.interpolate and self.n is not None:
            expected = "interpolate says how many images the path goes through; leave this out"
            raise ArgumentError("n", expected)
        if self.steps is not None and not self.interpolate:
            raise ArgumentError("steps", "are those of interpolate; name it too")
        if self.latents is not None and self.label is not None:
            expected = "the file of latents holds the labels of its images; leave this out"
            raise ArgumentError("label", expected)
        if self.latents is not None and self.release is not None:
            raise ArgumentError(
                "release",
                "is for images of random latents, as those that passed; a file of latents may hold "
                "a patient's image found by inversion, so leave one of the two out",
            )
