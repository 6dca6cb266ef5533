"""What `evaluate.fidelity` can be told; free of heavy imports for the help text."""

from dataclasses import dataclass, fields

from pgcxr.errors import ArgumentError
from pgcxr.options import Options, number, option, whole

SHARE = number(0, 1, above=True, below=True)


@dataclass(frozen=True)
class FidelityOptions(Options):
    """What the evaluation can be told. The networks and their training are those of classifier
    (real).

    Example:

        >>> FidelityOptions(normal_below=0.8)
        Traceback (most recent call last):
        pgcxr.errors.ArgumentError: normal_below: must be at most abnormal_above, which is 0.7. \
Received: normal_below=0.8
        >>> preset("demo").most_generated
        6.0
    """

    abnormal_above: float = option(
        0.7, number(0, 1), "pseudo-label abnormal where P(abnormal) is above this (thesis 2.3)"
    )
    normal_below: float = option(
        0.3, number(0, 1), "pseudo-label normal where P(abnormal) is below this; others are dropped"
    )
    per_class: int = option(
        0,
        whole(0, 10**8),
        "synthetic images of each class; 0: as many as there are real ones (thesis 2.2)",
    )
    most_generated: float = option(
        20.0,
        number(1, 1e6),
        "generate at most so many images for each that is wanted; beyond, both classes shrink",
    )
    generate_batch: int = option(16, whole(1, 10**5), "images generated at once")
    margin: float = option(
        0.05, SHARE, "AUROC that classifier (synthetic) may lose and still be not inferior"
    )
    seeds: int = option(1, whole(1, 100), "train each classifier so often, for mean and spread")
    explained: int = option(
        1000, whole(1, 10**8), "real test images explained by Grad-CAM and CAM, at most"
    )
    specificity: float = option(0.95, SHARE, "of the third operating point")
    prevalence: float = option(0.1, SHARE, "share of abnormal images where PPV and NPV are wanted")

    def check(self) -> None:
        if self.normal_below > self.abnormal_above:
            defaults = {field.name: field.default for field in fields(self)}
            if self.normal_below == defaults["normal_below"]:  # the other one was given
                expected = f"must be at least normal_below, which is {self.normal_below:g}"
                raise ArgumentError("abnormal_above", expected, received=self.abnormal_above)
            expected = f"must be at most abnormal_above, which is {self.abnormal_above:g}"
            raise ArgumentError("normal_below", expected, received=self.normal_below)


PRESETS = {
    "thesis": FidelityOptions(),
    "small": FidelityOptions(generate_batch=64),
    "quick": FidelityOptions(generate_batch=128, most_generated=6.0),
    "demo": FidelityOptions(generate_batch=128, most_generated=6.0),
}


def preset(config: str) -> FidelityOptions:
    """The options of that name."""
    if config not in PRESETS:
        raise ArgumentError("config", f"must be one of {', '.join(PRESETS)}", received=config)
    return PRESETS[config]
