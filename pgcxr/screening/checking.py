"""Whether a file is an image that a model can say something of, and that image. Runs in worker
processes.

The rules are those of the model's own cohort: what `pgcxr curate` would have excluded is refused,
and what it would have kept with a doubt is flagged. Rules about labels, dates and splits say
nothing of a new image, and are not asked. What a header does not say is noted and left to the
rules on pixels: a third of real chest headers say nothing of the view or the part of the body.
"""

import contextlib
import os
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np

from pgcxr import dicom, sources
from pgcxr.cohort import image_files, vocabulary
from pgcxr.curation import image_checks, pixels
from pgcxr.curation.rules import Rules
from pgcxr.dicom import Rejected
from pgcxr.images import fitted_side, to_square
from pgcxr.io import user_files
from pgcxr.privacy.black_out import BlackOut
from pgcxr.screening.preparation import Preparation
from pgcxr.sources import Scan, dicom_files

# Rules on the header that refuse, and that flag.
REFUSING = ("modality", "body_part", "age", "view")
FLAGGING = ("sex", "manufacturer", "burned_in_annotation")
# Side of the pictures that are shown.
DISPLAY = 512
# In an image of fewer pixels letters cannot be told from ribs and wires (text is "found" in 43 % of
# 191 portable films of 256 px), so that it is shown too coarse to be read instead.
LEGIBLE, COARSE = 512, 128
# What is less like the mean chest than this, inverted or turned as may be, is hardly one: of 520
# films of the NIH none, of 191 portable ones 3 %; a dental radiograph is.
CHEST = 0.55
TEXT = "burned_in_text: what looks like text near the borders; made black before it was scored"
CONTRADICTS = {
    sources.AGE: "age: the header contradicts itself",
    sources.VIEW: "view: the header contradicts itself",
    sources.DESCRIBED_VIEW: "view: a description in the header names another",
    sources.MIRRORED: "view: mirrored, as the header says",
}


@dataclass(frozen=True)
class Job:
    """One file to look at; `path` is identifying."""

    path: Path = field(repr=False)
    preparation: Preparation = field(repr=False)


@dataclass(frozen=True)
class Checked:
    """What is known of one file before a model is asked.

    Attributes:
        refused: "rule: detail", or "" for an image that may be scored.
        flags: "rule: detail" of each doubt.
        notes: what the header does not say.
        squares: {side: uint8 [side, side]}, what the model reads.
        display: uint8 [DISPLAY, DISPLAY], what is shown: without text in the pixels.
        coarse: whether it is shown too coarse to be read, and so is all that is made of it.
        changed: whether the file was written to meanwhile, so that nothing of this is certain.
    """

    refused: str = ""
    flags: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    squares: dict[int, np.ndarray] = field(default_factory=dict)
    display: np.ndarray | None = None
    coarse: bool = False
    changed: bool = False


def check(job: Job) -> Checked:
    """Looks at one file. That it cannot be read is a result, too."""
    before = _state(job.path)
    try:
        found = _check(job)
    except Rejected as reason:
        found = Checked(f"{reason.rule}: {reason.detail}")
    if before is None or _state(job.path) != before:
        return Checked(changed=True)
    return found


def failed(rule: str, detail: str) -> Checked:
    """Of a file that brings its process down, or may not be opened."""
    return Checked(f"{rule}: {detail}")


def _check(job: Job) -> Checked:
    rules, preparation = job.preparation.rule_set(), job.preparation
    scan, notes = _described(job.path, rules)
    broken = rules.broken(scan, REFUSING)
    if broken:
        return Checked(": ".join(broken))
    if sources.AGE in scan.contradicts and rules.enabled("age"):
        # One of the two may be a child's.
        return Checked(CONTRADICTS[sources.AGE])
    flags = [CONTRADICTS[each] for each in scan.contradicts if each in CONTRADICTS]
    for rule in FLAGGING:
        broken = rules.broken(scan, (rule,))
        flags += [": ".join(broken)] if broken else []
    decoding = preparation.decoding()
    image = pixels.decode(job.path, decoding)
    if _side(image, preparation) < max(preparation.sides):
        return Checked(f"too_small: smaller than {max(preparation.sides)} px")
    refused, doubts = _seen(image, rules, scan.view)
    if refused:
        return Checked(refused)
    legible = max(image.shape) >= LEGIBLE
    text = legible and not preparation.text and pixels.shows_text(image)
    flags += [*doubts, *([TEXT] if text else [])]
    hidden = text or any(flag.startswith("burned_in") for flag in flags)
    image, coarse = _without_text(job.path, image, preparation, hidden)
    square = _square(image, preparation)
    squares = {side: to_square(square, side) for side in preparation.sides}
    return Checked("", tuple(flags), notes, squares, _display(image, preparation, coarse), coarse)


