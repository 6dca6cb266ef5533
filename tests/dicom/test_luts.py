"""Modality and VOI transformations against the formulas of PS3.3, written out value by value, and
against pydicom."""

import math

import numpy as np
import pydicom
import pytest
from pydicom.pixels import apply_modality_lut, apply_voi_lut

from pgcxr import dicom
from pgcxr.dicom import normalization
from tests.dicom import encoders

WINDOW, NONE = normalization.parse("window"), normalization.parse("none")


def shown(tmp_path, pixels, normalize=WINDOW, bits=12, syntax="explicit", **tags) -> np.ndarray:
    """As displayed, 0 to 1 in steps of 1 / 65535."""
    path = encoders.write(tmp_path / "a.dcm", pixels, bits, syntax, **tags)
    return dicom.decode(path, normalize=normalize, bits=16) / 65535


def close(found, expected) -> None:
    np.testing.assert_allclose(found, expected, atol=0.51 / 65535)


def linear(x: float, c: float, w: float) -> float:
    """PS3.3 C.11.2.1.2.1, y from 0 to 1."""
    if x <= c - 0.5 - (w - 1) / 2:
        return 0.0
    if x > c - 0.5 + (w - 1) / 2:
        return 1.0
    return (x - (c - 0.5)) / (w - 1) + 0.5


def linear_exact(x: float, c: float, w: float) -> float:
    """PS3.3 C.11.2.1.3.2."""
    if x <= c - w / 2:
        return 0.0
    if x > c + w / 2:
        return 1.0
    return (x - c) / w + 0.5


def sigmoid(x: float, c: float, w: float) -> float:
    """PS3.3 C.11.2.1.3.1."""
    return 1 / (1 + math.exp(min(-4 * (x - c) / w, 700)))


FUNCTIONS = {"LINEAR": linear, "LINEAR_EXACT": linear_exact, "SIGMOID": sigmoid}


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize(
    ("center", "width"), [(2048, 4096), (1800.5, 300.25), (3000, 2), (-100, 5000), (150, 60.5)]
)
def test_windows(tmp_path, chest, function, center, width):
    pixels = chest(3)
    found = shown(tmp_path, pixels, WindowCenter=center, WindowWidth=width, VOILUTFunction=function)
    close(found.ravel(), [FUNCTIONS[function](float(x), center, width) for x in pixels.ravel()])


def test_the_examples_of_the_standard(tmp_path):
    """C.11.2.1.2.1: c=2048, w=4096: 0 is black, 4095 white; c=2048, w=1: a threshold, which is no
    radiograph here."""
    pixels = np.arange(4096, dtype=np.uint16).reshape(64, 64)
    found = shown(tmp_path, pixels, WindowCenter=2048, WindowWidth=4096)
    close(found, pixels / 4095)
    found = shown(tmp_path, pixels, WindowCenter=2048, WindowWidth=1)
    close(found, pixels / 4095)


@pytest.mark.parametrize("kind", ["MONOCHROME1", "MONOCHROME2"])
@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("rescale", [(1, 0), (2.5, -1024), (-1, 4095), (0.25, 0)])
def test_windows_after_rescale_as_pydicom(tmp_path, chest, function, rescale, kind):
    slope, intercept = rescale
    pixels = chest(4)
    measured = pixels.astype(float) * slope + intercept
    tags = {"WindowCenter": round(measured.mean(), 2), "WindowWidth": round(measured.std() * 2, 2)}
    tags |= {"RescaleSlope": slope, "RescaleIntercept": intercept, "VOILUTFunction": function}
    found = shown(tmp_path, pixels, PhotometricInterpretation=kind, **tags)
    dataset = pydicom.dcmread(tmp_path / "a.dcm")
    display = apply_voi_lut(apply_modality_lut(dataset.pixel_array, dataset), dataset)
    ends = sorted((intercept, 4095 * slope + intercept))
    expected = (display - ends[0]) / (ends[1] - ends[0])
    if slope < 0:  # pydicom turns its output range round with the slope, which C.11.2 does not
        expected = 1 - expected
    close(found, 1 - expected if kind == "MONOCHROME1" else expected)


