"""Training of the anomaly segmentation network with Keras fit, on normal images alone, and what it
says of images."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf

from pgcxr.anomaly.artificial.pasting import paste, varied, varied_lesion
from pgcxr.anomaly.config import AnomalyConfig
from pgcxr.anomaly.network import MapLoss, unet
from pgcxr.images import from_uint8, reduce_by_factor

# Share of a pixel of the map that must be anomalous.
COVERED = 0.25
# Weight of the loss of the image's logit, beside that of the map.
IMAGE_LOSS = 0.15
# The learning rate rises over this share of the steps, then falls to 0.
WARMUP = 0.1


class Examples(NamedTuple):
    """A batch to learn from.

    Attributes:
        images: float32 [B, S, S, 1] in [-1, 1].
        map: [B, S / 2, S / 2, 1], 1 where an image has an anomaly; -1 throughout where that is not
            known.
        image: [B, 1], 1 for an image that has one.
    """

    images: np.ndarray
    map: np.ndarray
    image: np.ndarray


class Lesions(NamedTuple):
    """Abnormal images, of which a supervised network learns.

    Attributes:
        images: uint8 [M, S, S, 1].
        masks: [M, S, S], lesion coverage in [0, 1]; NaN where it is not known.
        shares: [M], how often each is drawn; they add up to 1.
    """

    images: np.ndarray
    masks: np.ndarray
    shares: np.ndarray


class Seen(NamedTuple):
    """What the network says of N images.

    Attributes:
        maps: logits, float32 [N, S / 2, S / 2].
        images: logits, float32 [N].
    """

    maps: np.ndarray
    images: np.ndarray


def examples(
    normals: np.ndarray,
    config: AnomalyConfig,
    seed: int,
    step: int,
    lesions: Lesions | None = None,
) -> Examples:
    """The batch of one step: normal images, of which most have artificial anomalies; with
    `lesions` abnormal images in the place of these.

    It depends on nothing but the arguments.

    Args:
        normals: uint8 [N, S, S, 1].
    """
    rng = np.random.default_rng([seed, step])
    size, count = config.size, config.batch_size
    images = np.empty((count, size, size, 1), np.float32)
    masks = np.zeros((count, size, size, 1), np.float32)
    abnormal = np.zeros((count, 1), np.float32)
    for row in range(count):
        if lesions is not None and rng.random() >= config.clean:
            drawn = rng.choice(len(lesions.shares), p=lesions.shares)
            picture = lesions.images[drawn, ..., 0].astype(np.float32) / 255
            images[row, ..., 0], masks[row, ..., 0] = varied_lesion(
                picture, lesions.masks[drawn], rng
            )
            abnormal[row] = 1
            continue
        normal, other = (
            normals[drawn, ..., 0].astype(np.float32) / 255
            for drawn in rng.integers(len(normals), size=2)
        )
        images[row, ..., 0] = normal = varied(normal, rng)
        if lesions is None and rng.random() >= config.clean:
            images[row, ..., 0], masks[row, ..., 0], _ = paste(normal, other, rng, config)
            abnormal[row] = masks[row].max()
    unknown = np.isnan(masks).any(axis=(1, 2, 3))
    places = (reduce_by_factor(masks, 2) >= COVERED).astype(np.float32)
    places[unknown] = -1
    return Examples(images * 2 - 1, places, abnormal)


def fit_anomaly_network(
    normals: np.ndarray,
    config: AnomalyConfig,
    seed: int,
    log_dir: str | Path | None = None,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    weights: Sequence[np.ndarray] | None = None,
    lesions: Lesions | None = None,
) -> tuple[keras.Model, dict]:
    """Trains a network; nothing is held out, and nothing stops it early.

    Args:
        normals: uint8 [N, S, S, 1], of normal images only.
        config: the network and how it is trained.
        seed: of weights, images and anomalies; one seed, one result on one machine.
        log_dir: for TensorBoard.
        callbacks: of Keras.
        weights: to begin with, of another such network; None for new ones.
        lesions: abnormal images, for a supervised one that sees no artificial anomalies.

    Returns:
        (network, {"loss": one value per epoch}).
    """
    keras.utils.set_random_seed(seed)
    model = unet(config.size, tuple(config.widths))
    if weights is not None:
        model.set_weights(weights)
    steps = config.epochs * config.steps_per_epoch
    warmup = max(int(WARMUP * steps), 1)
    rate = keras.optimizers.schedules.CosineDecay(
        config.learning_rate / 25,
        max(steps - warmup, 1),
        warmup_target=config.learning_rate,
        warmup_steps=warmup,
    )
    model.compile(
        optimizer=keras.optimizers.AdamW(rate, weight_decay=config.weight_decay),
        loss={"map": MapLoss(), "image": keras.losses.BinaryCrossentropy(from_logits=True)},
        loss_weights={"map": 1.0, "image": IMAGE_LOSS},
        jit_compile=False,
    )
    # Variables made within the first step would have it traced twice.
    model.optimizer.build(model.trainable_variables)
    shown = [keras.callbacks.TensorBoard(str(log_dir), write_graph=False)] if log_dir else []
    history = model.fit(
        _batches(steps, config, lambda step: examples(normals, config, seed, step, lesions)),
        epochs=config.epochs,
        steps_per_epoch=config.steps_per_epoch,
        callbacks=[*shown, *callbacks],
        shuffle=False,
        verbose=0,
    )
    return model, {"loss": history.history["loss"]}


def _batches(steps: int, config: AnomalyConfig, make: Callable) -> tf.data.Dataset:
    batch, size = config.batch_size, config.size

    def load(step):
        parts = tf.numpy_function(
            lambda index: tuple(make(int(index))),
            [step],
            (tf.float32,) * 3,
        )
        for part, side in zip(parts[:2], (size, size // 2), strict=True):
            part.set_shape((batch, side, side, 1))
        parts[2].set_shape((batch, 1))
        return parts[0], {"map": parts[1], "image": parts[2]}

    return tf.data.Dataset.range(steps).map(load).prefetch(2)


def look(model: keras.Model, images: np.ndarray, batch_size: int = 128) -> Seen:
    """What the network says of uint8 [N, S, S, 1]."""
    return looking(model, batch_size)(images)


def looking(model: keras.Model, batch_size: int = 128) -> Callable[[np.ndarray], Seen]:
    """`look` of one network, compiled once for who asks it again and again."""
    signature = [tf.TensorSpec((None, *model.input_shape[1:]), tf.float32)]
    run = tf.function(lambda x: model(x, training=False), input_signature=signature)

    def seen(images: np.ndarray) -> Seen:
        maps, logits = [], []
        for start in range(0, len(images), batch_size):
            said = run(from_uint8(images[start : start + batch_size]))
            maps.append(np.asarray(said["map"])[..., 0])
            logits.append(np.asarray(said["image"])[:, 0])
        return Seen(np.concatenate(maps), np.concatenate(logits))

    return seen
