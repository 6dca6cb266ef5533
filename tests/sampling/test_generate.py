"""`pgcxr generate`: every image again, bit for bit, in any company; what is asked for is what is
written."""

import errno
import hashlib
from pathlib import Path

import cv2
import keras
import numpy as np
import pytest
from PIL import Image

from pgcxr.images import to_uint8, to_uint16
from pgcxr.io import artifacts
from pgcxr.networks import Generator, synthesize
from pgcxr.sampling import generation, sphere


def _images(folder):
    return {path.name: path.read_bytes() for path in sorted((folder / "images").iterdir())}


def _read(path):
    return cv2.imread(str(path), cv2.IMREAD_UNCHANGED)


def test_the_images_of_one_seed(run, generate):
    a, b = (generate(name, "--n", 5, "--seed", 3) for name in "ab")
    assert list(_images(a)) == [f"{index:06d}.png" for index in range(5)] and _images(a) == _images(
        b
    )
    assert (a / "latents.npz").read_bytes() == (b / "latents.npz").read_bytes()
    with np.load(a / "latents.npz", allow_pickle=False) as file:
        latents, seed = file["latents"], int(file["seed"])
    assert seed == 3 and np.array_equal(latents, generation.latents(3, 5, 8))
    generator = keras.saving.load_model(run / "generator-ema.keras")
    expected = to_uint8(np.asarray(synthesize(generator, latents)))[..., 0]
    for index, name in enumerate(_images(a)):
        image = _read(a / "images" / name)
        assert image.dtype == np.uint8 and image.shape == (16, 16)
        assert np.abs(image.astype(int) - expected[index]).max() <= 1
    report = artifacts.read_json(a / "report.json")
    assert report["images"] == 5 and report["synthetic"] and report["made_by"]["seed"] == 3
    assert (
        report["generator_sha256"]
        == hashlib.sha256((run / "generator-ema.keras").read_bytes()).hexdigest()
    )
    other = _images(generate("c", "--n", 3, "--seed", 4))
    assert all(other[name] != data for name, data in _images(a).items() if name in other)


@pytest.mark.parametrize(
    "options", [("--format", "dicom", "--bits", 16), ("--truncation", 0.6, "--bits", 16)]
)
def test_an_image_of_its_own_seed_is_the_same_bytes_in_any_company(generate, options):
    # 16 bits show a rounding of 1e-5, which 8 bits mostly hide. Seeds 5 and 13 want the same place
    # of 8.
    together = _images(generate("together", "--seeds", "1-20,205,13000000000", *options))
    few = _images(generate("few", "--seeds", "13,5,7,205,13000000000", "--batch", 1, *options))
    alone = _images(generate("alone", "--seeds", "7", "--batch", 50, *options))
    assert len(together) == 22 and len(few) == 5 and len(alone) == 1
    for made in (few, alone):
        assert all(together[name] == data for name, data in made.items())


@pytest.mark.parametrize(
    "which, written",
    [
        (("--seeds", "3-14"), ()),
        (("--n", 12, "--seed", 9), ("--format", "dicom")),
        (("--seeds", "3-14", "--truncation", 0.5), ("--bits", 16)),
    ],
)
def test_a_latent_file_makes_every_file_again(generate, which, written):
    first = generate("first", *which, *written)
    again = generate("again", "--latents", first / "latents.npz", "--batch", 5, *written)
    assert _images(again) == _images(first)
    for name in ("latents.npz", "samples.png"):
        assert (again / name).read_bytes() == (first / name).read_bytes()
    some = _images(
        generate("some", "--latents", first / "latents.npz", "--only", "4,10,6-8", *written)
    )
    assert len(some) == 5 and all(_images(first)[name] == data for name, data in some.items())
    report = artifacts.read_json(again / "report.json")
    assert report["weights_sha256"] == artifacts.read_json(first / "report.json")["weights_sha256"]


def test_a_place_decides_the_last_bits_and_the_company_does_not(run):
    generator = generation.load_generator(run)
    z = generation.latents(0, 24, 8)
    images = np.stack(list(generation.one_by_one(generator, z, np.arange(24))))
    for rows in (np.arange(23, -1, -1), np.array([3, 11, 19]), np.array([17])):
        part = np.stack(list(generation.one_by_one(generator, z[rows], rows)))
        np.testing.assert_array_equal(part, images[rows])
    elsewhere = np.stack(list(generation.one_by_one(generator, z, np.arange(24) + 1)))
    np.testing.assert_allclose(elsewhere, images, atol=1e-4)


def test_the_fixed_batch_holds_no_more_pixels_than_one_large_image():
    sizes = {4: 8, 64: 8, 256: 8, 512: 2, 1024: 1}

    class Resolution:
        pass

    for resolution, batch in sizes.items():
        Resolution.resolution = resolution
        assert generation.fixed_batch(Resolution) == batch


