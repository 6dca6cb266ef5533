"""A small U-Net (Ronneberger et al., MICCAI 2015) that says of each place whether it is anomalous,
and of the image."""

import keras
from keras import layers, ops


def unet(size: int, widths: tuple[int, ...]) -> keras.Model:
    """Images [N, size, size, 1] in [-1, 1] -> {"map": logits [N, size / 2, size / 2, 1], "image":
    logits [N, 1]}.

    The map ends at half the size: the last level at full size would take two thirds of the time,
    and adds nothing that can be measured at 64 px.

    Args:
        size: a multiple of 2^(len(widths) - 1).
        widths: filters at full size, at half of it, and so on.
    """
    inputs = keras.Input((size, size, 1))
    x = _convolution(inputs, widths[0])
    levels = []
    for width in widths[1:]:
        x = _convolution(_convolution(x, width, strides=2), width)
        levels.append(x)
    deepest = levels.pop()
    for width, skip in zip(widths[-2:0:-1], levels[::-1], strict=True):
        x = layers.Concatenate()([layers.UpSampling2D(2)(x), skip])
        x = _convolution(x, width)
    x = _convolution(x, widths[1])
    # Rare: at the start almost no pixel is anomalous.
    rare = keras.initializers.Constant(-3.0)
    anomaly = layers.Conv2D(1, 1, bias_initializer=rare, name="map")(x)
    seen = layers.Concatenate()(
        [
            layers.GlobalAveragePooling2D()(deepest),
            layers.GlobalMaxPooling2D()(deepest),
            layers.GlobalMaxPooling2D()(x),
        ]
    )
    outputs = {"map": anomaly, "image": layers.Dense(1, name="image")(seen)}
    return keras.Model(inputs, outputs, name="anomaly_segmentation")


def _convolution(x, filters: int, strides: int = 1):
    x = layers.Conv2D(filters, 3, strides=strides, padding="same", use_bias=False)(x)
    return layers.ReLU()(layers.BatchNormalization(momentum=0.97)(x))


class MapLoss(keras.losses.Loss):
    """Of map logits: cross-entropy over pixels in which anomalous ones count three times, and
    Dice's overlap where there is an anomaly; one value per example.

    Dice's counts a small anomaly as much as a large one (V-Net, Milletari et al., 3DV 2016). An
    example of -1 everywhere, whose mask nobody knows, costs nothing.
    """

    def __init__(self, name: str = "map_loss"):
        super().__init__(name=name)

    def call(self, y_true, y_pred):
        # softplus(x) - x y = -log of the probability of y, without overflow.
        entropy = (ops.softplus(y_pred) - y_pred * y_true) * (1 + 2 * y_true)
        likely = ops.sigmoid(y_pred)
        axes = (1, 2, 3)
        both = ops.sum(likely * y_true, axis=axes)
        either = ops.sum(likely, axis=axes) + ops.sum(y_true, axis=axes)
        overlap = (2 * both + 1) / (either + 1)
        anomalous = ops.max(y_true, axis=axes)
        known = ops.cast(anomalous >= 0, y_pred.dtype)
        return known * (2 * ops.mean(entropy, axis=axes) + 0.2 * anomalous * (1 - overlap))


def encoder_features(model: keras.Model, halvings: int) -> keras.Model:
    """Of a `unet`: images -> features [N, size / 2^halvings, size / 2^halvings, C] on its way down.

    Raises:
        ValueError: it is not halved so often.
    """
    side, found = model.input_shape[1] >> halvings, None
    for layer in model.layers:
        if isinstance(layer, layers.UpSampling2D):
            break
        if isinstance(layer, layers.ReLU) and layer.output.shape[1] == side:
            found = layer.output
    if found is None:
        raise ValueError(f"the network has no features at {side} px")
    return keras.Model(model.input, found)
