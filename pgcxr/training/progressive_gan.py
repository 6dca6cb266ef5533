"""The two networks and their average, trained against each other by Keras `fit`, one half-phase at a time."""

import keras
import tensorflow as tf

from pgcxr import images
from pgcxr.losses import wgan_gp
from pgcxr.networks import Discriminator, Generator
from pgcxr.training import averaging
from pgcxr.training.adam import FiniteAdam

# What a stateless random number is for; part of its key, beside the seed and the number of images shown.
LATENTS_D, MIXING, LATENTS_G = 1, 2, 3


class ProgressiveGAN(keras.Model):
    """WGAN-GP training of growing networks (arXiv 1710.10196).

    `grow_to` fixes the graph for one half-phase; within it only `lod` and the learning rates change. Random numbers
    are keyed by (seed, images shown, purpose) and drawn for the global batch, so that a resumed run, and a run on
    another number of replicas, sees the same ones.

    Arguments:
        generator, discriminator: of the same resolution.
        seed: of the latents and mixing factors.
        weight, target, drift: see `wgan_gp.discriminator_loss`.

    Input of `fit`: uint8 [N, h, w, C], real images at the level's resolution.
    """

    def __init__(
        self,
        generator: Generator,
        discriminator: Discriminator,
        seed: int,
        weight: float = 10.0,
        target: float = 1.0,
        drift: float = 0.001,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.generator = generator
        self.discriminator = discriminator
        self.generator_ema = Generator.from_config({**generator.get_config(), "name": "generator_ema"})
        self.generator_ema.set_weights(generator.get_weights())
        self.seed = seed
        self.weight, self.target, self.drift = weight, target, drift
        self.seen = self.add_weight(
            name="seen", shape=(), dtype="int64", initializer="zeros", trainable=False, aggregation="only_first_replica"
        )
        self.level, self.fading, self.minibatch, self.decay = generator.max_level, False, None, 0.999
        self.built = True

    def compile(self, **kwargs):
        """Makes both optimizers, with all their variables: a strategy cannot make them later."""
        super().compile(optimizer=None, **kwargs)
        self.g_optimizer = FiniteAdam(0.001, beta_1=0.0, beta_2=0.99, epsilon=1e-8, name="adam_g")
        self.d_optimizer = FiniteAdam(0.001, beta_1=0.0, beta_2=0.99, epsilon=1e-8, name="adam_d")
        self.g_optimizer.build(self.generator.trainable_variables)
        self.d_optimizer.build(self.discriminator.trainable_variables)

    def grow_to(self, level: int, fading: bool, minibatch: int, decay: float) -> None:
        """Fixes level, fading, global batch and the average's decay for the next `fit`, and drops the old graph."""
        self.level, self.fading, self.minibatch, self.decay = level, fading, minibatch, decay
        self.make_train_function(force=True)

    def set_point(self, lod: float, lrate: float) -> None:
        """Moves along the schedule within a half-phase."""
        for network in (self.generator, self.discriminator, self.generator_ema):
            network.lod.assign(lod)
        self.g_optimizer.learning_rate.assign(lrate)
        self.d_optimizer.learning_rate.assign(lrate)

    def forget_moments(self) -> None:
        """Resets both optimizers, as at every change of floor(lod) or ceil(lod)."""
        self.g_optimizer.forget()
        self.d_optimizer.forget()

    def train_step(self, reals):
        fade = None
        if self.fading:
            lod = self.generator.lod.value
            fade = lod - tf.floor(lod)
        reals = images.from_uint8(reals)
        if fade is not None:
            reals = images.fade_reals(reals, fade)
        n = reals.shape[0]
        latents = self._random(tf.random.stateless_normal, LATENTS_D, n, (self.generator.latent_size,))
        mixing = self._random(tf.random.stateless_uniform, MIXING, n, (1, 1, 1))
        d_logs = self.discriminator_step(reals, latents, mixing, fade)
        averaging.update(self.generator_ema.trainable_variables, self.generator.trainable_variables, self.decay)
        latents = self._random(tf.random.stateless_normal, LATENTS_G, n, (self.generator.latent_size,))
        g_logs = self.generator_step(latents, fade)
        self.seen.assign_add(self.minibatch)
        return {**d_logs, **g_logs}

    def discriminator_step(self, reals, latents, mixing, fade) -> dict:
        """One update of the critic; returns the means of its loss and of the parts."""
        variables = self.discriminator.active_variables(self.level, self.fading)
        fakes = tf.stop_gradient(self.generator(latents, level=self.level, fade=fade))
        mixed = images.lerp(reals, fakes, mixing)
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch([variable.value for variable in variables])
            scores, _ = self.discriminator(tf.concat([reals, fakes], 0), level=self.level, fade=fade, parts=2)
            real_scores, fake_scores = tf.split(scores, 2)
            parts = wgan_gp.discriminator_loss(
                real_scores,
                fake_scores,
                self._gradient_norms(mixed, fade),
                weight=self.weight,
                target=self.target,
                drift=self.drift,
            )
            loss = tf.reduce_mean(parts["loss"])
        norm = self._apply(self.d_optimizer, tape, loss, variables)
        return {
            "d_loss": loss,
            "d_real_score": tf.reduce_mean(real_scores),
            "d_fake_score": tf.reduce_mean(fake_scores),
            "d_gradient_penalty": tf.reduce_mean(parts["gradient_penalty"]),
            "d_drift_penalty": tf.reduce_mean(parts["drift_penalty"]),
            "d_gradient_norm": norm,
        }

    def generator_step(self, latents, fade) -> dict:
        """One update of the generator; returns the mean of its loss."""
        variables = self.generator.active_variables(self.level, self.fading)
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch([variable.value for variable in variables])
            fakes = self.generator(latents, level=self.level, fade=fade)
            scores, _ = self.discriminator(fakes, level=self.level, fade=fade)
            loss = tf.reduce_mean(wgan_gp.generator_loss(scores))
        norm = self._apply(self.g_optimizer, tape, loss, variables)
        return {"g_loss": loss, "g_gradient_norm": norm}

    def _gradient_norms(self, mixed, fade):
        """Norms [N] of the score's gradient over the image at full size: at lod L that is 2^-L of the norm here."""
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(mixed)
            scores, _ = self.discriminator(mixed, level=self.level, fade=fade)
            total = tf.reduce_sum(scores)
        gradient = tape.gradient(total, mixed)
        norms = tf.sqrt(tf.reduce_sum(tf.square(gradient), axis=[1, 2, 3]))
        return norms / 2.0 ** (self.discriminator.max_level - self.level)

    def _apply(self, optimizer, tape, loss, variables):
        """Applies the gradients of the global mean; if any replica's are not finite, no variable changes."""
        context = tf.distribute.get_replica_context()
        replicas = context.num_replicas_in_sync
        gradients = tape.gradient(loss, [variable.value for variable in variables])
        norm = tf.linalg.global_norm(gradients)
        everywhere = context.all_reduce(tf.distribute.ReduceOp.SUM, norm) if replicas > 1 else norm
        # Summed over replicas by the optimizer; NaN tells it to leave every variable as it is.
        scale = tf.where(tf.math.is_finite(everywhere), 1.0 / replicas, float("nan"))
        optimizer.apply([gradient * scale for gradient in gradients], variables)
        return norm

    def _random(self, draw, purpose: int, n: int, shape: tuple):
        """This replica's rows of the global batch's random numbers, [n, *shape]."""
        context = tf.distribute.get_replica_context()
        key = tf.stack([tf.constant(self.seed * 8 + purpose, tf.int64), self.seen.value])
        numbers = draw((n * context.num_replicas_in_sync, *shape), seed=key)
        first = context.replica_id_in_sync_group * n
        return numbers[first : first + n]
