"""Augmentation against slow twins, and its gradient."""

import numpy as np
import pytest
import scipy.ndimage
import tensorflow as tf

from pgcxr.cohort.pipeline import ImageDataset
from pgcxr.errors import ArgumentError
from pgcxr.gan import augmentation, devices, overfitting, run_dir, trainer
from tests.gan import tiny_run
from tests.gan.gans import small_gan

RNG = np.random.default_rng(0)
IMAGES = RNG.uniform(-1, 1, (4, 16, 16, 1)).astype(np.float32)
USED = dict(zip(("shift", "scale", "rotation", "gain", "gamma", "cutout"), range(6), strict=True))


def numbers(*used: str, seed: int = 0) -> np.ndarray:
    """Of 4 images: with p = 0.5 those changes alone."""
    drawn = np.random.default_rng(seed).uniform(size=(4, augmentation.NUMBERS))
    drawn[:, :6] = 0.75
    drawn[:, [USED[name] for name in used]] = 0.25
    return drawn.astype(np.float32)


def changed(*used: str, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """(images after these changes, how in [-1, 1))."""
    drawn = numbers(*used, seed=seed)
    return np.asarray(augmentation.augment(IMAGES, drawn, 0.5)), 2 * drawn[:, 6:] - 1


@pytest.mark.parametrize(
    "used", [("shift",), ("scale",), ("rotation",), ("shift", "scale", "rotation")]
)
def test_geometry_is_that_of_scipy(used):
    made, how = changed(*used)
    for image, result, (dx, dy, size, angle, *_) in zip(IMAGES, made, how, strict=True):
        angle = augmentation.ROTATION * angle if "rotation" in used else 0.0
        factor = 2 ** (augmentation.SCALE * size) if "scale" in used else 1.0
        moved = np.array([dy, dx]) * augmentation.SHIFT * 16 if "shift" in used else np.zeros(2)
        # Rows and columns, from the result to the image.
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) / factor
        offset = 7.5 - turn @ (7.5 + moved)
        expected = scipy.ndimage.affine_transform(
            image[..., 0].astype(float), turn, offset, order=1, mode="nearest"
        )
        np.testing.assert_allclose(result[..., 0], expected, atol=2e-5)


def test_gray_values_by_hand():
    made, how = changed("gain")
    contrast, brightness = how[:, 4], how[:, 5]
    for image, result, c, b in zip(IMAGES, made, contrast, brightness, strict=True):
        np.testing.assert_allclose(result, image * 2 ** (0.3 * c) + 0.2 * b, atol=1e-6)
    made, how = changed("gamma")
    for image, result, e in zip(IMAGES, made, how[:, 6], strict=True):
        share = (image.astype(float) + 1) / 2
        power = 2 * share ** (2 ** (0.5 * e)) - 1
        above = share > augmentation.STRAIGHT
        np.testing.assert_allclose(result[above], power[above], atol=1e-5)
        assert (np.diff(result.ravel()[np.argsort(image.ravel())]) >= -1e-6).all()


def test_cutout_hides_a_third_of_a_side():
    made, how = changed("cutout")
    for image, result, (x, y) in zip(IMAGES, made, how[:, 7:], strict=True):
        centers = (2 * np.arange(16) + 1) / 16 - 1
        hidden = np.outer(np.abs(centers - y) < 1 / 3, np.abs(centers - x) < 1 / 3)
        assert 4 <= hidden.sum() <= 36
        np.testing.assert_array_equal(result[..., 0], np.where(hidden, 0, image[..., 0]))


def test_without_a_change_the_image_is_the_same_to_the_bit():
    assert (np.asarray(augmentation.augment(IMAGES, numbers(), 0.5)) == IMAGES).all()


def test_the_gradient_is_that_of_differences():
    everything = numbers(*USED)
    weights = RNG.standard_normal(IMAGES.shape).astype(np.float32)

    def total(images):
        return tf.reduce_sum(augmentation.augment(images, everything, 0.5) * weights)

    images = tf.constant(IMAGES)
    with tf.GradientTape() as tape:
        tape.watch(images)
        value = total(images)
    gradient = np.asarray(tape.gradient(value, images))
    for n, y, x in RNG.integers(0, (4, 16, 16), (12, 3)):
        step = np.zeros_like(IMAGES)
        step[n, y, x] = 0.01
        slope = (total(IMAGES + step) - total(IMAGES - step)) / 0.02
        assert gradient[n, y, x, 0] == pytest.approx(float(slope), abs=0.02)


