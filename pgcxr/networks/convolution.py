"""Products of the growing networks, computed directly or by other means with the same result but
for rounding.

How is no part of a network: it is decided where its graph is traced, with `by`. The means is an
object with `suits`, `convolve`, `upscale_convolve`, `transposed_upscale_convolve`,
`convolve_downscale`, `matmul`, `four_taps` and `leaky_relu`, such as `minimal_filtering`.
"""

import contextlib
import contextvars
import math

from keras import ops

from pgcxr.networks import pixels

# Elements of a weight from which a product's order counts.
LARGE = 1 << 16
_MEANS = contextvars.ContextVar("means", default=None)
_DONE = contextvars.ContextVar("done", default=None)


@contextlib.contextmanager
def by(means):
    """Within it, the convolutions that suit `means` are computed by it; None: all directly.

    With a means, weights must stay as they are within: what depends on them alone is computed
    `once`.
    """
    tokens = _MEANS.set(means), _DONE.set(None if means is None else {})
    try:
        yield
    finally:
        _MEANS.reset(tokens[0])
        _DONE.reset(tokens[1])


def once(function, kernel, scale: float, dtype):
    """function(kernel, scale, dtype); within `by` with a means computed once and then kept.

    So several passes through a network share it, and its gradient is computed once, of their
    gradients' sum.
    """
    done, key = _DONE.get(), (function, id(kernel), scale, dtype)
    if done is None:
        return function(kernel, scale, dtype)
    if key not in done:
        done[key] = kernel, function(kernel, scale, dtype)  # the kernel is kept, and so its id
    return done[key][1]


def scaled(kernel, scale: float, dtype):
    """The kernel that acts: in mixed precision scaled first, then rounded once."""
    return ops.cast(kernel * ops.cast(scale, kernel.dtype), dtype)


def matmul(x, kernel, scale: float = 1.0):
    """x [N, I], kernel [I, O] -> [N, O]."""
    if (means := _MEANS.get()) is not None and _large(kernel):
        return means.matmul(x, ops.cast(kernel, x.dtype)) * scale  # of both sides, the smaller
    return ops.matmul(x, once(scaled, kernel, scale, x.dtype))


def leaky_relu(x, slope: float):
    """x where it is positive, else slope x."""
    if (means := _MEANS.get()) is not None:
        return means.leaky_relu(x, slope)
    return ops.leaky_relu(x, negative_slope=slope)


def convolve(x, kernel, scale: float = 1.0):
    """Stride 1, "same" padding: x [N, H, W, I], kernel [k, k, I, O] -> [N, H, W, O]."""
    if means := _suiting(x, kernel):
        return means.convolve(x, kernel, scale)
    kernel = once(scaled, kernel, scale, x.dtype)
    return ops.conv(x, kernel, padding="same", data_format="channels_last")


def upscale_convolve(x, kernel, scale: float = 1.0):
    """2x nearest upscaling, then `convolve`; on its own, so that both can be one: -> [N, 2H, 2W,
    O]."""
    if means := _suiting(x, kernel):
        return means.upscale_convolve(x, kernel, scale)
    return convolve(pixels.upscale(x), kernel, scale)


def fused_upscale_convolve(x, kernel, scale: float = 1.0):
    """The same function in one transposed convolution with stride 2; kernel [k, k, O, I], rotated
    by 180 degrees.

    Four copies of the kernel, shifted by one pixel, are summed into a 4x4 kernel: one multiply-add
    for each sum of weights that meet the same input pixel.
    """
    if means := _suiting(x, kernel):
        return means.transposed_upscale_convolve(x, kernel, scale)
    taps = once(scaled_taps, kernel, scale, x.dtype)
    return ops.conv_transpose(x, taps, strides=2, padding="same", data_format="channels_last")


def fused_convolve_downscale(x, kernel, scale: float = 1.0):
    """`convolve`, then the mean of 2x2 boxes, in one 4x4 convolution with stride 2: -> [N, H/2,
    W/2, O]."""
    if means := _suiting(x, kernel):
        return means.convolve_downscale(x, kernel, scale * 0.25)
    taps = once(scaled_taps, kernel, scale * 0.25, x.dtype)
    return ops.conv(x, taps, strides=2, padding="same", data_format="channels_last")


def scaled_taps(kernel, scale: float, dtype):
    """`four_taps` of the kernel that acts."""
    kernel = scaled(kernel, scale, dtype)
    return four_taps(kernel) if (means := _MEANS.get()) is None else means.four_taps(kernel)


def four_taps(kernel):
    """[k, k, ., .] -> [k + 1, k + 1, ., .]: the sum of the kernel at its four half-pixel shifts."""
    k = ops.pad(kernel, ((1, 1), (1, 1), (0, 0), (0, 0)))
    return k[1:, 1:] + k[:-1, 1:] + k[1:, :-1] + k[:-1, :-1]


def _suiting(x, kernel):
    """The means, or None where these must be computed directly."""
    means = _MEANS.get()
    return means if means is not None and means.suits(x, kernel) else None


def _large(weight) -> bool:
    return math.prod(weight.shape) >= LARGE
