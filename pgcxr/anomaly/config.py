"""How an anomaly segmentation network is trained: one schema for its presets, command line and
config.json."""

from dataclasses import dataclass

from pgcxr.anomaly.artificial.options import ArtificialOptions
from pgcxr.errors import ArgumentError
from pgcxr.options import Rule, number, option, whole

WIDTHS = Rule(
    "two to seven whole numbers, for example 16,32,48",
    lambda value: (
        isinstance(value, (tuple, list))
        and 2 <= len(value) <= 7
        and all(map(whole(1, 4096).holds, value))
    ),
)


@dataclass(frozen=True)
class AnomalyConfig(ArtificialOptions):
    """A U-Net that learns from normal images to find artificial anomalies, and its training.

    Example:

        >>> AnomalyConfig(epochs=10).size
        64
        >>> AnomalyConfig(size=40)
        Traceback (most recent call last):
        pgcxr.errors.ArgumentError: size: must be a multiple of 16, as the network halves it 4 \
times. Received: size=40
    """

    # Network
    size: int = option(64, whole(8, 8192), "side of the images, px")
    widths: tuple = option(
        (16, 32, 48, 64, 96), WIDTHS, "filters at full size, half, a quarter ..."
    )
    # Training
    epochs: int = option(40, whole(1, 1_000_000), "of steps_per_epoch steps each")
    steps_per_epoch: int = option(50, whole(1, 1_000_000), "batches until progress is told")
    batch_size: int = option(32, whole(2, 65_536), "images a step")
    learning_rate: float = option(2e-3, number(0, 10, above=True), "AdamW's, at its highest")
    weight_decay: float = option(1e-3, number(0, 1), "AdamW's")
    clean: float = option(
        0.35, number(0, 1, above=True, below=True), "share of the images that stay normal"
    )

    def check(self) -> None:
        super().check()
        halvings = len(self.widths) - 1
        if self.size % 2**halvings:
            raise ArgumentError(
                "size",
                f"must be a multiple of {2**halvings}, as the network halves it {halvings} times",
                self.size,
            )
