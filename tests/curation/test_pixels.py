"""Geometry of the written images and masks."""

import cv2
import numpy as np
import pytest

from pgcxr.curation import pixels
from pgcxr.dicom import Rejected
from pgcxr.dicom.normalization import normalize
from pgcxr.images import CROP, PAD, to_square


def area(image: np.ndarray, factor: int) -> np.ndarray:
    """Box means, one output pixel at a time."""
    rows, columns = image.shape[0] // factor, image.shape[1] // factor
    blocks = [
        image[r * factor : (r + 1) * factor, c * factor : (c + 1) * factor]
        for r in range(rows)
        for c in range(columns)
    ]
    return np.array([block.mean() for block in blocks]).reshape(rows, columns)


def test_pad_keeps_all_and_centers():
    image = np.random.default_rng(0).integers(1, 256, (64, 32), np.uint8)
    found = to_square(image, 16, PAD)
    assert found.shape == (16, 16)
    assert not found[:, :4].any() and not found[:, 12:].any()
    assert np.abs(found[:, 4:12] - area(image, 4)).max() <= 0.5


def test_crop_takes_the_middle():
    image = np.random.default_rng(1).integers(0, 256, (32, 64), np.uint8)
    found = to_square(image, 8, CROP)
    assert np.abs(found - area(image[:, 16:48], 4)).max() <= 0.5


def shares(count: int, out: int) -> list[list[tuple[int, float]]]:
    """For each of `out` pixels along an edge of `count`: which of them it covers, and how much of
    itself with each."""
    step = count / out
    found = []
    for index in range(out):
        start, end = index * step, (index + 1) * step
        covered = [(at, min(end, at + 1) - max(start, at)) for at in range(count)]
        found.append([(at, part / step) for at, part in covered if part > 1e-9])
    return found


def slow_square(image: np.ndarray, size: int, fit: str) -> np.ndarray:
    """As curation does it (thesis 1.1: aspect kept), one pixel at a time, in real numbers."""
    height, width = image.shape
    if fit == CROP:
        side = min(height, width)
        image = image[(height - side) // 2 :, (width - side) // 2 :][:side, :side]
        rows = columns = size
    else:
        rows, columns = (
            max(round(edge * size / max(height, width)), 1) for edge in (height, width)
        )
    result = np.zeros((size, size))
    down, across = shares(image.shape[0], rows), shares(image.shape[1], columns)
    for row in range(rows):
        for column in range(columns):
            value = sum(a * b * float(image[y, x]) for y, a in down[row] for x, b in across[column])
            result[(size - rows) // 2 + row, (size - columns) // 2 + column] = value
    return result


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("shape", [(45, 37), (37, 45), (64, 64), (50, 21), (33, 100), (97, 96)])
@pytest.mark.parametrize("fit", [PAD, CROP])
def test_any_factor_against_a_slow_twin(shape, fit, dtype):
    image = (
        np.random.default_rng(shape[0]).integers(0, np.iinfo(dtype).max + 1, shape).astype(dtype)
    )
    found = to_square(image, 16, fit)
    assert found.dtype == dtype
    # OpenCV weighs in float32: at most a step of 8 bits, and hundredths of a per mille of 16.
    assert np.abs(found - slow_square(image, 16, fit)).max() <= (0.51 if dtype == np.uint8 else 1)


@pytest.mark.parametrize("shape", [(7, 5), (1, 90), (33, 31)])
@pytest.mark.parametrize("fit", [PAD, CROP])
def test_any_shape(shape, fit):
    assert to_square(np.full(shape, 200, np.uint8), 4, fit).max() == 200


def job(tmp_path, image, **options):
    path = tmp_path / "image.png"
    cv2.imwrite(str(path), image)
    return pixels.Job(path, tmp_path / "out.png", tmp_path / "mask.png", 16, PAD, **options)


def test_masks_go_the_way_of_the_image(tmp_path, chest):
    image = (chest(0, 64) // 16).astype(np.uint8)[:, :64]
    lesion = np.zeros((64, 64), np.uint8)
    lesion[16:32, 40:48] = 255
    cv2.imwrite(str(tmp_path / "a.png"), lesion)
    cv2.imwrite(str(tmp_path / "b.png"), np.roll(lesion, 8, 0))
    done = pixels.write(job(tmp_path, image, masks=(tmp_path / "a.png", tmp_path / "b.png")))
    assert done.rejected is None and done.mask
    expected = np.zeros((16, 16))
    expected[4:10, 10:12] = 255
    np.testing.assert_array_equal(cv2.imread(str(tmp_path / "mask.png"), 0), expected)


def test_boxes_are_fractions_and_are_cut_at_the_edge(tmp_path, chest):
    image = (chest(1, 64) // 16).astype(np.uint8)[:, :64]
    boxes = np.array([[0.5, 0.25, 0.25, 0.5], [-0.5, 0.75, 0.75, 9.0]])
    assert pixels.write(job(tmp_path, image, boxes=boxes)).mask
    expected = np.zeros((16, 16))
    expected[4:12, 8:12] = 255
    expected[12:, :4] = 255
    np.testing.assert_array_equal(cv2.imread(str(tmp_path / "mask.png"), 0), expected)


def test_a_lesion_of_one_pixel_does_not_vanish(tmp_path, chest):
    image = np.tile((chest(2, 64) // 16).astype(np.uint8)[:, :64], (8, 8))
    lesion = np.zeros((512, 512), np.uint8)
    lesion[100, 100] = 1
    cv2.imwrite(str(tmp_path / "a.png"), lesion)
    assert pixels.write(job(tmp_path, image, masks=(tmp_path / "a.png",))).mask
    assert cv2.imread(str(tmp_path / "mask.png"), 0)[3, 3] > 0


def test_no_lesion_no_mask(tmp_path, chest):
    done = pixels.write(job(tmp_path, (chest(3, 64) // 16).astype(np.uint8)))
    assert not done.mask and not (tmp_path / "mask.png").exists()


def test_broken_png_is_refused(tmp_path, chest):
    path = tmp_path / "image.png"
    cv2.imwrite(str(path), (chest(4) // 16).astype(np.uint8))
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(Rejected, match="truncated"):
        pixels.decode_image(path)
    path.write_text("x")
    with pytest.raises(Rejected):
        pixels.decode_image(path)


def test_pictures_of_16_bits_and_jpeg(tmp_path):
    """All gray levels of a 12-bit ramp are used; a JPEG is normalized like its own pixels; a cut
    one is refused."""
    ramp = np.tile(np.linspace(0, 4095, 256).astype(np.uint16), (64, 1))
    cv2.imwrite(str(tmp_path / "ramp.png"), ramp)
    decoded = pixels.decode_image(tmp_path / "ramp.png")
    np.testing.assert_array_equal(decoded, normalize(ramp.astype(np.float32)))
    assert len(np.unique(decoded)) > 240
    path = tmp_path / "ramp.jpg"
    cv2.imwrite(str(path), (ramp // 16).astype(np.uint8))
    stored = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    np.testing.assert_array_equal(pixels.decode_image(path), normalize(stored.astype(np.float32)))
    path.write_bytes(path.read_bytes() + b"\0\0")
    pixels.decode_image(path)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(Rejected) as reason:
        pixels.decode_image(path)
    assert reason.value.rule == "unreadable"
