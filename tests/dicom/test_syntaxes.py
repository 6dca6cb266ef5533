"""One radiograph in every transfer syntax, at every depth that its encoder takes, is one
picture."""

import numpy as np
import pydicom
import pytest
from pydicom import uid
from pydicom.data import get_testdata_file

from pgcxr import dicom
from pgcxr.dicom import known_images, normalization, pixel_data, reading, streams
from tests.dicom import encoders

NONE = normalization.parse("none")
CASES = [(name, bits) for name in encoders.NATIVE for bits in (8, 10, 12, 15, 16)]
CASES += [
    (name, bits) for name, (_, depths, _, _) in encoders.ENCAPSULATED.items() for bits in depths
]
# Lossy JPEG and near-lossless JPEG-LS know no sign (-1 and 0 lie far apart in their streams), and
# the encoder writes no signed JPEG 2000 (pydicom's files below are).
UNSIGNED = ("jpeg-baseline", "jpeg-extended", "jpeg-ls-near", "jpeg-2000", "jpeg-2000-lossless")
SIGNED = [case for case in CASES if case[0] not in UNSIGNED]


def stored(path) -> np.ndarray:
    """The stored values, int64 [H, W]."""
    with reading.quiet():
        dataset = reading.read(path)
        reading.check_pixels(dataset)
        streams.check(dataset)
        codes = pixel_data.read(dataset)
        return pixel_data.stored_values(dataset, pixel_data.count(codes))[codes]


def picture(chest, bits: int, signed: bool = False) -> np.ndarray:
    full = chest(bits, 40).astype(np.int64) * ((1 << bits) - 1) // 4100
    full = np.clip(full, 0, (1 << bits) - 1) - ((1 << bits - 1) if signed else 0)
    return full.astype(f"{'i' if signed else 'u'}{1 if bits == 8 else 2}")


@pytest.mark.parametrize(("name", "bits"), CASES)
def test_unsigned(tmp_path, chest, name, bits):
    pixels = picture(chest, bits)
    path = encoders.write(tmp_path / "a", pixels, bits, name)
    error = 0 if name in encoders.NATIVE else encoders.ENCAPSULATED[name][3]
    assert np.abs(stored(path) - pixels.astype(int)).max() <= error
    shown = dicom.decode(path, normalize=NONE, bits=16)
    expected = pixels * (65535 / ((1 << bits) - 1))
    assert np.abs(shown - expected).max() <= error * 65535 / ((1 << bits) - 1) + 0.5


@pytest.mark.parametrize(("name", "bits"), SIGNED)
def test_signed(tmp_path, chest, name, bits):
    pixels = picture(chest, bits, signed=True)
    path = encoders.write(tmp_path / "a", pixels, bits, name)
    np.testing.assert_array_equal(stored(path), pixels)


def test_high_throughput_jpeg_2000(tmp_path):
    pixels = known_images.picture()
    path = encoders.write(tmp_path / "a", pixels, 16, "explicit")
    dataset = pydicom.dcmread(path)
    for syntax in (uid.HTJ2KLossless, uid.HTJ2KLosslessRPCL, uid.HTJ2K):
        dataset.file_meta.TransferSyntaxUID = syntax
        encoders.encapsulated(dataset, encoders.HTJ2K_FILE.read_bytes())
        dataset.save_as(path)
        np.testing.assert_array_equal(stored(path), pixels)


@pytest.mark.parametrize("syntax", ["1.2.840.10008.1.2.4.53", "1.2.840.10008.1.2.4.55"])
def test_what_tensorflow_io_alone_reads_says_so_and_how_well(tmp_path, chest, syntax):
    path = encoders.write(tmp_path / "a", picture(chest, 8), 8, "jpeg-baseline")
    dataset = pydicom.dcmread(path)
    dataset.file_meta.TransferSyntaxUID = syntax
    dataset.save_as(path)
    with pytest.raises(dicom.Rejected, match="decoder tfio alone reads .to 2 gray levels"):
        dicom.decode(path)


@pytest.mark.parametrize("name", ["implicit", "explicit", "big-endian"])
def test_without_preamble_and_meta_header(tmp_path, chest, name):
    pixels = picture(chest, 12)
    path = encoders.write(tmp_path / "a", pixels, 12, name)
    with_meta = dicom.decode(path)
    content = path.read_bytes()
    length = int.from_bytes(
        content[140:144], "little"
    )  # of group 0002, after its own first element
    path.write_bytes(content[144 + length :])
    np.testing.assert_array_equal(dicom.decode(path), with_meta)
    assert dicom.read_header(path).modality == "CR"


