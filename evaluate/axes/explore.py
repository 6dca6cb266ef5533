"""Images for sliders along the axes: what notebooks/01_latent_axes.ipynb shows."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import cv2
import numpy as np

from evaluate import common
from pgcxr.errors import InputError
from pgcxr.latent import axes as latent_axes
from pgcxr.latent import walks
from pgcxr.plots import grids

SHOWN = 256  # px: smaller images are enlarged


class Explorer:
    """A generator and the axes that were found in it. Amounts are in percent of the angle at which
    an axis ends."""

    def __init__(self, gan_run: str | Path, axes_folder: str | Path):
        self.generator = common.load_generator(gan_run)
        self.axes = latent_axes.load(axes_folder)
        if self.axes.latent_size != self.generator.latent_size:
            raise InputError(
                f"{axes_folder}: its axes have {self.axes.latent_size} dimensions, the latents of "
                f"{gan_run} {self.generator.latent_size}; find the axes of this generator with "
                "`python -m evaluate.axes`"
            )
        self._synthesize = common.synthesizer(self.generator, batch=8)

    @property
    def labels(self) -> dict[str, str]:
        """Name of each axis -> what to write beside its slider; in brackets where it was not
        found."""
        words = {name: name.replace("_", " ") for name in self.axes.names}
        return {
            name: text if found else f"({text})"
            for (name, text), found in zip(words.items(), self.axes.found, strict=True)
        }

    def images(self, seed: int, percents: Iterable[Mapping[str, float]]) -> np.ndarray:
        """uint8 [N, R, R, C]: the synthetic patient of `seed`, moved by each of the amounts {axis:
        percent}."""
        start = common.latents(seed, 1, self.generator.latent_size)
        shares = [[percent.get(name, 0) / 100 for name in self.axes.names] for percent in percents]
        moved = [walks.move(start, self.axes.vectors, self.axes.ends * share) for share in shares]
        batches = [
            self._synthesize(np.concatenate(moved[i : i + 8])) for i in range(0, len(moved), 8)
        ]
        return common.to_uint8(np.concatenate(batches))

    def png(self, seed: int, percent: Mapping[str, float]) -> bytes:
        """One image as PNG."""
        return _png(self.images(seed, [percent]))

    def strip(self, seed: int, axis: str, percents: Iterable[float]) -> bytes:
        """Images along one axis side by side, as PNG."""
        return _png(self.images(seed, [{axis: percent} for percent in percents]))


def _png(images: np.ndarray) -> bytes:
    scale = (
        max(SHOWN // images.shape[1], 1)
        if len(images) == 1
        else max(SHOWN // 2 // images.shape[1], 1)
    )
    return cv2.imencode(".png", grids.tile(images, len(images), scale))[1].tobytes()
