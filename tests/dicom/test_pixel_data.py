"""Stored values: bits above the high bit, containers filled from the top, padding; pixel by
pixel."""

import numpy as np
import pydicom
import pytest

from pgcxr import dicom
from pgcxr.dicom import normalization, pixel_data
from tests.dicom import encoders
from tests.dicom.test_syntaxes import stored

NONE = normalization.parse("none")


def by_hand(container: int, bits: int, signed: bool) -> int:
    """PS3.5 8.1.1, one pixel: the lowest `bits` bits, in two's complement where signed."""
    value = 0
    for bit in range(bits):
        if container >> bit & 1:
            value += -(1 << bit) if signed and bit == bits - 1 else 1 << bit
    return value


@pytest.mark.parametrize("name", ["implicit", "explicit", "big-endian", "deflated", "rle"])
@pytest.mark.parametrize("bits", [10, 12, 15])
@pytest.mark.parametrize("signed", [False, True])
def test_junk_above_the_high_bit(tmp_path, name, bits, signed):
    containers = np.random.default_rng(bits).integers(0, 1 << 16, (20, 24)).astype(np.uint16)
    path = encoders.write(tmp_path / "a", containers, 16, name, BitsStored=bits, HighBit=bits - 1)
    dataset = pydicom.dcmread(path)
    dataset.PixelRepresentation = int(signed)
    dataset.save_as(path)
    expected = [by_hand(int(pixel), bits, signed) for pixel in containers.ravel()]
    np.testing.assert_array_equal(stored(path).ravel(), expected)