def test_meta_header_without_transfer_syntax(tmp_path, chest):
    pixels = picture(chest, 12)
    path = encoders.write(tmp_path / "a", pixels, 12, "explicit")
    with_syntax = dicom.decode(path)
    dataset = pydicom.dcmread(path)
    del dataset.file_meta.TransferSyntaxUID
    dataset.save_as(path, enforce_file_format=False, little_endian=True, implicit_vr=False)
    np.testing.assert_array_equal(dicom.decode(path), with_syntax)


@pytest.mark.parametrize(
    "syntax", ["1.2.840.113619.5.2", "1.2.840.10008.1.2.4.100", "1.2.840.10008.1.2.4.95", "9.9"]
)
def test_private_and_unknown_syntaxes_are_refused(tmp_path, chest, syntax):
    """GE's private one, MPEG2, JPIP and none at all."""
    path = encoders.write(tmp_path / "a", picture(chest, 12), 12, "explicit")
    right = str(uid.ExplicitVRLittleEndian).encode() + b"\0"
    content = path.read_bytes()
    name = syntax.encode()[:64]
    place = content.index(right)
    meta = (
        content[: place - 2]
        + len(name + b"\0" * (len(name) % 2)).to_bytes(2, "little")
        + name
        + b"\0" * (len(name) % 2)
    )
    grown = len(meta) - place - len(right)
    length = int.from_bytes(content[140:144], "little") + grown
    path.write_bytes(
        meta[:140] + length.to_bytes(4, "little") + meta[144:] + content[place + len(right) :]
    )
    with pytest.raises(dicom.Rejected, match="transfer syntax") as refusal:
        dicom.decode(path)
    assert refusal.value.rule == "unreadable"


def test_what_a_lossy_codec_overshoots_is_clipped_not_wrapped(tmp_path):
    """10 bits in a 12-bit stream: beside an edge at 1023 it rings above, which must not become
    black."""
    pixels = np.zeros((32, 32), np.uint16)
    pixels[3:29, 5:27] = 1023
    path = encoders.write(tmp_path / "a", pixels, 10, "jpeg-extended")
    dataset = pydicom.dcmread(path)
    import imagecodecs

    encoders.encapsulated(dataset, imagecodecs.jpeg8_encode(pixels, level=50, bitspersample=12))
    dataset.save_as(path)
    with reading.quiet():
        assert pixel_data.read(reading.read(path)).max() > 1023  # it does ring
    found = stored(path)
    assert found.max() == 1023 and np.abs(found - pixels).max() < 200


@pytest.mark.parametrize("samples", [1, 3])
def test_a_color_jpeg_is_refused_even_if_it_is_gray(tmp_path, chest, samples):
    import imagecodecs

    gray = picture(chest, 8)
    path = encoders.write(tmp_path / "a", gray, 8, "jpeg-baseline")
    dataset = pydicom.dcmread(path)
    encoders.encapsulated(dataset, imagecodecs.jpeg8_encode(np.repeat(gray[..., None], 3, axis=2)))
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = (
        samples,
        "MONOCHROME2" if samples == 1 else "YBR_FULL",
    )
    dataset.save_as(path)
    with pytest.raises(dicom.Rejected) as refusal:
        dicom.decode(path)
    # A header that says gray and a stream that is not: nothing to be believed.
    assert refusal.value.rule == ("unreadable" if samples == 1 else "colour")


@pytest.mark.parametrize(
    "name",
    [
        *(
            "CT_small.dcm",
            "MR_small_RLE.dcm",
            "MR_small_implicit.dcm",
            "MR_small_bigendian.dcm",
            "image_dfl.dcm",
        ),
        *(
            "MR_small_jp2klossless.dcm",
            "MR_small_jpeg_ls_lossless.dcm",
            "JPGExtended.dcm",
            "JPEGLSNearLossless_16.dcm",
        ),
        *(
            "693_J2KI.dcm",
            "J2K_pixelrep_mismatch.dcm",
        ),
        *("MR_small_padded.dcm", "examples_overlay.dcm"),
    ],
)
def test_signed_jpeg_2000_and_other_makers_files_as_pydicom(name):
    """Files of many makers' encoders that come with pydicom, among them signed ones and embedded
    overlays."""
    path = get_testdata_file(name, download=False)
    if path is None:
        pytest.skip(f"extra: {name} does not come with this pydicom")
    dataset = pydicom.dcmread(path, force=True)
    try:
        expected = dataset.pixel_array
    except Exception:
        pytest.skip(f"extra: pydicom itself cannot decode {name}")
    if dataset.get("SamplesPerPixel") != 1:
        pytest.skip(f"extra: {name} is in color")
    np.testing.assert_array_equal(stored(path), expected)
