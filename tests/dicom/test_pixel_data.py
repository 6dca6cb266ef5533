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


@pytest.mark.parametrize(
    "name", ["implicit", "explicit", "big-endian", "deflated", "rle", "jpeg-ls", "jpeg-lossless"]
)
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
