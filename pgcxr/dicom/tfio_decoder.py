"""Pixels decoded by tensorflow-io (DCMTK underneath) in place of pydicom."""

import io

import numpy as np
import pydicom
from pydicom.dataset import FileMetaDataset
from pydicom.uid import RLELossless, SecondaryCaptureImageStorage

from pgcxr.dicom import streams
from pgcxr.dicom.reading import Rejected, whole
from pgcxr.errors import ArgumentError

try:
    import tensorflow as tf
    import tensorflow_io as tfio

    tfio.image.decode_dicom_image  # noqa: B018  where its library does not load, it says so only when asked for
except (ImportError, NotImplementedError, AttributeError):
    raise ArgumentError(
        "decoder",
        "tensorflow-io is not installed, or does not load with this TensorFlow (0.37.1 needs "
        "2.16); install pgcxr[tfio], or let pydicom decode",
        received="tfio",
    ) from None


def read(dataset: pydicom.Dataset) -> np.ndarray:
    """uint16 [H, W]: the codes, of a data set that `dicom_file.check_pixels` has passed.

    A codec's output comes with the bits above the stored ones already removed.

    Raises:
        Rejected: tensorflow-io cannot decode them.
    """
    pixels = _pixels_alone(dataset)
    try:
        options = {
            "color_dim": False,
            "on_error": "strict",
            "scale": "preserve",
            "dtype": tf.uint16,
        }
        with tf.device("CPU"):
            decoded = tfio.image.decode_dicom_image(_encode(pixels), **options).numpy()
        codes = decoded.reshape(pixels.Rows, pixels.Columns)  # [1HW] -> [HW]
    except Exception:
        raise Rejected("unreadable", "tensorflow-io cannot decode the pixel data") from None
    # DCMTK shifts signed values so that the lowest that can be stored is 0.
    return codes - np.uint16(1 << pixels.BitsStored - 1) if pixels.PixelRepresentation else codes


def _pixels_alone(dataset: pydicom.Dataset) -> pydicom.Dataset:
    """The image pixel module alone: no modality LUT, no window, and nothing of a patient for DCMTK
    to say."""
    pixels = pydicom.Dataset()
    pixels.file_meta = FileMetaDataset()
    pixels.file_meta.TransferSyntaxUID = dataset.file_meta.TransferSyntaxUID
    pixels.SOPClassUID, pixels.SOPInstanceUID = SecondaryCaptureImageStorage, "1.2"
    for name in (
        "Rows",
        "Columns",
        "BitsAllocated",
        "BitsStored",
        "PixelRepresentation",
        "SamplesPerPixel",
    ):
        setattr(pixels, name, whole(dataset, name))
    pixels.HighBit = whole(dataset, "HighBit", pixels.BitsStored - 1)
    syntax = dataset.file_meta.TransferSyntaxUID
    depth = None if syntax == RLELossless else streams.depth(dataset)
    if depth and depth > pixels.BitsStored:
        # DCMTK would cut the values off.
        pixels.BitsStored, pixels.HighBit = depth, depth - 1
    if pixels.BitsAllocated <= 16 and (not syntax.is_encapsulated or syntax == RLELossless):
        # The whole containers: it is `dicom_codes` that knows which of their bits are meant.
        pixels.BitsStored, pixels.HighBit, pixels.PixelRepresentation = (
            pixels.BitsAllocated,
            pixels.BitsAllocated - 1,
            0,
        )
    pixels.PhotometricInterpretation = "MONOCHROME2"
    pixels["PixelData"] = dataset["PixelData"]
    return pixels


def _encode(dataset: pydicom.Dataset) -> bytes:
    file = io.BytesIO()
    dataset.save_as(file, enforce_file_format=True)
    return file.getvalue()
