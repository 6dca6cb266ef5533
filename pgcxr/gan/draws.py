"""Random numbers of the training: a pure function of (seed, images shown, purpose), drawn for the
global batch.

So a resumed run, and a run on another number of replicas, sees the same ones. They are TensorFlow's
stateless Philox numbers; only the bits are TensorFlow's own work, because XLA draws the same bits
but makes other floats of them.
"""

import math

import tensorflow as tf

# What a number is for; part of its key.
LATENTS_D, MIXING, LATENTS_G, LABELS_G, MIRROR, AUGMENT_D, AUGMENT_G = 1, 2, 3, 4, 5, 6, 7


def uniform(seed: int, purpose: int, cur_nimg, n: int, shape: tuple):
    """This replica's rows, float32 [n, *shape] in [0, 1), of the global batch's numbers after
    `cur_nimg` images."""
    return _rows(lambda key, count: _unit(_bits(key, count)), seed, purpose, cur_nimg, n, shape)


def normal(seed: int, purpose: int, cur_nimg, n: int, shape: tuple):
    """As `uniform`, standard normal: Box-Muller on pairs."""

    def draw(key, count):
        first, second = tf.unstack(
            tf.reshape(_unit(_bits(key, count + count % 2)), (-1, 2)), axis=1
        )
        radius, angle = tf.sqrt(-2.0 * tf.math.log(tf.maximum(first, 1e-7))), 2.0 * math.pi * second
        return tf.reshape(
            tf.stack([tf.sin(angle) * radius, tf.cos(angle) * radius], axis=1), (-1,)
        )[:count]

    return _rows(draw, seed, purpose, cur_nimg, n, shape)


def pick(seed: int, purpose: int, cur_nimg, n: int, ends):
    """As `uniform`, int32 [n] indices: i as often as `ends`[i] - `ends`[i - 1] in `ends`[-1] < 2^31
    draws."""

    def draw(key, count):
        return tf.random.stateless_uniform((count,), key, 0, int(ends[-1]), tf.int32, alg="philox")

    numbers = _rows(draw, seed, purpose, cur_nimg, n, ())
    return tf.reduce_sum(tf.cast(numbers[:, None] >= tf.constant(ends, tf.int32), tf.int32), axis=1)


def _rows(draw, seed: int, purpose: int, cur_nimg, n: int, shape: tuple):
    context = tf.distribute.get_replica_context()
    key = tf.stack([tf.constant(seed * 8 + purpose, tf.int64), cur_nimg])
    whole = (n * context.num_replicas_in_sync, *shape)
    first = context.replica_id_in_sync_group * n
    return tf.reshape(draw(key, math.prod(whole)), whole)[first : first + n]


def _bits(key, count: int):
    return tf.random.stateless_uniform((count,), key, None, None, tf.uint32, alg="philox")


def _unit(bits):
    """uint32 -> [0, 1): its low 23 bits as the mantissa of a number in [1, 2), less 1."""
    mantissa = tf.bitwise.bitwise_and(bits, tf.constant(0x7FFFFF, tf.uint32))
    return (
        tf.bitcast(tf.bitwise.bitwise_or(mantissa, tf.constant(0x3F800000, tf.uint32)), tf.float32)
        - 1.0
    )
