"""The basic profile on one data set, against entries of PS3.15 Table E.1-1 (edition 2026c) copied
by hand."""

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import ComputedRadiographyImageStorage, ExplicitVRLittleEndian

from pgcxr.privacy.deidentified import profile
from pgcxr.privacy.deidentified.options import (
    REMOVE,
    SHIFT,
    DeidentificationOptions,
)

KEY = b"k" * 32
# Type 1 and 2 attributes of the CR IOD stay, with another value or none; the rest goes.
EMPTIED = {
    "StudyDate": "20110305",
    "StudyTime": "101112",
    "ReferringPhysicianName": "Grouse^Ed",
    "PatientBirthDate": "19430721",
    "StudyID": "7734",
}
REMOVED = {
    "InstitutionAddress": "Quince Lane 9",
    "PatientAddress": "Quince Lane 99",
    "OtherPatientIDs": "77-34",
    "PatientComments": "fishes",
    "StudyDescription": "Chest of Jane",
    "SeriesDescription": "PA for Jane",
    "MedicalRecordLocator": "77345",
    "EthnicGroup": "x",
    "Occupation": "angler",
    "PatientTelephoneNumbers": "030 1234",
    "RequestingPhysician": "Grouse^Ed",
    "AdmissionID": "A1",
    "PatientReligiousPreference": "y",
    "ImageComments": "z",
    "PatientAge": "045Y",
    "PatientWeight": "70",
    "LastMenstrualDate": "20110101",
    "PerformedProcedureStepDescription": "p",
}
KEPT = {
    "Modality": "CR",
    "BodyPartExamined": "CHEST",
    "ViewPosition": "PA",
    "KVP": "120",
    "Manufacturer": "Example Imaging",
    "PhotometricInterpretation": "MONOCHROME2",
    "WindowCenter": "100",
    "PixelRepresentation": 0,
}


@pytest.fixture
def dataset():
    made = Dataset()
    made.file_meta = FileMetaDataset()
    made.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    made.file_meta.SourceApplicationEntityTitle = "JANES_PACS"
    made.preamble = b"Jane" + b"\0" * 124
    made.SOPClassUID, made.SOPInstanceUID = ComputedRadiographyImageStorage, "1.2.3.4.5.6.7890"
    made.StudyInstanceUID, made.SeriesInstanceUID, made.FrameOfReferenceUID = (
        "1.2.3.4",
        "1.2.3.4.5",
        "1.2.3.4.6",
    )
    made.PatientName, made.PatientID, made.AccessionNumber, made.PatientSex = (
        "Doe^Jane",
        "0077-34-5",
        "ACC-1",
        "F",
    )
    made.SeriesDate, made.AcquisitionDateTime = "20110307", "20110307101112.5"
    for keyword, value in {**EMPTIED, **REMOVED, **KEPT}.items():
        setattr(made, keyword, value)
    made.Rows, made.Columns, made.PixelData = 2, 2, np.arange(4, dtype="<u2").tobytes()
    return made


def test_each_element_is_treated_as_the_table_says(dataset):
    profile.apply(dataset, KEY, DeidentificationOptions(), cleaned=False)
    for keyword in EMPTIED:
        assert keyword in dataset and not dataset[keyword].value, keyword
    assert not [keyword for keyword in REMOVED if keyword in dataset]
    assert {keyword: str(dataset[keyword].value) for keyword in KEPT} == {
        k: str(v) for k, v in KEPT.items()
    }
    assert (
        "SourceApplicationEntityTitle" not in dataset.file_meta and dataset.preamble == b"\0" * 128
    )
    assert dataset.SOPClassUID == ComputedRadiographyImageStorage
    assert dataset.PixelData == np.arange(4, dtype="<u2").tobytes()
    assert (
        dataset.PatientIdentityRemoved == "YES"
        and dataset.LongitudinalTemporalInformationModified == "REMOVED"
    )
    codes = [
        (item.CodeValue, item.CodingSchemeDesignator)
        for item in dataset.DeidentificationMethodCodeSequence
    ]
    assert codes == [("113100", "DCM")]
    assert (
        not dataset.PatientSex
        and "ACC" not in dataset.AccessionNumber
        and "Jane" not in str(dataset)
    )


