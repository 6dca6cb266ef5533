"""What is looked at first: a sheet of samples, or the strip and the animation of a path."""

from pathlib import Path

import numpy as np

from pgcxr.plots import animation, grids

GRID = (8, 8)  # rows and columns of samples.png unless told otherwise
LONGEST = 8192  # pixels a side of a sheet, or nearly
ANIMATED = 512  # pixels a side of animation.gif
SMALLEST = 4
MILLISECONDS = 80  # that each frame is shown for


class Samples:
    """samples.png: the first images row by row, reduced where the sheet would be too large."""

    def __init__(self, images: int, grid: tuple[int, int] | None):
        rows, columns = grid or GRID
        self.columns = min(columns, images)
        self.shown = min(images, rows * columns)
        self.longest = max(SMALLEST, LONGEST // max(self.columns, -(-self.shown // self.columns)))
        self.kept: list[np.ndarray] = []

    def add(self, image: np.ndarray) -> None:
        """The next image, uint8 [R, R, C]."""
        if len(self.kept) < self.shown:
            self.kept.append(grids.shrink(image, self.longest))

    def write(self, folder: Path) -> None:
        """After the last image."""
        grids.image_grid(np.stack(self.kept), self.columns, folder / "samples.png")


class Strip:
    """strip.png, a row from each image of a path to the next, and animation.gif."""

    def __init__(self, steps: int):
        self.steps = steps
        self.frames: list[np.ndarray] = []

    def add(self, image: np.ndarray) -> None:
        """The next frame, uint8 [R, R, C]."""
        self.frames.append(grids.shrink(image, ANIMATED))

    def write(self, folder: Path) -> None:
        """After the last frame."""
        starts = range(0, len(self.frames) - 1, self.steps)
        longest = max(SMALLEST, LONGEST // max(len(starts), self.steps + 1))
        strip = [
            grids.shrink(frame, longest)
            for at in starts
            for frame in self.frames[at : at + self.steps + 1]
        ]
        grids.image_grid(np.stack(strip), self.steps + 1, folder / "strip.png")
        animation.write_gif(folder / "animation.gif", self.frames, MILLISECONDS)
