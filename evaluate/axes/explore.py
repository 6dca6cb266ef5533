"""Images moved along axes one by one, with what the guides of the axes say of them: what
notebooks/02_axes.ipynb puts under sliders."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from evaluate import common
from pgcxr.cohort.findings import FINDINGS
from pgcxr.editing import panel as panels
from pgcxr.editing.axes_folder import AxesFolder
from pgcxr.errors import InputError
from pgcxr.images import enlarge
from pgcxr.latent import axes as latent_axes
from pgcxr.latent import walks
from pgcxr.latent.space import LatentSpace
from pgcxr.plots import grids, overlay
from pgcxr.sampling import latent_file

SHOWN = 256  # px: smaller images are enlarged
# Of the range [-1, 1], the difference that is shown in full color.
FULL = 0.5


@dataclass(frozen=True)
class View:
    """One synthetic patient, before and after.

    Attributes:
        start, image: uint8 [R, R, C].
        start_likelihoods, likelihoods: {finding: in [0, 1], by the guides}; empty where none is at
            hand.
        heat: Grad-CAM [h, w] of one finding in the image, from 0 to 1, where there is a guide.
    """

    start: np.ndarray
    image: np.ndarray
    start_likelihoods: dict[str, float]
    likelihoods: dict[str, float]
    heat: np.ndarray | None

    def pictures(self) -> dict[str, bytes]:
        """PNGs: "start", "image", "difference" (red: brighter than the start, blue: darker) and,
        with a guide, "gradcam"."""
        gray = _gray(self.image)
        change = (gray.astype(np.float32) - _gray(self.start)) / 127.5
        drawn = {
            "start": self.start,
            "image": self.image,
            "difference": overlay.diff_overlay(gray, change, limit=FULL),
        }
        if self.heat is not None:
            drawn["gradcam"] = overlay.overlay(_large(gray), self.heat, limits=(0.0, 1.0))
        return {name: grids.encode_png(_large(each)) for name, each in drawn.items()}


class Explorer:
    """A generator, the axes that were found in it, and the classifiers that guided them. Amounts
    are in percent of the angle at which an axis ends.

    Attributes:
        note: why there are no likelihoods; "" where there are.
    """

    def __init__(self, gan_run: str | Path, axes_folder: str | Path):
        self.space = LatentSpace.of(gan_run, common.load_generator(gan_run))
        self.generator = self.space.generator
        self.axes = latent_axes.load(axes_folder)
        if self.axes.latent_size != self.generator.latent_size:
            raise InputError(
                f"{axes_folder}: its axes have {self.axes.latent_size} dimensions, the latents of "
                f"{gan_run} {self.generator.latent_size}; find the axes of this generator with "
                "`python -m evaluate.axes`"
            )
        self._one, self._several = (common.synthesizer(self.generator, n) for n in (1, 8))
        self.panel, self.note = _panel(axes_folder, self.generator)
        self._starts: dict[int, tuple] = {}

    @property
    def labels(self) -> dict[str, str]:
        """Name of each axis -> what to write beside its slider; in brackets where it was not
        found."""
        words = {name: name.replace("_", " ") for name in self.axes.names}
        return {
            name: text if found else f"({text})"
            for (name, text), found in zip(words.items(), self.axes.found, strict=True)
        }

    def latents(self, seed: int, percents: Iterable[Mapping[str, float]]) -> np.ndarray:
        """float32 [N, L]: the latent of `seed`, moved by each of the amounts {axis: percent}."""
        start = self.space.labeled(common.latents(seed, 1, self.space.latent_size))
        shares = [[percent.get(name, 0) / 100 for name in self.axes.names] for percent in percents]
        moved = [walks.move(start, self.axes.vectors, self.axes.ends * share) for share in shares]
        return np.concatenate(moved).astype(np.float32)

    def images(self, seed: int, percents: Iterable[Mapping[str, float]]) -> np.ndarray:
        """uint8 [N, R, R, C] of `latents`."""
        moved = self.latents(seed, percents)
        if len(moved) == 1:
            return common.to_uint8(self._one(moved))
        batches = [self._several(moved[i : i + 8]) for i in range(0, len(moved), 8)]
        return common.to_uint8(np.concatenate(batches))

    def view(self, seed: int, percent: Mapping[str, float], finding: str = FINDINGS[0]) -> View:
        """The synthetic patient of `seed` as it is and moved; `finding`: whose Grad-CAM."""
        if seed not in self._starts:
            first = self.images(seed, [{}])
            self._starts = {seed: (first[0], self.likelihoods(first)[0])}
        start, before = self._starts[seed]
        images = self.images(seed, [percent])
        heat = self._heat(images, finding)
        return View(start, images[0], before, self.likelihoods(images)[0], heat)

    def likelihoods(self, images: np.ndarray) -> list[dict[str, float]]:
        """Of each of the images {finding: what the guides say, calibrated on real images}."""
        if self.panel is None:
            return [{} for _ in images]
        told = self.panel.table(self.panel.read(images))
        return [
            {name: float(told[f"{panels.GUIDES}_{name}"][row]) for name in FINDINGS}
            for row in range(len(images))
        ]

    def strip(self, seed: int, axis: str, percents: Iterable[float]) -> bytes:
        """Images along one axis side by side, as PNG."""
        images = self.images(seed, [{axis: percent} for percent in percents])
        scale = max(SHOWN // 2 // images.shape[1], 1)
        return grids.encode_png(grids.tile(images, len(images), scale))

    def save(self, folder: str | Path, seed: int, percent: Mapping[str, float]) -> list[Path]:
        """Writes the moved image as PNG, and its latent as `pgcxr generate --latents` reads it;
        both have the seed and the amounts in their names."""
        moved = [f"{name}{percent[name]:+g}" for name in self.axes.names if percent.get(name)]
        stem = Path(folder) / "_".join([f"seed{seed}", *moved])
        stem.parent.mkdir(parents=True, exist_ok=True)
        selection = self.space.selection(
            self.latents(seed, [percent]), np.array([seed]), f"seed {seed} moved along axes"
        )
        paths = [Path(f"{stem}.png"), Path(f"{stem}.npz")]
        grids.write_png(paths[0], self.images(seed, [percent])[0])
        latent_file.write(paths[1], selection)
        return paths

    def _heat(self, images: np.ndarray, finding: str) -> np.ndarray | None:
        if self.panel is None:
            return None
        from pgcxr.classifier.gradcam import gradcam

        guide = self.panel.networks[0]
        heat = gradcam(guide, common.from_uint8(images), 1 + FINDINGS.index(finding))[0]
        return heat / max(float(heat.max()), 1e-6)


def _panel(axes_folder: str | Path, generator) -> tuple[panels.Panel | None, str]:
    """(guides and judges, "") or (None, why there are none)."""
    try:
        return panels.load(AxesFolder.load(axes_folder), generator.resolution), ""
    except InputError as error:
        return None, str(error)


def _gray(image: np.ndarray) -> np.ndarray:
    """uint8 [R, R] of gray or RGB."""
    return image[..., 0] if image.shape[-1] == 1 else image.mean(axis=-1).astype(np.uint8)


def _large(image: np.ndarray) -> np.ndarray:
    return enlarge(image, max(SHOWN // image.shape[0], 1))
