"""What makes training on CPUs fast: minimal filtering of wide convolutions, each of them and each
of its gradients compiled by XLA on its own, and gradients that TensorFlow fuses better.

Compiling the whole training step would be faster still, but takes minutes at every half-phase;
these compile in seconds and are shared by all layers of one shape.
"""

import math

import numpy as np
import tensorflow as tf

from pgcxr.networks import convolution
from pgcxr.networks import minimal_filtering as minimal

# With fewer, the library's direct convolutions are as fast (benchmarks/convolution.py), run on all
# threads, and need neither memory for tiles nor half a minute of compiling.
FEWEST_WEIGHTS = 128 * 128
# Elements of the input that go through at once, at least an image: the transformed tiles of input
# and output take four times as much each.
MOST = 1 << 22


def suits(x, kernel) -> bool:
    """Whether a convolution of these shapes is worth it here."""
    return minimal.suits(x, kernel) and kernel.shape[2] * kernel.shape[3] >= FEWEST_WEIGHTS


def compiled(function):
    """`function` compiled by XLA, once for each set of shapes."""
    return tf.function(function, jit_compile=True, autograph=False)


def gradient(function, arguments, which: slice, dy):
    """Of <function(*arguments), dy> with respect to arguments[which].

    In what is linear in these, their values are of no account, and XLA leaves out what depends on
    them.
    """
    with tf.GradientTape() as tape:
        tape.watch(arguments)
        y = function(*arguments)
    return tape.gradient(y, arguments[which], output_gradients=dy)


def linear(transform):
    """f(kernel, scale, dtype): `transform` of the scaled kernel into matrices, differentiable
    once."""

    def forward(kernel, scale, dtype):
        return transform(convolution.scaled(kernel, scale, dtype))

    def adjoint(kernel, scale, dtype, *dy):
        return gradient(lambda kernel: forward(kernel, scale, dtype), [kernel], slice(1), list(dy))[
            0
        ]

    compiled_f, compiled_a = compiled(forward), compiled(adjoint)

    def f(kernel, scale, dtype):
        @tf.custom_gradient
        def of_kernel(kernel):
            return compiled_f(kernel, scale, dtype), lambda *dy: compiled_a(
                kernel, scale, dtype, *dy
            )

        return of_kernel(tf.convert_to_tensor(kernel))

    return f


def passes(forward):
    """f, a and w of `bilinear`, compiled; batches whose tiles would take much memory go through
    them in parts, one after another."""

    def f(x, *matrices):
        return _joined(lambda x: forward(x, *matrices), _parted(x.shape, x))

    def a(x_shape, dy, *matrices):
        parts = _parted(x_shape, dy)
        x = tf.zeros((parts.shape[1], *x_shape[1:]), dy.dtype)
        return _joined(lambda dy: gradient(forward, [x, *matrices], slice(1), dy)[0], parts)

    def w(x, dy, *matrices):
        def of(x, dy):
            return gradient(forward, [x, *matrices], slice(1, None), dy)

        parts = _parted(x.shape, x), _parted(x.shape, dy)
        if parts[0].shape[0] == 1:
            return of(x, dy)
        return tf.foldl(
            lambda sums, part: [a + b for a, b in zip(sums, of(*part), strict=True)],
            parts,
            [tf.zeros_like(matrix) for matrix in matrices],
        )

    return [_apart(compiled(function)) for function in (f, a, w)]


def _apart(function):
    """`function` unseen by tapes, for what is differentiated by who calls it: of one that two tapes
    see, TensorFlow keeps all that it computes on the way."""

    def call(*inputs):
        return function(*[tf.stop_gradient(x) if tf.is_tensor(x) else x for x in inputs])

    return call


