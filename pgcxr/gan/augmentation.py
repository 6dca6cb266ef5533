"""Images changed at random before the discriminator sees them, real and generated alike, so that a
few hundred of them cannot be learned by heart (Karras 2020, arXiv 2006.06676; Zhao 2020, arXiv
2006.10738).

For chests: shift, scale, small rotation, gain, gamma, cutout. No flip: the heart has a side. Each
is applied to an image with probability p, by numbers of its own; everything is differentiable, as
G learns through it.
"""

import math

import tensorflow as tf

SHIFT = 1 / 8  # of the side, at most, in either direction
SCALE = 0.2  # at most 2^0.2 = 1.15 times larger or smaller
ROTATION = math.radians(10)
GAIN, OFFSET = 0.3, 0.2  # contrast 2^+-0.3 about mid-gray; brightness, of images in [-1, 1]
GAMMA = 0.5  # exponent 2^+-0.5
CUTOUT = 1 / 3  # side of the square that is hidden
# Below this share of the range gamma is a straight line: its slope at 0 would have no bound.
STRAIGHT = 1 / 64
# What `augment` takes for each image: whether (6) and how (9).
NUMBERS = 15


def augment(images, numbers, p):
    """Images, each changed by numbers of its own.

    Args:
        images: float32 [N, h, w, C], about [-1, 1].
        numbers: uniform in [0, 1), [N, NUMBERS].
        p: probability of each change, a number or a scalar tensor.

    Returns:
        float32 [N, h, w, C].

    Example:

        >>> images = tf.random.stateless_uniform((2, 8, 8, 1), (1, 2), -1, 1)
        >>> bool(tf.reduce_all(augment(images, tf.zeros((2, NUMBERS)), p=0.0) == images))
        True
        >>> augment(images, tf.zeros((2, NUMBERS)), p=1.0).shape
        TensorShape([2, 8, 8, 1])
    """
    chance, how = numbers[:, :6], 2.0 * numbers[:, 6:] - 1.0  # how: in [-1, 1)
    used = tf.cast(chance < p, images.dtype)
    shift, scale, rotation, gain, gamma, cutout = tf.unstack(used, axis=1)
    dx, dy, size, angle, contrast, brightness, exponent, x, y = tf.unstack(how, axis=1)
    moved = _transformed(
        images,
        scale=2.0 ** (SCALE * size * scale),
        angle=ROTATION * angle * rotation,
        shift=(2 * SHIFT * dx * shift, 2 * SHIFT * dy * shift),
    )
    # Not resampled where nothing moved.
    same = (shift + scale + rotation) == 0
    images = tf.where(_by_image(same), images, moved)
    images = images * _by_image(2.0 ** (GAIN * contrast * gain)) + _by_image(
        OFFSET * brightness * gain
    )
    images = tf.where(
        _by_image(gamma > 0), _gamma(images, _by_image(2.0 ** (GAMMA * exponent))), images
    )
    hidden = _square(images, x, y) & _by_image(cutout > 0)
    return tf.where(hidden, tf.zeros_like(images), images)


def _by_image(values):
    return values[:, None, None, None]


def _centers(size: int):
    """Of the pixels along a side that reaches from -1 to 1."""
    return tf.constant([(2 * i + 1) / size - 1 for i in range(size)], tf.float32)


def _transformed(images, scale, angle, shift):
    """Scaled, then turned, then shifted by bilinear interpolation; beyond the border its pixels go
    on.

    Args:
        scale, angle: [N], above 1 is larger; radians, from x to y.
        shift: two of [N], along x and y, as shares of half the side.
    """
    height, width = images.shape[1:3]
    x, y = _centers(width)[None, None, :], _centers(height)[None, :, None]
    x, y = x - shift[0][:, None, None], y - shift[1][:, None, None]  # [N1W], [NH1]
    cos, sin = (f(angle)[:, None, None] / scale[:, None, None] for f in (tf.cos, tf.sin))
    source_x, source_y = cos * x + sin * y, cos * y - sin * x  # [NHW]
    return _interpolated(
        images, (source_x + 1) * width / 2 - 0.5, (source_y + 1) * height / 2 - 0.5
    )


def _interpolated(images, x, y):
    """Bilinear values [N, H, W, C] at places [N, H, W] in pixels.

    By gathering: TensorFlow's own transform has no exact gradient.
    """
    height, width, channels = images.shape[1:]
    flat = tf.reshape(images, (-1, height * width, channels))
    x, y = tf.clip_by_value(x, 0, width - 1), tf.clip_by_value(y, 0, height - 1)
    left = tf.minimum(tf.floor(x), width - 2)
    top = tf.minimum(tf.floor(y), height - 2)
    right_share, lower_share = (x - left)[..., None], (y - top)[..., None]
    first = tf.cast(top * width + left, tf.int32)

    def row(start):
        here, beside = (tf.gather(flat, start + step, batch_dims=1) for step in (0, 1))
        return here + (beside - here) * right_share

    upper, lower = row(first), row(first + width)
    return upper + (lower - upper) * lower_share


def _gamma(images, exponent):
    """((x + 1) / 2)^exponent in the place of (x + 1) / 2, continued in a straight line below
    `STRAIGHT`."""
    share = (images + 1) / 2
    power = tf.maximum(share, STRAIGHT) ** exponent
    line = share * STRAIGHT ** (exponent - 1)
    return 2 * tf.where(share > STRAIGHT, power, line) - 1


def _square(images, x, y):
    """Whether a pixel lies in the square around (x, y), bool [N, H, W, 1]."""
    height, width = images.shape[1:3]
    in_x = tf.abs(_centers(width)[None] - x[:, None]) < CUTOUT
    in_y = tf.abs(_centers(height)[None] - y[:, None]) < CUTOUT
    return (in_y[:, :, None] & in_x[:, None, :])[..., None]
