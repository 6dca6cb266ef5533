"""Where a classifier looks: Grad-CAM (Selvaraju et al., ICCV 2017; thesis Figures 10, 11, 14 and
15) and CAM.

For a network that ends in global average pooling and one dense layer, as all of
`pgcxr.classifier.network` do, both are one map but for the sign and the unit: Grad-CAM is ReLU(CAM)
/ (h w) (Selvaraju et al., section 3.1).
"""

import keras
import numpy as np
import tensorflow as tf

from pgcxr.classifier import network


def gradcam(
    model: keras.Model,
    images: np.ndarray,
    output_index: int = 0,
    layer: str | None = None,
    batch_size: int = 32,
) -> np.ndarray:
    """Class activation maps: ReLU(sum_k a_k A_k), a_k the mean over the map of d(logit) / d A_k
    (their equations 1, 2).

    Args:
        model: of `pgcxr.classifier.network`: its score is the logit, not the probability, whose
            gradient vanishes where the classifier is sure.
        images: float32 [N, H, W, C] in [-1, 1].
        output_index: which output.
        layer: whose output is A, [N, h, w, K]; the end of the last stage by default.

    Returns:
        float32 [N, h, w], 0 and up, in units of the logit; the sum of a map (before the ReLU) is
        the logit less its bias. All 0 where nothing speaks for the output.

    Example:

        >>> model = network.resnet(16, 2, blocks=(1, 1), width=4, stem="small")
        >>> gradcam(model, np.zeros((3, 16, 16, 1), np.float32), output_index=1).shape
        (3, 8, 8)
    """
    maps, output = _compiled(model, layer or network.last_stage(model)), tf.constant(output_index)
    return _in_batches(lambda batch: maps(batch, output), images, batch_size)


def cam(
    model: keras.Model, images: np.ndarray, output_index: int = 0, batch_size: int = 32
) -> np.ndarray:
    """Class activation maps of Zhou et al. (CVPR 2016, equation 2): sum_k w_k A_k, w_k the weights
    of the dense layer.

    Args:
        model, images, output_index: as of `gradcam`.

    Returns:
        float32 [N, h, w], negative where it speaks against the output; the mean of a map is the
        logit less its bias.
    """
    features, weights = _features(model), model.get_layer(network.LOGITS).kernel[:, output_index]
    return _in_batches(lambda batch: tf.tensordot(features(batch), weights, 1), images, batch_size)


def _in_batches(maps, images: np.ndarray, batch_size: int) -> np.ndarray:
    parts = [
        maps(tf.constant(images[i : i + batch_size], tf.float32))
        for i in range(0, len(images), batch_size)
    ]
    return np.concatenate([np.asarray(part, np.float32) for part in parts])


def _features(model: keras.Model):
    """images -> A, the end of the last stage, as one graph for any batch size, made once per
    model."""
    if not hasattr(model, "_pgcxr_features"):
        ending = keras.Model(model.input, model.get_layer(network.last_stage(model)).output)
        signature = [tf.TensorSpec((None, *model.input_shape[1:]), tf.float32)]
        model._pgcxr_features = tf.function(
            lambda x: ending(x, training=False),
            input_signature=signature,
            autograph=False,
            jit_compile=False,
        )
    return model._pgcxr_features


def _compiled(model: keras.Model, layer: str):
    """(images, output) -> maps as one graph for any batch size and output, made once per model and
    layer."""
    known = model.__dict__.setdefault("_pgcxr_gradcam", {})
    if layer in known:
        return known[layer]
    both = keras.Model(
        model.input, [model.get_layer(layer).output, model.get_layer(network.LOGITS).output]
    )
    signature = [
        tf.TensorSpec((None, *model.input_shape[1:]), tf.float32),
        tf.TensorSpec((), tf.int32),
    ]

    @tf.function(input_signature=signature, autograph=False, jit_compile=False)
    def maps(batch, output):
        with tf.GradientTape() as tape:
            features, logits = both(batch, training=False)
            # At inference no example touches another's logit, so the sum's gradient is each one's
            # own.
            score = tf.reduce_sum(tf.gather(logits, output, axis=1))
        importance = tf.reduce_mean(tape.gradient(score, features), axis=(1, 2), keepdims=True)
        return tf.nn.relu(tf.reduce_sum(importance * features, axis=-1))

    known[layer] = maps
    return maps