def _parted(x_shape, batch):
    """`batch` [N, ...] -> [parts, N / parts, ...]: as few parts as keep that of an input of
    `x_shape` within MOST."""
    n, each = x_shape[0], math.prod(x_shape[1:])
    parts = next(p for p in range(1, n + 1) if n % p == 0 and (p == n or n // p * each <= MOST))
    return tf.reshape(batch, (parts, n // parts, *batch.shape[1:]))


def _joined(function, parts):
    """function(part) of all [parts, n, ...] -> [parts n, ...]."""
    if parts.shape[0] == 1:
        return function(parts[0])
    y = tf.map_fn(function, parts)
    return tf.reshape(y, (-1, *y.shape[2:]))


def bilinear(forward):
    """`forward`(x, *matrices), differentiable as often as wished.

    With its adjoint a in x, <f(x, m), dy> = <x, a(dy, m)>, and the gradient w(x, dy) of that number
    with respect to m, the gradients of f, a and w are again f, a and w: the gradient penalty needs
    them twice.
    """
    compiled_f, compiled_a, compiled_w = passes(forward)

    @tf.custom_gradient
    def f(x, *matrices):
        return compiled_f(x, *matrices), lambda dy: (a(x.shape, dy, matrices), *w(x, dy, matrices))

    def a(x_shape, dy, matrices):
        @tf.custom_gradient
        def adjoint_of(dy, *matrices):
            y = compiled_a(tuple(x_shape), dy, *matrices)
            return y, lambda dx: (f(dx, *matrices), *w(dx, dy, matrices))

        return adjoint_of(dy, *matrices)

    def w(x, dy, matrices):
        @tf.custom_gradient
        def weights_of(x, dy):
            return compiled_w(x, dy, *matrices), lambda *change: (
                a(x.shape, dy, change),
                f(x, *change),
            )

        return weights_of(x, dy)

    return f


_kernel_tiles, _convolve = linear(minimal.kernel_tiles), bilinear(minimal.convolve_tiles)
_kernel_sums, _turned_sums = linear(minimal.kernel_sums), linear(minimal.turned_sums)
_joined_sums, _convolve_downscale = (
    linear(minimal.joined_sums),
    bilinear(minimal.convolve_downscale_sums),
)
_upscale_convolve = bilinear(minimal.upscale_convolve_sums)


def convolve(x, kernel, scale: float = 1.0):
    """`minimal_filtering.convolve`: x [N, H, W, I], kernel [3, 3, I, O] -> [N, H, W, O]."""
    return _convolve(x, *convolution.once(_kernel_tiles, kernel, scale, x.dtype))


def upscale_convolve(x, kernel, scale: float = 1.0):
    """`minimal_filtering.upscale_convolve`: [N, H, W, I] -> [N, 2H, 2W, O]."""
    return _upscale_convolve(x, *convolution.once(_kernel_sums, kernel, scale, x.dtype))


def transposed_upscale_convolve(x, kernel, scale: float = 1.0):
    """`minimal_filtering.transposed_upscale_convolve`: kernel [3, 3, O, I] -> [N, 2H, 2W, O]."""
    return _upscale_convolve(x, *convolution.once(_turned_sums, kernel, scale, x.dtype))


def convolve_downscale(x, kernel, scale: float = 1.0):
    """`minimal_filtering.convolve_downscale`: [N, H, W, I] -> [N, H/2, W/2, O], sums of boxes."""
    return _convolve_downscale(x, *convolution.once(_joined_sums, kernel, scale, x.dtype))


@tf.custom_gradient
def matmul(x, kernel):
    """x [N, I] times kernel [I, O]. For few x, oneDNN takes thrice as long for dy k^T as for the
    same as (k dy^T)^T."""

    def gradients(dy):
        return tf.transpose(tf.matmul(kernel, dy, transpose_b=True)), tf.matmul(
            x, dy, transpose_a=True
        )

    return tf.matmul(x, kernel), gradients


def leaky_relu(x, slope: float):
    """Differentiated by its output alone, whose sign is the input's: so x is not kept, and
    TensorFlow computes convolution, bias and this in one."""

    @tf.custom_gradient
    def of_x(x):
        y = tf.nn.leaky_relu(x, slope)
        return y, lambda dy: _sloped(dy, y, slope)

    return of_x(x)


def _sloped(dy, y, slope: float):
    """`dy` times the slope where `y` is negative."""

    @tf.custom_gradient
    def of_dy(dy):
        return (
            tf.raw_ops.LeakyReluGrad(gradients=dy, features=y, alpha=slope),
            lambda change: _sloped(change, y, slope),
        )

    return of_dy(dy)


def four_taps(kernel):
    """`convolution.four_taps` as one product with a constant: its gradient is one, too, where that
    of padding and slices is many passes over memory."""
    k = kernel.shape[0]
    shifts = np.zeros((k + 1, k + 1, k, k), np.float32)
    for row, column in np.ndindex(k, k):
        shifts[row : row + 2, column : column + 2, row, column] = 1
    shifts = tf.constant(shifts.reshape((k + 1) ** 2, k * k), kernel.dtype)
    taps = tf.matmul(shifts, tf.reshape(kernel, (k * k, -1)))
    return tf.reshape(taps, (k + 1, k + 1, *kernel.shape[2:]))
