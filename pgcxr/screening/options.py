"""What `pgcxr screen` can be told; free of heavy imports for the help text."""

from dataclasses import dataclass
from pathlib import Path

from pgcxr.options import PATH, Options, number, one_of, option, or_none, whole

MOST_PROCESSES = 256


@dataclass(frozen=True)
class ScreeningOptions(Options):
    """How new images are screened.

    Example:

        >>> ScreeningOptions(watch=30.0).reconstruction
        'pca'
        >>> ScreeningOptions(watch=0.0)
        Traceback (most recent call last):
        pgcxr.errors.ArgumentError: watch: must be a number from 0.05 to 86400, or None. \
Received: watch=0.0
    """

    specificity: float | None = option(
        None,
        or_none(number(0.5, 1, below=True)),
        "on normals, from which score on an image is called anomalous; by default the model's",
    )
    reconstruction: str = option(
        "pca",
        one_of("pca", "gan"),
        "the normal image that is shown beside each: of principal components, or the nearest that "
        "the model's GAN makes (seconds an image)",
    )
    dicom: Path | None = option(
        None,
        or_none(PATH),
        "PRIVATE folder for the maps as DICOM, a Secondary Capture and a Segmentation in the "
        "geometry of the original and with its patient's identity; of DICOM files alone",
        of_the_run=True,
    )
    pictures: int = option(
        200,
        whole(0, 100_000),
        "images that worklist.html shows, those of the smallest p-values; its tables list all",
        of_the_run=True,
    )
    watch: float | None = option(
        None,
        or_none(number(0.05, 86400)),
        "seconds between two looks at a folder that grows, until interrupted; by default it is "
        "read once",
        of_the_run=True,
    )
    trace: Path | None = option(
        None,
        or_none(PATH),
        "PRIVATE table of which file became which image",
        of_the_run=True,
    )
    processes: int | None = option(
        None,
        or_none(whole(0, MOST_PROCESSES)),
        "processes that decode; 0: none but this one; by default one for each core",
        names=("--workers",),
        of_the_run=True,
    )
