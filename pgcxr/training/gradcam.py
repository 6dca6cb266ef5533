"""Where a classifier looks: Grad-CAM (Selvaraju et al., ICCV 2017; thesis Figures 10, 11, 14 and 15)."""

import keras
import numpy as np
import tensorflow as tf

from pgcxr.networks import classifier


def gradcam(
    model: keras.Model, images: np.ndarray, output_index: int = 0, layer: str | None = None, batch_size: int = 32
) -> np.ndarray:
    """Class activation maps: ReLU(sum_k a_k A_k), a_k the mean over the map of d(logit) / d A_k (their equations 1, 2).

    Args:
        model: of `pgcxr.networks.classifier`: its score is the logit, not the probability, whose gradient vanishes
            where the classifier is sure.
        images: float32 [N, H, W, C] in [-1, 1].
        output_index: which output.
        layer: whose output is A, [N, h, w, K]; the end of the last stage by default.

    Returns:
        float32 [N, h, w], 0 and up, in units of the logit; the mean of a map (before the ReLU) is the share of the
        logit that A explains. All 0 where nothing speaks for the output.
    """
    maps, output = _compiled(model, layer or classifier.last_stage(model)), tf.constant(output_index)
    parts = [
        maps(tf.constant(images[i : i + batch_size], tf.float32), output) for i in range(0, len(images), batch_size)
    ]
    return np.concatenate([np.asarray(part, np.float32) for part in parts])


def _compiled(model: keras.Model, layer: str):
    """(images, output) -> maps as one graph for any batch size and output, made once per model and layer."""
    known = model.__dict__.setdefault("_pgcxr_gradcam", {})
    if layer in known:
        return known[layer]
    both = keras.Model(model.input, [model.get_layer(layer).output, model.get_layer(classifier.LOGITS).output])
    signature = [tf.TensorSpec((None, *model.input_shape[1:]), tf.float32), tf.TensorSpec((), tf.int32)]

    @tf.function(input_signature=signature, autograph=False, jit_compile=False)
    def maps(batch, output):
        with tf.GradientTape() as tape:
            features, logits = both(batch, training=False)
            # At inference no example touches another's logit, so the sum's gradient is each one's own.
            score = tf.reduce_sum(tf.gather(logits, output, axis=1))
        importance = tf.reduce_mean(tape.gradient(score, features), axis=(1, 2), keepdims=True)
        return tf.nn.relu(tf.reduce_sum(importance * features, axis=-1))

    known[layer] = maps
    return maps
