"""How an encoder of latents is trained: one schema for presets, command line and config.json."""

from dataclasses import dataclass

from pgcxr.errors import ArgumentError
from pgcxr.options import Options, Rule, number, option, whole

WIDTHS = Rule(
    "one to eight whole numbers, for example 32,64,96,128",
    lambda value: (
        isinstance(value, (tuple, list))
        and 1 <= len(value) <= 8
        and all(map(whole(1, 4096).holds, value))
    ),
)


@dataclass(frozen=True)
class EncoderConfig(Options):
    """A network that guesses the latents of images, see `pgcxr.latent.encoder`, and its training.

    Example:

        >>> EncoderConfig(epochs=10).passes
        3
        >>> EncoderConfig(pairs=1.0)
        Traceback (most recent call last):
        pgcxr.errors.ArgumentError: pairs: must be a number from 0 to below 1. Received: pairs=1.0
    """

    # Network
    widths: tuple = option((32, 64, 96, 128), WIDTHS, "filters at half the size, a quarter ...")
    hidden: int = option(512, whole(1, 65_536), "units before the latents")
    passes: int = option(3, whole(1, 100), "how often a guess is corrected")
    # Training
    epochs: int = option(24, whole(1, 1_000_000), "of steps_per_epoch steps each")
    steps_per_epoch: int = option(50, whole(1, 1_000_000), "batches until progress is told")
    batch_size: int = option(16, whole(2, 65_536), "images a step")
    pairs: float = option(
        0.5,
        number(0, 1, below=True),
        "share of the images that the generator makes of known latents; the others are normals",
    )
    artificial: float = option(
        0.5,
        number(0, 1),
        "share of the normals that show artificial anomalies, to be answered as if without",
    )
    latent_loss: float = option(
        1.0, number(0, 1000), "weight of the latents' loss on pairs, beside that of normal images"
    )
    learning_rate: float = option(1e-3, number(0, 10, above=True), "Adam's, at its highest")

    def check_size(self, size: int) -> None:
        """Raises ArgumentError where images of `size` px can't be halved so often."""
        if size % 2 ** len(self.widths):
            raise ArgumentError(
                "widths",
                f"{len(self.widths)} of them halve images of {size} px too often",
                list(self.widths),
            )
