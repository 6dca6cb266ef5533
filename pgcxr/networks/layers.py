"""Layers of the Progressive GAN with equalized learning rate (arXiv 1710.10196, section 4.1).

Weights are drawn from N(0, 1) and multiplied at run time by gain / sqrt(fan_in), so that the
effective step of Adam is the same for every weight. Images are NHWC.
"""

import math

import keras
from keras import ops

from pgcxr.networks import convolution

register = keras.saving.register_keras_serializable(package="pgcxr")
HE_GAIN = math.sqrt(2.0)
LEAK = 0.2


def leaky_relu(x):
    """LeakyReLU with the slope 0.2 of the paper (table 2)."""
    return convolution.leaky_relu(x, LEAK)


def widened(x):
    """`x` in float32, if it was narrower. Squares and 1e-8 are lost in float16; sums lose digits in
    bfloat16."""
    return ops.cast(x, keras.backend.result_type(x.dtype, "float32"))


@register
class PixelNorm(keras.layers.Layer):
    """Normalizes the feature vector of each pixel to unit mean square: x / sqrt(mean_c(x^2) +
    epsilon).

    Arguments:
        epsilon: added to the mean square.

    Input and output: [..., C]. Reference: arXiv 1710.10196, section 4.2.
    """

    def __init__(self, epsilon: float = 1e-8, **kwargs):
        super().__init__(**kwargs)
        self.epsilon = epsilon

    def call(self, x):
        wide = widened(x)
        wide = wide * ops.rsqrt(ops.mean(ops.square(wide), axis=-1, keepdims=True) + self.epsilon)
        return ops.cast(wide, x.dtype)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "epsilon": self.epsilon}


@register
class MinibatchStddev(keras.layers.Layer):
    """Appends the minibatch's standard deviation as one constant feature map.

    Each group holds every M-th image of the batch (M = N / G); the deviation over the group is
    averaged over all features and pixels.

    Arguments:
        group_size: images per group G; where the batch is smaller, the batch is one group.

    Input: [N, H, W, C], N divisible by min(group_size, N). Output: [N, H, W, C + 1].
    Reference: arXiv 1710.10196, section 3.
    """

    def __init__(self, group_size: int = 4, **kwargs):
        super().__init__(**kwargs)
        self.group_size = group_size

    def call(self, x, parts: int = 1):
        """`parts` batches lie one after another along N; their statistics are kept apart."""
        n, h, w, c = ops.shape(x)
        each = n // parts
        group = min(self.group_size, each)
        y = ops.reshape(widened(x), (parts, group, each // group, h, w, c))  # [PGMHWC]
        y = y - ops.mean(y, axis=1, keepdims=True)
        y = ops.sqrt(ops.mean(ops.square(y), axis=1, keepdims=True) + 1e-8)  # [P1MHWC]
        y = ops.mean(y, axis=(3, 4, 5), keepdims=True)  # [P1M111]
        y = ops.broadcast_to(y, (parts, group, each // group, h, w, 1))
        return ops.concatenate([x, ops.cast(ops.reshape(y, (n, h, w, 1)), x.dtype)], axis=-1)

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], input_shape[-1] + 1)

    def get_config(self):
        return {**super().get_config(), "group_size": self.group_size}


class Equalized(keras.layers.Layer):
    """Base of the layers below: a kernel ~ N(0, 1) scaled at run time, and a bias that is not
    scaled.

    Arguments:
        filters: output features.
        gain: sqrt(2) (He) before a leaky ReLU, 1 before a linear output.
        use_bias: whether a bias is added.
    """

    kernel_size = 3

    def __init__(self, filters: int, gain: float = HE_GAIN, use_bias: bool = True, **kwargs):
        super().__init__(**kwargs)
        self.filters = filters
        self.gain = gain
        self.use_bias = use_bias

    def add_weights(self, kernel_shape: tuple, fan_in: int) -> None:
        """Creates the kernel and the bias."""
        # Not autocast: in mixed precision it is scaled first and rounded once.
        self.kernel = self.add_weight(
            name="kernel",
            shape=kernel_shape,
            initializer=keras.initializers.RandomNormal(0, 1),
            autocast=False,
        )
        self.scale = self.gain / math.sqrt(fan_in)
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(name="bias", shape=(self.filters,), initializer="zeros")

    def with_bias(self, x):
        return x if self.bias is None else x + self.bias

    def get_config(self):
        return {
            **super().get_config(),
            "filters": self.filters,
            "gain": self.gain,
            "use_bias": self.use_bias,
        }


@register
class EqualizedDense(Equalized):
    """Dense layer, [N, I] -> [N, filters]."""

    def build(self, input_shape):
        self.add_weights((input_shape[-1], self.filters), fan_in=input_shape[-1])

    def call(self, x):
        return self.with_bias(convolution.matmul(x, self.kernel, self.scale))

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.filters)


@register
class ChannelBias(keras.layers.Layer):
    """Adds one bias to each feature, [..., C] -> [..., C]."""

    def build(self, input_shape):
        self.bias = self.add_weight(name="bias", shape=(input_shape[-1],), initializer="zeros")

    def call(self, x):
        return x + self.bias

    def compute_output_shape(self, input_shape):
        return input_shape


@register
class EqualizedConv2D(Equalized):
    """Convolution with stride 1 and "same" padding, [N, H, W, I] -> [N, H, W, filters]; kernel [k,
    k, I, O]."""

    def __init__(self, filters: int, kernel_size: int = 3, **kwargs):
        super().__init__(filters, **kwargs)
        self.kernel_size = kernel_size

    def build(self, input_shape):
        k, inputs = self.kernel_size, input_shape[-1]
        self.add_weights((k, k, inputs, self.filters), fan_in=k * k * inputs)

    def call(self, x):
        return self.with_bias(convolution.convolve(x, self.kernel, self.scale))

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.filters)

    def get_config(self):
        return {**super().get_config(), "kernel_size": self.kernel_size}


