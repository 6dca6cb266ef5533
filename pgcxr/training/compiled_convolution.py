"""Minimal filtering for training on CPUs: each product of a convolution and its gradients compiled by XLA on its own.

Compiling the whole training step would be faster still, but takes minutes at every half-phase; these compile in seconds
and are shared by all layers of one shape. Convolution is bilinear, and so are its gradients: three functions and their
weight gradients are closed under differentiation, which the gradient penalty needs twice.
"""

import tensorflow as tf

from pgcxr.networks import minimal_filtering as minimal

compiled = tf.function(jit_compile=True)


def turned(kernel):
    """The kernel of the adjoint: turned by 180 degrees, [k, k, I, O] -> [k, k, O, I]."""
    return tf.transpose(kernel[::-1, ::-1], (0, 1, 3, 2))


def bilinear(forward, adjoint, weight_gradient):
    """`forward`(x, kernel) with gradients: `adjoint`(dy, turned kernel) and `weight_gradient`(x, dy)."""

    @tf.custom_gradient
    def function(x, kernel):
        def gradients(dy):
            return adjoint()(dy, turned(kernel)), weight_gradient()(x, dy)

        return forward(x, kernel), gradients

    return function


def bilinear_weight_gradient(forward, function, adjoint):
    """d <`function`(x, kernel), dy> / d kernel, for x and dy, with gradients."""

    @compiled
    def compute(x, dy):
        kernel = tf.zeros((3, 3, x.shape[-1], dy.shape[-1]), x.dtype)
        with tf.GradientTape() as tape:
            tape.watch(kernel)
            y = forward(x, kernel)
        return tape.gradient(y, kernel, output_gradients=dy)

    @tf.custom_gradient
    def gradient(x, dy):
        def gradients(change):
            return adjoint()(dy, turned(change)), function()(x, change)

        return compute(x, dy), gradients

    return gradient


convolve = bilinear(compiled(minimal.convolve), lambda: convolve, lambda: _convolve_weights)
upscale_convolve = bilinear(compiled(minimal.upscale_convolve), lambda: convolve_downscale, lambda: _upscale_weights)
convolve_downscale = bilinear(
    compiled(minimal.convolve_downscale), lambda: upscale_convolve, lambda: _downscale_weights
)
_convolve_weights = bilinear_weight_gradient(minimal.convolve, lambda: convolve, lambda: convolve)
_upscale_weights = bilinear_weight_gradient(
    minimal.upscale_convolve, lambda: upscale_convolve, lambda: convolve_downscale
)
_downscale_weights = bilinear_weight_gradient(
    minimal.convolve_downscale, lambda: convolve_downscale, lambda: upscale_convolve
)
