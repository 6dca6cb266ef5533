"""Synthetic images as DICOM Secondary Capture (PS3.3 A.8.1), which nobody can take for a patient's.

Marked by SyntheticData (0008,001C) YES, ConversionType SYN, ImageType DERIVED, SECONDARY,
SYNTHETIC, the patient's name and ID, the descriptions of study and series, the image's comments and
its derivation. No date, no place, no pixel spacing: nothing was acquired. A file depends on its
image alone and not on those made with it; files that differ in any byte have different UIDs (2.25
and a name-based UUID, PS3.5 B.2).
"""

import hashlib
import uuid
from dataclasses import dataclass
from io import BytesIO

import numpy as np
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian, SecondaryCaptureImageStorage

import pgcxr

NOTICE = (
    "SYNTHETIC image, made by a neural network: it shows no patient. "
    "For research, not for diagnosis."
)
# The largest Integer String of DICOM (PS3.5 6.2) that fits InstanceNumber.
MOST_INSTANCES = 2**31 - 1


@dataclass(frozen=True)
class Source:
    """What made a set of images: the generator's weights, and what Selection says of its
    latents."""

    weights_sha256: str
    origin: str
    truncation: float


def encode(pixels: np.ndarray, number: int, source: Source) -> bytes:
    """A DICOM file of uint8 or uint16 [H, W, 1], or uint8 RGB [H, W, 3]; the InstanceNumber is the
    image's number."""
    dataset = _header(number, source) | _pixels(pixels)
    file = Dataset()
    for keyword, value in dataset.items():
        setattr(file, keyword, value)
    file.SOPInstanceUID = _uid("image", hashlib.sha256(_written(file)).hexdigest())
    return _written(file)


def _header(number: int, source: Source) -> dict:
    weights = source.weights_sha256
    made_by = f"pgcxr {pgcxr.__version__}, generator weights sha256 {weights}"
    which = f"image {number} of {source.origin}, truncation {source.truncation:g}"
    return {
        # SOP Common, C.12.1
        "SOPClassUID": SecondaryCaptureImageStorage,
        "SyntheticData": "YES",
        # Patient, C.7.1.1
        "PatientName": "SYNTHETIC^NOT A PATIENT",
        "PatientID": f"SYNTHETIC-{weights[:16]}",
        "PatientBirthDate": "",
        "PatientSex": "",
        "PatientComments": NOTICE,
        "PatientIdentityRemoved": "YES",
        "DeidentificationMethod": "Synthetic image: there is no patient",
        # General Study, C.7.2.1
        "StudyInstanceUID": _uid("study", weights),
        "StudyDate": "",
        "StudyTime": "",
        "ReferringPhysicianName": "",
        "StudyID": "SYNTHETIC",
        "AccessionNumber": "",
        "StudyDescription": "SYNTHETIC chest radiographs, no patient",
        # General Series, C.7.3.1
        "Modality": "OT",
        "SeriesInstanceUID": _uid("series", weights, source.origin, str(source.truncation)),
        "SeriesNumber": None,
        "SeriesDescription": f"SYNTHETIC, {source.origin}"[:64],
        "BodyPartExamined": "CHEST",
        # General Equipment, C.7.5.1, and SC Equipment, C.8.6.1
        "Manufacturer": "pgcxr",
        "ManufacturerModelName": "Progressive GAN",
        "SoftwareVersions": f"pgcxr {pgcxr.__version__}",
        "ConversionType": "SYN",
        # General Image, C.7.6.1
        "InstanceNumber": number if number <= MOST_INSTANCES else None,
        "PatientOrientation": "",
        "ImageType": ["DERIVED", "SECONDARY", "SYNTHETIC"],
        "DerivationDescription": (
            f"Output of a Progressive GAN (arXiv 1710.10196), not acquired: {which}; {made_by}"
        ),
        "ImageComments": f"{NOTICE} {which}; {made_by}",
        "BurnedInAnnotation": "NO",
        "RecognizableVisualFeatures": "NO",
        "LossyImageCompression": "00",
    }


def _pixels(pixels: np.ndarray) -> dict:
    rows, columns, channels = pixels.shape
    bits = 8 * pixels.itemsize
    if (
        pixels.dtype not in (np.uint8, np.uint16)
        or channels not in (1, 3)
        or (channels == 3 and bits != 8)
    ):
        raise ValueError(f"no Secondary Capture of {pixels.dtype} {pixels.shape}")
    data = pixels.astype(pixels.dtype.newbyteorder("<")).tobytes()
    found = {
        # Image Pixel, C.7.6.3
        "SamplesPerPixel": channels,
        "PhotometricInterpretation": "MONOCHROME2" if channels == 1 else "RGB",
        "Rows": rows,
        "Columns": columns,
        "BitsAllocated": bits,
        "BitsStored": bits,
        "HighBit": bits - 1,
        "PixelRepresentation": 0,
        "PixelData": data + bytes(len(data) % 2),
    }
    if channels == 3:
        return found | {"PlanarConfiguration": 0}
    # VOI LUT, C.11.2: the whole range, black to white.
    return found | {"WindowCenter": str(2 ** (bits - 1)), "WindowWidth": str(2**bits)}


def _written(dataset: Dataset) -> bytes:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    meta.MediaStorageSOPInstanceUID = dataset.get("SOPInstanceUID", _uid("unnamed"))
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    buffer = BytesIO()
    file = FileDataset(None, dataset, preamble=bytes(128), file_meta=meta)
    file.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def _uid(*parts: str) -> UID:
    return UID(
        f"2.25.{uuid.uuid5(uuid.NAMESPACE_OID, '/'.join(('pgcxr secondary capture', *parts))).int}"
    )