@register
class UpscaleConv2D(Equalized):
    """2x nearest upscaling and a 3x3 convolution in one transposed convolution with stride 2.

    Kernel [k, k, O, I], rotated by 180 degrees against the unfused pair's.

    Input: [N, H, W, I]. Output: [N, 2H, 2W, filters].
    """

    def build(self, input_shape):
        k, inputs = self.kernel_size, input_shape[-1]
        self.add_weights((k, k, self.filters, inputs), fan_in=k * k * inputs)

    def call(self, x):
        return self.with_bias(convolution.fused_upscale_convolve(x, self.kernel, self.scale))

    def compute_output_shape(self, input_shape):
        n, h, w, _ = input_shape
        return (n, 2 * h, 2 * w, self.filters)


@register
class ConvDownscale2D(Equalized):
    """A 3x3 convolution and 2x box downscaling in one 4x4 convolution with stride 2; kernel [k, k,
    I, O].

    Input: [N, H, W, I]. Output: [N, H/2, W/2, filters].
    """

    def build(self, input_shape):
        k, inputs = self.kernel_size, input_shape[-1]
        self.add_weights((k, k, inputs, self.filters), fan_in=k * k * inputs)

    def call(self, x):
        return self.with_bias(convolution.fused_convolve_downscale(x, self.kernel, self.scale))

    def compute_output_shape(self, input_shape):
        n, h, w, _ = input_shape
        return (n, h // 2, w // 2, self.filters)


@register
class UnfusedUpscaleConv2D(EqualizedConv2D):
    """Nearest upscaling, then an ordinary convolution: the same function as `UpscaleConv2D` with a
    rotated kernel."""

    def call(self, x):
        return self.with_bias(convolution.upscale_convolve(x, self.kernel, self.scale))

    def compute_output_shape(self, input_shape):
        n, h, w, _ = input_shape
        return (n, 2 * h, 2 * w, self.filters)