def test_labels_go_with_their_latents(tmp_path):
    keras.utils.set_random_seed(1)
    generator = Generator(8, fmap_base=32, fmap_max=8, label_size=2)
    z, labels = generation.latents(0, 11, 8), np.eye(2, dtype=np.float32)[np.arange(11) % 2]
    images = list(generation.one_by_one(generator, z, np.arange(11), labels))
    expected = np.asarray(synthesize(generator, z, labels))
    np.testing.assert_allclose(np.stack(images), expected, atol=1e-5)
    one = next(generation.one_by_one(generator, z[7:8], np.array([7]), labels[7:8]))
    np.testing.assert_array_equal(one, images[7])


def test_sixteen_bits_hold_what_eight_round(generate, run):
    eight, sixteen = generate("8", "--seeds", "1-3"), generate("16", "--seeds", "1-3", "--bits", 16)
    generator = generation.load_generator(run)
    numbers = np.arange(1, 4)
    z = np.concatenate([generation.latents(seed, 1, 8) for seed in numbers])
    for number, image in zip(numbers, generation.one_by_one(generator, z, numbers), strict=True):
        fine, coarse = (
            _read(folder / "images" / f"{number:06d}.png") for folder in (sixteen, eight)
        )
        assert fine.dtype == np.uint16 and len(np.unique(fine)) > 200
        # In units of 8 bits: 16 bits are within 1/500 of the network's own value, 8 bits within
        # 1/2.
        exact = np.clip(image[..., 0].astype(float) * 127.5 + 127.5, 0, 255)
        assert np.abs(fine / 257 - exact).max() < 1 / 500 and np.abs(coarse - exact).max() <= 0.5001
    assert np.array_equal(to_uint16(np.array([-2, -1, 0, 1, 2])), [0, 0, 32768, 65535, 65535])


def test_a_grid_of_the_asked_shape(generate):
    sheet = _read(generate("grid", "--grid", "2x3", "--seed", 4) / "samples.png")
    assert sheet.shape == (2 * 18 - 2, 3 * 18 - 2)
    folder = generate("more", "--seeds", "7-20", "--grid", "1x2")
    sheet = _read(folder / "samples.png")
    assert np.array_equal(sheet[:, :16], _read(folder / "images/000007.png"))
    assert np.array_equal(sheet[:, 18:], _read(folder / "images/000008.png"))
    assert _read(generate("plain", "--n", 70) / "samples.png").shape == (8 * 18 - 2, 8 * 18 - 2)


def test_a_path_begins_and_ends_with_its_images(generate):
    keys = generate("keys", "--n", 3, "--seed", 6)
    folder = generate("path", "--interpolate", 3, "--steps", 4, "--seed", 6)
    names = list(_images(folder))
    assert names == [f"{index:06d}.png" for index in range(9)]
    with np.load(folder / "latents.npz") as file, np.load(keys / "latents.npz") as of_keys:
        frames = file["latents"]
        assert np.array_equal(frames[::4], of_keys["latents"])
    u = sphere.on_sphere(frames) / np.sqrt(8)
    angles = np.arccos((u[1:] * u[:-1]).sum(axis=1))
    np.testing.assert_allclose(angles[:4], angles[:4].mean(), atol=1e-6)
    np.testing.assert_allclose(angles[4:], angles[4:].mean(), atol=1e-6)
    whole = np.arccos((u[4] * u[0]).sum())
    np.testing.assert_allclose(angles[:4].sum(), whole, atol=1e-6)
    for frame, key in ((0, 0), (4, 1), (8, 2)):
        images = (
            _read(at)
            for at in (folder / "images" / names[frame], keys / "images" / f"{key:06d}.png")
        )
        assert np.abs(np.subtract(*map(np.int32, images))).max() <= 1
    strip = _read(folder / "strip.png")
    assert strip.shape == (2 * 18 - 2, 5 * 18 - 2)
    assert np.array_equal(strip[18:, :16], strip[:16, 72:]), (
        "a row begins with the image that ended the one above"
    )
    with Image.open(folder / "animation.gif") as gif:
        assert gif.n_frames == 9
        gif.seek(8)
        assert np.array_equal(np.asarray(gif.convert("L")), _read(folder / "images" / names[8]))
    again = generate("again", "--latents", folder / "latents.npz")
    assert _images(again) == _images(folder)
    of_file = generate("file", "--latents", keys / "latents.npz", "--interpolate", 3, "--steps", 4)
    assert _images(of_file) == _images(folder)


def test_truncation_brings_images_together_and_says_so(generate, capsys):
    spread, centers = {}, []
    for psi in (1, 0.7, 0.3):
        folder = generate(f"psi{psi}", "--n", 32, "--truncation", psi)
        noted = "vary less" in capsys.readouterr().err
        assert noted == (psi < 1)
        spread[psi] = (
            np.stack([_read(path) for path in sorted((folder / "images").iterdir())])
            .std(axis=0)
            .mean()
        )
        assert artifacts.read_json(folder / "report.json")["truncation"] == psi
        with np.load(folder / "latents.npz") as file:
            assert file["truncation"] == psi and ("centre" in file) == (psi < 1)
            if psi < 1:
                centers.append(sphere.on_sphere(file["centre"][None])[0])
                u = sphere.on_sphere(file["latents"])
                drawn = sphere.on_sphere(generation.latents(0, 32, 8))
                angles, before = (
                    np.arccos(np.clip(each @ centers[0] / 8, -1, 1)) for each in (u, drawn)
                )
                np.testing.assert_allclose(angles, psi * before, atol=1e-5)
    assert spread[0.3] < 0.8 * spread[0.7] < 0.8 * spread[1]
    assert np.array_equal(*centers)