@pytest.mark.parametrize(
    "tags",
    [
        {"WindowCenter": [1800, 10], "WindowWidth": [900, 5]},
        {"WindowCenter": [9, 1800], "WindowWidth": [0, 900]},
        {"WindowCenter": [-90000, 1800], "WindowWidth": [50, 900]},
        {"WindowCenter": [1800, 17, 4], "WindowWidth": [900]},
        {"WindowCenter": 1800, "WindowWidth": 900, "VOILUTFunction": "SOMETHING"},
        {"WindowCenter": 1800, "WindowWidth": 900, "VOILUTFunction": ""},
    ],
)
def test_the_first_window_that_can_be_used(tmp_path, chest, tags):
    pixels = chest(5)
    close(
        shown(tmp_path, pixels, **tags).ravel(),
        [linear(float(x), 1800, 900) for x in pixels.ravel()],
    )


@pytest.mark.parametrize(
    "tags",
    [
        {"WindowCenter": None, "WindowWidth": 400},
        {"WindowCenter": 2000, "WindowWidth": None},
        {"WindowCenter": "", "WindowWidth": ""},
        {"WindowCenter": 2000, "WindowWidth": -400},
        {"WindowCenter": 2000, "WindowWidth": 0.5},
        {"WindowCenter": 60000, "WindowWidth": 100},
    ],
)
def test_without_a_window_that_can_be_used_the_whole_range_is_shown(tmp_path, chest, tags):
    pixels = chest(6)
    close(
        shown(
            tmp_path, pixels, **{name: value for name, value in tags.items() if value is not None}
        ),
        pixels / 4095,
    )


@pytest.mark.parametrize(
    ("center", "width"), [(b"1800,0", b"900,0 "), (b"abc\\1800", b"50\\900"), (b" 1800 ", b"+9e2 ")]
)
def test_windows_as_broken_text(tmp_path, chest, center, width):
    pixels = chest(7)
    path = encoders.write(
        tmp_path / "a.dcm", pixels, 12, "explicit", WindowCenter="1" * 8, WindowWidth="2" * 8
    )
    content = path.read_bytes().replace(b"1" * 8, center.ljust(8)).replace(b"2" * 8, width.ljust(8))
    path.write_bytes(content)
    found = dicom.decode(path, normalize=WINDOW, bits=16) / 65535
    close(found.ravel(), [linear(float(x), 1800, 900) for x in pixels.ravel()])


@pytest.mark.parametrize("slope", [0, ""])
def test_a_slope_that_says_nothing(tmp_path, chest, slope):
    close(
        shown(tmp_path, chest(8), NONE, RescaleSlope=slope, RescaleIntercept=100), chest(8) / 4095
    )


def test_no_normalization_leaves_out_the_window_but_not_the_rescale(tmp_path, chest):
    tags = {"RescaleSlope": -2, "RescaleIntercept": 7, "WindowCenter": 5, "WindowWidth": 3}
    close(shown(tmp_path, chest(9), NONE, **tags), 1 - chest(9) / 4095)


def table(
    first: int,
    entries,
    bits: int,
    form: str = "OW",
    little: bool = True,
    count=None,
    vr: str = "US",
):
    item = pydicom.Dataset()
    entries = np.asarray(entries)
    count = len(entries) if count is None else count
    if form == "OW":
        item.add_new("LUTData", "OW", entries.astype("<u2" if little else ">u2").tobytes())
    elif form == "US":
        item.add_new("LUTData", "US", [int(entry) for entry in entries])
    else:  # two entries of 8 bits in a word
        item.add_new(
            "LUTData",
            "OW",
            np.resize(entries, len(entries) + len(entries) % 2).astype(np.uint8).tobytes(),
        )
    item.add_new("LUTDescriptor", vr, [count % 65536, first, bits])
    return item


