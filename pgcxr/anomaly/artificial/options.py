"""What artificial anomalies may be told; free of heavy imports for the help text."""

from dataclasses import dataclass

from pgcxr.errors import ArgumentError
from pgcxr.options import Options, number, option

MOST = 1000.0
# In the order in which they are drawn.
EFFECTS = ("shade", "level", "patch", "texture", "sharpness", "warp")
SHAPES = ("blob", "rough", "flat", "lines", "dots", "tissue", "contour")


@dataclass(frozen=True)
class ArtificialOptions(Options):
    """How often each shape and each effect is drawn, and what counts as an anomaly.

    Example:

        >>> ArtificialOptions(warp=0).warp
        0
        >>> ArtificialOptions(lines=-1)
        Traceback (most recent call last):
        pgcxr.errors.ArgumentError: lines: must be a number from 0 to 1000. Received: lines=-1
    """

    # Shapes: how often, relative to each other
    blob: float = option(0.35, number(0, MOST), "shape, how often: a lobed spot, sharp or soft")
    rough: float = option(0.10, number(0, MOST), "shape, how often: a spot broken into pieces")
    flat: float = option(0.08, number(0, MOST), "shape, how often: a spot with one straight edge")
    lines: float = option(0.14, number(0, MOST), "shape, how often: one line or a bundle")
    dots: float = option(0.12, number(0, MOST), "shape, how often: one dot or a cluster")
    tissue: float = option(0.11, number(0, MOST), "shape, how often: all that is about as bright")
    contour: float = option(0.10, number(0, MOST), "shape, how often: along a line of one gray")
    # Effects: how often, relative to each other
    shade: float = option(0.30, number(0, MOST), "effect, how often: brighter or darker")
    level: float = option(0.22, number(0, MOST), "effect, how often: toward one gray level")
    patch: float = option(0.18, number(0, MOST), "effect, how often: blended with another normal")
    texture: float = option(0.14, number(0, MOST), "effect, how often: a grain, fine or coarse")
    sharpness: float = option(0.08, number(0, MOST), "effect, how often: blurred or sharpened")
    warp: float = option(0.08, number(0, MOST), "effect, how often: moved, swollen or shrunk")
    visible: float = option(
        0.025, number(0, 1, above=True), "least change that counts, share of the gray levels"
    )
    largest: float = option(0.7, number(0, 1, above=True), "most of an image that may change")

    def check(self) -> None:
        for names in (SHAPES, EFFECTS):
            if not any(getattr(self, name) for name in names):
                raise ArgumentError(names[0], f"one of {', '.join(names)} must be above 0")

    def weights(self, names: tuple[str, ...]) -> list[float]:
        """How likely each of `names` is; of sum 1."""
        values = [float(getattr(self, name)) for name in names]
        return [value / sum(values) for value in values]
