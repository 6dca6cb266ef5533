"""How fast a classifier learns, step by step."""

import math

import keras
from keras import ops


class WarmupCosine(keras.optimizers.schedules.LearningRateSchedule):
    """From 0 up to `highest` in a line of `warmup` steps, then a cosine down to 0 at step `total`.

    That of keras.optimizers.schedules.CosineDecay, without its `cond`: an optimizer asks for the
    rate anew for each weight, and a hundred conditions in a graph are half the time of tracing it.
    """

    def __init__(self, highest: float, warmup: int, total: int):
        self.highest, self.warmup, self.total = highest, warmup, total

    def __call__(self, step):
        step = ops.cast(step, "float32")
        rising = step / max(self.warmup, 1)
        done = ops.clip((step - self.warmup) / max(self.total - self.warmup, 1), 0.0, 1.0)
        return self.highest * ops.where(
            step < self.warmup, rising, 0.5 * (1 + ops.cos(math.pi * done))
        )

    def get_config(self) -> dict:
        return {"highest": self.highest, "warmup": self.warmup, "total": self.total}
