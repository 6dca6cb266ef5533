"""What is made black in an image: regions as fractions of its sides, of all makers or of one, and
text that is found.

It is made black after the display pipeline (VOI, inversion) and before the normalization's
percentiles: the brightness of letters that nobody will see must not decide how bright the chest is.
Like padding, its pixels are not counted.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from pgcxr.cohort import vocabulary
from pgcxr.dicom import pixel_data
from pgcxr.dicom.reading import Rejected
from pgcxr.errors import ArgumentError, InputError
from pgcxr.privacy import burned_in

# Pixels around found text, at least: letters have blurred edges where they were compressed.
MARGIN = 4
# Where a line runs over a brighter part of the chest, its last letters may be too faint to be
# found: as many heights of a letter are hidden at either end.
FAINT_LETTERS = 5


@dataclass(frozen=True)
class Region:
    """Fractions of width and height, from the top left; of images of `maker` alone, unless it is
    ""."""

    x: float
    y: float
    width: float
    height: float
    maker: str = ""

    def applies(self, manufacturer: str) -> bool:
        """Whether a header's Manufacturer is the maker, by its name in a manifest or by any word of
        it."""
        words = re.findall(r"[a-z0-9]+", manufacturer.lower())
        wanted = self.maker.lower()
        return (
            not wanted or wanted == vocabulary.shown_maker(manufacturer).lower() or wanted in words
        )

    def __str__(self) -> str:
        numbers = ",".join(f"{number:g}" for number in (self.x, self.y, self.width, self.height))
        return f"{self.maker}: {numbers}" if self.maker else numbers


def parse(text: str) -> Region:
    """ "x,y,w,h" or "Maker: x,y,w,h", as the argument `black_out` gives them.

    Raises:
        ArgumentError: it is neither, or lies outside of the image.
    """
    maker, _, numbers = text.rpartition(":")
    try:
        x, y, width, height = (float(number) for number in numbers.split(","))
    except ValueError:
        x = y = width = height = -1.0
    # 1e-9: 0.9 + 0.1 may be more than 1.
    if not (
        0 <= x < 1
        and 0 <= y < 1
        and width > 0
        and height > 0
        and max(x + width, y + height) <= 1 + 1e-9
    ):
        expected = "needs x,y,w,h as fractions of the image, for example 0,0,1,0.08"
        raise ArgumentError("black_out", expected, received=text)
    return Region(x, y, width, height, maker.strip())


@dataclass(frozen=True)
class BlackOut:
    """`regions` are always black, `text` where it is found; or images with text are refused
    (`no_text`)."""

    regions: Sequence[Region] = ()
    text: bool = False
    no_text: bool = False

    def look_up(
        self,
        codes: np.ndarray,
        table: Callable[[np.ndarray], np.ndarray],
        maker: str = "",
        outside: np.ndarray | None = None,
    ) -> np.ndarray:
        """The image of `codes`, with what is hidden black.

        Args:
            codes: unsigned [H, W].
            table: function(int64 pixels of each code) -> uint8 or uint16, what each code is shown
                as.
            maker: the header's Manufacturer.
            outside: bool [H, W], what is hidden besides (a display shutter).
        Raises:
            Rejected: there is text, and it is to be neither kept nor made black ("burned_in_text").
        """
        return self._look_up(codes, table, maker, outside)[0]

    def hidden(
        self, codes: np.ndarray, table: Callable[[np.ndarray], np.ndarray], maker: str = ""
    ) -> np.ndarray:
        """bool [H, W]: what `look_up` makes black."""
        return self._look_up(codes, table, maker)[1] if self else np.zeros(codes.shape, bool)

    def __bool__(self) -> bool:
        return bool(self.regions) or self.text or self.no_text

    def _look_up(
        self, codes, table, maker: str, outside: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        hidden = self._regions(codes.shape, maker)
        if outside is not None:
            hidden |= outside
        # Most images have nothing hidden, and are looked up faster so.
        image = pixel_data.look_up_inside(table, codes, hidden if hidden.any() else None)
        if self.text or self.no_text:
            shown = image if image.itemsize == 1 else (image >> 8).astype(np.uint8)
            boxes = burned_in.text_regions(shown)
            if len(boxes) and not self.text:
                raise Rejected("burned_in_text", "what looks like text near the borders")
            if len(boxes):
                hidden = hidden | around(codes.shape, boxes)
                image = pixel_data.look_up_inside(table, codes, hidden)
        return image, hidden

    def described(self) -> dict:
        """For report.json."""
        return {
            "regions": [str(region) for region in self.regions],
            "text": self.text,
            "no_text": self.no_text,
        }

    def _regions(self, shape: tuple[int, int], maker: str) -> np.ndarray:
        hidden = np.zeros(shape, bool)
        sides = np.array([shape[1], shape[0]])
        for region in self.regions:
            if region.applies(maker):
                # Every pixel that is touched; rounding errors touch none.
                start = np.floor(np.array([region.x, region.y]) * sides + 1e-6).astype(int)
                end = np.array([region.x + region.width, region.y + region.height]) * sides
                right, bottom = np.ceil(end - 1e-6).astype(int)
                hidden[start[1] : bottom, start[0] : right] = True
        return hidden


def around(shape: tuple[int, int], boxes: np.ndarray) -> np.ndarray:
    """bool [H, W]: boxes around lines of text in pixels [N, 4], with margins."""
    hidden = np.zeros(shape, bool)
    for x, y, width, height in boxes:
        letter = min(height, width)
        margin, ends = max(MARGIN, letter // 4), FAINT_LETTERS * letter
        across, down = (ends, margin) if width >= height else (margin, ends)
        hidden[max(y - down, 0) : y + height + down, max(x - across, 0) : x + width + across] = True
    return hidden


def asked(texts: Sequence[str], text: bool, table: dict | None = None, rules_file=None) -> BlackOut:
    """What the arguments `black_out` and `black_out_text` and [black_out] in the rules ask for
    together."""
    regions = [parse(region) for region in texts]
    if table is None:
        return BlackOut(tuple(regions), text)
    for region in table["regions"]:
        try:
            regions.append(parse(region))
        except ArgumentError as error:
            where = f"{rules_file}: [black_out] regions"
            raise InputError(error.spelled(where)) from None
    return BlackOut(tuple(regions), text or table["text"], table["found_text"] == "exclude")
