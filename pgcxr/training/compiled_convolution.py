"""Minimal filtering for training on CPUs: each convolution and each of its gradients compiled by XLA on its own.

Compiling the whole training step would be faster still, but takes minutes at every half-phase; these compile in seconds
and are shared by all layers of one shape.
"""

import tensorflow as tf

from pgcxr.networks import minimal_filtering as minimal

# With fewer, the library's direct convolutions are faster (benchmarks/convolution.py).
FEWEST_WEIGHTS = 64 * 64


def suits(x, kernel) -> bool:
    """Whether a convolution of these shapes is worth it here."""
    return minimal.suits(x, kernel) and kernel.shape[2] * kernel.shape[3] >= FEWEST_WEIGHTS


def compiled(function):
    return tf.function(function, jit_compile=True, autograph=False)


def bilinear(forward, scale: float):
    """(f, a): `forward`(x, kernel) and its adjoint in x, differentiable as often as wished.

    <f(x, k), dy> = <x, a(dy, k)>, and with the gradient w(x, dy) of that number with respect to k the gradients of f, a
    and w are again f, a and w: the gradient penalty needs them twice.

    Arguments:
        scale: by how much f makes images smaller.
    """

    def adjoint(dy, kernel):
        x = tf.zeros((dy.shape[0], int(scale * dy.shape[1]), int(scale * dy.shape[2]), kernel.shape[2]), dy.dtype)
        return gradient(x, kernel, dy, 0)

    def weights(x, dy):
        return gradient(x, tf.zeros((3, 3, x.shape[-1], dy.shape[-1]), x.dtype), dy, 1)

    def gradient(x, kernel, dy, which):
        # Linear in what is asked for: its value is of no account, and XLA leaves out what depends on it.
        with tf.GradientTape() as tape:
            tape.watch((x, kernel)[which])
            y = forward(x, kernel)
        return tape.gradient(y, (x, kernel)[which], output_gradients=dy)

    compiled_f, compiled_a, compiled_w = compiled(forward), compiled(adjoint), compiled(weights)

    @tf.custom_gradient
    def f(x, kernel):
        return compiled_f(x, kernel), lambda dy: (a(dy, kernel), w(x, dy))

    @tf.custom_gradient
    def a(dy, kernel):
        return compiled_a(dy, kernel), lambda dx: (f(dx, kernel), w(dx, dy))

    @tf.custom_gradient
    def w(x, dy):
        return compiled_w(x, dy), lambda change: (a(dy, change), f(x, change))

    return f, a


convolve, _ = bilinear(minimal.convolve, 1)
upscale_convolve, _ = bilinear(minimal.upscale_convolve, 0.5)
convolve_downscale, transposed_upscale_convolve = bilinear(minimal.convolve_downscale, 2)
