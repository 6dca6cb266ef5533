"""The label term of an auxiliary-classifier GAN (arXiv 1610.09585), beside the Wasserstein loss.
Per example, [N].

D names the labels of every image, real or made, and both networks are paid for its being right: D's
loss holds the term of the reals and that of the fakes, G's loss that of its fakes.
"""

from keras import ops


def label_penalty(labels, logits, exclusive: bool = True):
    """-log of the probability that the logits give to the labels; [N, K] twice -> [N].

    Arguments:
        labels: `exclusive`: one-hot, softmax cross-entropy, as in the original. Otherwise
            multi-hot: each of the K is there or not by itself, and the sum of their sigmoid
            cross-entropies is the same thing, the likelihood of the whole row.
        logits: D's output beside the score.

    Example:

        >>> penalty = label_penalty(ops.convert_to_tensor([[1.0, 0.0]]), ops.zeros((1, 2)))
        >>> round(float(penalty[0]), 4)  # log 2
        0.6931
    """
    if exclusive:
        return -ops.sum(labels * ops.log_softmax(logits, axis=-1), axis=-1)
    return -ops.sum(
        labels * ops.log_sigmoid(logits) + (1.0 - labels) * ops.log_sigmoid(-logits), axis=-1
    )