def by_hand(value: float, first: int, entries) -> int:
    """PS3.3 C.11.2.1.1: values below the first take the first entry, those beyond the last the
    last."""
    return int(entries[min(max(int(value) - first, 0), len(entries) - 1)])


CURVE = (4095 * (np.arange(3000) / 2999) ** 2).astype(int)


@pytest.mark.parametrize("sequence", ["VOILUTSequence", "ModalityLUTSequence"])
@pytest.mark.parametrize("form", ["OW", "US"])
@pytest.mark.parametrize("syntax", ["explicit", "implicit", "big-endian", "rle"])
def test_tables(tmp_path, chest, form, syntax, sequence):
    pixels = chest(10)
    item = table(700, CURVE, 12, form, little=syntax != "big-endian")
    found = shown(
        tmp_path, pixels, syntax=syntax, **{sequence: [item]}, WindowCenter="", WindowWidth=""
    )
    expected = np.array([by_hand(x, 700, CURVE) for x in pixels.ravel()])
    close(found.ravel(), expected / 4095)
    dataset = pydicom.dcmread(tmp_path / "a.dcm")
    apply = apply_voi_lut if sequence == "VOILUTSequence" else apply_modality_lut
    dataset[sequence][0].LUTDescriptor = [
        3000,
        700,
        16,
    ]  # pydicom takes no modality tables of 12 bits
    np.testing.assert_array_equal(apply(dataset.pixel_array, dataset).ravel(), expected)


def test_a_modality_table_outranks_slope_and_intercept_and_comes_before_the_window(tmp_path, chest):
    tags = {"ModalityLUTSequence": [table(0, CURVE, 12)], "RescaleSlope": 5, "RescaleIntercept": 9}
    found = shown(tmp_path, chest(11), WindowCenter=1000, WindowWidth=800, **tags)
    close(found.ravel(), [linear(by_hand(x, 0, CURVE), 1000, 800) for x in chest(11).ravel()])


def test_a_table_of_all_16_bit_values(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 65536, (40, 40)).astype(np.uint16)
    entries = 65535 - np.arange(65536)
    close(
        shown(tmp_path, pixels, bits=16, VOILUTSequence=[table(0, entries, 16)]), 1 - pixels / 65535
    )


@pytest.mark.parametrize(("vr", "first"), [("SS", -1500), ("US", 65536 - 1500)])
def test_first_mapped_is_signed_where_values_are(tmp_path, chest, vr, first):
    pixels = chest(12).astype(np.int16) - 2048
    found = shown(tmp_path, pixels, VOILUTSequence=[table(first, CURVE, 12, vr=vr)])
    close(found.ravel(), [by_hand(x, -1500, CURVE) / 4095 for x in pixels.ravel()])


def test_first_mapped_after_a_rescale_to_negative_values(tmp_path, chest):
    tags = {"RescaleIntercept": -1024, "RescaleSlope": 1}
    found = shown(tmp_path, chest(13), VOILUTSequence=[table(65536 - 1024, CURVE, 12)], **tags)
    close(found.ravel(), [by_hand(x - 1024.0, -1024, CURVE) / 4095 for x in chest(13).ravel()])


def test_first_mapped_above_32767(tmp_path):
    pixels = np.random.default_rng(1).integers(40000, 43000, (30, 30)).astype(np.uint16)
    found = shown(tmp_path, pixels, bits=16, VOILUTSequence=[table(40000, CURVE, 12)])
    close(found.ravel(), [by_hand(x, 40000, CURVE) / 4095 for x in pixels.ravel()])


@pytest.mark.parametrize("form", ["OW", "bytes"])
@pytest.mark.parametrize("count", [255, 256])
@pytest.mark.parametrize("syntax", ["explicit", "rle"])
def test_entries_of_8_bits(tmp_path, form, count, syntax):
    pixels = np.random.default_rng(2).integers(0, 300, (30, 30)).astype(np.uint16)
    entries = np.arange(count)[::-1]
    found = shown(tmp_path, pixels, syntax=syntax, VOILUTSequence=[table(0, entries, 8, form)])
    close(found.ravel(), [by_hand(x, 0, entries) / 255 for x in pixels.ravel()])


