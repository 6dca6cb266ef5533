"""A convolutional auto-encoder of normal images: a baseline whose residual shows what it has never
seen (Baur et al., Medical Image Analysis 69, 2021, compare many of its kind)."""

import keras
import numpy as np
from keras import layers

# Filters at half the size, a quarter, and so on; the last level is 4 px wide at least.
WIDTHS = (16, 32, 64, 64, 64, 64)
CODE = 128
LEARNING_RATE, BATCH = 1e-3, 32


def autoencoder(size: int, code: int = CODE) -> keras.Model:
    """Images [N, size, size, 1] in [-1, 1] -> their reconstructions from `code` numbers each.

    Args:
        size: px, halved as long as it is even and above 4.
        code: numbers in the middle.
    """
    inputs = x = keras.Input((size, size, 1))
    widths = []
    for width in WIDTHS:
        if x.shape[1] % 2 or x.shape[1] <= 4:
            break
        x = layers.Conv2D(width, 3, strides=2, padding="same", activation="relu")(x)
        widths.append(width)
    deepest = x.shape[1:]
    x = layers.Dense(code, name="code")(layers.Flatten()(x))
    x = layers.Dense(int(np.prod(deepest)), activation="relu")(x)
    x = layers.Reshape(deepest)(x)
    for width in [*widths[-2::-1], WIDTHS[0]][: len(widths)]:
        x = layers.UpSampling2D(2)(x)
        x = layers.Conv2D(width, 3, padding="same", activation="relu")(x)
    outputs = layers.Conv2D(1, 3, padding="same")(x)
    return keras.Model(inputs, outputs, name="autoencoder")


def fit_autoencoder(normals: np.ndarray, epochs: int, seed: int) -> keras.Model:
    """Learns to reproduce normal images, by the mean squared error.

    Args:
        normals: float32 [N, S, S] in [-1, 1].
        epochs: over all of them.
        seed: of weights and order; one seed, one result on one machine.
    """
    keras.utils.set_random_seed(seed)
    model = autoencoder(normals.shape[1])
    steps = -(-len(normals) // BATCH) * epochs
    rate = keras.optimizers.schedules.CosineDecay(LEARNING_RATE, max(steps, 1))
    model.compile(keras.optimizers.Adam(rate), loss="mse")
    pictures = normals[..., None]
    model.fit(pictures, pictures, batch_size=BATCH, epochs=epochs, verbose=0)
    return model


def reconstructed(model: keras.Model, images: np.ndarray) -> np.ndarray:
    """What it makes of images [N, S, S]."""
    return model.predict(images[..., None], batch_size=128, verbose=0)[..., 0]
