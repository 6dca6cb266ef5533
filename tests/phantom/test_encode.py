"""The encoder against pydicom's own writer."""

import io

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

from pgcxr.phantom import header
from pgcxr.phantom.clinic import attend
from pgcxr.phantom.encode import _VERSION, encode


@pytest.mark.parametrize("implicit", [False, True])
def test_bytes_are_those_of_pydicom(implicit):
    pixels = np.random.default_rng(0).integers(0, 4096, (7, 7)).astype(np.uint16)
    for index in range(12):
        person = attend(2, index)
        values = header.values(2, person, person.studies[0], 0, pixels, 3.1, "PA")
        if values["PatientAge"].isdigit():
            values["PatientAge"] = "054Y"  # pydicom's writer warns at an age without its unit
        meta = FileMetaDataset()
        meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = (
            values["SOPClassUID"],
            values["SOPInstanceUID"],
        )
        meta.TransferSyntaxUID = ImplicitVRLittleEndian if implicit else ExplicitVRLittleEndian
        meta.ImplementationVersionName = _VERSION
        ds = Dataset()
        ds.file_meta = meta
        for keyword, value in values.items():
            setattr(ds, keyword, value)
        ds["PixelData"].VR = "OW"
        buffer = io.BytesIO()
        pydicom.dcmwrite(buffer, ds, enforce_file_format=True)
        assert encode(values, implicit) == buffer.getvalue()


def test_ages_without_unit_are_read_back():
    ages = []
    for index in range(60):
        person = attend(2, index)
        values = header.values(
            2, person, person.studies[0], 0, np.zeros((2, 2), np.uint16), 3.1, "PA"
        )
        ages.append(str(pydicom.dcmread(io.BytesIO(encode(values))).PatientAge))
    assert any(age.isdigit() for age in ages) and any(not age for age in ages)
    assert sum(age.endswith("Y") for age in ages) > 45
