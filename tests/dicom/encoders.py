"""DICOM files in every transfer syntax: encoded by imagecodecs (libjpeg-turbo, CharLS, OpenJPEG),
pydicom and NumPy, so by other code than the decoders under test (pylibjpeg: Richter's libjpeg and
OpenJPEG; pydicom's own RLE)."""

import io
from pathlib import Path

import imagecodecs
import numpy as np
import pydicom
from pydicom import uid
from pydicom.dataset import FileMetaDataset
from pydicom.encaps import encapsulate

# `known_images.picture()`, lossless, by imagecodecs 2026.3.6 (OpenJPH), which needs a NumPy above
# TensorFlow 2.16's.
HTJ2K_FILE = Path(__file__).parent / "htj2k.j2c"
NATIVE = {
    "implicit": uid.ImplicitVRLittleEndian,
    "explicit": uid.ExplicitVRLittleEndian,
    "deflated": uid.DeflatedExplicitVRLittleEndian,
    "big-endian": uid.ExplicitVRBigEndian,
}
# Name -> (UID, bits per pixel that the encoder takes, encoder, largest error).
ENCAPSULATED = {
    "jpeg-baseline": (
        uid.JPEGBaseline8Bit,
        (8,),
        lambda a, b: imagecodecs.jpeg8_encode(a, level=98),
        2,
    ),
    "jpeg-extended": (
        uid.JPEGExtended12Bit,
        (10, 12),
        lambda a, b: imagecodecs.jpeg8_encode(a, level=99, bitspersample=12),
        3,
    ),
    "jpeg-lossless": (
        uid.JPEGLossless,
        (8, 10, 12, 15, 16),
        lambda a, b: imagecodecs.jpeg8_encode(a, lossless=True, predictor=4, bitspersample=b),
        0,
    ),
    "jpeg-lossless-sv1": (
        uid.JPEGLosslessSV1,
        (8, 10, 12, 15, 16),
        lambda a, b: imagecodecs.ljpeg_encode(a, bitspersample=b),
        0,
    ),
    "jpeg-ls": (uid.JPEGLSLossless, (8, 16), lambda a, b: imagecodecs.jpegls_encode(a), 0),
    "jpeg-ls-near": (
        uid.JPEGLSNearLossless,
        (8, 16),
        lambda a, b: imagecodecs.jpegls_encode(a, level=2),
        2,
    ),
    "jpeg-2000-lossless": (
        uid.JPEG2000Lossless,
        (8, 10, 12, 15, 16),
        lambda a, b: imagecodecs.jpeg2k_encode(
            a, codecformat="J2K", reversible=True, level=0, bitspersample=b
        ),
        0,
    ),
    "jpeg-2000": (
        uid.JPEG2000,
        (8, 12, 16),
        lambda a, b: imagecodecs.jpeg2k_encode(a, codecformat="J2K", level=96, bitspersample=b),
        6,
    ),
    "rle": (uid.RLELossless, (8, 10, 12, 15, 16), None, 0),
}


def write(path: Path, pixels: np.ndarray, bits: int, name: str, **tags) -> Path:
    """A file of uint8/uint16 or int8/int16 pixels [H, W] in a transfer syntax; None deletes a
    tag."""
    dataset = pydicom.Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.SOPClassUID, dataset.SOPInstanceUID = uid.ComputedRadiographyImageStorage, "1.2.3"
    dataset.Modality, dataset.PhotometricInterpretation, dataset.SamplesPerPixel = (
        "CR",
        "MONOCHROME2",
        1,
    )
    dataset.Rows, dataset.Columns = pixels.shape
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 8 * pixels.itemsize, bits, bits - 1
    dataset.PixelRepresentation = int(pixels.dtype.kind == "i")
    if name in NATIVE:
        dataset.file_meta.TransferSyntaxUID = NATIVE[name]
        big = name == "big-endian"
        dataset.PixelData = pixels.astype(pixels.dtype.newbyteorder(">" if big else "<")).tobytes()
        if big and pixels.itemsize == 1:  # 8-bit pixels in words of 16 bits
            dataset.PixelData = np.frombuffer(dataset.PixelData, "u2").byteswap().tobytes()
        dataset["PixelData"].VR = "OW"
    elif name == "rle":
        dataset.file_meta.TransferSyntaxUID = uid.ExplicitVRLittleEndian
        dataset.compress(uid.RLELossless, pixels, generate_instance_uid=False)
    else:
        syntax, _, encode, _ = ENCAPSULATED[name]
        dataset.file_meta.TransferSyntaxUID = syntax
        # Codecs know no sign: what is encoded are the stored bits.
        stored = pixels.view(f"u{pixels.itemsize}") & np.array(
            (1 << bits) - 1, f"u{pixels.itemsize}"
        )
        encapsulated(dataset, encode(stored, bits))
    for keyword, value in tags.items():
        if value is None:
            del dataset[keyword]
        else:
            setattr(dataset, keyword, value)
    file = io.BytesIO()
    dataset.save_as(file, enforce_file_format=True)
    path.write_bytes(file.getvalue())
    return path


def encapsulated(dataset: pydicom.Dataset, stream: bytes) -> None:
    """Puts an encoded frame into a data set."""
    dataset.PixelData = encapsulate([stream])
    dataset["PixelData"].is_undefined_length = True
