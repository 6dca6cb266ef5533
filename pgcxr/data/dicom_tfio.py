"""Pixels decoded by tensorflow-io (DCMTK underneath) in place of pydicom."""

import io

import numpy as np
import pydicom
from pydicom.dataset import FileMetaDataset
from pydicom.uid import SecondaryCaptureImageStorage

from pgcxr.data.dicom_file import Rejected, whole
from pgcxr.errors import InputError

try:
    import tensorflow as tf
    import tensorflow_io as tfio

    tfio.image.decode_dicom_image  # noqa: B018  where its library does not load, it says so only when asked for
except (ImportError, NotImplementedError, AttributeError):
    raise InputError(
        "--decoder tfio: tensorflow-io is not installed, or does not load with this TensorFlow (0.37.1 needs 2.16); "
        "install pgcxr[tfio], or leave --decoder out"
    ) from None

# The image pixel module alone: no modality LUT, no window, and nothing about a patient that DCMTK could put into a log.
PIXEL_TAGS = ("Rows", "Columns", "BitsAllocated", "BitsStored", "PixelRepresentation", "SamplesPerPixel")


def read(dataset: pydicom.Dataset) -> np.ndarray:
    """uint16 [H, W]: the stored values modulo 2^16, of a data set that `dicom_file.check_pixels` has passed.

    Raises:
        Rejected: tensorflow-io cannot decode them.
    """
    with tf.device("CPU"):
        try:
            options = {"color_dim": False, "on_error": "strict", "scale": "preserve", "dtype": tf.uint16}
            found = tfio.image.decode_dicom_image(_pixels_alone(dataset), **options).numpy()
        except Exception:
            raise Rejected("unreadable", "tensorflow-io cannot decode the pixel data") from None
    # [1HW1] -> [HW]
    shape = (whole(dataset, "Rows"), whole(dataset, "Columns"))
    if found.size != shape[0] * shape[1]:
        raise Rejected("unreadable", "tensorflow-io cannot decode the pixel data")
    # DCMTK shifts signed values so that the lowest that can be stored is 0.
    lowest = (1 << dataset.BitsStored - 1) if dataset.PixelRepresentation == 1 else 0
    return found.reshape(shape) - np.uint16(lowest)


def _pixels_alone(dataset: pydicom.Dataset) -> bytes:
    alone = pydicom.Dataset()
    alone.file_meta = FileMetaDataset()
    alone.file_meta.TransferSyntaxUID = dataset.file_meta.TransferSyntaxUID
    alone.SOPClassUID, alone.SOPInstanceUID = SecondaryCaptureImageStorage, "1.2"
    for name in PIXEL_TAGS:
        setattr(alone, name, whole(dataset, name))
    alone.HighBit = whole(dataset, "HighBit", dataset.BitsStored - 1)
    alone.PhotometricInterpretation = "MONOCHROME2"
    alone["PixelData"] = dataset["PixelData"]
    file = io.BytesIO()
    alone.save_as(file, enforce_file_format=True)
    return file.getvalue()