def test_another_generator_is_told_of(generate, run, tmp_path, capsys):
    folder = generate("first", "--n", 2)
    assert "note" not in capsys.readouterr().err
    keras.utils.set_random_seed(5)
    (tmp_path / "other").mkdir()
    Generator(16, fmap_base=32, fmap_max=8).save(tmp_path / "other" / "generator-ema.keras")
    from pgcxr.cli import command
    from pgcxr.cli.app import app

    with pytest.raises(SystemExit) as stop:
        latents = ["--latents", str(folder / "latents.npz"), "--out", str(tmp_path / "new")]
        command.run(app, ["generate", str(tmp_path / "other"), *latents])
    assert stop.value.code == 0 and "first used with another generator" in capsys.readouterr().err
    # The same weights in a file that was written at another time are the same generator.
    copy = tmp_path / "copy"
    copy.mkdir()
    keras.saving.load_model(run / "generator-ema.keras").save(copy / "generator-ema.keras")
    first, second = (
        generation.weights_sha256(generation.load_generator(each)) for each in (run, copy)
    )
    assert (
        first == second != generation.weights_sha256(generation.load_generator(tmp_path / "other"))
    )


def test_wrong_input_is_one_line_and_leaves_nothing(fails, generate, run, tmp_path):
    n = ("--n", 1)
    assert "no such folder" in fails(*n, run=tmp_path / "none")
    assert "no generator-ema.keras" in fails(*n, run=tmp_path)
    assert "which images?" in fails()
    assert "--n 0: must be a whole number from 1" in fails("--n", 0)
    assert "--seed -1: must be a whole number from 0" in fails("--n", 1, "--seed", -1)
    assert "each say which images" in fails("--n", 1, "--seeds", "1")
    assert "--seed: seeds says which images already" in fails("--seeds", "1", "--seed", 2)
    for text in ("", "5-", "9-3", "1,,2", "-1", "1.5", "seven", "1-3;5"):
        assert "such as 1-100,205" in fails(f"--seeds={text}")
    assert "names 4 twice" in fails("--seeds", "1-5,4")
    assert "more than 1,000,000" in fails("--seeds", "1-99999999999")
    assert "such as 4x8" in fails("--grid", "4") and "such as 4x8" in fails("--grid", "0x3", *n)
    assert "shows more images" in fails("--grid", "2x2", "--n", 3)
    assert "8 or 16" in fails("--bits", 12, *n) and "one of png, dicom" in fails(
        "--format", "jpeg", *n
    )
    for value in (1.5, "nan"):
        assert f"--truncation {value}: must be a number" in fails("--truncation", value, *n)
    assert "--interpolate 1: must be" in fails("--interpolate", 1)
    assert "--n: interpolate says how many" in fails("--interpolate", 2, *n)
    assert "3 images are named" in fails("--interpolate", 2, "--seeds", "1-3")
    assert "name it too" in fails("--steps", 3, *n) and "2000 frames" in fails(
        "--interpolate", 5, "--steps", 500
    )
    assert "name the file too" in fails("--only", "1", *n)
    latents = generate("made", "--n", 3, "--truncation", 0.5) / "latents.npz"
    assert "no image 7" in fails("--latents", latents, "--only", "1,7")
    assert "truncated by 0.5" in fails("--latents", latents, "--truncation", 0.5)
    (tmp_path / "refused").mkdir()
    (tmp_path / "refused" / "mine").write_text("")
    with pytest.raises(AssertionError, match="refused"):
        assert "not empty" in fails(*n)
    assert (tmp_path / "refused" / "mine").exists()


def test_a_generator_with_labels_asks_for_them(fails, tmp_path):
    Generator(8, fmap_base=32, fmap_max=8, label_size=2).save(tmp_path / "generator-ema.keras")
    assert "choose 0 or 1" in fails("--n", 2, run=tmp_path)
    assert "no one most typical" in fails("--n", 2, "--label", 1, "--truncation", 0.5, run=tmp_path)
    assert "each image can be made alone" in fails("--seeds", "1,2", run=tmp_path)
    np.savez(tmp_path / "l.npz", latents=np.ones((2, 8)), labels=np.eye(3)[:2])
    assert "do not fit the generator" in fails("--latents", tmp_path / "l.npz", run=tmp_path)
    assert "holds the labels" in fails("--latents", tmp_path / "l.npz", "--label", 1, run=tmp_path)


def test_a_full_disk_is_one_line_that_names_the_folder(fails, tmp_path, monkeypatch):
    def full(path, data):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    assert f"{tmp_path / 'refused'}: the disk is full" in fails("--n", 20, "--batch", 2)
