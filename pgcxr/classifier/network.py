"""The classifier of the study: ResNet with sigmoid outputs (thesis 2.2 and 3.2).

He et al., "Deep Residual Learning for Image Recognition" (CVPR 2016), in the v1 form of
`keras.applications`, with the same layer names, so that with its defaults it is ResNet-50 and a
weights file of ResNet-50 loads. The same code makes narrower and shallower networks for small
images.
"""

from dataclasses import dataclass
from pathlib import Path

import keras
import tensorflow as tf
from keras import layers

from pgcxr.errors import ArgumentError, InputError

RESNET50 = (3, 4, 6, 3)
STEMS = {"imagenet": 4, "half": 2, "small": 1}  # how often each makes the image smaller
LOGITS, PREDICTIONS = "logits", "predictions"
PENULTIMATE = "avg_pool"
_EPSILON = 1.001e-5  # of keras.applications
# What keras.applications subtracts from images in [0, 255] (BGR); weights files of ResNet-50 expect
# it.
_IMAGENET_BGR_MEAN = (103.939, 116.779, 123.68)


class FusedBatchNormalization(layers.BatchNormalization):
    """keras.layers.BatchNormalization of [N, H, W, C], channels last, as TensorFlow's one kernel.

    Same weights, same numbers.

    Keras's own layer is a dozen operations on the TensorFlow backend, each of which reads and
    writes the whole activation. It is for the time of training: networks are saved with Keras's own
    layer, which reads its weights.
    """

    def call(self, inputs, training=None):
        training = bool(training) and self.trainable
        normalized, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
            x=inputs,
            scale=tf.convert_to_tensor(self.gamma),
            offset=tf.convert_to_tensor(self.beta),
            mean=[] if training else tf.convert_to_tensor(self.moving_mean),
            variance=[] if training else tf.convert_to_tensor(self.moving_variance),
            epsilon=self.epsilon,
            is_training=training,
        )
        if training:
            # The kernel's variance is that of N - 1, Keras averages that of N.
            count = tf.cast(tf.reduce_prod(tf.shape(inputs)[:3]), variance.dtype)
            variance *= tf.maximum(count - 1, 1) / count
            self.moving_mean.assign(self.moving_mean * self.momentum + mean * (1 - self.momentum))
            self.moving_variance.assign(
                self.moving_variance * self.momentum + variance * (1 - self.momentum)
            )
        return normalized


@dataclass(frozen=True)
class Computation:
    """How a network is computed, which is no part of what it is.

    Attributes:
        dtype: a Keras dtype policy; "mixed_float16" and "mixed_bfloat16" keep the weights, the
            pooled features and what comes after them in float32.
        normalization: the layer of batch normalization; one that is quicker on a backend may stand
            in for Keras's own.
    """

    dtype: str = "float32"
    normalization: type[layers.Layer] = layers.BatchNormalization


PLAIN = Computation()


def resnet(
    size: int,
    outputs: int,
    blocks: tuple[int, ...] = RESNET50,
    width: int = 64,
    channels: int = 1,
    stem: str = "imagenet",
    momentum: float = 0.99,
    computation: Computation = PLAIN,
) -> keras.Model:
    """Images [N, size, size, channels] in [-1, 1] -> probabilities [N, outputs]; layer "logits"
    holds their logits.

    Args:
        size: px.
        outputs: classes, each present or not by itself.
        blocks: bottleneck blocks per stage; stage i has `width` * 2**i filters (4 times as many at
            its end), and every stage but the first halves the resolution.
        stem: "imagenet" is 7x7 with stride 2, then a 3x3 maximum with stride 2; "half" is 3x3 with
            stride 2, "small" 3x3 with stride 1, for images of about 16 to 64 px, which the first
            would reduce to nothing.
        momentum: of the moving averages of batch normalization; 0.99 needs a thousand steps to
            settle.
        computation: with which precision and kernels.

    Raises:
        ArgumentError: no such stem, or images that are too small for it.

    Example:

        >>> resnet(32, 6, blocks=(1, 1), width=8, stem="small").output_shape
        (None, 6)
    """
    if stem not in STEMS:
        raise ArgumentError("stem", f"choose one of {', '.join(STEMS)}", stem)
    if size < STEMS[stem] * 2 ** (len(blocks) - 1):
        expected = f"too small for {len(blocks)} stages with the stem {stem!r}; use stem=small"
        raise ArgumentError("size", expected, size)
    dtype = computation.dtype

    def normalized(x, name):
        return computation.normalization(
            epsilon=_EPSILON, momentum=momentum, dtype=dtype, name=name
        )(x)

    inputs = keras.Input((size, size, channels), name="images")
    if stem == "imagenet":
        x = layers.ZeroPadding2D(3, name="conv1_pad")(inputs)
        x = layers.Conv2D(width, 7, strides=2, dtype=dtype, name="conv1_conv")(x)
    else:
        x = layers.Conv2D(
            width, 3, strides=STEMS[stem], padding="same", dtype=dtype, name="conv1_conv"
        )(inputs)
    x = normalized(x, "conv1_bn")
    x = layers.Activation("relu", dtype=dtype, name="conv1_relu")(x)
    if stem == "imagenet":
        x = layers.ZeroPadding2D(1, dtype=dtype, name="pool1_pad")(x)
        x = layers.MaxPooling2D(3, strides=2, dtype=dtype, name="pool1_pool")(x)
    for stage, count in enumerate(blocks):
        for block in range(count):
            stride = 2 if stage > 0 and block == 0 else 1
            name = f"conv{stage + 2}_block{block + 1}"
            x = _bottleneck(x, width * 2**stage, stride, block == 0, normalized, dtype, name)
    x = layers.GlobalAveragePooling2D(name=PENULTIMATE)(x)
    x = layers.Dense(outputs, name=LOGITS)(x)
    x = layers.Activation("sigmoid", name=PREDICTIONS)(x)
    return keras.Model(inputs, x, name="resnet")


