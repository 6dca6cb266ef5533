"""What `--messy` adds."""

import pydicom
import pytest
from pydicom.errors import InvalidDicomError

from pgcxr.phantom.messy import KINDS


def of_kind(disorder, kind):
    return [item for item, found in disorder.items() if found == kind]


def test_every_kind_is_there_and_counted(report, disorder):
    assert set(report["messy"]) == set(KINDS)
    for kind in KINDS:
        assert report["messy"][kind] == len(of_kind(disorder, kind)) >= 1


@pytest.mark.parametrize("kind", ["empty", "not_dicom"])
def test_what_is_no_dicom_cannot_be_read(export, disorder, kind):
    for file in of_kind(disorder, kind):
        assert file.endswith(".dcm")
        with pytest.raises(InvalidDicomError):
            pydicom.dcmread(export / file)


def test_truncated_files_have_too_few_bytes(export, disorder):
    for file in of_kind(disorder, "truncated"):
        with pytest.raises(Exception):  # noqa: B017 - pydicom raises several, depending on where the file ends
            _ = pydicom.dcmread(export / file).pixel_array


def test_files_without_pixels_and_with_two_frames(export, disorder):
    for file in of_kind(disorder, "no_pixel_data"):
        assert "PixelData" not in pydicom.dcmread(export / file)
    for file in of_kind(disorder, "multi_frame"):
        assert pydicom.dcmread(export / file).pixel_array.shape[0] == 2


def test_duplicates(export, disorder, truth):
    others = [export / row["file"] for row in truth if row["file"] not in disorder]
    for file in of_kind(disorder, "duplicate_file"):
        assert sum(path.read_bytes() == (export / file).read_bytes() for path in others) == 1
    for file in of_kind(disorder, "duplicate_pixels"):
        copy = pydicom.dcmread(export / file)
        same = [ds for ds in map(pydicom.dcmread, others) if ds.PixelData == copy.PixelData]
        assert len(same) == 1 and same[0].SOPInstanceUID != copy.SOPInstanceUID


def test_wrong_labels(export, disorder, truth):
    true_view = {row["file"]: row["view"] for row in truth}
    for file in of_kind(disorder, "mislabelled_view"):
        assert true_view[file] == "LATERAL" and pydicom.dcmread(export / file).ViewPosition == "PA"
    for file in of_kind(disorder, "wrong_body_part"):
        assert pydicom.dcmread(export / file).BodyPartExamined != "CHEST"
    for file in of_kind(disorder, "wrong_age"):
        assert not pydicom.dcmread(export / file).PatientBirthDate


def test_rows_and_images_that_do_not_match(export, disorder, studies):
    accessions = {row["accession_number"] for row in studies}
    for file in of_kind(disorder, "unreferenced_accession"):
        assert pydicom.dcmread(export / file).AccessionNumber not in accessions
    readable = {path for path in (export / "dicom").rglob("*") if path.is_file()}
    imaged = set()
    for path in readable:
        try:
            imaged.add(pydicom.dcmread(path, stop_before_pixels=True).AccessionNumber)
        except (InvalidDicomError, EOFError):
            continue
    for accession in of_kind(disorder, "row_without_image"):
        assert accession in accessions and accession not in imaged