@pytest.mark.parametrize(
    ("item", "entries"),
    [
        (table(700, CURVE, 8), CURVE),  # says 8 bits, holds 12
        (table(700, CURVE, 0), CURVE),
        (table(700, CURVE, 77), CURVE),
        (table(700, CURVE, 16), CURVE),
        (table(700, CURVE, 12, count=5000), CURVE),  # says more entries than there are
        (table(700, CURVE, 12, count=2000), CURVE[:2000]),  # says fewer
    ],
)
def test_descriptors_that_are_wrong(tmp_path, chest, item, entries):
    found = shown(tmp_path, chest(14), VOILUTSequence=[item])
    white = 2 ** int(max(entries)).bit_length() - 1
    close(found.ravel(), [by_hand(x, 700, entries) / white for x in chest(14).ravel()])


@pytest.mark.parametrize(
    "items",
    [
        [pydicom.Dataset()],
        [],
        [table(0, [], 12, count=5)],
        [table(60000, CURVE, 12)],
        [table(0, [7] * 4096, 12)],
    ],
)
def test_a_table_that_shows_nothing_is_left_out(tmp_path, chest, items):
    tags = {"WindowCenter": 1800, "WindowWidth": 900}
    expected = [linear(float(x), 1800, 900) for x in chest(15).ravel()]
    close(shown(tmp_path, chest(15), VOILUTSequence=items, **tags).ravel(), expected)


def test_the_second_table_where_the_first_is_broken(tmp_path, chest):
    items = [pydicom.Dataset(), table(700, CURVE, 12)]
    close(
        shown(tmp_path, chest(16), VOILUTSequence=items).ravel(),
        [by_hand(x, 700, CURVE) / 4095 for x in chest(16).ravel()],
    )


@pytest.mark.parametrize(
    ("photometric", "shape", "inverted"),
    [
        ("MONOCHROME2", None, False),
        ("MONOCHROME2", "IDENTITY", False),
        ("MONOCHROME1", None, True),
        ("MONOCHROME1", "INVERSE", True),  # once, not twice
        ("MONOCHROME1", "IDENTITY", True),
        ("MONOCHROME2", "INVERSE", False),
        (None, "INVERSE", True),
        (None, "IDENTITY", False),
        ("MONOCHROME1 ", None, True),
        ("monochrome1", None, True),
    ],
)
def test_polarity(tmp_path, chest, photometric, shape, inverted):
    tags = {"PhotometricInterpretation": photometric} | (
        {"PresentationLUTShape": shape} if shape else {}
    )
    expected = chest(17) / 4095
    close(shown(tmp_path, chest(17), **tags), 1 - expected if inverted else expected)
    dicom.read_header(tmp_path / "a.dcm")


@pytest.mark.parametrize(
    ("tags", "rule"),
    [
        ({"PhotometricInterpretation": None}, "unreadable"),
        ({"PhotometricInterpretation": None, "PresentationLUTShape": "LIN OD"}, "unreadable"),
        ({"PhotometricInterpretation": "PALETTE COLOR"}, "colour"),
        ({"PhotometricInterpretation": "YBR_FULL"}, "colour"),
    ],
)
def test_which_way_is_bright_is_never_guessed(tmp_path, chest, tags, rule):
    path = encoders.write(tmp_path / "a", chest(18), 12, "explicit", **tags)
    for read in (dicom.decode, dicom.read_header):
        with pytest.raises(dicom.Rejected) as refusal:
            read(path)
        assert refusal.value.rule == rule


def test_missing_signedness_means_unsigned(tmp_path, chest):
    close(
        shown(tmp_path, chest(19), PixelRepresentation=None, SamplesPerPixel=None, HighBit=None),
        chest(19) / 4095,
    )
