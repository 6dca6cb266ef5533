"""What this machine can do: the rate of a large float32 matrix product, the yardstick beside every
figure."""

import time

SIDE = 2048
REPEATS = 5


def gflops() -> float:
    """Billions of floating-point operations a second, the best of a few, on the threads TensorFlow
    was given."""
    import tensorflow as tf

    a, b = tf.random.normal((SIDE, SIDE)), tf.random.normal((SIDE, SIDE))
    product = tf.function(tf.matmul)
    product(a, b)
    found = []
    for _ in range(REPEATS):
        begun = time.perf_counter()
        product(a, b)[0, 0].numpy()
        found.append(time.perf_counter() - begun)
    return 2 * SIDE**3 / min(found) / 1e9
