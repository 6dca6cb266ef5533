"""The size that a compressed stream says, against the one of the encoder; bombs are refused before
they are decoded."""

import time

import imagecodecs
import numpy as np
import pydicom
import pytest
from pydicom import uid

from pgcxr import dicom
from pgcxr.dicom import reading, streams
from tests.dicom import encoders
from tests.dicom.test_syntaxes import picture

COMPRESSED = [name for name in encoders.ENCAPSULATED if name != "rle"]


@pytest.mark.parametrize("name", COMPRESSED)
def test_the_size_of_every_codec(chest, name):
    _, depths, encode, _ = encoders.ENCAPSULATED[name]
    stream = encode(picture(chest, depths[-1])[:31, :37], depths[-1])
    assert streams.of_stream(stream) == (31, 37, 1)


@pytest.mark.parametrize("name", COMPRESSED)
@pytest.mark.parametrize("share", [0.98, 0.6])
def test_a_stream_that_ends_early_is_refused(tmp_path, chest, name, share):
    _, depths, encode, _ = encoders.ENCAPSULATED[name]
    pixels = picture(chest, depths[-1])
    path = encoders.write(tmp_path / "a", pixels, depths[-1], name)
    dicom.decode(path)
    dataset = pydicom.dcmread(path)
    stream = encode(pixels, depths[-1])
    encoders.encapsulated(dataset, stream[: int(share * len(stream))])
    dataset.save_as(path)
    with pytest.raises(dicom.Rejected) as refused:
        dicom.decode(path)
    assert refused.value.rule == "unreadable"


def test_high_throughput_and_color(chest):
    assert streams.of_stream(encoders.HTJ2K_FILE.read_bytes()) == (32, 40, 1)
    color = np.repeat(picture(chest, 8)[..., None], 3, axis=2)
    rows, columns = color.shape[:2]
    for encode in (
        imagecodecs.jpeg8_encode,
        imagecodecs.jpegls_encode,
        lambda a: imagecodecs.jpeg2k_encode(a, codecformat="J2K"),
    ):
        assert streams.of_stream(encode(color)) == (rows, columns, 3)


@pytest.mark.parametrize(
    "stream",
    [
        b"",
        b"\xff\xd8",
        b"\xff\xd8\xff",
        b"\xff\xd8\xff\xc0\x00",
        b"\xff\x4f\xff\x51\x00",
        b"\xff\xd8\xff\xda" + bytes(99),
        bytes(500),
        b"\xff\xd8" + b"\xff" * 999,
        b"\xff\xd8" + b"\xff\xe0\x00\x00" * 99,
    ],
)
def test_nonsense_says_nothing(stream):
    assert streams.of_stream(stream) is None


def test_what_may_come_before_the_start_of_frame():
    frame = b"\xff\xc1\x00\x0b\x0c\x00\x20\x00\x28\x01" + bytes(4)
    assert streams.of_stream(b"\xff\xd8\xff\xe0\x00\x04ab\xff\xff\xff\xfe\x00\x03x" + frame) == (
        32,
        40,
        1,
    )


def test_a_whole_jp2_file_as_the_stream(tmp_path, chest):
    pixels = picture(chest, 12)
    path = encoders.write(tmp_path / "a", pixels, 12, "jpeg-2000-lossless")
    plain, dataset = dicom.decode(path), pydicom.dcmread(path)
    stream = imagecodecs.jpeg2k_encode(
        pixels, codecformat="JP2", reversible=True, level=0, bitspersample=12
    )
    assert stream[4:8] == b"jP  "
    encoders.encapsulated(dataset, stream)
    dataset.save_as(path)
    np.testing.assert_array_equal(dicom.decode(path), plain)


@pytest.mark.parametrize("name", COMPRESSED)
def test_a_stream_that_promises_more_than_the_header_is_refused_at_once(tmp_path, chest, name):
    """A hundred bytes that say 65535 rows: some decoders would make room for them, and fill it."""
    syntax, depths, encode, _ = encoders.ENCAPSULATED[name]
    pixels = picture(chest, depths[-1])
    path = encoders.write(tmp_path / "a", pixels, depths[-1], name)
    stream = bytearray(encode(pixels, depths[-1]))
    if syntax in (uid.JPEG2000, uid.JPEG2000Lossless):
        stream[12:16] = (60000).to_bytes(4, "big")
    else:
        at = next(
            at
            for at in range(len(stream))
            if stream[at] == 0xFF and stream[at + 1] in streams.FRAMES
        )
        stream[at + 5 : at + 7] = b"\xff\xff"
    dataset = pydicom.dcmread(path)
    encoders.encapsulated(dataset, bytes(stream))
    dataset.save_as(path)
    start = time.monotonic()
    with pytest.raises(dicom.Rejected, match="another size") as refusal:
        dicom.decode(path)
    assert refusal.value.rule == "unreadable" and time.monotonic() - start < 1


def test_pixel_data_that_is_not_encapsulated(tmp_path, chest):
    path = encoders.write(tmp_path / "a", picture(chest, 12), 12, "explicit")
    content = path.read_bytes()
    path.write_bytes(content.replace(b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2.5\0"))  # RLE
    with pytest.raises(dicom.Rejected, match="decoded"):
        dicom.decode(path)


@pytest.mark.parametrize(
    "name",
    ["explicit", "implicit", "big-endian", "rle", "jpeg-ls", "jpeg-2000-lossless", "deflated"],
)
def test_broken_files_are_rejected_and_nothing_else(tmp_path, chest, name):
    """Bytes changed, doubled and lost, mostly in the header: an image or a reason, never another
    error."""
    rng = np.random.default_rng(len(name))
    tags = {
        "WindowCenter": 2000,
        "WindowWidth": 3000,
        "RescaleSlope": 1,
        "RescaleIntercept": 0,
        "PixelPaddingValue": 0,
    }
    content = encoders.write(tmp_path / "a", picture(chest, 16), 16, name, **tags).read_bytes()
    outcomes = set()
    for _ in range(150):
        broken = bytearray(content)
        for _ in range(rng.integers(1, 5)):
            at = int(rng.integers(128, min(len(broken), 900)))
            if rng.random() < 0.6:
                broken[at : at + 2] = rng.bytes(2)
            else:
                del broken[at : at + int(rng.integers(1, 20))]
        (tmp_path / "b").write_bytes(bytes(broken))
        for read in (dicom.read_header, dicom.decode):
            try:
                read(tmp_path / "b")
                outcomes.add("read")
            except dicom.Rejected as refusal:
                outcomes.add(refusal.rule)
    assert {"read", "unreadable"} <= outcomes


def test_deflated_files_are_not_unpacked_to_more_than_an_image_takes(tmp_path, chest, monkeypatch):
    path = encoders.write(tmp_path / "a", chest(0, 40), 12, "deflated")
    size = 40 * 48 * 2
    for most, small in ((size, False), (size + 4096, True)):
        monkeypatch.setattr(reading, "MAX_INFLATED", most)
        if small:
            assert dicom.decode(path).shape == (40, 48)
        else:
            with pytest.raises(dicom.Rejected, match="unpacks to more than an image"):
                dicom.decode(path)
    # Nothing is asked of files that are not deflated, however long.
    monkeypatch.setattr(reading, "MAX_INFLATED", 0)
    assert dicom.decode(encoders.write(tmp_path / "b", chest(0, 40), 12, "explicit")).shape == (
        40,
        48,
    )
