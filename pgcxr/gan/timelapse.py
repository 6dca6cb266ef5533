"""RUN/training.gif: how the images of the fixed latents came about, from the sheets in RUN/samples.

However long the training was: at most `FRAMES` sheets, evenly chosen by images shown, each reduced
to `LONGEST` pixels. Takes a second for a small run, about ten for one of 1024 px; the file has 20
MB or less.
"""

import bisect
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np

from pgcxr.gan import schedule
from pgcxr.gan.config import GanConfig
from pgcxr.images import enlarge
from pgcxr.plots import animation, grids

NAME = "training.gif"
FRAMES, LONGEST, MILLISECONDS = 100, 540, 100
PAUSE = 15  # frames that the last one stays for
# Smaller images are shown all; of larger ones 4 x 4, so that there is something to see on each.
ALL_UP_TO, SIDE = 64, 4
GRAYS = (
    64  # levels of gray: nobody sees more in a film of thumbnails, and the file is half as large
)
CAPTION, MARGIN = 24, 6  # pixels below the images
SHEET = re.compile(r"kimg(\d+\.\d{3})\.png")
THREADS = 2


def write(folder: Path, config: GanConfig) -> Path | None:
    """Writes RUN/training.gif; None where there are no sheets. A sheet that cannot be read is left
    out.

    Args:
        folder: RUN.
        config: RUN's.
    """
    settings = config.schedule(config.replicas or 1)
    stages = list(schedule.half_phases(settings))
    sheets = {
        float(match[1]): path
        for path in (folder / "samples").glob("*.png")
        if (match := SHEET.fullmatch(path.name))
    }
    chosen = evenly(sorted(sheets))
    with ThreadPoolExecutor(THREADS) as pool:  # OpenCV decodes outside Python's lock
        pictures = list(pool.map(lambda kimg: _picture(sheets[kimg], settings.resolution), chosen))
    frames = [
        _captioned(picture, caption(stages, kimg))
        for kimg, picture in zip(chosen, pictures, strict=True)
        if picture is not None
    ]
    if not frames:
        return None
    frames += [frames[-1]] * PAUSE
    return animation.write_gif(folder / NAME, frames, MILLISECONDS)


def evenly(kimg: list[float], most: int = FRAMES) -> list[float]:
    """At most `most` of the sorted numbers, the first and the last among them, as evenly spaced as
    there are."""
    if len(kimg) <= most:
        return kimg
    chosen = set()
    for wanted in np.linspace(kimg[0], kimg[-1], most):
        place = bisect.bisect_left(kimg, wanted)
        chosen.add(min(kimg[max(0, place - 1) : place + 1], key=lambda each: abs(each - wanted)))
    return sorted(chosen)


def caption(stages: list[schedule.HalfPhase], kimg: float) -> tuple[str, str]:
    """("120.0 kimg", "16 px"), or ("150.0 kimg", "8 to 16 px") where the levels fade; `stages` are
    the schedule's."""
    # The sheet shows the half-phase that ends there, not the one that begins.
    place = bisect.bisect_left([stage.end for stage in stages], round(kimg * 1000))
    stage = stages[min(place, len(stages) - 1)]
    size = 2**stage.level
    return f"{kimg:.1f} kimg", f"{size // 2} to {size} px" if stage.fading else f"{size} px"


def _picture(path: Path, resolution: int) -> np.ndarray | None:
    """uint8 [H, W], the sheet or its upper left part, no side above LONGEST; None for what is no
    sheet of the run."""
    sheet = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    cell = resolution + grids.GAP
    across = (sheet.shape[1] + grids.GAP) // cell if sheet is not None else 0
    across = across if resolution <= ALL_UP_TO else min(across, SIDE)
    extent = across * cell - grids.GAP
    if across == 0 or sheet.shape[0] < extent:
        return None
    sheet = sheet[:extent, :extent]
    larger = max(1, LONGEST // extent)
    return grids.shrink(enlarge(sheet, larger)[..., None], LONGEST)[..., 0]


def _captioned(picture: np.ndarray, texts: tuple[str, str]) -> np.ndarray:
    frame = np.full((picture.shape[0] + CAPTION, picture.shape[1]), grids.PAPER, np.uint8)
    step = 256 // GRAYS
    # Each level in the middle of those that it stands for, white white.
    frame[: picture.shape[0]] = np.where(
        picture == grids.PAPER, picture, picture // step * step + step // 2
    )
    font, size = cv2.FONT_HERSHEY_SIMPLEX, 0.5
    width = cv2.getTextSize(texts[1], font, size, 1)[0][0]
    for text, left in zip(texts, (MARGIN, frame.shape[1] - width - MARGIN), strict=True):
        cv2.putText(frame, text, (left, frame.shape[0] - MARGIN), font, size, 0, 1, cv2.LINE_AA)
    return frame
