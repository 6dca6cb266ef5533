"""How far the discriminator has learned its training images by heart, and augmentation that follows
(Karras 2020, arXiv 2006.06676, section 3).

    r_v = (D(train) - D(validation)) / (D(train) - D(generated))

of mean scores: 0 where D scores real images that it has never seen as it does those it trains on,
1 where it takes them for generated. Scores of a WGAN have no zero of their own, so that r_t of the
same paper, the mean sign of D(train), says nothing here.
"""

import math
from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf

from pgcxr.gan import augmentation, schedule
from pgcxr.networks import pixels

IMAGES = 128  # of each of the three sets; a multiple of any group of the minibatch stddev used here
FEWEST = 32
EVERY = 1000  # images shown between two looks of `Adapt`
# More would leak into what G makes (Karras 2020, section 2.2).
MOST = 0.8
PURPOSE = 12  # of the latents, among those drawn from the seed
BATCH = 32


class Overfitting:
    """`(gan, lod)` -> {"r_v", "score_train", "score_validation", "score_generated"}.

    Args:
        training, validation: uint8 [n, r, r, C] of the current level, as many of each.
        labels: float32 [n, K], of the training images of a conditioned GAN.
        latent_size: of the generator.
        seed: of latents and augmentation: the same at each look.
    """

    def __init__(
        self,
        training: np.ndarray,
        validation: np.ndarray,
        labels: np.ndarray | None,
        latent_size: int,
        seed: int,
    ):
        self.n = n = min(len(training), len(validation)) // BATCH * BATCH
        rng = np.random.default_rng([seed, PURPOSE])
        self.latents = rng.standard_normal((n, latent_size)).astype(np.float32)
        self.numbers = rng.uniform(size=(n, augmentation.NUMBERS)).astype(np.float32)
        self.sets = {"train": training[:n], "validation": validation[:n]}
        self.labels = None if labels is None else labels[:n]
        self.graph: Callable | None = None

    def __call__(self, gan, lod: float) -> dict[str, float]:
        if self.graph is None:
            # Traced once in a half-phase: level and fading are fixed in it.
            self.graph = tf.function(lambda *inputs: self._scores(gan, *inputs))
        fade = tf.constant(lod - math.floor(lod), tf.float32)
        means: dict[str, list] = {}
        for start in range(0, self.n, BATCH):
            part = slice(start, start + BATCH)
            scores = self.graph(
                *(images[part] for images in self.sets.values()),
                self.latents[part],
                self.numbers[part],
                None if self.labels is None else self.labels[part],
                fade,
            )
            for name, score in scores.items():
                means.setdefault(name, []).append(float(score))
        found = {f"score_{name}": float(np.mean(of_set)) for name, of_set in means.items()}
        return {"r_v": ratio(*found.values())} | found

    def _scores(self, gan, training, validation, latents, numbers, labels, fade):
        faded = fade if gan.fading else None
        made = gan.generator(latents, labels, level=gan.level, fade=faded)
        sets = {"train": training, "validation": validation, "generated": made}
        scores = {}
        for name, images in sets.items():
            if name != "generated":
                images = pixels.from_uint8(images)
                images = images if faded is None else pixels.fade_reals(images, faded)
            if gan.augment_p is not None:
                images = augmentation.augment(images, numbers, gan.augment_p)
            scores[name] = tf.reduce_mean(gan.discriminator(images, level=gan.level, fade=faded)[0])
        return scores


def ratio(train: float, validation: float, generated: float) -> float:
    """r_v of mean scores; 0 where D tells nothing apart.

    Example:

        >>> ratio(train=3.0, validation=2.0, generated=-1.0)
        0.25
    """
    told = train - generated
    return (train - validation) / told if told > 1e-6 else 0.0


class Adapt(keras.callbacks.Callback):
    """Every `EVERY` images: a little more augmentation where D overfits more than `target`, else a
    little less (Karras 2020, section 3.1).

    The images shown alone decide when, so that a resumed training does the same.

    Args:
        measure: an `Overfitting` of the half-phase.
        half_phase: the schedule.
        target: r_v that is aimed at.
        kimg: in which the probability would go from 0 to 1.
    """

    def __init__(
        self, measure: Overfitting, half_phase: schedule.HalfPhase, target: float, kimg: float
    ):
        super().__init__()
        self.measure, self.half_phase, self.target, self.kimg = measure, half_phase, target, kimg

    def on_train_batch_end(self, batch, logs=None):
        minibatch = self.half_phase.minibatch
        cur_nimg = self.half_phase.start + (batch + 1) * minibatch
        if cur_nimg // EVERY == (cur_nimg - minibatch) // EVERY:
            return
        r_v = self.measure(self.model, float(np.asarray(self.model.generator.lod)))["r_v"]
        # Not of the minibatch: what it jumps over is one look, too.
        step = math.copysign(max(EVERY, minibatch) / (1000 * self.kimg), r_v - self.target)
        p = float(np.asarray(self.model.augment_p)) + step
        self.model.augment_p.assign(min(max(p, 0.0), MOST))
