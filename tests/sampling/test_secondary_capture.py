"""DICOM Secondary Capture of synthetic images: valid, readable, marked, and nobody's."""

import warnings
from io import BytesIO

import numpy as np
import pydicom
import pytest
from pydicom.uid import UID

from pgcxr import dicom
from pgcxr.sampling.secondary_capture import NOTICE, Source, encode

SOURCE = Source("0123456789abcdef" * 4, "own seeds", 0.7)
# PS3.3 A.8.1: Patient, General Study, General Series, General Equipment, SC Equipment, General
# Image, Image Pixel, SOP Common. Type 1 has a value; type 2 is there, with or without one; and what
# a value of these requires (1C, 2C).
TYPE_1 = (
    *("StudyInstanceUID", "SeriesInstanceUID", "Modality", "ConversionType", "SamplesPerPixel"),
    *("PhotometricInterpretation", "Rows", "Columns", "BitsAllocated", "BitsStored", "HighBit"),
    *(
        "PixelRepresentation",
        "PixelData",
        "SOPClassUID",
        "SOPInstanceUID",
        "DeidentificationMethod",
    ),
)
TYPE_2 = (
    *("PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyDate", "StudyTime"),
    *(
        "ReferringPhysicianName",
        "StudyID",
        "AccessionNumber",
        "SeriesNumber",
        "Manufacturer",
        "InstanceNumber",
    ),
    "PatientOrientation",
)


def _picture(kind=np.uint8, size=(20, 31, 1)):
    return np.random.default_rng(0).integers(0, np.iinfo(kind).max, size, kind, endpoint=True)


def _read(data):
    # pydicom checks every value against its VR and complains of what does not fit.
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return pydicom.dcmread(BytesIO(data))


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_the_attributes_of_the_object_are_there(kind):
    picture = _picture(kind)
    data = encode(picture, 205, SOURCE)
    dataset = _read(data)
    assert all(dataset[keyword].value not in (None, "") for keyword in TYPE_1)
    assert all(keyword in dataset for keyword in TYPE_2)
    assert dataset.SOPClassUID == "1.2.840.10008.5.1.4.1.1.7"
    meta = dataset.file_meta
    assert (
        meta.MediaStorageSOPClassUID == dataset.SOPClassUID
        and meta.TransferSyntaxUID == "1.2.840.10008.1.2.1"
    )
    assert meta.MediaStorageSOPInstanceUID == dataset.SOPInstanceUID
    uids = [dataset.StudyInstanceUID, dataset.SeriesInstanceUID, dataset.SOPInstanceUID]
    assert (
        all(UID(uid).is_valid and uid.startswith("2.25.") and len(uid) <= 44 for uid in uids)
        and len(set(uids)) == 3
    )
    assert dataset.InstanceNumber == 205 and data[128:132] == b"DICM" and len(data) % 2 == 0
    assert (
        dataset.BitsStored == dataset.BitsAllocated == dataset.HighBit + 1 == 8 * picture.itemsize
    )
    np.testing.assert_array_equal(dataset.pixel_array, picture[..., 0])
    # The window shows every value, from black to white.
    shown = pydicom.pixels.apply_voi_lut(np.array([0, np.iinfo(kind).max], kind), dataset)
    np.testing.assert_allclose(shown, [0, np.iinfo(kind).max])
    # Written once more by pydicom, with every value checked: the same elements.
    buffer = BytesIO()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pydicom.config.settings, "writing_validation_mode", pydicom.config.RAISE)
        pydicom.dcmwrite(buffer, _read(data), enforce_file_format=True)
    assert buffer.getvalue() == data


