"""How far an image lies from another, one number per image: what latent inversion minimizes (thesis
4.2)."""

import math

from keras import ops


def mean_pairwise_squared_error(images, others):
    """Mean over all pairs of pixels of the squared difference of their residuals (thesis 4.2).

    With d = others - images over the n pixels and channels of one image, MPSE = 2 (n sum d^2 - (sum
    d)^2) / (n (n - 1)), twice the unbiased variance of d. A brightness offset between the two
    images costs nothing. (`tf.compat.v1.losses.mean_pairwise_squared_error` is wrong for more than
    one image: it mixes the batch.)

    Args:
        images: [N, H, W, C].
        others: [N, H, W, C].

    Returns:
        [N], in squared gray levels of the images.

    Example:

        >>> image = ops.reshape(ops.convert_to_tensor([0.0, 1.0, 0.0, 1.0]), (1, 2, 2, 1))
        >>> float(mean_pairwise_squared_error(image, image + 0.5)[0])  # a brightness offset
        0.0
    """
    residual = _flat_residual(images, others)
    pixels = residual.shape[-1]
    # The variance of centered residuals, exact in float32, not the difference of large sums.
    centered = residual - ops.mean(residual, axis=-1, keepdims=True)
    return 2.0 * ops.sum(ops.square(centered), axis=-1) / (pixels - 1)


def squared_error(images, others):
    """Mean squared error of each image: [N, H, W, C] twice -> [N] (thesis, results 3)."""
    return ops.mean(ops.square(_flat_residual(images, others)), axis=-1)


def absolute_error(images, others):
    """Mean absolute error of each image: [N, H, W, C] twice -> [N]."""
    return ops.mean(ops.abs(_flat_residual(images, others)), axis=-1)


def robust_squared_error(images, others, lesion: float = 0.2):
    """Squared error that a lesion hardly steers: min over m of mean((d - m)^2 + 2 lesion |m|).

    With d = others - images, m is what the images show and `others` need not: d itself, made
    smaller by `lesion` (soft threshold), and 0 where |d| is below that. What remains is d^2 there
    and 2 lesion |d| - lesion^2 elsewhere, Huber's loss.

    Args:
        images, others: [N, H, W, C].
        lesion: gray levels of the images from which on a difference counts as a lesion.

    Returns:
        [N].

    Example:

        >>> image = ops.zeros((1, 2, 1, 1))
        >>> shown = ops.reshape(ops.convert_to_tensor([0.1, 1.0]), (1, 2, 1, 1))
        >>> round(float(robust_squared_error(image, shown)[0]), 4)  # (0.1^2 + 0.4 - 0.2^2) / 2
        0.185
    """
    size = ops.abs(_flat_residual(images, others))
    return ops.mean(
        ops.where(size <= lesion, ops.square(size), lesion * (2 * size - lesion)), axis=-1
    )


def _flat_residual(images, others):
    difference = ops.subtract(others, images)
    return ops.reshape(difference, (-1, math.prod(difference.shape[1:])))


LOSSES = {
    "mpse": mean_pairwise_squared_error,
    "mse": squared_error,
    "l1": absolute_error,
    "robust": robust_squared_error,
}
