"""Batch normalization of convolutions as TensorFlow's one fused kernel, for training.

Keras's own layer is a dozen operations on the TensorFlow backend, each of which reads and writes
the whole activation.
"""

import keras
import tensorflow as tf


class FusedBatchNormalization(keras.layers.BatchNormalization):
    """keras.layers.BatchNormalization of [N, H, W, C], channels last, in one kernel; same weights,
    same numbers.

    It is for the time of training: networks are saved with Keras's own layer, which reads its
    weights.
    """

    def call(self, inputs, training=None):
        training = bool(training) and self.trainable
        normalized, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
            x=inputs,
            scale=tf.convert_to_tensor(self.gamma),
            offset=tf.convert_to_tensor(self.beta),
            mean=[] if training else tf.convert_to_tensor(self.moving_mean),
            variance=[] if training else tf.convert_to_tensor(self.moving_variance),
            epsilon=self.epsilon,
            is_training=training,
        )
        if training:
            # The kernel's variance is that of N - 1, Keras averages that of N.
            count = tf.cast(tf.reduce_prod(tf.shape(inputs)[:3]), variance.dtype)
            variance *= tf.maximum(count - 1, 1) / count
            self.moving_mean.assign(self.moving_mean * self.momentum + mean * (1 - self.momentum))
            self.moving_variance.assign(
                self.moving_variance * self.momentum + variance * (1 - self.momentum)
            )
        return normalized
