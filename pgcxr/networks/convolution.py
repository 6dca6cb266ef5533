"""Convolutions of the growing networks, computed directly or by other means with the same result.

How is no part of a network: it is decided where its graph is traced, with `by`. The means is an object with `suits`,
`convolve`, `upscale_convolve`, `transposed_upscale_convolve` and `convolve_downscale`, such as `minimal_filtering`.
"""

import contextlib
import contextvars

from keras import ops

from pgcxr import images

_MEANS = contextvars.ContextVar("means", default=None)


@contextlib.contextmanager
def by(means):
    """Within it, the convolutions that suit `means` are computed by it; None: all directly."""
    token = _MEANS.set(means)
    try:
        yield
    finally:
        _MEANS.reset(token)


def convolve(x, kernel):
    """Stride 1, "same" padding: x [N, H, W, I], kernel [k, k, I, O] -> [N, H, W, O]."""
    if means := _suiting(x, kernel):
        return means.convolve(x, kernel)
    return ops.conv(x, kernel, padding="same", data_format="channels_last")


def upscale_convolve(x, kernel):
    """2x nearest upscaling, then `convolve`; on its own, so that both can be one: -> [N, 2H, 2W, O]."""
    if means := _suiting(x, kernel):
        return means.upscale_convolve(x, kernel)
    return convolve(images.upscale(x), kernel)


def fused_upscale_convolve(x, kernel):
    """The same function in one transposed convolution with stride 2; kernel [k, k, O, I], rotated by 180 degrees.

    Four copies of the kernel, shifted by one pixel, are summed into a 4x4 kernel: one multiply-add for each sum of
    weights that meet the same input pixel.
    """
    if means := _suiting(x, kernel):
        return means.transposed_upscale_convolve(x, kernel)
    return ops.conv_transpose(x, four_taps(kernel), strides=2, padding="same", data_format="channels_last")


def fused_convolve_downscale(x, kernel):
    """`convolve`, then the mean of 2x2 boxes, in one 4x4 convolution with stride 2: -> [N, H/2, W/2, O]."""
    if means := _suiting(x, kernel):
        return means.convolve_downscale(x, kernel * 0.25)
    return ops.conv(x, four_taps(kernel) * 0.25, strides=2, padding="same", data_format="channels_last")


def four_taps(kernel):
    """[k, k, ., .] -> [k + 1, k + 1, ., .]: the sum of the kernel at its four half-pixel shifts."""
    k = ops.pad(kernel, ((1, 1), (1, 1), (0, 0), (0, 0)))
    return k[1:, 1:] + k[:-1, 1:] + k[1:, :-1] + k[:-1, :-1]


def _suiting(x, kernel):
    """The means, or None where these must be computed directly."""
    means = _MEANS.get()
    return means if means is not None and means.suits(x, kernel) else None
