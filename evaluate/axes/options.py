"""What `evaluate.axes` can be told; free of heavy imports for the help text."""

from dataclasses import dataclass

from pgcxr.options import PATH, SWITCH, Options, number, one_of, option, or_none, whole

VARIANTS = ("all", "exclusive")
# Those of `evaluate.axes.ways` that give an axis.
AXIS_WAYS = ("thesis", "ridge", "hyperplane", "network", "displacement", "label")


@dataclass(frozen=True)
class AxesOptions(Options):
    """What the search for axes can be told.

    Example:

        >>> AxesOptions(samples=2000).max_angle
        60.0
        >>> AxesOptions(variant="some")
        Traceback (most recent call last):
        pgcxr.errors.ArgumentError: variant: must be one of all, exclusive. Received: variant=some
    """

    samples: int = option(30_000, whole(100, 10**8), "synthetic images to classify (thesis 3)")
    variant: str = option(
        "all",
        one_of(*VARIANTS),
        "way ridge: regress on all images, or on exclusive patterns (thesis 3.3)",
    )
    way: str = option(
        "best",
        one_of("best", *AXIS_WAYS),
        "whose axes are kept; best: of each disease those that do best on the starts that choose",
    )
    orthogonal: bool = option(False, SWITCH, "way ridge: free each axis of its part in the others")
    held_out: float = option(
        0.2,
        number(0, 1, above=True, below=True),
        "share of the images that judge the axes and have no part in them",
    )
    permutations: int = option(999, whole(199, 10**6), "of the null behind each p-value")
    bootstraps: int = option(50, whole(2, 10**6), "resamples behind the stability of each axis")
    starts: int = option(
        64,
        whole(2, 10**6),
        "normal-looking images that walks begin with; half choose where to end, half are reported",
    )
    steps: int = option(17, whole(2, 10**4), "of each walk, with its start")
    max_angle: float = option(
        60.0,
        number(0, 90, above=True),
        "how far to walk, degrees; at 90 nothing is left of the start",
    )
    path_starts: int = option(
        16,
        whole(0, 10**6),
        "of the starts, those that paths along the guides' slopes begin with; 0 for none",
    )
    neighbors: int = option(1, whole(0, 1000), "latents near a path that slopes are averaged over")
    examples: int = option(4, whole(1, 100), "images in each figure of a walk")
    batch: int = option(64, whole(1, 10**5), "images at once, on each GPU")
    store: str | None = option(
        None,
        or_none(PATH),
        "folder that keeps what the classifiers say of the samples, for a stopped run to go on and "
        "for others of the same networks",
        of_the_run=True,
    )
