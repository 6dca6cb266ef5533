"""Training of a classifier with Keras fit (thesis 2.2): the same function for real and for
synthetic images."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops

from pgcxr.classifier import learning_rate, network
from pgcxr.classifier.config import ClassifierConfig
from pgcxr.classifier.fit_progress import FitProgress
from pgcxr.gan.config import PRECISIONS
from pgcxr.metrics.roc import auroc
from pgcxr.networks import pixels


class Examples(NamedTuple):
    """Images and what is known of them.

    Attributes:
        images: uint8 [N, size, size, 1].
        labels: float32 [N, K], 0 or 1, NaN where unknown (left out of the loss and of the AUROC).
    """

    images: np.ndarray
    labels: np.ndarray


def build(
    config: ClassifierConfig, outputs: int, computation: network.Computation = network.PLAIN
) -> keras.Model:
    """The network that `config` describes, with the weights of its file where it names one."""
    model = network.resnet(
        config.size,
        outputs,
        blocks=tuple(config.blocks),
        width=config.width,
        stem=config.stem,
        momentum=config.momentum,
        computation=computation,
    )
    if config.weights_file:
        network.load_weights_file(model, config.weights_file)
    return model


def fit_classifier(
    train: Examples,
    val: Examples,
    config: ClassifierConfig,
    seed: int,
    log_dir: str | Path | None = None,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    lesson: Examples | None = None,
) -> tuple[keras.Model, dict]:
    """Trains a new network and returns it as it was at its best validation AUROC, with the history.

    Args:
        train: what the network learns from.
        val: what says when it is at its best.
        config: the network and how it is trained.
        seed: of the weights, the order and the augmentation; one seed, one result on one machine.
        log_dir: for TensorBoard.
        callbacks: of Keras, beside those of training itself.
        lesson: what is shown in the epochs of config.curriculum, which come first.

    Returns:
        (model: images in [-1, 1] -> probabilities [N, K], {"loss", "val_loss", "val_auroc": one
        value per epoch, "best_epoch": from 1, "lesson_loss": one value per epoch of the lesson}).
    """
    keras.utils.set_random_seed(seed)
    dtype = PRECISIONS[config.precision]
    computation = network.Computation(dtype, network.FusedBatchNormalization)
    model = build(config, train.labels.shape[1], computation)
    logits = network.with_logits(model)
    trainer = keras.Sequential(
        [keras.Input(train.images.shape[1:]), *augmentation(config, seed), logits]
    )
    first = []
    if config.curriculum:
        data = _compile(trainer, lesson, config, config.curriculum, seed)
        shown = [FitProgress("crops around lesions", config.curriculum)]
        first = trainer.fit(
            data, epochs=config.curriculum, callbacks=shown, shuffle=False, verbose=0
        ).history["loss"]
    data = _compile(trainer, train, config, config.epochs, seed)
    validation = Validation(logits, val)
    # The callbacks share one dict of logs: Validation puts in what the others read.
    stopping = keras.callbacks.EarlyStopping(
        "val_score", mode="max", patience=config.patience, restore_best_weights=True
    )
    shown = [keras.callbacks.TensorBoard(str(log_dir), write_graph=False)] if log_dir else []
    history = trainer.fit(
        data,
        epochs=config.epochs,
        callbacks=[validation, stopping, *shown, *callbacks],
        shuffle=False,
        verbose=0,
    )
    curves = {name: history.history[name] for name in ("loss", "val_loss", "val_auroc")}
    return _plain(model, config), {
        **curves,
        "best_epoch": stopping.best_epoch + 1,
        "lesson_loss": first,
    }


def _compile(
    trainer: keras.Model, examples: Examples, config: ClassifierConfig, epochs: int, seed: int
) -> tf.data.Dataset:
    """Readies `trainer` for `epochs` epochs on these images, with an optimizer of their own;
    returns their batches."""
    images, labels = examples
    batch_size = min(config.batch_size, len(images))
    steps = len(images) // batch_size
    warmup = int(steps * min(config.warmup_epochs, epochs))
    rate = learning_rate.WarmupCosine(config.learning_rate, warmup, steps * epochs)
    optimizer = keras.optimizers.AdamW(rate, weight_decay=config.weight_decay)
    if config.precision == "float16":  # small gradients would vanish, large ones skip a step
        optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
    weights = class_weights(labels) if config.balance else None
    trainer.compile(optimizer=optimizer, loss=MaskedCrossentropy(weights), jit_compile=False)
    # Variables made within the first step would have it traced twice.
    trainer.optimizer.build(trainer.trainable_variables)
    return batches(images, labels, batch_size, seed)


def _plain(model: keras.Model, config: ClassifierConfig) -> keras.Model:
    """The same network of Keras's own layers in float32, for inference on any machine."""
    plain = build(config.replace(weights_file=""), model.output_shape[-1])
    plain.set_weights(model.get_weights())
    return plain


