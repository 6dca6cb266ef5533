"""Real and synthetic images beside each other, and a game of them."""

import html

import ipywidgets as widgets
import numpy as np

from evaluate import common
from evaluate.notebooks.showing import Study
from pgcxr.cohort.manifest import Cohort
from pgcxr.images import enlarge
from pgcxr.plots import grids

PX = 320
PURPOSE = 7  # of the latents: those of no evaluation


def drawn(study: Study, count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """uint8 [N, R, R, 1] of real test images, and as many synthetic ones of the GAN; `count` of
    each, or all real ones where they are fewer."""
    gan = study.step("gan")
    generator = common.load_generator(gan)
    test = common.cohort_of(gan).select("test")
    rows = np.random.default_rng([seed, PURPOSE]).permutation(len(test.manifest))[:count]
    real = Cohort(test.folder, test.manifest.iloc[np.sort(rows)]).images(generator.resolution)
    latents = common.latents(seed, len(real), generator.latent_size, PURPOSE)
    return real, common.generate(generator, latents)


class Game:
    """One image after the other, real or synthetic; counts the right guesses. No reader study: for
    that there is `python -m evaluate.readers`.

    Attributes:
        box: the widget to show.
        right, asked: of the guesses.
    """

    def __init__(self, real: np.ndarray, synthetic: np.ndarray, seed: int = 0):
        order = np.random.default_rng(seed).permutation(len(real) + len(synthetic))
        self.pictures = np.concatenate([real, synthetic])[order]
        self.truth = np.where(order < len(real), "real", "synthetic")
        self.right = self.asked = 0
        self.picture = widgets.Image(format="png", layout={"width": f"{PX}px", "height": f"{PX}px"})
        self.said = widgets.HTML()
        self.buttons = [widgets.Button(description=word) for word in ("real", "synthetic")]
        for button in self.buttons:
            button.on_click(lambda pressed: self.guess(pressed.description))
        self.box = widgets.HBox(
            [self.picture, widgets.VBox([widgets.HBox(self.buttons), self.said])],
            layout={"grid_gap": "16px"},
        )
        self._show()

    def guess(self, word: str) -> None:
        """What the player says of the image that is shown."""
        if self.asked == len(self.truth):
            return
        truth = self.truth[self.asked]
        self.right += word == truth
        self.asked += 1
        lines = [
            f"That one was {truth}.",
            f"{self.right} right of {self.asked}; {len(self.truth) - self.asked} to go.",
        ]
        self.said.value = "<br>".join(map(html.escape, lines))
        self._show()

    def _show(self) -> None:
        done = self.asked == len(self.truth)
        for button in self.buttons:
            button.disabled = done
        if not done:
            image = self.pictures[self.asked]
            large = enlarge(image, max(PX // image.shape[0], 1))
            self.picture.value = grids.encode_png(large)


def beside(real: np.ndarray, synthetic: np.ndarray, columns: int = 10) -> widgets.Image:
    """Real images, row by row, above synthetic ones."""
    sheet = grids.tile(np.concatenate([real, synthetic]), columns)
    return widgets.Image(value=grids.encode_png(sheet), layout={"width": "900px"})
