"""What is wrong with the installation is said, and no file is called damaged for it."""

import cv2
import numpy as np
import pytest
from pydicom import uid
from pydicom.pixels import get_decoder
from pydicom.pixels.decoders import pylibjpeg

from pgcxr import dicom
from pgcxr.cohort import image_files
from pgcxr.curation import pixels
from pgcxr.dicom import decoding, header, known_images, pixel_data, reading
from pgcxr.errors import InstallationError, fault_of_installation
from pgcxr.io import worker_process, workers
from tests.dicom import encoders, known_files

CHECKS = (
    decoding.check_installation,
    header.check_installation,
    image_files.check_installation,
    pixels._check_installation,
)
SYNTAXES = [path.stem for path in known_images.FOLDER.glob("*.dcm")]


@pytest.fixture(autouse=True)
def a_new_process():
    """What was checked before is checked again."""
    for check in CHECKS:
        check.cache_clear()
    yield
    for check in CHECKS:
        check.cache_clear()


def fails(error):
    """A function that raises `error`."""

    def function(*_, **__):
        raise error

    return function


def job(path, tmp_path) -> pixels.Job:
    return pixels.Job(path, tmp_path / "a.png", tmp_path / "mask.png", size=16, fit="pad")


@pytest.fixture
def jpeg(tmp_path):
    """A whole JPEG Lossless file."""
    return encoders.write(tmp_path / "a", known_images.picture() // 2, 12, "jpeg-lossless-sv1")


def test_there_is_a_known_image_of_all_that_can_be_decoded(tmp_path):
    decoded = {
        syntax
        for syntax in uid.AllTransferSyntaxes
        if syntax.is_encapsulated and (decoder := _decoder(syntax)) and decoder.is_available
    }
    assert {syntax.keyword for syntax in decoded} <= set(SYNTAXES)
    known_files.write_all(tmp_path)
    for path in tmp_path.iterdir():
        again, kept = dicom.decode(path), dicom.decode(known_images.FOLDER / path.name)
        assert np.abs(again.astype(int) - kept).max() <= known_images.TOLERANCE


def _decoder(syntax):
    try:
        return get_decoder(syntax)
    except NotImplementedError:
        return None


@pytest.mark.parametrize("keyword", [name for name in SYNTAXES if name[:2] in ("JP", "HT")])
def test_a_missing_codec(monkeypatch, keyword):
    path = known_images.FOLDER / f"{keyword}.dcm"
    monkeypatch.setattr(get_decoder(getattr(uid, keyword)), "_available", {})
    with pytest.raises(InstallationError, match=r"no decoder of (JPEG|High).*install") as error:
        dicom.decode(path)
    assert "\n" not in str(error.value)
    plain = known_images.FOLDER / "ExplicitVRLittleEndian.dcm"
    assert dicom.decode(plain).shape == (32, 40)  # nobody needs it for this one


@pytest.mark.parametrize(
    "error",
    [
        ImportError("libjpeg.so.62: cannot open shared object file"),
        TypeError("decode() got an unexpected keyword argument"),
        ValueError("numpy.dtype size changed, may indicate binary incompatibility"),
        OSError("invalid ELF header"),
        AttributeError("no attribute 'decode'", obj=np),
    ],
    ids=lambda error: type(error).__name__,
)
@pytest.mark.parametrize("place", ["codec", "calcHist", "after"])
def test_a_library_that_breaks(monkeypatch, tmp_path, jpeg, error, place):
    if place == "codec":
        broken = {**pylibjpeg._DECODERS, uid.JPEGLosslessSV1: {"libjpeg": fails(error)}}
        monkeypatch.setattr(pylibjpeg, "_DECODERS", broken)
    elif place == "calcHist":
        monkeypatch.setattr(cv2, "calcHist", fails(error))
    else:
        monkeypatch.setattr(cv2, "resize", fails(error))
    with pytest.raises(InstallationError, match="no file"):
        list(workers.stream(pixels.write, [job(jpeg, tmp_path)], fails(KeyError()), workers=0))


def test_a_codec_that_decodes_wrongly(monkeypatch, jpeg):
    right = pylibjpeg._DECODERS[uid.JPEGLosslessSV1]["libjpeg"]

    def wrong(*arguments, **options):
        frame = bytearray(right(*arguments, **options))
        frame[1::2], frame[::2] = frame[::2], frame[1::2]
        return frame

    broken = {**pylibjpeg._DECODERS, uid.JPEGLosslessSV1: {"libjpeg": wrong}}
    monkeypatch.setattr(pylibjpeg, "_DECODERS", broken)
    with pytest.raises(InstallationError, match="JPEG Lossless.*another one"):
        dicom.decode(jpeg)


def test_pydicom_that_reads_no_file(monkeypatch, jpeg):
    monkeypatch.setattr(reading.pydicom, "dcmread", fails(TypeError("defer_size")))
    for read in (dicom.decode, dicom.read_header):
        with pytest.raises(InstallationError, match="known"):
            read(jpeg)


@pytest.mark.parametrize(
    "broken", [lambda *_: None, lambda *_: np.zeros((32, 40), np.uint8), fails(cv2.error("no PNG"))]
)
def test_opencv_that_reads_no_image(monkeypatch, tmp_path, broken):
    path = tmp_path / "a.png"
    cv2.imwrite(str(path), known_images.picture())
    monkeypatch.setattr(cv2, "imdecode", broken)
    for read in (pixels.decode_image, image_files.read_png):
        with pytest.raises(InstallationError, match="a known PNG image"):
            read(path)


def test_pillow_that_reads_no_image(monkeypatch, tmp_path):
    path = tmp_path / "a.png"
    cv2.imwrite(str(path), known_images.picture())
    monkeypatch.setattr("PIL.Image.open", fails(AttributeError("formats")))
    with pytest.raises(InstallationError, match="formats"):
        image_files.image_size(path)


def test_a_damaged_file_is_still_the_file_s_fault(tmp_path):
    whole = (known_images.FOLDER / "ExplicitVRLittleEndian.dcm").read_bytes()
    cut = tmp_path / "cut"
    cut.write_bytes(whole[:-900])
    picture = tmp_path / "a.png"
    picture.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(50) + b"IEND\xae\x42\x60\x82")
    for path in (cut, picture):
        done = pixels.write(job(path, tmp_path))
        assert done.rejected and done.rejected[0] == "unreadable"


def test_what_a_worker_says_of_it_comes_through_a_pipe():
    kind, error = worker_process.attempt(fails(ImportError("libGL.so.1: cannot open")), 1)
    assert kind == worker_process.ERROR and "libGL.so.1" in str(error)
    import pickle

    assert str(pickle.loads(pickle.dumps(error))) == str(error)
    assert InstallationError.found_in(f"Traceback: {error} [while running 'Do']") == error.found
    assert worker_process.attempt(fails(ValueError("x")), 1)[0] == worker_process.FAILED
    assert fault_of_installation(AttributeError("no VR", obj=object())) is None


def test_nothing_is_checked_twice(monkeypatch, jpeg):
    dicom.decode(jpeg)
    seen = []
    monkeypatch.setattr(pixel_data, "read", lambda dataset: seen.append(1) or fails(KeyError)())
    with pytest.raises(dicom.Rejected):
        dicom.decode(jpeg)
    assert seen == [1]
