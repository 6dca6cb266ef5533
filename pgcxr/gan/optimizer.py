"""Adam that skips an update with non-finite gradients, as mixed precision and a diverging critic
need, and float16's loss scale."""

import keras
import tensorflow as tf
from keras import ops

# Elements from which one pass over memory pays: of a full-size step at 4 x 4, Adam by single
# operations is a quarter.
LARGE = 1 << 16
# Of the loss scale: log2 where it starts, what each update adds, what each skipped one takes.
INITIAL = 64.0
INCREMENT = 0.0005
DECREMENT = 1.0


class LossScale:
    """Dynamic loss scaling for float16, whose smallest number is 6e-8 and whose largest 65504
    (arXiv 1710.03740).

    The loss is multiplied by 2^log2 and its gradients divided by it, so that small ones don't
    vanish on the way.

    `log2` grows by 0.0005 with every update that is made and falls by 1 with every one that is
    skipped because a gradient was not finite: it stays just below overflow. These are the
    original's numbers; from 2^64 it takes some 50 skipped updates to come into float16's range.

    Args:
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


@keras.saving.register_keras_serializable(package="pgcxr")
class FiniteAdam(keras.optimizers.Adam):
    """Adam (arXiv 1412.6980) of the mean over all replicas.

    Where any gradient on any replica is not finite, nothing changes: no variable, no moment, not
    the count of steps.

    Args:
        loss_scale: log2 of the first loss scale for float16 gradients (see `LossScale`); None for
            no scaling.
    """

    def __init__(self, *args, loss_scale: float | None = None, **kwargs):
        super().__init__(*args, **kwargs)
        self.initial_loss_scale = loss_scale
        self.loss_scale = None
        self._finite = None

    def build(self, variables):
        super().build(variables)
        if self.initial_loss_scale is not None and self.loss_scale is None:
            self.loss_scale = LossScale(self, self.initial_loss_scale)

    def scale_loss(self, loss):
        """The loss to differentiate."""
        return loss if self.loss_scale is None else self.loss_scale.scale(loss)

    def unscale(self, gradient):
        """The gradient that a loss without scaling would have had, in float32."""
        return gradient if self.loss_scale is None else self.loss_scale.unscale(gradient)

    def apply(self, grads, trainable_variables=None):
        """One update from this replica's gradients of the scaled loss; returns their norm, without
        scaling."""
        context = tf.distribute.get_replica_context()
        replicas = context.num_replicas_in_sync
        grads = [self.unscale(gradient) for gradient in grads]
        norm = tf.linalg.global_norm(grads)
        everywhere = context.all_reduce(tf.distribute.ReduceOp.SUM, norm) if replicas > 1 else norm
        finite = tf.math.is_finite(everywhere)
        if replicas > 1:
            # Keras sums over replicas; NaN tells `update_step` to leave every variable as it is.
            share = tf.where(finite, 1.0 / replicas, float("nan"))
            grads = [gradient * share for gradient in grads]
        self._finite = finite if replicas == 1 else None
        super().apply(grads, trainable_variables)
        self.iterations.assign_sub(ops.cast(ops.logical_not(finite), self.iterations.dtype))
        if self.loss_scale is not None:
            self.loss_scale.update(finite)
        return norm

    def update_step(self, gradient, variable, learning_rate):
        lr = ops.cast(learning_rate, variable.dtype)
        gradient = ops.cast(gradient, variable.dtype)
        # With several replicas `apply` makes all elements NaN, or none.
        finite = (
            ops.isfinite(ops.reshape(gradient, (-1,))[0]) if self._finite is None else self._finite
        )
        step = ops.cast(self.iterations + 1, variable.dtype)
        correction = ops.sqrt(1 - ops.power(ops.cast(self.beta_2, variable.dtype), step))
        correction = correction / (1 - ops.power(ops.cast(self.beta_1, variable.dtype), step))
        index = self._get_variable_index(variable)
        m, v = self._momentums[index], self._velocities[index]
        if variable.shape.num_elements() >= LARGE:
            tf.cond(
                finite,
                lambda: self._in_one_pass(gradient, variable, m, v, lr * correction),
                lambda: None,
            )
            return
        new_m = m * self.beta_1 + gradient * (1 - self.beta_1)
        new_v = v * self.beta_2 + ops.square(gradient) * (1 - self.beta_2)
        change = lr * correction * new_m / (ops.sqrt(new_v) + self.epsilon)
        self.assign(m, ops.where(finite, new_m, m))
        self.assign(v, ops.where(finite, new_v, v))
        self.assign_sub(variable, ops.where(finite, change, ops.zeros_like(change)))

    def _in_one_pass(self, gradient, variable, m, v, rate) -> None:
        """The same update by TensorFlow's kernel; `rate` is corrected for the moments' bias
        already."""
        none = tf.zeros([], variable.dtype)
        tf.raw_ops.ResourceApplyAdam(
            var=variable.handle,
            m=m.value.handle,
            v=v.value.handle,
            beta1_power=none,
            beta2_power=none,
            lr=rate,
            beta1=tf.cast(self.beta_1, variable.dtype),
            beta2=tf.cast(self.beta_2, variable.dtype),
            epsilon=tf.cast(self.epsilon, variable.dtype),
            grad=gradient,
        )

    def reset(self) -> None:
        """Back to step 0 with zero moments; the learning rate and the loss scale stay."""
        for variable in (self.iterations, *self._momentums, *self._velocities):
            variable.assign(ops.zeros_like(variable))

    def get_config(self):
        return {**super().get_config(), "loss_scale": self.initial_loss_scale}
