"""Gs: the exponential moving average of the generator's weights (arXiv 1710.10196, section 5)."""

import tensorflow as tf


def decay_per_step(
    minibatch: int, *, beta: float | None = None, halflife_kimg: float | None = None
) -> float:
    """The decay at one step: `beta` itself (the original's 0.999), or from a half-life in thousands
    of images."""
    return beta if halflife_kimg is None else 0.5 ** (minibatch / (1000.0 * halflife_kimg))


def update(averages: list, variables: list, decay: float) -> None:
    """average <- variable + (average - variable) * decay, in place, on every replica."""

    def _merge(strategy, averages, variables):
        for average, variable in zip(averages, variables, strict=True):
            strategy.extended.update(
                average,
                lambda a, v: a.assign(v + (a - v) * tf.cast(decay, a.dtype)),
                args=(variable,),
                group=False,
            )

    context = tf.distribute.get_replica_context()
    context.merge_call(_merge, args=([a.value for a in averages], [v.value for v in variables]))
