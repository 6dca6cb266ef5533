"""Graphs as they were traced: a fifth of the time of the suite would go into TensorFlow's
optimization of graphs that then run for milliseconds. `make test-latest` does with it."""

import os


def unoptimized() -> None:
    """Before the first operation, in each process."""
    import tensorflow as tf

    if not os.environ.get("PGCXR_GRAPPLER"):
        tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})