def train(out, look=lambda nimg: None, held_out=32, **changes):
    """32 images, and others that are held out."""
    images = np.random.default_rng(1).integers(0, 256, (32 + held_out, 8, 8, 1), np.uint8)
    config, run = tiny_run.config(**changes), run_dir.RunDir(out)
    validation = ImageDataset(images[32:], 8) if held_out else None
    with run.locked():
        run.claim(config)
        return trainer.train(
            *(ImageDataset(images[:32], 8), run, config, devices.strategy(1)),
            *(lambda nimg, lod: look(nimg), print, None, validation),
        )


@pytest.mark.usefixtures("traced_once")
def test_augmentation_follows_overfitting_and_goes_on_to_the_bit(tmp_path, monkeypatch):
    monkeypatch.setattr(overfitting, "EVERY", 16)
    adaptive = {"augment": "adaptive", "augment_p": 0.4, "augment_kimg": 0.32}
    train(tmp_path / "whole", **adaptive)

    def stop(nimg):
        if nimg >= 48:  # between two ticks, after a look
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(tmp_path / "broken", stop, **adaptive)
    report = train(tmp_path / "broken", **adaptive)
    states = [tiny_run.final(tmp_path / name) for name in ("whole", "broken")]
    assert tiny_run.same(*states)
    assert report["augment_p"] == pytest.approx(float(states[0]["augment/000"]))
    # 8 looks of 0.05 each: all of them up or down, or any of both.
    moved = (states[0]["augment/000"] - 0.4) / 0.05
    assert moved == pytest.approx(round(moved), abs=1e-4) and abs(moved) <= 8
    assert round(moved) % 2 == 0


def test_the_measure_tells_images_known_by_heart(monkeypatch):
    """A critic that scores by the mean gray value: r_v by hand."""
    gan = small_gan(resolution=8)
    gan.grow_to(3, False, 4, 0.999)
    monkeypatch.setattr(
        gan, "discriminator", lambda images, **_: (tf.reduce_mean(images, (1, 2, 3))[:, None], None)
    )
    monkeypatch.setattr(gan, "generator", lambda z, labels, **_: tf.fill((len(z), 8, 8, 1), -0.5))
    training, validation = (np.full((40, 8, 8, 1), gray, np.uint8) for gray in (255, 191))
    found = overfitting.Overfitting(training, validation, None, 8, seed=0)(gan, 0.0)
    assert found["score_train"] == pytest.approx(1.0)
    assert found["r_v"] == pytest.approx(64 / 255 * 2 / 1.5, rel=1e-4)


def test_what_cannot_be_augmented_is_said(tmp_path):
    with pytest.raises(ArgumentError, match="augment: adaptive needs 32 held-out images"):
        train(tmp_path / "run", augment="adaptive", held_out=0)
    with pytest.raises(ArgumentError, match="augment_p: augment=fixed needs one above 0"):
        tiny_run.config(augment="fixed")
    with pytest.raises(ArgumentError, match="augment_p: does nothing without"):
        tiny_run.config(augment_p=0.5)


def test_a_step_sees_reals_and_fakes_augmented():
    """Both networks learn otherwise with it, and with p = 0 as without."""
    from tests.gan.gans import inputs, weights

    def after(p):
        gan = small_gan(resolution=8)
        gan.grow_to(3, False, 4, 0.999)
        d, g = None, None
        if p is not None:
            gan.augment(p)
            d = tf.constant(RNG.uniform(size=(4, 2, augmentation.NUMBERS)), tf.float32)
            g = d[:, 0]
        batch = inputs(4, 8)
        gan.discriminator_step(**batch, fade=None, augment=d)
        gan.generator_step(batch["latents"], None, augment=g)
        return weights(gan)

    plain, never, always = after(None), after(0.0), after(1.0)
    assert all((a == b).all() for a, b in zip(plain, never, strict=True))
    changed = [not np.array_equal(a, b) for a, b in zip(plain, always, strict=True)]
    assert sum(changed) > len(changed) / 3
