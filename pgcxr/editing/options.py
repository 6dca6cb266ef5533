"""What images are edited and made with labels; free of heavy imports for the help text."""

import re
from dataclasses import dataclass
from pathlib import Path

from pgcxr.cohort.findings import FINDINGS, NORMAL
from pgcxr.errors import ArgumentError, InputError
from pgcxr.options import (
    PATH,
    SEED,
    SWITCH,
    TEXT,
    Options,
    Rule,
    each,
    meant,
    number,
    one_of,
    option,
    or_none,
    whole,
)

MOST_STARTS = 64
SHARE = number(0, 1)
RANGE = Rule(
    "from 0 to 1, as 0..1 or 0.5",
    lambda value: (
        isinstance(value, (tuple, list))
        and len(value) == 2
        and all(map(SHARE.holds, value))
        and value[0] <= value[1]
        and value[1] > 0
    ),
)
ALL_AXES = each(TEXT, 0, 5)


def _range(text: str) -> tuple[float, float]:
    low, dots, high = text.replace(",", "..").partition("..")
    return (float(low), float(high)) if dots else (float(text), float(text))


def _check_name(argument: str, name: str, known: tuple[str, ...]) -> None:
    if name not in known:
        raise ArgumentError(argument, f"is no finding; {meant(name, known)}", received=name)


def axes(texts: tuple[str, ...]) -> dict[str, float]:
    """{finding: its severity where that of the strip is 1} of texts such as "nodule" or
    "nodule=0.5".

    Example:

        >>> axes(("nodule", "pneumothorax=0.5"))
        {'nodule': 1.0, 'pneumothorax': 0.5}
    """
    found: dict[str, float] = {}
    for text in texts:
        name, equals, share = text.strip().partition("=")
        try:
            most = float(share) if equals else 1.0
        except ValueError:
            most = -1.0
        if not 0 < most <= 1:
            expected = "must be NAME or NAME=SEVERITY, the severity above 0 and at most 1"
            raise ArgumentError("axis", expected, received=text)
        _check_name("axis", name, FINDINGS)
        if name in found:
            raise ArgumentError("axis", "is named twice; leave it out once", received=name)
        found[name] = most
    return found


@dataclass(frozen=True)
class EditOptions(Options):
    """Which images are moved along which axes, how far.

    Example:

        >>> EditOptions(axis=("nodule",), seeds="1-8").severity
        (0.0, 1.0)
    """

    axis: tuple[str, ...] = option(
        (),
        ALL_AXES,
        "finding to move toward, or NAME=SEVERITY where several go together and one less far; may "
        "be repeated",
    )
    severity: tuple[float, float] = option(
        (0.0, 1.0),
        RANGE,
        "from where to where, as 0..1, or one number; 0 is the image as it is, 1 the end of the "
        "walk, equal steps are equal steps of the guides' mean logit",
        parse=_range,
    )
    steps: int = option(7, whole(2, 100), "images from the one to the other")
    seeds: str | None = option(
        None, or_none(TEXT), "the synthetic images of these seeds, such as 1-8"
    )
    image: tuple[Path, ...] = option(
        (),
        each(PATH, 0, MOST_STARTS),
        "in place of seeds, a real radiograph (DICOM, PNG, JPEG), whose nearest synthetic image is "
        "edited; may be repeated",
        by_content=True,
    )
    unproven: bool = option(False, SWITCH, "take axes, too, that did not count as found")
    gradcam: bool = option(True, SWITCH, "show where the first guide looks")
    frames: int = option(4, whole(1, 100), "of the animation, from step to step")
    iterations: int = option(300, whole(1, 10**6), "of the inversion of a real image: its steps")
    searches: int = option(
        4, whole(1, 1000), "of the inversion: searches per image, the best counts"
    )
    bank: int = option(
        2048, whole(10, 10**7), "of the inversion: random images that it begins with"
    )
    loss: str = option("mse", one_of("mpse", "mse"), "of the inversion: mse or the thesis's mpse")

    def check(self) -> None:
        """Raises InputError where options do not go together."""
        if not axes(self.axis):
            raise InputError("which disease? name an axis, such as pleural_effusion")
        if (self.seeds is None) == (not self.image):
            raise InputError("which images? name seeds, or an image")
        starts = len(self.image) if self.seeds is None else len(self.numbers())
        self._check_frames(starts)

    def _check_frames(self, starts: int) -> None:
        from pgcxr.sampling.selection import MOST_FRAMES

        count = ((len(self.severities) - 1) * self.frames + 1) * starts
        if count > MOST_FRAMES:
            expected = f"makes {count} pictures of the animation, {MOST_FRAMES} at most"
            expected += "; lower it, or edit fewer images"
            raise ArgumentError("frames", expected, received=self.frames)

    def numbers(self):
        """The seeds, int64 [N]; ArgumentError where their text lists none, or too many."""
        from pgcxr.sampling.selection import parse_numbers

        found = parse_numbers(self.seeds, "seeds")
        if len(found) > MOST_STARTS:
            expected = f"names more than {MOST_STARTS} images; edit them in several folders"
            raise ArgumentError("seeds", expected, received=self.seeds)
        return found

    @property
    def severities(self) -> list[float]:
        """Of the strip's images; the first is the image as it is."""
        low, high = self.severity
        last = self.steps - 1
        found = [low + (high - low) * step / last for step in range(self.steps)]
        return sorted({0.0, *found}) if low < high else [0.0, high]


def mixture(text: str) -> dict[str, int]:
    """{label: images} of a text such as "nodule=500,normal=500".

    Example:

        >>> mixture("pneumothorax=20,nodule+pleural_effusion=5")
        {'pneumothorax': 20, 'nodule+pleural_effusion': 5}
    """
    wanted: dict[str, int] = {}
    for part in text.replace(" ", "").split(","):
        match = re.fullmatch(r"([a-z_+]+)=([1-9]\d{0,5})", part)
        if not match:
            raise ArgumentError(
                "mix", "must be LABEL=IMAGES, as nodule=500,normal=500", received=text
            )
        names = match[1].split("+")
        for name in names:
            _check_name("mix", name, (NORMAL, *FINDINGS))
        if len(set(names)) < len(names) or (NORMAL in names and len(names) > 1):
            expected = "joins findings that do not go together"
            raise ArgumentError("mix", expected, received=match[1])
        if any(set(names) == set(other.split("+")) for other in wanted):
            raise ArgumentError("mix", "names a label twice; add up", received=match[1])
        wanted[match[1]] = int(match[2])
    return wanted


@dataclass(frozen=True)
class MixOptions(Options):
    """Which labels are asked for, and when judges confirm them.

    Example:

        >>> MixOptions(mix="nodule=5").tries
        20
    """

    mix: str = option(
        rule=TEXT,
        help="images of each label, as pneumothorax=500,nodule+pleural_effusion=50,normal=500",
    )
    present: float = option(
        0.7, number(0, 1, above=True, below=True), "likelihood from which on a finding is there"
    )
    absent: float = option(
        0.3, number(0, 1, above=True, below=True), "likelihood up to which a finding is not there"
    )
    least_severity: float = option(
        0.5,
        number(0, 1),
        "images are moved along the axes by severities drawn between this and 1",
    )
    tries: int = option(20, whole(1, 10**4), "for each image that is asked for, at most")
    unproven: bool = option(False, SWITCH, "move along axes, too, that did not count as found")
    seed: int = option(0, SEED, "of the images that are tried")

    def check(self) -> None:
        """Raises ArgumentError where options do not go together."""
        mixture(self.mix)
        if self.absent >= self.present:
            raise ArgumentError("absent", "must be below present", received=self.absent)
