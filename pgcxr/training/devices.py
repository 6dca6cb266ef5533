"""Which devices a training runs on."""

import functools

from pgcxr.errors import InputError


def strategy(replicas: int, devices: list[str] | None = None):
    """The tf.distribute strategy of `replicas` devices: the default one for 1, MirroredStrategy for more.

    Arguments:
        devices: names such as "GPU:0" or "CPU:1" (logical devices stand for GPUs in tests); None: the GPUs.
    """
    import tensorflow as tf

    found = devices or [f"GPU:{index}" for index, _ in enumerate(tf.config.list_logical_devices("GPU"))]
    if replicas == 1:
        return tf.distribute.get_strategy()
    if len(found) < replicas:
        raise InputError(
            f"--set replicas={replicas}: this machine has {len(found)} GPUs that TensorFlow sees; "
            "lower replicas or train where there are enough"
        )
    return _mirrored(tuple(found[:replicas]))


@functools.cache
def _mirrored(devices: tuple[str, ...]):
    """One for each set of devices: a second one would number its collective operations anew, and TensorFlow, which
    remembers the shapes of the first one's, would refuse them."""
    import tensorflow as tf

    return tf.distribute.MirroredStrategy(list(devices))
