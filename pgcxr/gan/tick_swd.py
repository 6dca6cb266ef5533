"""The sliced Wasserstein distance of every tick: how near Gs's images are to real ones, cheaply and
on one scale.

A rough measure to follow a training by, not one to publish (that takes thousands of images, and 4
repeats). A few hundred images at the current level are compared along 128 directions, once.
Latents, real images, places and directions are the same at every tick of a level, so that what
moves the curve is the generator; they depend on the seed alone, so that a resumed run draws the
same curve.

Cost: a tick of n training images compares n / `SHARE` or fewer. With the images that are made for
it, one comparison took 0.14 s of the demo's ticks at 32 px (125 images, ticks of 7.5 s on two CPU
cores: 2 %). The comparison alone takes 0.1 s at 16 px, 0.5 s at 256 px (256 images) and 0.6 s at
1024 px (64 images). While levels fade there are two, for the floor moves too.
"""

import numpy as np

from pgcxr.gan import samples, schedule
from pgcxr.metrics import swd

PER_IMAGE = 32  # neighborhoods of each: more images with fewer of them vary less for the same time
SHARE = 16  # training images for each one that is compared
FEWEST = 16  # with less, the distance says nothing
PIXELS = 2**26  # of one set: 64 images at 1024 px
PURPOSE = 11  # of the latents, among those drawn from the seed


def count(settings: schedule.Settings, cur_nimg: int, asked: int, reals: int) -> int:
    """How many images are compared at ticks from `cur_nimg` on; 0: none.

    Args:
        asked: at most (the config's `swd_images`).
        reals: how many there are; half of them are held against the other half.
    """
    point = schedule.at(settings, cur_nimg)
    if point.resolution < swd.SMALLEST:
        return 0
    n = min(asked, int(point.tick_kimg * 1000) // SHARE, reals // 2, PIXELS // point.resolution**2)
    return n if n >= FEWEST else 0


class TickSWD:
    """`(generator, lod)` -> {"<r>": distance at r px, ..., "16", "mean", the same with "_floor",
    "images"}, in 1e-3.

    The floor is the distance between real images and as many others, by the same places and
    directions: that is what a perfect generator would have. Where levels fade, reals fade as the
    critic sees them.

    Args:
        reals: uint8 [2 n, r, r, C], of the current level; the second half is for the floor.
        labels: [2 n, K] of the reals of a conditioned GAN: made images have those of the reals that
            they are compared with, as in the training of D.
        latent_size: of the generator.
        seed: of latents, places and directions.
        mirror: whether the training flips reals.
    """

    def __init__(
        self,
        reals: np.ndarray,
        labels: np.ndarray | None,
        latent_size: int,
        seed: int,
        mirror: bool = False,
    ):
        self.reals, self.n, self.seed, self.mirror = reals, len(reals) // 2, seed, mirror
        self.labels = None if labels is None else labels[: self.n]
        drawn = np.random.default_rng([seed, PURPOSE]).standard_normal((self.n, latent_size))
        self.latents = drawn.astype(np.float32)
        self.faded = None, None, None  # lod, the reals as they are then, their floor

    def __call__(self, generator, lod: float) -> dict[str, float]:
        fakes = samples.images_of(generator, self.latents, self.labels, lod)
        reals, floor = self._reals(lod)
        found = swd.sliced_wasserstein(reals, fakes, self._seed(), PER_IMAGE, repeats=1)
        return (
            found | {f"{name}_floor": value for name, value in floor.items()} | {"images": self.n}
        )

    def _reals(self, lod: float) -> tuple[np.ndarray, dict]:
        if self.faded[0] != lod:
            seen = samples.as_the_critic_sees(self.reals, lod, self.mirror)
            some, others = seen[: self.n], seen[self.n : 2 * self.n]
            self.faded = (
                lod,
                some,
                swd.sliced_wasserstein(some, others, self._seed(), PER_IMAGE, repeats=1),
            )
        return self.faded[1:]

    def _seed(self) -> np.random.RandomState:
        # NumPy's old generator takes 32 bits at a time.
        return np.random.RandomState([self.seed & 0xFFFFFFFF, self.seed >> 32])
