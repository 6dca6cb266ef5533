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
    parts = score_loss(real_scores, fake_scores, drift)
    penalty = gradient_penalty(mixed_norms, target)
    loss = parts["loss"] + penalty * (weight / target**2)
    return parts | {"loss": loss, "gradient_penalty": penalty}


def score_loss(real_scores, fake_scores, drift: float = 0.001) -> dict:
    """The part of `discriminator_loss` that the scores of real and fake images have: {"loss",
    "drift_penalty"}."""
    real, fake = ops.squeeze(real_scores, -1), ops.squeeze(fake_scores, -1)
    drift_penalty = ops.square(real)
    return {"loss": fake - real + drift_penalty * drift, "drift_penalty": drift_penalty}


def gradient_penalty(mixed_norms, target: float = 1.0):
    """(norm - target)^2, which `discriminator_loss` weighs; [N] -> [N]."""
    return ops.square(mixed_norms - target)
