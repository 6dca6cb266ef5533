"""The two networks and their average, trained against each other by Keras `fit`, one half-phase at
a time."""

from collections.abc import Sequence
from dataclasses import dataclass

import keras
import numpy as np
import tensorflow as tf

from pgcxr.gan import augmentation, compiled_convolution, draws
from pgcxr.gan import optimizer as optimizers
from pgcxr.gan.optimizer import FiniteAdam
from pgcxr.losses import acgan, wgan_gp
from pgcxr.networks import Discriminator, Generator, convolution, pixels


@dataclass(frozen=True)
class LossTerms:
    """Weights of the losses' parts.

    Attributes:
        gradient_penalty, gradient_target, drift: see `wgan_gp.discriminator_loss`.
        label_weight: of the AC-GAN terms.
        exclusive_labels: see `acgan.label_penalty`.
    """

    gradient_penalty: float = 10.0
    gradient_target: float = 1.0
    drift: float = 0.001
    label_weight: float = 1.0
    exclusive_labels: bool = True


class ProgressiveGAN(keras.Model):
    """WGAN-GP training of growing networks (arXiv 1710.10196), with AC-GAN labels where the
    networks have them.

    `grow_to` fixes the graph for one half-phase; within it only `lod` and the learning rates
    change. Random numbers are those of `draws`. In mixed precision the networks compute in their
    own dtype and return float32; losses, gradients of weights, moments and Gs are float32, and
    float16 gradients are scaled (see `LossScale`).

    Args:
        generator, discriminator: of the same resolution and the same labels.
        seed: of the latents and mixing factors.
        loss_terms: weights of the losses' parts.
        mirror: whether reals are flipped left to right at random.

    Input of `fit`: uint8 [N, h, w, C], real images at the level's resolution; with labels (images,
    float32 [N, K]).
    """

    def __init__(
        self,
        generator: Generator,
        discriminator: Discriminator,
        seed: int,
        loss_terms: LossTerms = LossTerms(),
        mirror: bool = False,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.generator = generator
        self.discriminator = discriminator
        self.generator_ema = Generator.from_config(
            {**generator.get_config(), "name": "generator_ema"}
        )
        self.generator_ema.set_weights(generator.get_weights())
        self.seed = seed
        self.loss_terms, self.mirror = loss_terms, mirror
        self.labeled = generator.label_size > 0
        if self.labeled:
            self.draw_labels_from(
                np.eye(generator.label_size, dtype=np.float32), np.ones(generator.label_size)
            )
        self.cur_nimg = self.add_weight(
            name="seen",
            shape=(),
            dtype="int64",
            initializer="zeros",
            trainable=False,
            aggregation="only_first_replica",
        )
        self.level, self.fading, self.minibatch, self.decay = (
            generator.max_level,
            False,
            None,
            0.999,
        )
        self.jit_gradients, self.convolutions, self.frozen = False, None, ()
        self.augment_p = None
        self.built = True

    def augment(self, p: float) -> None:
        """From now on D sees images, real and made ones, changed with probability p (see
        `augmentation`); `augment_p` may change while training."""
        self.augment_p = tf.Variable(
            p,
            dtype=tf.float32,
            trainable=False,
            aggregation=tf.VariableAggregation.ONLY_FIRST_REPLICA,
            name="augment_p",
        )

    def freeze(self, levels: Sequence[int]) -> None:
        """Keeps D's layers of these levels (log2 of the resolution) as they are from now on."""
        self.frozen = tuple(levels)

    def trained_of_d(self) -> list:
        """D's variables that a step at the present level changes."""
        return self.discriminator.active_variables(self.level, self.fading, self.frozen)

    def draw_labels_from(self, rows: np.ndarray, counts: np.ndarray) -> None:
        """What G's own labels are drawn from: float32 [P, K], each as often as [P] counts say (the
        training labels)."""
        self.label_rows = rows
        self.label_ends = np.cumsum(counts).astype(np.int64)

    def compile(self, jit_compile: bool = False, minimal_filtering: bool = False, **kwargs):
        """Makes both optimizers, with all their variables: a strategy cannot make them later.

        Args:
            jit_compile: the whole step by XLA.
            minimal_filtering: wide convolutions by `compiled_convolution`; not beside
                `jit_compile`.
        """
        self.convolutions = compiled_convolution if minimal_filtering and not jit_compile else None
        # XLA cannot compile what several replicas do together: there each replica's gradients are
        # compiled.
        alone = tf.distribute.get_strategy().num_replicas_in_sync == 1
        super().compile(optimizer=None, jit_compile=jit_compile and alone, **kwargs)
        self.jit_gradients = jit_compile and not alone
        for name, network in (("g", self.generator), ("d", self.discriminator)):
            scale = optimizers.INITIAL if network.compute_dtype == "float16" else None
            optimizer = FiniteAdam(
                0.001, beta_1=0.0, beta_2=0.99, epsilon=1e-8, name=f"adam_{name}", loss_scale=scale
            )
            optimizer.build(network.trainable_variables)
            setattr(self, f"{name}_optimizer", optimizer)

    def grow_to(self, level: int, fading: bool, minibatch: int, decay: float) -> None:
        """Fixes level, fading, global batch and the average's decay for the next `fit`, and drops
        the old graph."""
        self.level, self.fading, self.minibatch, self.decay = level, fading, minibatch, decay
        self.make_train_function(force=True)

    def set_point(self, lod: float, lrate: float, g_lrate: float | None = None) -> None:
        """Moves along the schedule within a half-phase; `g_lrate`: where that of G is another."""
        for network in (self.generator, self.discriminator, self.generator_ema):
            network.lod.assign(lod)
        self.g_optimizer.learning_rate.assign(lrate if g_lrate is None else g_lrate)
        self.d_optimizer.learning_rate.assign(lrate)

    def reset_optimizers(self) -> None:
        """Resets both optimizers, as at every change of floor(lod) or ceil(lod)."""
        self.g_optimizer.reset()
        self.d_optimizer.reset()

    def train_step(self, data):
        reals, labels = data if self.labeled else (data, None)
        fade = None
        if self.fading:
            lod = self.generator.lod.value
            fade = lod - tf.floor(lod)
        n = reals.shape[0]
        seed, cur_nimg = self.seed, self.cur_nimg.value
        reals = pixels.from_uint8(reals)
        if self.mirror:
            reals = pixels.mirror(reals, draws.uniform(seed, draws.MIRROR, cur_nimg, n, (1, 1, 1)))
        if fade is not None:
            reals = pixels.fade_reals(reals, fade)
        size = self.generator.latent_size
        latents = draws.normal(seed, draws.LATENTS_D, cur_nimg, n, (size,))
        mixing = draws.uniform(seed, draws.MIXING, cur_nimg, n, (1, 1, 1))
        augment_d, augment_g = None, None
        if self.augment_p is not None:
            shape = (2, augmentation.NUMBERS)
            augment_d = draws.uniform(seed, draws.AUGMENT_D, cur_nimg, n, shape)
            augment_g = draws.uniform(seed, draws.AUGMENT_G, cur_nimg, n, shape[1:])
        d_logs = self.discriminator_step(reals, latents, mixing, fade, labels, augment_d)
        update_average(
            self.generator_ema.trainable_variables, self.generator.trainable_variables, self.decay
        )
        # Not before: G's activations would be held beside all of D's.
        with tf.control_dependencies([d_logs["d_gradient_norm"]]):
            latents = tf.identity(draws.normal(seed, draws.LATENTS_G, cur_nimg, n, (size,)))
        if self.labeled:
            picked = draws.pick(seed, draws.LABELS_G, cur_nimg, n, self.label_ends)
            labels = tf.gather(tf.constant(self.label_rows), picked)
        g_logs = self.generator_step(latents, fade, labels, augment_g)
        self.cur_nimg.assign_add(self.minibatch)
        return {**d_logs, **g_logs}

    def discriminator_step(self, reals, latents, mixing, fade, labels=None, augment=None) -> dict:
        """One update of the critic; returns the means of its loss and of the parts. Fakes have the
        reals' labels. `augment`: numbers [N, 2, augmentation.NUMBERS] for reals and fakes."""
        variables = self.trained_of_d()
        logs, gradients = self._compiled(self._discriminator_gradients)(
            reals, latents, mixing, fade, labels, augment
        )
        return logs | {"d_gradient_norm": self.d_optimizer.apply(gradients, variables)}

    def generator_step(self, latents, fade, labels=None, augment=None) -> dict:
        """One update of the generator; returns the means of its loss and of the parts."""
        variables = self.generator.active_variables(self.level, self.fading)
        logs, gradients = self._compiled(self._generator_gradients)(latents, fade, labels, augment)
        return logs | {"g_gradient_norm": self.g_optimizer.apply(gradients, variables)}

    def _discriminator_gradients(self, reals, latents, mixing, fade, labels, augment):
        variables = [v.value for v in self.trained_of_d()]
        fakes = tf.stop_gradient(self.generator(latents, labels, level=self.level, fade=fade))
        if augment is not None:
            reals = augmentation.augment(reals, augment[:, 0], self.augment_p)
            fakes = augmentation.augment(fakes, augment[:, 1], self.augment_p)
        mixed = pixels.lerp(reals, fakes, mixing)
        terms = self.loss_terms
        with tf.GradientTape(persistent=True, watch_accessed_variables=False) as tape:
            tape.watch(variables)
            both = tf.concat([reals, fakes], 0)
            scores, logits = self.discriminator(both, level=self.level, fade=fade, parts=2)
            real_scores, fake_scores = tf.split(scores, 2)
            parts = wgan_gp.score_loss(real_scores, fake_scores, terms.drift)
            loss = tf.reduce_mean(parts.pop("loss"))
            if self.labeled:
                for name, each in zip(("reals", "fakes"), tf.split(logits, 2), strict=True):
                    parts[f"label_penalty_{name}"] = acgan.label_penalty(
                        labels, each, terms.exclusive_labels
                    )
                    loss += terms.label_weight * tf.reduce_mean(parts[f"label_penalty_{name}"])
            scaled = self.d_optimizer.scale_loss(loss)
            with tape.stop_recording():
                gradients = tape.gradient(scaled, variables)
            # The penalty comes after these: all features of both would be held at once.
            with tf.control_dependencies(gradients):
                mixed = tf.identity(mixed)
            norms = self._gradient_norms(mixed, fade)
            parts["gradient_penalty"] = wgan_gp.gradient_penalty(norms, terms.gradient_target)
            weight = terms.gradient_penalty / terms.gradient_target**2
            penalty = weight * tf.reduce_mean(parts["gradient_penalty"])
            scaled = self.d_optimizer.scale_loss(penalty)
        more = tape.gradient(scaled, variables)  # None: what slopes do not depend on
        gradients = [a if b is None else a + b for a, b in zip(gradients, more, strict=True)]
        parts |= {"loss": loss + penalty, "real_score": real_scores, "fake_score": fake_scores}
        return {f"d_{name}": tf.reduce_mean(part) for name, part in parts.items()}, gradients

    def _generator_gradients(self, latents, fade, labels, augment):
        variables = [v.value for v in self.generator.active_variables(self.level, self.fading)]
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(variables)
            fakes = self.generator(latents, labels, level=self.level, fade=fade)
            if augment is not None:
                fakes = augmentation.augment(fakes, augment, self.augment_p)
            scores, logits = self.discriminator(fakes, level=self.level, fade=fade)
            loss = tf.reduce_mean(wgan_gp.generator_loss(scores))
            logs = {}
            if self.labeled:
                penalty = tf.reduce_mean(
                    acgan.label_penalty(labels, logits, self.loss_terms.exclusive_labels)
                )
                loss += self.loss_terms.label_weight * penalty
                logs["g_label_penalty"] = penalty
            scaled = self.g_optimizer.scale_loss(loss)
        return logs | {"g_loss": loss}, tape.gradient(scaled, variables)

    def _gradient_norms(self, mixed, fade):
        """Norms [N] of the score's gradient over the image at full size: at lod L that is 2^-L of
        the norm here."""
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(mixed)
            scores, _ = self.discriminator(mixed, level=self.level, fade=fade)
            total = self.d_optimizer.scale_loss(tf.reduce_sum(scores))
        gradient = self.d_optimizer.unscale(tape.gradient(total, mixed))
        norms = tf.sqrt(tf.reduce_sum(tf.square(gradient), axis=[1, 2, 3]))
        return norms / 2.0 ** (self.discriminator.max_level - self.level)

    def _compiled(self, function):
        def by_means(*inputs):
            with convolution.by(self.convolutions):
                return function(*inputs)

        return tf.function(by_means, jit_compile=True) if self.jit_gradients else by_means


def update_average(averages: list, variables: list, decay: float) -> None:
    """One step of Gs, the average of the generator's weights (arXiv 1710.10196, section 5):
    average <- variable + (average - variable) * decay, in place, on every replica."""

    def _merge(strategy, averages, variables):
        for average, variable in zip(averages, variables, strict=True):
            strategy.extended.update(
                average,
                lambda a, v: a.assign(v + (a - v) * tf.cast(decay, a.dtype)),
                args=(variable,),
                group=False,
            )

    context = tf.distribute.get_replica_context()
    context.merge_call(_merge, args=([a.value for a in averages], [v.value for v in variables]))