def ramp(top: int) -> np.ndarray:
    y, x = np.mgrid[:20, :24]
    return ((y * 24 + x) * top // 479).astype(np.uint16)


LOSSLESS = ("jpeg-ls", "jpeg-lossless", "jpeg-lossless-sv1", "jpeg-2000-lossless")


@pytest.mark.parametrize("name", [*LOSSLESS, "jpeg-ls-near", "jpeg-2000"])
@pytest.mark.parametrize(("bits", "allocated"), [(10, 16), (12, 16), (8, 8)])
def test_a_stream_deeper_than_the_header_says_is_believed(tmp_path, name, bits, allocated):
    """What a codec gives above BitsStored is no overlay, and does not wrap round."""
    depth = 14 if name == "jpeg-2000-lossless" else 16
    pixels = ramp((1 << depth) - 1)
    tags = {"BitsStored": bits, "HighBit": bits - 1, "BitsAllocated": allocated}
    found = stored(encoders.write(tmp_path / "a", pixels, depth, name, **tags))
    error = encoders.ENCAPSULATED[name][3]
    assert np.abs(found - pixels.astype(int)).max() <= 4 * error
    shown = dicom.decode(tmp_path / "a", normalize=NONE).astype(int)
    assert (np.diff(shown.ravel()) >= (-1 if error else 0)).all() and shown.max() > 250


@pytest.mark.parametrize("name", LOSSLESS)
@pytest.mark.parametrize("top", [4095, 4096])
def test_a_deep_stream_with_values_that_fit_stays_as_the_header_says(tmp_path, name, top):
    pixels = ramp(top)
    path = encoders.write(tmp_path / "a", pixels, 16, name, BitsStored=12, HighBit=11)
    np.testing.assert_array_equal(stored(path), pixels)
    shown = dicom.decode(path, normalize=NONE).max()
    assert shown == (255 if top == 4095 else 16)  # of 12 bits, or of the stream's 16


@pytest.mark.parametrize("name", ["jpeg-ls", "jpeg-lossless"])
def test_negative_values_in_a_deeper_stream(tmp_path, name):
    """In the header's bits, in all of the stream's, and beyond what the header's can hold."""
    values = ramp(4095).astype(np.int64) - 2048
    tags = {"BitsStored": 12, "HighBit": 11, "PixelRepresentation": 1}
    for codes, expected in (
        (values & 0xFFF, values),
        (values & 0xFFFF, values),
        (4 * values & 0xFFFF, 4 * values),
    ):
        path = encoders.write(tmp_path / "a", codes.astype(np.uint16), 16, name, **tags)
        np.testing.assert_array_equal(stored(path), expected)


@pytest.mark.parametrize("name", [*encoders.ENCAPSULATED])
@pytest.mark.parametrize("bits", [8, 12, 16])
def test_streams_of_8_bits_where_the_header_says_16(tmp_path, chest, name, bits):
    if 8 not in encoders.ENCAPSULATED[name][1]:
        pytest.skip("has no 8 bits")
    pixels = (chest(1) >> 4).astype(np.uint8)
    tags = {"BitsAllocated": 16, "BitsStored": bits, "HighBit": bits - 1}
    found = stored(encoders.write(tmp_path / "a", pixels, 8, name, **tags))
    assert np.abs(found - pixels.astype(int)).max() <= encoders.ENCAPSULATED[name][3]


def test_8_bits_as_they_lie_where_the_header_says_16(tmp_path, chest):
    pixels = (chest(1) >> 4).astype(np.uint8)
    tags = {"BitsStored": 8, "HighBit": 7}
    path = encoders.write(tmp_path / "a", pixels, 8, "explicit", BitsAllocated=16, **tags)
    np.testing.assert_array_equal(stored(path), pixels)


@pytest.mark.parametrize(("allocated", "bits"), [(8, 8), (16, 12)])
def test_twice_the_pixel_data_is_refused(tmp_path, chest, allocated, bits):
    """16 bits where the header says 8, or two images of which one would be lost."""
    pixels = chest(1).astype(np.uint16 if allocated == 8 else np.uint32)
    tags = {"BitsAllocated": allocated, "BitsStored": bits, "HighBit": bits - 1}
    path = encoders.write(tmp_path / "a", pixels, 12, "explicit", **tags)
    with pytest.raises(dicom.Rejected, match="twice the pixel data"):
        dicom.decode(path)


@pytest.mark.parametrize("name", ["jpeg-baseline", "jpeg-ls", "jpeg-2000-lossless", "rle"])
def test_what_else_is_installed_changes_no_pixel(tmp_path, chest, name, monkeypatch):
    """Pillow is installed here; another plugin would come first."""
    from pydicom.pixels import get_decoder

    pixels = (chest(1) >> 4).astype(np.uint8)
    path = encoders.write(tmp_path / "a", pixels, 8, name)
    plain = dicom.decode(path)
    decoder = get_decoder(pydicom.dcmread(path).file_meta.TransferSyntaxUID)
    called = []

    def another(source, runner):
        called.append(runner)
        return bytearray(pixels.size)

    plugins = {"a": another, **decoder._available}
    monkeypatch.setattr(decoder, "_available", plugins)
    assert not decoder.as_array(pydicom.dcmread(path))[0].any() and called  # it does come first
    called.clear()
    np.testing.assert_array_equal(dicom.decode(path), plain)
    assert not called


def test_an_embedded_overlay_is_not_seen(tmp_path, chest):
    pixels = chest(1)
    plain = dicom.decode(encoders.write(tmp_path / "a", pixels, 12, "explicit"))
    drawn = pixels.copy()
    drawn[5:9, 5:9] |= 1 << 13
    path = encoders.write(tmp_path / "b", drawn, 12, "explicit")
    dataset = pydicom.dcmread(path)
    # OverlayRows, OverlayColumns, OverlayBitsAllocated, OverlayBitPosition
    for element, value in {0x10: 32, 0x11: 40, 0x100: 16, 0x102: 13}.items():
        dataset.add_new(0x60000000 + element, "US", value)
    dataset.save_as(path)
    np.testing.assert_array_equal(dicom.decode(path), plain)


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("name", ["explicit", "rle"])
def test_bits_stored_that_are_too_few_wrap_no_pixel(tmp_path, chest, name, signed):
    pixels = chest(1).astype(np.int16 if signed else np.uint16) - 2000 * signed
    plain = dicom.decode(encoders.write(tmp_path / "a", pixels, 12, name))
    few = encoders.write(tmp_path / "b", pixels, 12, name, BitsStored=10, HighBit=9)
    np.testing.assert_array_equal(dicom.decode(few), plain)
    # Junk is no part of the values, however much there is of it.
    if not signed:
        rng = np.random.default_rng(0)
        for junk in (rng.integers(0, 16, pixels.shape) << 12, np.full(pixels.shape, 1 << 15)):
            full = (pixels | junk).astype(np.uint16)
            path = encoders.write(tmp_path / "c", full, 16, name, BitsStored=12, HighBit=11)
            np.testing.assert_array_equal(dicom.decode(path), plain)


@pytest.mark.parametrize(
    ("row", "column", "cut"), [(20, 17, True), (20, 0, False), (31, 17, False)]
)
def test_a_file_that_was_not_written_to_its_end(tmp_path, chest, row, column, cut):
    pixels = np.maximum(chest(1), 1).astype(np.uint16)
    pixels.ravel()[row * pixels.shape[1] + column :] = 0
    path = encoders.write(tmp_path / "a", pixels, 12, "explicit")
    assert pixel_data.is_cut_off(pixels) is cut
    if cut:
        with pytest.raises(dicom.Rejected, match="truncated"):
            dicom.decode(path)
        # A black border is no end of a file.
        pixels[:, -9:] = 0
    encoders.write(tmp_path / "a", pixels, 12, "explicit")
    dicom.decode(path)


@pytest.mark.parametrize("signed", [False, True])
def test_pixels_that_fill_the_container_from_the_top(tmp_path, chest, signed):
    pixels = chest(2).astype(np.int64) - (2048 if signed else 0)
    high = (pixels << 4).astype(np.int16 if signed else np.uint16)
    np.testing.assert_array_equal(
        stored(encoders.write(tmp_path / "a", high, 12, "explicit", HighBit=15)), pixels
    )


def test_a_high_bit_that_no_pixel_reaches_is_a_wrong_header(tmp_path, chest):
    pixels = chest(2)
    np.testing.assert_array_equal(
        stored(encoders.write(tmp_path / "a", pixels, 12, "explicit", HighBit=15)), pixels
    )


def test_32_bits_allocated(tmp_path, chest):
    pixels = chest(3)
    path = encoders.write(tmp_path / "a", pixels.astype(np.uint32), 12, "explicit")
    np.testing.assert_array_equal(stored(path), pixels)


@pytest.mark.parametrize(
    ("allocated", "bits"),
    [(16, 0), (16, 17), (8, 12), (12, 12), (64, 16), (1, 1), (32, 32), (16, None)],
)
def test_impossible_depths_are_refused(tmp_path, chest, allocated, bits):
    path = encoders.write(
        tmp_path / "a", chest(4), 12, "explicit", BitsAllocated=allocated, BitsStored=bits
    )
    with pytest.raises(dicom.Rejected) as refusal:
        dicom.decode(path)
    assert refusal.value.rule == "unreadable"


def test_counts(chest):
    codes = chest(5)
    counts = pixel_data.count(codes)
    assert counts.shape == (65536,) and counts.sum() == codes.size
    values, expected = np.unique(codes, return_counts=True)
    np.testing.assert_array_equal(counts[values], expected)
    assert pixel_data.count(codes.astype(np.uint8)).shape == (256,)


def test_counts_are_exact_where_float32_is_not(monkeypatch):
    monkeypatch.setattr(pixel_data, "EXACT", 100)
    codes = np.repeat(np.arange(5, dtype=np.uint16), 77).reshape(35, 11)
    np.testing.assert_array_equal(pixel_data.count(codes)[:6], [77] * 5 + [0])


PADDED = [
    # container type, bits, padding tags (VR as written), the containers of padding, of the rest
    # from, to
    (np.uint16, 12, {"PixelPaddingValue": 0}, [0], 1, 4095),
    (np.uint16, 12, {"PixelPaddingValue": 4095}, [4095], 0, 4094),
    (
        np.uint16,
        12,
        {"PixelPaddingValue": 4090, "PixelPaddingRangeLimit": 4095},
        [4090, 4093, 4095],
        0,
        4089,
    ),
    (
        np.uint16,
        12,
        {"PixelPaddingValue": 4095, "PixelPaddingRangeLimit": 4090},
        [4090, 4093, 4095],
        0,
        4089,
    ),
    (np.uint16, 12, {"PixelPaddingValue": 65535}, [65535], 0, 4095),
    (np.int16, 16, {"PixelPaddingValue": -2000}, [-2000], -1999, 3000),
    (
        np.int16,
        16,
        {"PixelPaddingValue": -2000, "PixelPaddingRangeLimit": -1500},
        [-2000, -1500],
        -1499,
        3000,
    ),
    (np.int16, 12, {"PixelPaddingValue": -2048}, [-2048], -2047, 2047),
    (np.int16, 12, {"PixelPaddingValue": -32768}, [-32768], -2048, 2047),
    (np.uint8, 8, {"PixelPaddingValue": 255}, [255], 0, 254),
    (np.int8, 8, {"PixelPaddingValue": -128}, [-128], -127, 127),
]


@pytest.mark.parametrize("kind", ["MONOCHROME1", "MONOCHROME2"])
@pytest.mark.parametrize("name", ["implicit", "explicit", "big-endian"])
@pytest.mark.parametrize(("dtype", "bits", "tags", "padded", "low", "high"), PADDED)
def test_padding_is_black_and_not_counted(
    tmp_path, dtype, bits, tags, padded, low, high, name, kind
):
    rng = np.random.default_rng(bits)
    pixels = rng.integers(low, high + 1, (30, 30)).astype(dtype)
    inside = np.ones(pixels.shape, bool)
    inside[:, :6] = False
    pixels[~inside] = rng.choice(np.array(padded, dtype), (~inside).sum())
    options = {"PhotometricInterpretation": kind, **tags}
    found = dicom.decode(encoders.write(tmp_path / "a", pixels, bits, name, **options))
    assert not found[~inside].any()
    display = pixels[inside].astype(float) * (-1 if kind == "MONOCHROME1" else 1)
    low, top = display.min(), np.percentile(display, 99)
    np.testing.assert_allclose(
        found[inside], (np.clip(display, low, top) - low) / (top - low) * 255, atol=0.501
    )


def test_padding_written_with_the_wrong_sign(tmp_path):
    """-2000 as an unsigned number, as many CR and CT exports have it."""
    pixels = np.random.default_rng(0).integers(-1999, 3000, (20, 20)).astype(np.int16)
    pixels[:3] = -2000
    path = encoders.write(tmp_path / "a", pixels, 16, "explicit")
    dataset = pydicom.dcmread(path)
    dataset.add_new("PixelPaddingValue", "US", 65536 - 2000)
    dataset.save_as(path)
    found = dicom.decode(path)
    assert not found[:3].any() and found[3:].min() == 0 and np.median(found[3:]) > 100


def test_a_padding_value_that_the_stored_bits_cannot_hold_hides_no_white(tmp_path, chest):
    pixels = np.minimum(chest(6).astype(int) * 2, 4095).astype(np.uint16)  # much white
    plain = dicom.decode(encoders.write(tmp_path / "a", pixels, 12, "explicit"))
    found = dicom.decode(
        encoders.write(tmp_path / "b", pixels, 12, "explicit", PixelPaddingValue=65535)
    )
    np.testing.assert_array_equal(found, plain)


def test_all_padding_is_blank(tmp_path, chest):
    path = encoders.write(
        tmp_path / "a", chest(7), 12, "explicit", PixelPaddingValue=0, PixelPaddingRangeLimit=4095
    )
    with pytest.raises(dicom.Rejected, match="padding") as refusal:
        dicom.decode(path)
    assert refusal.value.rule == "blank"