def test_nobody_can_take_it_for_a_patient():
    dataset = _read(encode(_picture(), 3, SOURCE))
    assert (
        dataset.SyntheticData == "YES"
        and dataset.ConversionType == "SYN"
        and dataset.PatientIdentityRemoved == "YES"
    )
    assert (
        list(dataset.ImageType) == ["DERIVED", "SECONDARY", "SYNTHETIC"]
        and dataset.BurnedInAnnotation == "NO"
    )
    for keyword in (
        "PatientName",
        "PatientID",
        "StudyDescription",
        "SeriesDescription",
        "StudyID",
        "ImageComments",
    ):
        assert "SYNTHETIC" in str(dataset[keyword].value), keyword
    assert NOTICE in dataset.PatientComments and "not acquired" in dataset.DerivationDescription
    assert "image 3 of own seeds, truncation 0.7" in dataset.ImageComments
    assert SOURCE.weights_sha256 in dataset.ImageComments
    assert not any(
        dataset.get(k)
        for k in ("PatientBirthDate", "PatientSex", "StudyDate", "StudyTime", "AccessionNumber")
    )
    assert not any(
        k in dataset for k in ("PatientAge", "InstitutionName", "PixelSpacing", "AcquisitionDate")
    )


def test_uids_follow_the_content():
    picture = _picture()
    one = encode(picture, 3, SOURCE)
    assert one == encode(picture.copy(), 3, SOURCE)
    changed = picture.copy()
    changed[0, 0, 0] ^= 1
    others = [
        encode(changed, 3, SOURCE),
        encode(picture, 4, SOURCE),
        encode(picture, 3, Source(SOURCE.weights_sha256, "own seeds", 0.8)),
        encode(picture, 3, Source(SOURCE.weights_sha256, "seed 2", 0.7)),
        encode(picture, 3, Source("f" * 64, "own seeds", 0.7)),
        encode(picture.astype(np.uint16), 3, SOURCE),
    ]
    read = [_read(data) for data in (one, *others)]
    assert len({dataset.SOPInstanceUID for dataset in read}) == len(read)
    series = [dataset.SeriesInstanceUID for dataset in read]
    assert series[0] == series[1] == series[2] == series[6] and len(set(series)) == 4
    studies = {dataset.StudyInstanceUID for dataset in read}
    assert len(studies) == 2 and read[5].PatientID != read[0].PatientID


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_curation_reads_it_as_the_same_image(tmp_path, kind):
    picture = np.sort(_picture(kind, (64, 48, 1)), axis=0)
    (tmp_path / "a.dcm").write_bytes(encode(picture, 1, SOURCE))
    image = dicom.decode(tmp_path / "a.dcm")
    low, high = picture.min(), np.percentile(picture, 99)
    expected = np.rint((np.clip(picture[..., 0], low, high) - low) * (255 / (high - low)))
    assert np.abs(image.astype(int) - expected).max() <= 1
    header = dicom.read_header(tmp_path / "a.dcm")
    assert (
        header.modality == "OT" and header.age is None and (header.rows, header.columns) == (64, 48)
    )


def test_curation_keeps_no_synthetic_image(tmp_path):
    """The thesis's rules take radiographs (CR, DX) only: synthetic images put into an export stay
    out of a cohort."""
    from pgcxr.curation import rules

    (tmp_path / "a.dcm").write_bytes(encode(_picture(), 1, SOURCE))
    assert (
        dicom.read_header(tmp_path / "a.dcm").modality
        not in rules.load(None).tables["modality"]["allowed"]
    )


def test_color_and_large_numbers():
    picture = _picture(np.uint8, (5, 3, 3))
    dataset = _read(encode(picture, 2**40, SOURCE))
    assert dataset.PhotometricInterpretation == "RGB" and dataset.PlanarConfiguration == 0
    assert (
        len(dataset.PixelData) == 46
        and dataset.InstanceNumber is None
        and "WindowWidth" not in dataset
    )
    np.testing.assert_array_equal(dataset.pixel_array, picture)
    for bad in (_picture(np.uint16, (4, 4, 3)), _picture(np.uint8, (4, 4, 2)), np.zeros((4, 4, 1))):
        with pytest.raises(ValueError, match="no Secondary Capture"):
            encode(bad, 1, SOURCE)
