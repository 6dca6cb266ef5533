"""Adam that skips an update with non-finite gradients, as mixed precision and a diverging critic need."""

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="pgcxr")
class FiniteAdam(keras.optimizers.Adam):
    """Adam (arXiv 1412.6980); where a variable's gradient is not finite, neither it nor its moments change."""

    def update_step(self, gradient, variable, learning_rate):
        lr = ops.cast(learning_rate, variable.dtype)
        gradient = ops.cast(gradient, variable.dtype)
        finite = ops.all(ops.isfinite(gradient))
        step = ops.cast(self.iterations + 1, variable.dtype)
        correction = ops.sqrt(1 - ops.power(ops.cast(self.beta_2, variable.dtype), step))
        correction = correction / (1 - ops.power(ops.cast(self.beta_1, variable.dtype), step))
        index = self._get_variable_index(variable)
        m, v = self._momentums[index], self._velocities[index]
        new_m = m * self.beta_1 + gradient * (1 - self.beta_1)
        new_v = v * self.beta_2 + ops.square(gradient) * (1 - self.beta_2)
        change = lr * correction * new_m / (ops.sqrt(new_v) + self.epsilon)
        self.assign(m, ops.where(finite, new_m, m))
        self.assign(v, ops.where(finite, new_v, v))
        self.assign_sub(variable, ops.where(finite, change, ops.zeros_like(change)))

    def forget(self) -> None:
        """Back to step 0 with zero moments; the learning rate stays."""
        for variable in (self.iterations, *self._momentums, *self._velocities):
            variable.assign(ops.zeros_like(variable))