def test_uids_are_keyed_and_consistent(dataset):
    twin = pydicom.Dataset.from_json(dataset.to_json())
    twin.file_meta = dataset.file_meta
    reference = Dataset()
    reference.ReferencedSOPClassUID, reference.ReferencedSOPInstanceUID = (
        dataset.SOPClassUID,
        dataset.SOPInstanceUID,
    )
    twin.SourceImageSequence = Sequence([reference])
    profile.apply(dataset, KEY, DeidentificationOptions(), cleaned=False)
    profile.apply(twin, KEY, DeidentificationOptions(), cleaned=False)
    for keyword in (
        "SOPInstanceUID",
        "StudyInstanceUID",
        "SeriesInstanceUID",
        "FrameOfReferenceUID",
    ):
        uid = dataset[keyword].value
        assert (
            uid == twin[keyword].value
            and uid.startswith("2.25.")
            and uid.is_valid
            and len(uid) <= 64
        )
    assert (
        len({dataset[k].value for k in ("SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID")})
        == 3
    )
    assert twin.SourceImageSequence[0].ReferencedSOPInstanceUID == dataset.SOPInstanceUID
    assert twin.SourceImageSequence[0].ReferencedSOPClassUID == ComputedRadiographyImageStorage
    assert (
        profile.keyed_uid(b"l" * 32, "1.2.3.4")
        != profile.keyed_uid(KEY, "1.2.3.4")
        == dataset.StudyInstanceUID
    )


def test_nested_private_and_unknown_elements(dataset):
    inner, outer = Dataset(), Dataset()
    inner.PatientName, inner.PatientID, inner.CodeValue = "Doe^Jane", "0077-34-5", "X"
    inner.private_block(0x0029, "JANE", create=True).add_new(1, "LO", "Doe")
    outer.AnatomicRegionSequence = Sequence([inner])  # a sequence that the table keeps
    outer.ContentDate = "20110305"
    dataset.ViewCodeSequence = Sequence([outer])
    dataset.private_block(0x0011, "JANE", create=True).add_new(1, "UN", b"Doe^Jane")
    dataset.add_new(0x00080003, "LO", "Doe")  # the standard has no such element
    dataset.add_new(0x60003000, "OW", b"Doe Jane")  # an overlay
    dataset.add_new(0xFFFCFFFC, "OB", b"Jane")
    profile.apply(dataset, KEY, DeidentificationOptions(), cleaned=False)
    kept = dataset.ViewCodeSequence[0].AnatomicRegionSequence[0]
    assert kept.CodeValue == "X" and not kept.PatientName and "Doe" not in str(dataset)
    assert not any(element.tag.is_private for element in dataset.iterall())
    assert not {0x00080003, 0x60003000, 0xFFFCFFFC} & set(dataset.keys())


def test_an_identifier_in_an_element_that_is_kept_empties_it(dataset):
    dataset.Manufacturer, dataset.BodyPartExamined = "Doe Jane X-ray", "CHEST OF JANE"
    dataset.add_new(0x00181405, "IS", "77345")
    dataset.ExposureTime, dataset.DetectorID = "77", "77345"
    dataset.OtherPatientIDs = "00773451"
    dataset.Exposure = "773451"
    profile.apply(dataset, KEY, DeidentificationOptions(), cleaned=False)
    assert not dataset.Manufacturer and not dataset.BodyPartExamined and dataset.Exposure is None
    assert dataset.ExposureTime == 77 and dataset.Modality == "CR"


def test_a_description_with_a_common_word_does_not_empty_the_body_part(dataset):
    dataset.StudyDescription, dataset.BodyPartExamined = "THORAX", "THORAX"
    profile.apply(dataset, KEY, DeidentificationOptions(), cleaned=False)
    assert dataset.BodyPartExamined == "THORAX"


