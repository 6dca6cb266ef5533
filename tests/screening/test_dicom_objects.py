"""Secondary Capture and Segmentation lie where the map does, in the study of the original."""

import numpy as np
import pydicom
import pytest
from pydicom.uid import generate_uid

from pgcxr.errors import ArgumentError
from pgcxr.screening.asked import refuse_places
from pgcxr.screening.dicom_objects import Finding, unfit, write
from pgcxr.screening.options import ScreeningOptions
from tests.screening.conftest import deep, picture
from tests.screening.test_screen import id_of

UIDS = {"StudyInstanceUID": generate_uid(), "SeriesInstanceUID": generate_uid()}


def hot(fit: str) -> Finding:
    """Likely anomalous in the second sixteenth from the left and the top."""
    heat = np.zeros((16, 16), np.float32)
    heat[4:8, 4:8] = 0.9
    return Finding(heat, "pgcxr screen: anomalous", fit, "sha")


@pytest.mark.parametrize(
    ("shape", "tags", "fit", "box"),
    [
        ((128, 128), {}, "pad", (32, 64, 32, 64)),
        ((128, 64), {}, "pad", (32, 64, 0, 32)),  # 32 px of the square are padding
        ((128, 64), {}, "crop", (48, 64, 16, 32)),
        # Twice as high as wide: the image is 128 x 128 in square pixels.
        ((64, 128), {"PixelSpacing": [0.4, 0.2]}, "pad", (16, 32, 32, 64)),
    ],
)
def test_the_segmentation_has_the_geometry_of_the_original(
    tmp_path, make_dicom, shape, tags, fit, box
):
    pixels = np.ascontiguousarray(deep(picture(1))[: shape[0], : shape[1]])
    original = make_dicom(
        tmp_path / "IM1", pixels, PatientID="12345678", PatientName="SMITH^JOHN", **UIDS, **tags
    )
    paths = write(original, np.uint8(pixels // 16), hot(fit), "name", tmp_path)
    capture, segmentation = (pydicom.dcmread(path) for path in paths)
    source = pydicom.dcmread(original)
    for made in (capture, segmentation):
        assert (made.Rows, made.Columns) == shape
        for keyword in ("PatientID", "PatientName", "StudyInstanceUID"):
            assert made[keyword].value == source[keyword].value
        assert made.SeriesInstanceUID != source.SeriesInstanceUID
    referenced = segmentation.ReferencedSeriesSequence[0].ReferencedInstanceSequence[0]
    assert referenced.ReferencedSOPInstanceUID == source.SOPInstanceUID
    mask = segmentation.pixel_array.reshape(shape)
    expected = np.zeros(shape, bool)
    expected[box[0] : box[1], box[2] : box[3]] = True
    assert (mask.astype(bool) ^ expected).mean() < 0.05 and mask.any()
    picture_of_map = capture.pixel_array.astype(int)
    colored = np.ptp(picture_of_map, axis=2) > 60
    assert (colored & ~expected).sum() < 0.3 * colored.sum() and colored.any()
    again = write(original, np.uint8(pixels // 16), hot(fit), "name", tmp_path)
    assert pydicom.dcmread(again[0]).SOPInstanceUID == capture.SOPInstanceUID
    assert paths[0].stat().st_mode & 0o077 == 0


def test_what_cannot_be_referred_to_or_shows_nothing(tmp_path, make_dicom):
    pixels = deep(picture(1))
    shown = np.uint8(pixels // 16)
    assert write(make_dicom(tmp_path / "a", pixels), shown, hot("pad"), "a", tmp_path) == []
    path = make_dicom(tmp_path / "b", pixels, **UIDS)
    for burned_in, said in ((False, "NO"), (True, "YES")):
        cold = Finding(np.zeros((16, 16), np.float32), "", "pad", "sha", burned_in)
        (written,) = write(path, shown, cold, "b", tmp_path)
        assert written.name == "b-capture.dcm"
        assert pydicom.dcmread(written).BurnedInAnnotation == said


def test_they_are_written_beside_and_not_into_the_results(screened, tmp_path, make_dicom):
    path = make_dicom(tmp_path / "new" / "IM1", deep(picture(3)), PatientID="12345678", **UIDS)
    (tmp_path / "new" / "IM2.png").write_bytes(b"")
    screened(tmp_path / "new", dicom=tmp_path / "private")
    assert f"{id_of(path)}-capture.dcm" in {each.name for each in (tmp_path / "private").iterdir()}
    assert (tmp_path / "private").stat().st_mode & 0o077 == 0
    for each in (tmp_path / "out").rglob("*"):
        assert each.is_dir() or b"12345678" not in each.read_bytes()
    for inside in (tmp_path / "out" / "dicom", tmp_path / "new" / "dicom"):
        options = ScreeningOptions(processes=0, dicom=inside)
        with pytest.raises(Exception, match="lies in the folder of"):
            refuse_places(tmp_path / "new", tmp_path / "out", options)


def test_without_highdicom_one_line_says_how_to_get_it(tmp_path, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "highdicom", None)
    (tmp_path / "new").mkdir()
    with pytest.raises(ArgumentError, match=r"it comes with pip install 'pgcxr\[screening\]'"):
        options = ScreeningOptions(dicom=tmp_path / "private")
        refuse_places(tmp_path / "new", tmp_path / "out", options)


def test_a_square_image_becomes_the_image_again():
    heat = np.arange(16.0).reshape(4, 4)
    assert unfit(heat, (4, 2), "pad").tolist() == heat[:, 1:3].tolist()
    assert unfit(heat, (4, 4), "pad").tolist() == heat.tolist()
