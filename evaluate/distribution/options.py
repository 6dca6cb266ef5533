"""What `evaluate.distribution` can be told; free of heavy imports for the help text."""

from dataclasses import dataclass

from pgcxr.errors import ArgumentError
from pgcxr.options import Options, number, option, whole

LEAST = 32  # images of each set


@dataclass(frozen=True)
class DistributionOptions(Options):
    """What the comparison can be told.

    Example:

        >>> DistributionOptions(n=20)
        Traceback (most recent call last):
        pgcxr.errors.ArgumentError: n: must be 0 or at least 32, to compare sets. Received: n=20
    """

    n: int = option(
        0, whole(0, 10**6), "images of each set; 0: half of the held-out ones, 5,000 at most"
    )
    replicates: int = option(
        100, whole(0, 10**6), "random halves behind each interval; 0: no intervals"
    )
    permutations: int = option(
        200,
        whole(0, 10**6),
        "random splits of the test of characteristic functions; 0: no p-values",
    )
    explained: float = option(
        0.95, number(0, 1, above=True), "share of the variance that the baseline's components keep"
    )

    def check(self) -> None:
        if 0 < self.n < LEAST:
            raise ArgumentError(
                "n", f"must be 0 or at least {LEAST}, to compare sets", received=self.n
            )
