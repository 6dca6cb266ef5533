"""tensorflow-io as the decoder: the same stored values wherever it can decode, one reason where it
cannot."""

import contextlib
import sys

import numpy as np
import pydicom
import pytest

from pgcxr import dicom
from pgcxr.dicom import known_images, normalization, pixel_data, reading, streams
from pgcxr.errors import InputError
from tests.dicom import encoders
from tests.dicom.test_syntaxes import CASES, SIGNED, picture

pytest.importorskip("tensorflow_io", reason="extra: tensorflow-io is not installed")


def both(path) -> tuple:
    """Stored values by either decoder."""
    found = []
    for decoder in (pixel_data.PYDICOM, pixel_data.TFIO):
        with reading.quiet():
            dataset = reading.read(path)
            reading.check_pixels(dataset)
            streams.check(dataset)
            codes = pixel_data.reader(decoder)(dataset)
            found.append(pixel_data.stored_values(dataset, pixel_data.count(codes))[codes])
    return tuple(found)


@pytest.mark.parametrize(
    ("name", "bits", "signed"), [(*c, False) for c in CASES] + [(*c, True) for c in SIGNED]
)
def test_the_same_stored_values(tmp_path, chest, name, bits, signed):
    by_pydicom, by_tfio = both(
        encoders.write(tmp_path / "a", picture(chest, bits, signed), bits, name)
    )
    # Of JPEG's cosine transform alone, standards leave the last digit open.
    assert np.abs(by_pydicom - by_tfio).max() <= (
        1 if name in ("jpeg-baseline", "jpeg-extended") else 0
    )


@pytest.mark.parametrize(
    "name", ["explicit", "big-endian", "rle", "jpeg-ls", "jpeg-lossless", "jpeg-2000-lossless"]
)
@pytest.mark.parametrize("high_bit", [11, 15])
def test_the_same_with_junk_above_the_high_bit(tmp_path, name, high_bit):
    containers = np.random.default_rng(0).integers(0, 1 << 16, (20, 24)).astype(np.uint16)
    path = encoders.write(tmp_path / "a", containers, 16, name, BitsStored=12, HighBit=high_bit)
    try:
        by_pydicom, by_tfio = both(path)
    except dicom.Rejected as refusal:  # DCMTK believes neither header nor stream where they differ
        assert name == "jpeg-2000-lossless" and "tensorflow-io" in refusal.detail
        return
    np.testing.assert_array_equal(by_tfio, by_pydicom)


@pytest.mark.parametrize("kind", ["MONOCHROME1", "MONOCHROME2"])
def test_the_same_image(tmp_path, chest, kind):
    """Nothing that DCMTK would do by itself (rescale, window, inversion) is done twice."""
    tags = {"RescaleSlope": 2, "RescaleIntercept": -700, "WindowCenter": 2000, "WindowWidth": 3000}
    tags |= {"PhotometricInterpretation": kind, "PixelPaddingValue": int(chest(1).max())}
    path = encoders.write(tmp_path / "a", chest(1), 12, "explicit", **tags)
    np.testing.assert_array_equal(dicom.decode(path, decoder="tfio"), dicom.decode(path))


def test_what_it_cannot_decode_has_a_reason(tmp_path):
    path = encoders.write(tmp_path / "a", known_images.picture(), 16, "explicit")
    dataset = pydicom.dcmread(path)
    dataset.file_meta.TransferSyntaxUID = pydicom.uid.HTJ2KLossless
    encoders.encapsulated(dataset, encoders.HTJ2K_FILE.read_bytes())
    dataset.save_as(path)
    with pytest.raises(dicom.Rejected, match="tensorflow-io cannot") as refusal:
        dicom.decode(path, decoder="tfio")
    assert refusal.value.rule == "unreadable"


def test_progressive_jpeg(tmp_path, chest):
    """Which pydicom does not decode; a decoder of its own for comparison is OpenCV's."""
    import cv2

    pixels = picture(chest, 8)
    path = encoders.write(tmp_path / "a", pixels, 8, "jpeg-baseline")
    dataset = pydicom.dcmread(path)
    options = [cv2.IMWRITE_JPEG_PROGRESSIVE, 1, cv2.IMWRITE_JPEG_QUALITY, 98]
    stream = cv2.imencode(".jpg", pixels, options)[1].tobytes()
    dataset.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.4.55"
    encoders.encapsulated(dataset, stream)
    dataset.save_as(path)
    whole = normalization.parse("none")
    shown = dicom.decode(path, decoder="tfio", normalize=whole).astype(int)
    assert np.abs(shown - pixels).max() <= 4


def test_it_says_nothing_of_the_file(tmp_path, chest, capfd):
    tags = {
        "PatientName": "SECRET^NAME",
        "PatientID": "SECRET1",
        "PixelAspectRatio": [1],
        "WindowCenter": 10**6,
    }
    path = encoders.write(tmp_path / "a", chest(2), 12, "explicit", **tags)
    dicom.decode(path, decoder="tfio")
    path.write_bytes(path.read_bytes().replace(b"CR", b"\xff\xff"))
    with contextlib.suppress(dicom.Rejected):
        dicom.decode(path, decoder="tfio")
    assert "".join(capfd.readouterr()) == ""


def test_without_tensorflow_io_it_says_what_to_do(tmp_path, chest, monkeypatch):
    path = encoders.write(tmp_path / "a", chest(3), 12, "explicit")
    monkeypatch.setitem(sys.modules, "tensorflow_io", None)
    monkeypatch.delitem(sys.modules, "pgcxr.dicom.tfio_decoder", raising=False)
    monkeypatch.delattr("pgcxr.dicom.tfio_decoder", raising=False)
    with pytest.raises(InputError, match=r"decoder: tensorflow-io.*pgcxr\[tfio\]") as error:
        dicom.decode(path, decoder="tfio")
    assert "\n" not in str(error.value)


@pytest.mark.shared
def test_real_files(shared):
    for path in sorted((shared / "dicom").rglob("*.dcm")):
        try:
            by_pydicom, by_tfio = both(path)
        except dicom.Rejected as refusal:
            assert refusal.rule == "no_pixels"
            continue
        close = 1 if "rsna" in path.name or "lossy" in path.name else 0
        assert np.abs(by_pydicom - by_tfio).max() <= close, path.name
