"""Decoding: against the formulas of PS3.3 written out by hand, and against pydicom's pipeline on
real files."""

import contextlib
import csv
import logging
import os
import warnings

import numpy as np
import pydicom
import pytest
from pydicom.pixels import apply_voi_lut

from pgcxr import dicom
from pgcxr.dicom import reading


def by_hand(display: np.ndarray) -> np.ndarray:
    """Thesis 1.1, pixel by pixel: clip at the 99th percentile by linear interpolation, scale to
    0..255."""
    values = sorted(float(value) for value in display.ravel())
    place = 0.99 * (len(values) - 1)
    below, share = int(place), place - int(place)
    top = values[below] + share * (values[min(below + 1, len(values) - 1)] - values[below])
    low = values[0]
    scaled = [
        round((min(float(value), top) - low) / (top - low) * 255) for value in display.ravel()
    ]
    return np.array(scaled).reshape(display.shape)


def close(found: np.ndarray, expected: np.ndarray) -> None:
    assert found.dtype == np.uint8 and found.shape == expected.shape
    assert (
        np.abs(found.astype(int) - expected.astype(int)).max() <= 1
    )  # float32 against float64 at a half


def test_plain_pixels_are_scaled_from_minimum_to_99th_percentile(tmp_path, make_dicom, chest):
    pixels = chest(1)
    found = dicom.decode(make_dicom(tmp_path / "a", pixels))
    close(found, by_hand(pixels))
    assert found.min() == 0 and found.max() == 255 and (found == 255).sum() >= 0.01 * found.size


def test_monochrome1_is_inverted(tmp_path, make_dicom, chest):
    pixels = chest(2)
    plain = dicom.decode(make_dicom(tmp_path / "a", pixels))
    inverted = dicom.decode(
        make_dicom(tmp_path / "b", 4095 - pixels, PhotometricInterpretation="MONOCHROME1")
    )
    np.testing.assert_array_equal(plain, inverted)


def test_linear_window_of_ps3_3(tmp_path, make_dicom, chest):
    pixels, center, width = chest(3), 1800.0, 900.0
    found = dicom.decode(make_dicom(tmp_path / "a", pixels, WindowCenter=center, WindowWidth=width))
    # PS3.3 C.11.2.1.2.1
    display = np.clip(((pixels - (center - 0.5)) / (width - 1) + 0.5) * 4095, 0, 4095)
    close(found, by_hand(display))


def test_sigmoid_window_and_the_first_of_several(tmp_path, make_dicom, chest):
    pixels = chest(4)
    tags = {
        "WindowCenter": [2000.0, 10.0],
        "WindowWidth": [1500.0, 5.0],
        "VOILUTFunction": "SIGMOID",
    }
    found = dicom.decode(make_dicom(tmp_path / "a", pixels, **tags))
    close(found, by_hand(4095 / (1 + np.exp(-4 * (pixels - 2000.0) / 1500.0))))


def test_voi_lut_outranks_the_window(tmp_path, make_dicom, chest):
    pixels = chest(5)
    lut = pydicom.Dataset()
    table = (4095 * (np.arange(4096) / 4095) ** 2).astype(np.uint16)
    lut.LUTDescriptor, lut.LUTData = [4096, 0, 16], table.tobytes()
    path = make_dicom(
        tmp_path / "a", pixels, VOILUTSequence=[lut], WindowCenter=1.0, WindowWidth=2.0
    )
    close(dicom.decode(path), by_hand(table[pixels]))


def test_rescale_and_signed_pixels(tmp_path, make_dicom, chest):
    pixels = chest(6).astype(np.int16) - 2000
    path = make_dicom(tmp_path / "a", pixels, RescaleSlope=-0.5, RescaleIntercept=100)
    close(dicom.decode(path), by_hand(100 - 0.5 * pixels.astype(float)))


def test_padding_is_black_and_does_not_count(tmp_path, make_dicom, chest):
    pixels = chest(7)
    expected = by_hand(pixels[:, 8:])
    pixels[:, :8] = 4095
    found = dicom.decode(make_dicom(tmp_path / "a", pixels, PixelPaddingValue=4095))
    close(found[:, 8:], expected)
    assert not found[:, :8].any()


@pytest.mark.parametrize("width", [0, -5, 1])
def test_a_window_without_width_is_left_out(tmp_path, make_dicom, chest, width):
    pixels = chest(8)
    close(
        dicom.decode(make_dicom(tmp_path / "a", pixels, WindowCenter=5, WindowWidth=width)),
        by_hand(pixels),
    )


@pytest.mark.parametrize(
    ("tags", "rule"),
    [
        ({"NumberOfFrames": 3}, "multi_frame"),
        ({"PhotometricInterpretation": "RGB"}, "colour"),
        ({"SamplesPerPixel": 3}, "colour"),
        ({"PixelData": None}, "no_pixels"),
        ({"Rows": 0}, "no_pixels"),
        ({"Rows": 65535, "Columns": 65535}, "too_large"),
        ({"Rows": 8000, "Columns": 8000}, "unreadable"),
    ],
)
def test_refused(tmp_path, make_dicom, chest, tags, rule):
    path = make_dicom(tmp_path / "a", chest(9), **tags)
    with pytest.raises(dicom.Rejected) as refusal:
        dicom.decode(path)
    assert refusal.value.rule == rule