def batches(images: np.ndarray, labels: np.ndarray, batch_size: int, seed: int) -> tf.data.Dataset:
    """One shuffled epoch of (float32 [B, H, W, 1] in [-1, 1], labels [B, K]); the arrays are never
    copied whole.

    Every batch is full, so that the training step is traced once.
    """

    def pick(index):
        return images[index], labels[index].astype(np.float32)

    def load(index):
        picked, known = tf.numpy_function(pick, [index], (tf.uint8, tf.float32))
        picked.set_shape((batch_size, *images.shape[1:]))
        known.set_shape((batch_size, labels.shape[1]))
        return pixels.from_uint8(picked), known

    order = tf.data.Dataset.range(len(images)).shuffle(len(images), seed=seed)
    return order.batch(batch_size, drop_remainder=True).map(load).prefetch(4)


def augmentation(config: ClassifierConfig, seed: int) -> list[layers.Layer]:
    """Small shifts, rotations and changes of brightness. No flip: the heart has a side."""
    changes = []
    if config.shift:
        # By whole pixels: interpolation between them would blur the smallest lesions away.
        shift = layers.RandomTranslation(
            config.shift,
            config.shift,
            fill_mode="nearest",
            interpolation="nearest",
            seed=seed,
        )
        changes.append(shift)
    if config.rotation:
        changes.append(
            layers.RandomRotation(config.rotation / 360, fill_mode="nearest", seed=seed + 1)
        )
    if config.brightness:
        # The layer takes the fraction of half the range.
        changes.append(
            layers.RandomBrightness(2 * config.brightness, value_range=(-1, 1), seed=seed + 2)
        )
    return changes


def class_weights(labels: np.ndarray) -> np.ndarray:
    """[2, K]: N / (2 n) for the n negatives and n positives of each output's N known labels; 1 for
    an absent class."""
    counts = np.stack([(labels == 0).sum(axis=0), (labels == 1).sum(axis=0)]).astype(np.float32)
    return np.where(counts > 0, counts.sum(axis=0) / np.maximum(2 * counts, 1), 1.0).astype(
        np.float32
    )


class MaskedCrossentropy(keras.losses.Loss):
    """Binary cross-entropy of logits [N, K], summed over the K outputs whose label is known; one
    value per example.

    Args:
        weights: [2, K], factors for negatives and positives, or None.
    """

    def __init__(self, weights: np.ndarray | None = None, name: str = "masked_crossentropy"):
        super().__init__(name=name)
        self.weights = weights

    def call(self, y_true, y_pred):
        known = ops.logical_not(ops.isnan(y_true))
        y_true = ops.where(known, y_true, ops.zeros_like(y_true))
        # softplus(x) - x y = -log of the probability of y, without overflow.
        loss = ops.softplus(y_pred) - y_pred * y_true
        if self.weights is not None:
            loss = loss * ops.where(y_true > 0.5, self.weights[1], self.weights[0])
        return ops.sum(ops.where(known, loss, ops.zeros_like(loss)), axis=-1)


class Validation(keras.callbacks.Callback):
    """After each epoch: val_loss, val_auroc (mean over the outputs that have both classes) and
    val_score.

    val_score is the area, less a little of the loss: it decides where areas are equal (all 1, say).
    """

    def __init__(self, logits: keras.Model, examples: Examples):
        super().__init__()
        self.logits, self.examples = logits, examples

    def on_epoch_end(self, epoch, logs=None):
        images, labels = self.examples
        scores = predict(self.logits, images)
        loss = float(ops.mean(MaskedCrossentropy()(labels, scores)))
        area = float(
            np.mean([auroc(known, score) for known, score in known_outputs(labels, scores)])
        )
        logs.update(val_loss=loss, val_auroc=area, val_score=area - 1e-3 * math.tanh(loss))


def known_outputs(labels: np.ndarray, scores: np.ndarray):
    """(labels [n], scores [n]) of each output, unknown labels left out, where both classes
    occur."""
    for label, score in zip(labels.T, scores.T, strict=True):
        known = ~np.isnan(label)
        if len(np.unique(label[known])) == 2:
            yield label[known], score[known]


def predict(model: keras.Model, images: np.ndarray, batch_size: int = 128) -> np.ndarray:
    """float32 [N, K]: what `model` says of uint8 [N, H, W, 1]."""
    parts = range(0, len(images), batch_size)
    run = _compiled(model)
    scores = [
        np.asarray(run(pixels.from_uint8(images[start : start + batch_size]))) for start in parts
    ]
    return np.concatenate(scores) if scores else np.empty((0, model.output_shape[-1]), np.float32)


def _compiled(model: keras.Model):
    """`model` for inference as one graph for any batch size, made once per model."""
    if not hasattr(model, "_pgcxr_inference"):
        signature = [tf.TensorSpec((None, *model.input_shape[1:]), tf.float32)]
        model._pgcxr_inference = tf.function(
            lambda x: model(x, training=False), input_signature=signature, jit_compile=False
        )
    return model._pgcxr_inference
