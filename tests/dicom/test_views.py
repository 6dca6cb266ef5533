"""The projection of view codes and descriptions; what a file is for."""

import pydicom
import pytest

from pgcxr import dicom, sources
from pgcxr.sources import dicom_files
from tests.dicom import encoders


def code(value: str = "", meaning: str = "") -> list[pydicom.Dataset]:
    item = pydicom.Dataset()
    item.CodeValue, item.CodeMeaning, item.CodingSchemeDesignator = value, meaning, "SRT"
    return [item]


@pytest.fixture
def header(tmp_path, chest):
    return lambda **tags: dicom.read_header(
        encoders.write(tmp_path / "a", chest(1), 12, "explicit", **tags)
    )


@pytest.mark.parametrize(
    ("value", "meaning", "view"),
    [
        ("R-10214", "postero-anterior", "PA"),
        ("272479007", "", "PA"),
        ("R-10206", "", "AP"),
        ("399348003", "anything", "AP"),
        ("R-10236", "left lateral", "LATERAL"),
        ("399198007", "", "LATERAL"),
        ("LOCAL1", "Postero-Anterior", "PA"),
        ("LOCAL2", "anterior-posterior projection", "AP"),
        ("LOCAL3", "PA", "PA"),
        ("399135007", "left anterior oblique", "OBLIQUE"),
        ("R-10202", "frontal", ""),
        ("LOCAL4", "Frontal", ""),
        ("399110001", "tangential", "other"),
        ("", "", ""),
    ],
)
def test_view_codes(header, value, meaning, view):
    assert header(ViewCodeSequence=code(value, meaning)).coded_view == view


@pytest.mark.parametrize(
    ("tags", "views"),
    [
        ({"SeriesDescription": "Chest PA"}, ("PA",)),
        ({"SeriesDescription": "THORAX p.a."}, ("PA",)),
        ({"SeriesDescription": "Thorax seitlich"}, ("LATERAL",)),
        ({"ProtocolName": "W033 Thorax a. p. Bett"}, ("AP",)),
        ({"SeriesDescription": "CHEST PA/LAT"}, ()),
        ({"SeriesDescription": "Chest PA and lateral", "ProtocolName": "PA"}, ("PA",)),
        ({"SeriesDescription": "PA", "ProtocolName": "AP"}, ("AP", "PA")),
        ({"SeriesDescription": "Chest apical, spa, mapped"}, ()),
        ({"SeriesDescription": "Thorax seitlich"}, ("LATERAL",)),
        ({}, ()),
    ],
)
def test_views_in_descriptions(header, tags, views):
    assert header(**tags).described_views == views


@pytest.mark.parametrize(
    ("orientation", "side"),
    [(["L", "F"], "L"), (["A", "F"], "A"), (["RA", "F"], "R"), (["X", "F"], ""), (["L"], "")],
)
def test_the_side_that_rows_run_to(header, orientation, side):
    assert header(PatientOrientation=orientation).rows_run_to == side


@pytest.mark.parametrize(
    ("view", "side", "shown", "contradicts"),
    [
        *(("PA", side, "", (sources.VIEW,)) for side in "AP"),
        ("AP", "P", "", (sources.VIEW,)),
        ("PA", "L", "PA", ()),
        ("PA", "R", "PA", (sources.MIRRORED,)),
        ("PA", "H", "PA", ()),
        ("LL", "A", "LL", ()),
        ("", "A", "", ()),
    ],
)
def test_a_frontal_view_whose_rows_run_to_front_or_back(header, view, side, shown, contradicts):
    scan = sources.Scan(1, None, "a")
    dicom_files.describe(scan, header(ViewPosition=view, PatientOrientation=[side, "F"]))
    assert (scan.view, scan.contradicts) == (shown, contradicts)


@pytest.mark.parametrize(
    ("tags", "raw"),
    [
        ({"PresentationIntentType": "FOR PROCESSING"}, True),
        ({"PresentationIntentType": "for_processing"}, True),
        ({"PresentationIntentType": "FOR PRESENTATION"}, False),
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.1.1.1"}, True),
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.1.1"}, False),
        ({}, False),
    ],
)
def test_raw_images(header, tags, raw):
    assert header(**tags).for_processing is raw