def test_what_is_no_dicom_is_unreadable(tmp_path, make_dicom, chest):
    (tmp_path / "empty").write_bytes(b"")
    (tmp_path / "text").write_text("PatientName: nobody " * 100)
    (tmp_path / "noise").write_bytes(np.random.default_rng(0).bytes(5000))
    (tmp_path / "marked").write_bytes(bytes(128) + b"DICM" + np.random.default_rng(1).bytes(5000))
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    for name in ("empty", "text", "noise", "marked", "folder", "pipe", "absent"):
        for read in (dicom.decode, dicom.read_header):
            with pytest.raises(dicom.Rejected) as refusal:
                read(tmp_path / name)
            assert refusal.value.rule in ("unreadable", "no_pixels"), name


@pytest.mark.parametrize("share", [0.3, 0.7, 0.99])
def test_truncated_is_unreadable(tmp_path, make_dicom, chest, share):
    path = make_dicom(tmp_path / "a", chest(10))
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(dicom.Rejected) as refusal:
        dicom.decode(path)
    assert refusal.value.rule == "unreadable"


def test_blank_is_refused(tmp_path, make_dicom):
    flat = np.full((20, 20), 7, np.uint16)
    dot = flat.copy()
    dot[3, 4] = 4000
    for name, pixels in (("flat", flat), ("dot", dot)):
        with pytest.raises(dicom.Rejected) as refusal:
            dicom.decode(make_dicom(tmp_path / name, pixels))
        assert refusal.value.rule == "blank"


def test_nothing_of_the_file_reaches_warnings_logs_or_errors(
    tmp_path, make_dicom, chest, caplog, capfd
):
    path = make_dicom(tmp_path / "a", chest(11), PatientID="SECRET123", AccessionNumber="SECRET456")
    content = path.read_bytes().replace(b"045Y", b"SECR")
    path.write_bytes(content)
    with caplog.at_level(logging.DEBUG), warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        header = dicom.read_header(path)
        dicom.decode(path)
        path.write_bytes(content[:-500])
        with pytest.raises(dicom.Rejected) as refusal:
            dicom.decode(path)
    out = "".join(capfd.readouterr())
    said = f"{caplog.text} {[str(w.message) for w in seen]} {refusal.value} {header!r} {out}"
    assert header.patient == "SECRET123" and header.age is None
    assert "SECR" not in said


def test_pydicom_which_quotes_values_is_silenced(tmp_path, make_dicom, chest, caplog):
    path = make_dicom(tmp_path / "a", chest(12))
    uid = str(pydicom.dcmread(path).SOPInstanceUID).encode()
    path.write_bytes(path.read_bytes().replace(uid, b"SECRET".ljust(len(uid), b"9")))

    def said(context) -> str:
        caplog.clear()
        with warnings.catch_warnings(record=True) as seen:
            warnings.simplefilter("always")
            with context:
                assert "SECRET" in str(pydicom.dcmread(path).SOPInstanceUID)
        return f"{caplog.text}|{[str(warning.message) for warning in seen]}"

    assert said(contextlib.nullcontext()).count("SECRET") == 2  # in the log and in the warning
    assert "SECRET" not in said(reading.quiet())
    assert said(contextlib.nullcontext()).count("SECRET") == 2  # and it speaks again afterwards


def test_header(tmp_path, make_dicom, chest):
    path = make_dicom(
        tmp_path / "a",
        chest(12),
        PatientAge=None,
        PatientBirthDate="19800615",
        StudyDate="20200614",
        ViewPosition=None,
    )
    header = dicom.read_header(path)
    assert (header.age, header.view, header.rows, header.columns) == (39.0, "", 32, 40)


@pytest.mark.shared
def test_real_files_against_pydicom(shared):
    """Every file of the collection: decoded as pydicom's own steps give, or refused with the right
    reason."""
    with open(shared / "dicom" / "INDEX.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 11
    for row in rows:
        path = shared / "dicom" / row["file"]
        if "no pixel data" in row["pixel_range"]:
            with pytest.raises(dicom.Rejected) as refusal:
                dicom.decode(path)
            assert refusal.value.rule == "no_pixels"
            continue
        found = dicom.decode(path)
        assert found.shape == (int(row["rows"]), int(row["cols"]))
        dataset = pydicom.dcmread(path, force=True)
        if "TransferSyntaxUID" not in dataset.file_meta:
            dataset.file_meta.TransferSyntaxUID = pydicom.uid.ImplicitVRLittleEndian
        display = apply_voi_lut(
            pydicom.pixels.apply_modality_lut(dataset.pixel_array, dataset), dataset
        ).astype(float)
        if row["photometric"] == "MONOCHROME1":
            display = display.max() - display
        low, top = display.min(), np.percentile(display, 99)
        close(found, np.rint((np.clip(display, low, top) - low) / (top - low) * 255))


@pytest.mark.shared
def test_transfer_syntaxes_agree_on_one_image(shared):
    """One radiograph as implicit little endian without a header and as explicit big endian."""
    a = dicom.decode(shared / "dicom/real_chest/barre_CR-MONO1-10-chest_fuji_implicit_nometa.dcm")
    b = dicom.decode(shared / "dicom/derived_transcode/barre_explicitBE_10bit_mono1.dcm")
    np.testing.assert_array_equal(a, b)
    # Lungs darker than the mediastinum between them: it is the right way round.
    assert a[150:250, 80:150].mean() < a[150:250, 200:240].mean() - 50
