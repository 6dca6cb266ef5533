"""How a classifier is trained: one schema for its presets, command line and config.json."""

from dataclasses import dataclass
from typing import Self

from pgcxr.gan.config import PRECISIONS
from pgcxr.options import SWITCH, TEXT, Options, Rule, number, one_of, option, whole

BLOCKS = Rule(
    "one block or more per stage, for example 3,4,6,3",
    lambda value: (
        isinstance(value, (tuple, list))
        and 0 < len(value) <= 8
        and all(map(whole(1, 100).holds, value))
    ),
)


@dataclass(frozen=True)
class ClassifierConfig(Options):
    """A ResNet and its training; the defaults are ResNet-50 at 512 px (thesis 2.2 and 3.2).

    The thesis gives the network, the splits and the number of images; size, optimizer and
    augmentation are ours.

    Example:

        >>> ClassifierConfig(size=64, blocks=(2, 2, 2, 2), width=16, stem="half").epochs
        60
        >>> ClassifierConfig(epochs=0)
        Traceback (most recent call last):
        pgcxr.errors.ArgumentError: epochs: must be a whole number from 1 to 1000000. Received: epochs=0
    """  # noqa: E501

    # Network
    size: int = option(512, whole(4, 8192), "side of the images, px")
    blocks: tuple = option((3, 4, 6, 3), BLOCKS, "bottleneck blocks of each stage")
    width: int = option(64, whole(1, 4096), "filters of the first stage")
    stem: str = option("imagenet", TEXT, "imagenet, half or small: how much it reduces first")
    momentum: float = option(
        0.99, number(0, 1, below=True), "of the moving averages of batch normalization"
    )
    weights_file: str = option(
        "", TEXT, "local file of keras.applications.ResNet50 without top to start from, '' for none"
    )
    # Training
    batch_size: int = option(16, whole(1, 65_536), "images a step")
    epochs: int = option(60, whole(1, 1_000_000), "most epochs")
    learning_rate: float = option(3e-4, number(0, 10, above=True), "AdamW's, at its highest")
    warmup_epochs: float = option(
        1.0, number(0, 1_000_000), "epochs of a linear rise, before a cosine down to 0"
    )
    weight_decay: float = option(1e-2, number(0, 1), "AdamW's")
    patience: int = option(
        12, whole(1, 1_000_000), "epochs without a better validation AUROC before it stops"
    )
    balance: bool = option(
        True, SWITCH, "weigh each output's two classes as if they were equally many"
    )
    precision: str = option(
        "float32", one_of(*PRECISIONS), "of the training; on a GPU 16 bits take half the memory"
    )
    curriculum: int = option(
        0,
        whole(0, 1_000_000),
        "epochs on crops around the lesions first (thesis's reference 4), where there are masks",
    )
    # Augmentation: no flip, the heart has a side
    shift: float = option(0.05, number(0, 1), "share of the width, each way")
    rotation: float = option(5.0, number(0, 360), "degrees, each way")
    brightness: float = option(0.05, number(0, 1), "share of the range [-1, 1], each way")

    # Keys that a config.json may lack; the defaults stand for them.
    ADDED = ("precision", "curriculum")

    @classmethod
    def of_run(cls, values: dict, where: str) -> Self:
        """Of RUN's config.json, `values` read from the file `where`.

        Raises:
            InputError: one is missing, or is none that a classifier can be trained with.
        """
        needed = [key for key in cls().to_dict() if key not in cls.ADDED]
        return cls.from_saved(values, where, needed)