def test_dates_are_shifted_alike_for_one_patient(dataset):
    other = pydicom.Dataset.from_json(dataset.to_json())
    other.file_meta, other.PatientID = dataset.file_meta, "another"
    profile.apply(dataset, KEY, DeidentificationOptions(dates=SHIFT), cleaned=False)
    profile.apply(other, KEY, DeidentificationOptions(dates=SHIFT), cleaned=False)

    def day(text):
        return np.datetime64(f"{text[:4]}-{text[4:6]}-{text[6:8]}")

    shift = day("20110305") - day(dataset.StudyDate)
    assert 1 <= shift.astype(int) <= 3652
    assert (
        day("20110307") - day(dataset.SeriesDate)
        == shift
        == day("20110307") - day(dataset.AcquisitionDateTime)
    )
    assert dataset.AcquisitionDateTime[8:] == "101112.5" and dataset.StudyTime == "101112"
    assert other.StudyDate != dataset.StudyDate and not dataset.PatientBirthDate
    values = [item.CodeValue for item in dataset.DeidentificationMethodCodeSequence]
    assert (
        values == ["113100", "113107"]
        and dataset.LongitudinalTemporalInformationModified == "MODIFIED"
    )


@pytest.mark.parametrize(
    ("age", "shown"), [("045Y", "045Y"), ("089Y", "089Y"), ("093Y", "090Y"), ("18M", "18M")]
)
def test_characteristics_are_kept_on_request(dataset, age, shown):
    dataset.PatientAge = age
    profile.apply(
        dataset, KEY, DeidentificationOptions(REMOVE, keep_characteristics=True), cleaned=True
    )
    assert (dataset.PatientAge, dataset.PatientSex, dataset.PatientWeight) == (shown, "F", 70)
    values = [item.CodeValue for item in dataset.DeidentificationMethodCodeSequence]
    assert values == ["113100", "113101", "113108"] and dataset.BurnedInAnnotation == "NO"


@pytest.mark.parametrize("terms", ["ISO_IR 100", ["", "ISO 2022 IR 87"], "ISO_IR 192"])
def test_a_character_set_of_the_standard_stays(dataset, terms):
    dataset.SpecificCharacterSet = terms
    profile.apply(dataset, KEY, DeidentificationOptions(), cleaned=False)
    assert dataset.SpecificCharacterSet == terms


def test_what_is_no_character_set_and_no_sex_goes(dataset):
    inner = Dataset()
    inner.SpecificCharacterSet, inner.CodeMeaning = ["ISO 2022 IR 6", "Doe Jane"], "Gr\u00fcn"
    dataset.ViewCodeSequence = Sequence([inner])
    dataset.SpecificCharacterSet, dataset.PatientSex = "Mole John", "Mole John"
    profile.apply(dataset, KEY, DeidentificationOptions(keep_characteristics=True), cleaned=False)
    assert (
        dataset.SpecificCharacterSet == inner.SpecificCharacterSet == "ISO_IR 192"
        and not dataset.PatientSex
    )
    assert dataset.ViewCodeSequence[0].CodeMeaning == "Gr\u00fcn" and "Mole" not in str(dataset)


def test_explanations_in_free_text_go(dataset):
    item = Dataset()
    item.LUTDescriptor, item.LUTExplanation, item.LUTData = [2, 0, 16], "Mole John", b"\0\0\1\0"
    dataset.VOILUTSequence = Sequence([item])
    dataset.WindowCenterWidthExplanation = ["Mole", "John"]
    dataset.DetectorDescription, dataset.PartialViewDescription = "Mole John", "Mole John"
    profile.apply(dataset, KEY, DeidentificationOptions(), cleaned=False)
    assert "Mole" not in str(dataset) and dataset.VOILUTSequence[0].LUTData == b"\0\0\1\0"


def test_a_maker_as_the_operator_does_not_empty_the_maker(dataset):
    dataset.OperatorsName = dataset.Manufacturer = "GE MEDICAL SYSTEMS"
    profile.apply(dataset, KEY, DeidentificationOptions(), cleaned=False)
    assert dataset.Manufacturer == "GE MEDICAL SYSTEMS" and "MEDICAL" not in str(
        dataset.get("OperatorsName")
    )