def _bottleneck(x, filters: int, stride: int, project: bool, normalized, dtype: str, name: str):
    """1x1, 3x3, 1x1 (4 * filters), added to the input or to its 1x1 projection (He et al., figure
    5, right)."""

    def conv_bn(x, part, *arguments, **keywords):
        x = layers.Conv2D(*arguments, **keywords, dtype=dtype, name=f"{name}_{part}_conv")(x)
        return normalized(x, f"{name}_{part}_bn")

    def relu(x, part):
        return layers.Activation("relu", dtype=dtype, name=f"{name}_{part}")(x)

    shortcut = conv_bn(x, 0, 4 * filters, 1, strides=stride) if project else x
    x = relu(conv_bn(x, 1, filters, 1, strides=stride), "1_relu")
    x = relu(conv_bn(x, 2, filters, 3, padding="same"), "2_relu")
    x = layers.Add(dtype=dtype, name=f"{name}_add")([shortcut, conv_bn(x, 3, 4 * filters, 1)])
    return relu(x, "out")


def with_logits(model: keras.Model) -> keras.Model:
    """The same network, weights shared, that returns logits [N, outputs] instead of
    probabilities."""
    return keras.Model(model.input, model.get_layer(LOGITS).output, name="resnet_logits")


def penultimate(model: keras.Model) -> keras.Model:
    """The same network, weights shared, that returns what its last dense layer reads, [N, width *
    2**(stages + 1)]."""
    return keras.Model(model.input, model.get_layer(PENULTIMATE).output, name="resnet_features")


def last_stage(model: keras.Model) -> str:
    """The name of the last convolutional layer's output: what Grad-CAM looks at."""
    return [layer.name for layer in model.layers if layer.name.endswith("_out")][-1]


def architecture(blocks: tuple[int, ...], width: int, stem: str) -> str:
    """The network's honest name, for reports."""
    if tuple(blocks) == RESNET50 and width == 64 and stem == "imagenet":
        return "ResNet-50"
    stages = "-".join(str(count) for count in blocks)
    return f"residual net, blocks {stages}, width {width}, {stem} stem (not ResNet-50)"


def load_weights_file(model: keras.Model, path: str | Path) -> None:
    """Fills a one-channel ResNet-50 from a local weights file of keras.applications.ResNet50
    without its top.

    The first convolution is summed over R, G, B and takes over the file's input range (0 to 255
    less the ImageNet mean), so that inside the image its response to a gray image in [-1, 1] is the
    response that the file was trained with. The head keeps its initial values.
    """
    if not Path(path).is_file():
        raise InputError(
            f"{path}: no such weights file; give a local file of ResNet-50 without top, or none"
        )
    source = keras.applications.ResNet50(
        include_top=False, weights=None, input_shape=(None, None, 3)
    )
    try:
        source.load_weights(path)
    except (OSError, ValueError, KeyError):
        raise InputError(
            f"{path}: is not a weights file of keras.applications.ResNet50 without top"
        ) from None
    named = {layer.name: layer for layer in source.layers if layer.weights}
    if set(named) != {layer.name for layer in model.layers if layer.weights} - {LOGITS}:
        raise InputError(
            f"{path}: is of ResNet-50, this network has other stages; use blocks=(3, 4, 6, 3)"
        )
    for layer in named.values():
        values = layer.get_weights()
        if layer.name == "conv1_conv":
            values = _for_gray(*values)
        try:
            model.get_layer(layer.name).set_weights(values)
        except ValueError:
            raise InputError(
                f"{path}: has layer {layer.name} of another shape than this network; "
                "use width=64 and stem=imagenet, or no weights file"
            ) from None


def _for_gray(kernel, bias):
    """Kernel [7, 7, 3, F] for BGR in [0, 255] less the mean -> [7, 7, 1, F] for gray g in [-1, 1],
    and its bias.

    A channel is 127.5 g + 127.5 - mean: the factor goes into the kernel, the constant into the
    bias.
    """
    offset = sum(
        kernel[:, :, channel].sum((0, 1)) * (127.5 - mean)
        for channel, mean in enumerate(_IMAGENET_BGR_MEAN)
    )
    return [127.5 * kernel.sum(2, keepdims=True), bias + offset]
