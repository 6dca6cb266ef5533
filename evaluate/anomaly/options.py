"""What `evaluate.anomaly` can be told; free of heavy imports for the help text."""

from dataclasses import dataclass

from pgcxr.options import Options, number, one_of, option, whole

MANY = 10**7


@dataclass(frozen=True)
class AnomalyOptions(Options):
    """What the search for anomalies can be told.

    Example:

        >>> AnomalyOptions(iterations=500).starts
        2
        >>> AnomalyOptions(specificity=1.0)
        Traceback (most recent call last):
        pgcxr.errors.ArgumentError: specificity: must be a number from 0.5 to below 1. Received: \
specificity=1.0
    """

    per_class: int = option(
        12, whole(1, MANY), "of the inversion: test images of each abnormal class, at most"
    )
    # Specificity and AUROC need two normals at least.
    normals: int = option(150, whole(2, MANY), "of the inversion: normal test images, at most")
    familiar: int = option(
        300,
        whole(1, MANY),
        "of the inversion: training normals that teach healthy differences, at most",
    )
    healthy: int = option(
        150, whole(1, MANY), "of the inversion: held-out normals that set the threshold, at most"
    )
    learned: int = option(
        5000, whole(8, MANY), "training normals that baselines learn from, at most"
    )
    autoencoder_epochs: int = option(
        20, whole(0, MANY), "of the auto-encoder over these, a baseline; 0: it is left out"
    )
    specificity: float = option(
        0.95, number(0.5, 1, below=True), "on normals, that the threshold aims at"
    )
    # The names in LOSSES of pgcxr.losses.residuals, which needs Keras; a test compares them.
    loss: str = option(
        "mpse",
        one_of("mpse", "mse", "l1", "robust"),
        "mpse (the thesis's), mse, l1, or robust, which a lesion hardly steers",
    )
    start: str = option(
        "bank",
        one_of("bank", "random"),
        "where searches start without an encoder: bank (the nearest of random images, and a linear "
        "guess) or random (the thesis's)",
    )
    iterations: int = option(60, whole(0, MANY), "steps of each search")
    learning_rate: float = option(
        0.3, number(0, 100, above=True), "of the searches, for latents of length sqrt(512)"
    )
    freed: int = option(
        0, whole(0, 9), "levels of the GAN, from 4 px on, whose features are freed after the search"
    )
    penalty: float = option(
        0.01, number(0, 1e6), "on the mean square of what is added to a freed level's features"
    )
    freed_iterations: int = option(30, whole(1, MANY), "steps for each level that is freed")
    freed_learning_rate: float = option(
        0.05, number(0, 100, above=True), "of latents and features once a level is freed"
    )
    starts: int = option(2, whole(1, 1000), "searches per image; their mean counts")
    bank: int = option(2048, whole(10, MANY), "random images that searches start from")
    batch: int = option(64, whole(1, 10**5), "searches at once")
