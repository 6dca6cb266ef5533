"""Training of the encoder with Keras fit: images of known latents, and real normals."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf

from pgcxr.io import artifacts
from pgcxr.latent.encoder import encoder_network, first_guess, refine
from pgcxr.latent.encoder_config import EncoderConfig
from pgcxr.losses.residuals import squared_error
from pgcxr.networks import synthesize

# The learning rate rises over this share of the steps, then falls to 0.
WARMUP = 0.05


class Normals(NamedTuple):
    """Real images of a batch, [B, R, R, C] in [-1, 1].

    Attributes:
        inputs: what the encoder sees.
        targets: what the generator is to make of its latents.
    """

    inputs: np.ndarray
    targets: np.ndarray


class EncoderTraining(keras.Model):
    """An encoder with the losses of all its passes.

    Of pairs 1 - cos(z, z of the guess), of normals the squared error in units of their `spread`: 1
    for a guess that knows nothing, both. No gradient goes from one pass to the one before.

    Args:
        encoder: see `pgcxr.latent.encoder.encoder_network`.
        generate: latents [N, L] -> images [N, R, R, C].
        passes: how often a guess is corrected.
        latent_loss: weight of the first of the losses.
        spread: mean squared difference of normals from their mean.
    """

    def __init__(
        self,
        encoder: keras.Model,
        generate: Callable,
        passes: int,
        latent_loss: float,
        spread: float,
    ):
        super().__init__()
        self.encoder, self.generate = encoder, generate
        self.passes, self.latent_loss, self.spread = passes, latent_loss, spread
        self.trackers = [keras.metrics.Mean(name) for name in ("loss", "image", "latent")]

    @property
    def metrics(self):
        """loss, image (of the last pass), latent (of the last pass)."""
        return self.trackers

    def train_step(self, data):
        """One step of Adam on a batch (inputs, targets, latents)."""
        inputs, targets, latents = data
        count = tf.shape(inputs)[0]
        images = tf.concat([inputs, self.generate(latents)], axis=0)
        known = tf.math.l2_normalize(latents, axis=1)
        with tf.GradientTape() as tape:
            z, pictures = first_guess(self.generate, images, latents.shape[1])
            loss = 0.0
            for number in range(self.passes):
                z = refine(self.encoder, images, z, pictures)
                mine, theirs = self.generate(z[:count]), z[count:]
                image = tf.reduce_mean(squared_error(targets, mine)) / self.spread
                cosine = tf.reduce_sum(tf.math.l2_normalize(theirs, axis=1) * known, axis=1)
                latent = tf.reduce_mean(1 - cosine) if latents.shape[0] else 0.0
                loss += (image + self.latent_loss * latent) / self.passes
                if number + 1 < self.passes:
                    z = tf.stop_gradient(z)
                    pictures = tf.concat([tf.stop_gradient(mine), self.generate(z[count:])], axis=0)
        variables = self.encoder.trainable_variables
        self.optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))
        for tracker, value in zip(self.trackers, (loss, image, latent), strict=True):
            tracker.update_state(value)
        return {tracker.name: tracker.result() for tracker in self.trackers}


def fit_encoder(
    normals: Callable[[int], Normals],
    generator,
    config: EncoderConfig,
    seed: int,
    spread: float,
    state: str | Path,
    callbacks: Sequence[keras.callbacks.Callback] = (),
) -> tuple[keras.Model, dict]:
    """Trains a new encoder, or goes on with one whose training was interrupted.

    Args:
        normals: step -> its normal images, [round((1 - pairs) batch_size), R, R, C].
        generator: a `pgcxr.networks.Generator`; it stays as it is.
        config: the encoder and how it is trained.
        seed: of weights and latents; one seed, one result on one machine.
        spread: mean squared difference of normals from their mean.
        state: file that holds how far the training is, after each epoch.
        callbacks: of Keras.

    Returns:
        (encoder, {"loss", "image", "latent": one value per epoch}).
    """
    keras.utils.set_random_seed(seed)
    size, channels = generator.resolution, generator.channels
    config.check_size(size)
    widths = tuple(config.widths)
    encoder = encoder_network(size, channels, generator.latent_size, widths, config.hidden)
    model = EncoderTraining(
        encoder, whole_images(generator), config.passes, config.latent_loss, spread
    )
    steps = config.epochs * config.steps_per_epoch
    warmup = max(int(WARMUP * steps), 1)
    rate = keras.optimizers.schedules.CosineDecay(
        config.learning_rate / 25,
        max(steps - warmup, 1),
        warmup_target=config.learning_rate,
        warmup_steps=warmup,
    )
    model.compile(optimizer=keras.optimizers.Adam(rate, clipnorm=1.0), jit_compile=False)
    # Variables made within the first step would have it traced twice, and a state has them all.
    model.optimizer.build(encoder.trainable_variables)
    kept = _State(Path(state))
    kept.set_model(model)
    begun = kept.restore()
    model.fit(
        _batches(normals, generator, config, seed, range(begun * config.steps_per_epoch, steps)),
        initial_epoch=begun,
        epochs=config.epochs,
        steps_per_epoch=config.steps_per_epoch,
        callbacks=[kept, *callbacks],
        shuffle=False,
        verbose=0,
    )
    return encoder, kept.history


def whole_images(generator) -> Callable:
    """latents [N, L] -> images [N, R, R, C] of the part of the generator that has grown."""
    lod = float(np.asarray(generator.lod))
    return lambda z: synthesize(generator, z, lod=lod)


class _State(keras.callbacks.Callback):
    """Writes weights, the optimizer's variables and the history after each epoch."""

    def __init__(self, path: Path):
        super().__init__()
        self.path, self.history = path, {name: [] for name in ("loss", "image", "latent")}

    def restore(self) -> int:
        """Epochs that are done."""
        if not self.path.exists():
            return 0
        with np.load(self.path) as saved:
            for place, variable in enumerate(self._variables()):
                variable.assign(saved[f"variable{place}"])
            self.history = {name: saved[name].tolist() for name in self.history}
        return len(self.history["loss"])

    def on_epoch_end(self, epoch, logs=None):
        for name, values in self.history.items():
            values.append(float(logs[name]))
        arrays = {f"variable{place}": np.asarray(v) for place, v in enumerate(self._variables())}
        artifacts.write_arrays(self.path, arrays | self.history)

    def _variables(self) -> list:
        return [*self.model.encoder.variables, *self.model.optimizer.variables]


def _batches(normals: Callable[[int], Normals], generator, config, seed: int, steps: range):
    """(inputs, targets, latents) of each step; a step's depend on nothing but the seed."""
    count = round(config.batch_size * (1 - config.pairs))
    real = (count, generator.resolution, generator.resolution, generator.channels)
    known = (config.batch_size - count, generator.latent_size)

    def draw(step):
        latents = np.random.default_rng([seed, int(step), 1]).standard_normal(known, np.float32)
        return *normals(int(step)), latents

    def load(step):
        parts = tf.numpy_function(draw, [step], (tf.float32,) * 3)
        for part, shape in zip(parts, (real, real, known), strict=True):
            part.set_shape(shape)
        return tuple(parts)

    return tf.data.Dataset.range(steps.start, steps.stop).map(load).prefetch(2)