def _described(path: Path, rules: Rules) -> tuple[Scan, tuple[str, ...]]:
    """(what a file says of itself, and what it does not say)."""
    scan = Scan(1, path, "")
    if image_files.is_image(path):
        _refuse_color(path)
        scan.silent = (*REFUSING, *FLAGGING)
        return scan, ("no header: age, view and machine are not known",)
    dicom_files.describe(scan, dicom.read_header(path))
    scan.silent = rules.missing(scan, (*REFUSING, *FLAGGING))
    unsaid = [rule for rule in scan.silent if rule in ("modality", "age", "view", "manufacturer")]
    unsaid = [rule for rule in unsaid if rules.enabled(rule)]
    return scan, ((f"the header does not say: {', '.join(unsaid)}",) if unsaid else ())


def _refuse_color(path: Path) -> None:
    rows, columns = image_files.image_size(path)
    if not 0 < rows * columns <= image_files.MAX_PIXELS:
        return  # decoding says what is wrong
    content = user_files.read_bytes(path, image_files.MOST_BYTES)
    if image_files.shows_color(content):
        raise Rejected("colour", "colored pixels: a photograph or a screenshot")


def _seen(image: np.ndarray, rules: Rules, view: str) -> tuple[str, list[str]]:
    """("rule: detail" of a rule on pixels that is broken, those of doubts)."""
    measures = image_checks.measure(image)
    if measures is None:
        return "", ["too_small: for the rules on pixels"]
    allowed = rules.tables["view"]["allowed"]
    frontal = [name for name in allowed if name in ("PA", "AP")]
    # What says nothing of itself is held to be what the model knows, so that another is told.
    assumed = vocabulary.shown_view(view) or (frontal[0] if frontal else "")
    broken = rules.broken_by_image(measures, assumed)
    if broken:
        return ": ".join(_hardly_a_chest(*broken, measures.likeness)), []
    return "", [
        ": ".join(_hardly_a_chest(*doubt, measures.likeness))
        for doubt in rules.image_flags(measures, assumed)
    ]


def _hardly_a_chest(rule: str, detail: str, likeness: float) -> tuple[str, str]:
    """What is explained best by an inverted or a turned chest may be no chest."""
    if rule in ("inverted", "rotated") and likeness < CHEST:
        return "cropped", f"hardly like a chest; if it is one, {rule}: {detail}"
    return rule, detail


def _square(image: np.ndarray, preparation: Preparation) -> np.ndarray:
    """As the cohort's PNG file would be, uint8; nothing is enlarged."""
    side = min(preparation.size, _side(image, preparation))
    square = to_square(image, side, preparation.fit)
    return square if square.itemsize == 1 else (square >> 8).astype(np.uint8)


def _side(image: np.ndarray, preparation: Preparation) -> int:
    rows, columns = image.shape
    return fitted_side(rows, columns, preparation.fit)


def _without_text(
    path: Path, image: np.ndarray, preparation: Preparation, hidden: bool
) -> tuple[np.ndarray, bool]:
    """(the image that is scored and shown, whether it is shown too coarse to be read).

    Where there may be text, it is looked for at full resolution and made black. Where none is
    found, and in small images, all is shown coarse.
    """
    if max(image.shape) < LEGIBLE:
        return image, True
    if not hidden:
        return image, False
    regions = preparation.decoding().black_out.regions
    cleaned = pixels.decode(
        path,
        pixels.Decoding(
            preparation.decoding().normalize,
            preparation.bits,
            black_out=BlackOut(regions, text=True),
        ),
    )
    return cleaned, np.array_equal(cleaned, image)


def _display(image: np.ndarray, preparation: Preparation, coarse: bool) -> np.ndarray:
    if image.itemsize == 2:
        image = (image >> 8).astype(np.uint8)
    finest = min(COARSE if coarse else DISPLAY, _side(image, preparation))
    square = to_square(image, finest, preparation.fit)
    if finest == DISPLAY:
        return square
    return cv2.resize(square, (DISPLAY, DISPLAY), interpolation=cv2.INTER_LINEAR)


def _state(path: Path) -> tuple[int, int] | None:
    with contextlib.suppress(OSError):
        status = os.stat(path)
        return status.st_size, status.st_mtime_ns
    return None
