"""Wasserstein loss with gradient penalty and drift (arXiv 1704.00028; 1710.10196, A.1). Per
example, [N].

The trainer reduces once, and it alone knows how to differentiate: the norms of the critic's
gradient come in as an argument, so that this file runs on any Keras backend.
"""

from keras import ops


def generator_loss(fake_scores):
    """-D(G(z)); scores [N, 1] -> [N]."""
    return -ops.squeeze(fake_scores, -1)


def discriminator_loss(
    real_scores,
    fake_scores,
    mixed_norms,
    *,
    weight: float = 10.0,
    target: float = 1.0,
    drift: float = 0.001,
) -> dict:
    """The critic's loss and its parts.

    Arguments:
        real_scores, fake_scores: [N, 1].
        mixed_norms: [N], norm of the score's gradient with respect to images between real and fake,
            over the image at full resolution.
        weight, target: lambda and the norm that is rewarded.
        drift: weight of the squared real scores, which keeps them near 0.

    Returns:
        {"loss", "gradient_penalty" (norm - target)^2, "drift_penalty" real^2}, each [N]; the last
        two unweighted.

    Example:

        >>> real, fake = ops.ones((2, 1)), ops.zeros((2, 1))
        >>> losses = discriminator_loss(real, fake, mixed_norms=ops.ones(2))
        >>> round(float(losses["loss"][0]), 3)  # 0 - 1 + 0.001 * 1^2
        -0.999
    """
    real, fake = ops.squeeze(real_scores, -1), ops.squeeze(fake_scores, -1)
    penalty = ops.square(mixed_norms - target)
    drift_penalty = ops.square(real)
    loss = fake - real + penalty * (weight / target**2) + drift_penalty * drift
    return {"loss": loss, "gradient_penalty": penalty, "drift_penalty": drift_penalty}
