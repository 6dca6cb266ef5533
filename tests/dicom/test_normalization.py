"""Which values become black and white, in 8 and 16 bits."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pgcxr import dicom
from pgcxr.cohort import image_files, manifest
from pgcxr.curation import pixels as curated
from pgcxr.dicom import normalization
from pgcxr.dicom.luts import Gray
from pgcxr.errors import InputError
from tests.curation.curating import curate


@settings(max_examples=200, deadline=None)
@given(st.lists(st.integers(-50, 50), min_size=1, max_size=60), st.floats(0, 100))
def test_percentile_as_numpy(values, share):
    unique, counts = np.unique(np.array(values, float), return_counts=True)
    order = np.random.default_rng(0).permutation(len(unique) + 1)
    values_of_codes = np.append(unique, 99.0)[order]  # in any order, and one that no pixel has
    found = normalization.percentile(values_of_codes, np.append(counts, 0)[order], share)
    np.testing.assert_allclose(found, np.percentile(values, share), rtol=0, atol=1e-9)


def expected(display: np.ndarray, low: float, high: float, white: int) -> np.ndarray:
    return (np.clip(display, low, high) - low) / (high - low) * white


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("kind", ["MONOCHROME1", "MONOCHROME2"])
@pytest.mark.parametrize(
    "text",
    ["percentile", "percentile:99", "percentile:95", "percentile:1,99", "percentile:0.5,100"],
)
def test_percentiles(tmp_path, make_dicom, chest, text, kind, bits):
    path = make_dicom(tmp_path / "a", chest(1), PhotometricInterpretation=kind)
    found = dicom.decode(path, normalize=normalization.parse(text), bits=bits)
    assert found.dtype == (np.uint8 if bits == 8 else np.uint16)
    display = chest(1).astype(float) * (-1 if kind == "MONOCHROME1" else 1)
    shares = {"percentile": (0, 99), "percentile:99": (0, 99), "percentile:95": (0, 95)}
    low, high = np.percentile(
        display, shares.get(text) or [float(part) for part in text[11:].split(",")]
    )
    np.testing.assert_allclose(found, expected(display, low, high, (1 << bits) - 1), atol=0.501)


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("kind", ["MONOCHROME1", "MONOCHROME2"])
def test_window_and_none(tmp_path, make_dicom, chest, kind, bits):
    tags = {"WindowCenter": 1500, "WindowWidth": 2000, "VOILUTFunction": "LINEAR_EXACT"}
    path = make_dicom(tmp_path / "a", chest(2), PhotometricInterpretation=kind, **tags)
    white = (1 << bits) - 1
    for text, low, high in (("window", 500, 2500), ("none", 0, 4095)):
        display = expected(chest(2).astype(float), low, high, white)
        found = dicom.decode(path, normalize=normalization.parse(text), bits=bits)
        np.testing.assert_allclose(
            found, white - display if kind == "MONOCHROME1" else display, atol=0.501
        )


def test_8_bits_pass_unchanged_without_normalization(tmp_path, make_dicom, chest):
    pixels = (chest(3) >> 4).astype(np.uint8)
    found = dicom.decode(make_dicom(tmp_path / "a", pixels), normalize=normalization.parse("none"))
    np.testing.assert_array_equal(found, pixels)


@pytest.mark.parametrize("text", ["none", "window", "percentile:0,100"])
def test_16_bits_keep_every_value_apart(tmp_path, make_dicom, chest, text):
    found = dicom.decode(
        make_dicom(tmp_path / "a", chest(4)), normalize=normalization.parse(text), bits=16
    )
    assert len(np.unique(found)) == len(np.unique(chest(4))) > 256
    assert (
        np.diff(found.ravel()[np.argsort(chest(4).ravel(), kind="stable")].astype(int)) >= 0
    ).all()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "percentile:",
        "percentile:99,1",
        "percentile:0,101",
        "percentile:-1,99",
        "p",
        "percentile:5,5",
        "percentile:1,2,3",
        "window:1",
        "percentile:1.2.3",
    ],
)
def test_nonsense_is_refused(text):
    with pytest.raises(InputError, match="normalize: must be"):
        normalization.parse(text)


@pytest.mark.parametrize("text", ["percentile:99", "percentile:1,99.5", "window", "none"])
def test_text_and_back(text):
    assert str(normalization.parse(text)) == text


@pytest.mark.parametrize("text", ["none", "window", "percentile:99", "percentile:1,99"])
def test_blank(text):
    values = np.arange(5, dtype=float)
    with pytest.raises(dicom.Rejected) as refusal:
        normalization.parse(text).table(
            Gray(values, 0, 4), np.array([0, 0, 1000, 2, 0]) * (values == 2), 8
        )
    assert refusal.value.rule == "blank"


def test_a_public_sets_png_goes_the_same_way_as_dicom(tmp_path, make_dicom, chest):
    for bits, image in ((8, (chest(5) >> 4).astype(np.uint8)), (16, chest(5))):
        cv2.imwrite(str(tmp_path / "a.png"), image)
        path = make_dicom(tmp_path / "a.dcm", image, BitsStored=bits, HighBit=bits - 1)
        for text in ("percentile:99", "percentile:5,90", "none"):
            decoding = curated.Decoding(normalization.parse(text), bits)
            np.testing.assert_array_equal(
                curated.decode(tmp_path / "a.png", decoding), curated.decode(path, decoding)
            )


def test_curate_writes_16_bits_and_readers_take_the_upper_8(tmp_path, make_export, chest):
    import tensorflow as tf

    from pgcxr.cohort.image_files import PngFiles

    rows = [{"codes": "J18.9" if index % 2 else "Z00.0"} for index in range(4)]
    export = make_export(rows)
    options = {"size": 32, "processes": 0, "key_file": tmp_path / "key", "show_progress": False}
    report = curate(export, tmp_path / "c16", bits=16, normalize="none", **options)
    assert (report["bits"], report["normalise"], report["decoder"]) == (16, "none", "pydicom")
    found = manifest.load(tmp_path / "c16")
    for path in found.paths():
        stored = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        assert stored.dtype == np.uint16 and len(np.unique(stored & 0xFF)) > 100
        np.testing.assert_array_equal(image_files.read_png(path), stored >> 8)
        (by_tensorflow,) = PngFiles([path], 32).read(tf.constant(0), (5,))
        np.testing.assert_array_equal(by_tensorflow.numpy()[..., 0], stored >> 8)
    np.testing.assert_array_equal(
        found.images(32)[0, ..., 0], image_files.read_png(found.paths()[0])
    )
    eight = manifest.load(
        curate(export, tmp_path / "c8", normalize="none", **options) and tmp_path / "c8"
    )
    assert np.abs(eight.images(32).astype(int) - found.images(32)).max() <= 1


@pytest.mark.parametrize(
    ("option", "value"),
    [("bits", 12), ("normalize", "percentile:9,3"), ("normalize", "best"), ("decoder", "gdcm")],
)
def test_curate_refuses_before_it_reads_anything(tmp_path, make_export, option, value):
    export = make_export([{}])
    with pytest.raises(InputError, match=f"{option}: must be .* Received: {option}={value}"):
        curate(export, tmp_path / "cohort", key_file=tmp_path / "key", **{option: value})
    assert not (tmp_path / "cohort").exists() and not (tmp_path / "key").exists()
