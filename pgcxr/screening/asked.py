"""Where a screening may read and write: what can be told in a moment, before TensorFlow is
loaded."""

import os
from pathlib import Path

from pgcxr.curation.placing import real
from pgcxr.errors import ArgumentError, InputError
from pgcxr.io import places
from pgcxr.screening import dicom_objects
from pgcxr.screening.options import ScreeningOptions


def refuse_places(
    source: str | Path, out: str | Path, options: ScreeningOptions
) -> tuple[Path, Path]:
    """(source, out); InputError where one of them does not do."""
    source, out = Path(source), Path(out)
    if not os.path.lexists(source):
        raise InputError(f"{source}: no such file or folder; name new images")
    if options.watch is not None and not source.is_dir():
        raise ArgumentError("watch", "needs a folder, which may grow", options.watch)
    places.refuse_place(out)
    if source.is_dir():
        places.refuse_overlap(out, source, "the folder of images")
    if options.dicom is not None:
        dicom_objects.check_installation()
        if real(options.dicom).is_relative_to(real(out)):
            expected = "lies in the folder of results, which may be passed on; name one elsewhere"
            raise ArgumentError("dicom", expected, received=options.dicom)
        places.refuse_place(Path(options.dicom))
        if source.is_dir():
            places.refuse_overlap(Path(options.dicom), source, "the folder of images")
    if options.trace is not None and real(options.trace).is_relative_to(real(out)):
        expected = "lies in the folder of results, which may be passed on; name a file elsewhere"
        raise ArgumentError("trace", expected, received=options.trace)
    if options.trace is not None and Path(options.trace).is_dir():
        raise ArgumentError("trace", "is a folder; name a file", received=options.trace)
    return source, out
