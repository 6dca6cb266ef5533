"""Writes pgcxr/dicom/known: `python -m tests.dicom.known_files`.

`known_images.picture()` in each transfer syntax that is decoded, made by other code
than the decoders."""

from pathlib import Path

import numpy as np
import pydicom
from pydicom import uid

from pgcxr.dicom.known_images import FOLDER, picture
from tests.dicom import encoders


def write_all(folder: Path) -> None:
    """One file a transfer syntax, named for it."""
    pixels = picture()
    for name, syntax in encoders.NATIVE.items():
        encoders.write(folder / f"{syntax.keyword}.dcm", pixels, 12, name)
    for name, (syntax, depths, _, _) in encoders.ENCAPSULATED.items():
        bits = 12 if 12 in depths or 16 in depths else 8
        shown = pixels if bits == 12 else (pixels >> 4).astype(np.uint8)
        encoders.write(folder / f"{syntax.keyword}.dcm", shown, bits, name)
    for syntax in (uid.HTJ2KLossless, uid.HTJ2KLosslessRPCL, uid.HTJ2K):
        dataset = pydicom.dcmread(folder / f"{uid.ExplicitVRLittleEndian.keyword}.dcm")
        dataset.file_meta.TransferSyntaxUID = syntax
        encoders.encapsulated(dataset, encoders.HTJ2K_FILE.read_bytes())
        dataset.save_as(folder / f"{syntax.keyword}.dcm")


if __name__ == "__main__":
    write_all(FOLDER)
    for path in sorted(FOLDER.glob("*.dcm")):
        print(path.name, path.stat().st_size, picture().shape)
