"""What `evaluate.privacy` can be told; free of heavy imports for the help text."""

from dataclasses import dataclass

from pgcxr.options import Options, option, whole


@dataclass(frozen=True)
class PrivacyOptions(Options):
    """What the gate can be told.

    Example:

        >>> PrivacyOptions(n=100)
        Traceback (most recent call last):
        pgcxr.errors.ArgumentError: n: must be a whole number from 200 to 1000000. Received: n=100
    """

    # Fewer cannot tell copies.
    n: int = option(2000, whole(200, 10**6), "synthetic images, 200 or more")
