"""Dynamic loss scaling for float16, whose smallest number is 6e-8 and whose largest 65504 (arXiv
1710.03740)."""

import keras
from keras import ops

INITIAL = 64.0
INCREMENT = 0.0005
DECREMENT = 1.0


class LossScale:
    """The loss is multiplied by 2^log2 and its gradients divided by it, so that small ones don't
    vanish on the way.

    `log2` grows by 0.0005 with every update that is made and falls by 1 with every one that is
    skipped because a gradient was not finite: it stays just below overflow. These are the
    original's numbers; from 2^64 it takes some 50 skipped updates to come into float16's range.

    Arguments:
        optimizer: owns the variable, and so saves it with its own.
        initial: of log2.
    """

    def __init__(self, optimizer: keras.optimizers.Optimizer, initial: float = INITIAL):
        self.log2 = optimizer.add_variable(
            (),
            keras.initializers.Constant(initial),
            aggregation="only_first_replica",
            name="loss_scale_log2",
        )

    def scale(self, loss):
        """Before the gradient is taken."""
        return loss * ops.power(2.0, self.log2)

    def unscale(self, gradient):
        """After it is taken."""
        return gradient * ops.power(2.0, -self.log2)

    def update(self, finite) -> None:
        """After each attempt at an update; `finite` says whether it was made."""
        self.log2.assign_add(ops.where(finite, INCREMENT, -DECREMENT))
