"""What a training shows of itself: TensorBoard's files read back, against numbers worked out beside
them."""

import json
import math
import os
import re

import cv2
import keras
import numpy as np
import pytest
from tensorboard.backend.event_processing.plugin_event_accumulator import EventAccumulator
from tensorboard.util import tensor_util

from pgcxr.cohort.pipeline import ImageDataset, order
from pgcxr.gan import alarm, devices, logger, run_dir, samples, schedule, tick_swd, trainer
from pgcxr.metrics import swd
from pgcxr.networks import Generator, synthesize
from pgcxr.plots import grids
from tests.gan.gans import small_gan
from tests.gan.tiny_run import final, same
from train.common import load_config

pytestmark = pytest.mark.usefixtures("traced_once")

SEED = 3
# One half-phase of two ticks, of which each compares 16 images.
CONFIG = {
    "resolution": 16,
    "lod_initial_resolution": 16,
    "latent_size": 8,
    "fmap_base": 32,
    "fmap_max": 8,
    "total_kimg": 0.512,
    "lod_training_kimg": 1.0,
    "lod_transition_kimg": 1.0,
    "tick_kimg_base": 0.256,
    "lrate_base": 0.002,
    "minibatch_base": 8,
    "seed": SEED,
}
IMAGES = np.random.default_rng(0).integers(0, 256, (40, 16, 16, 1), np.uint8)
TICKS = [256, 512]
OF_A_LIFE = ("config", "custom_scalars")
LABEL_PENALTIES = (("d", "_reals"), ("d", "_fakes"), ("g", ""))


def train(out, told=None, **changes):
    config = load_config("gan", "demo").replace(**CONFIG | changes)
    run = run_dir.RunDir(out)
    with run.locked(), devices.deterministic():
        run.claim(config)
        return trainer.train(
            ImageDataset(IMAGES, 16, told), run, config, devices.strategy(1), lambda *_: None, print
        )


def _read(run) -> dict:
    """{name: [(step, number or uint8 picture [H, W, C])]} as TensorBoard has it after all event
    files."""
    events = EventAccumulator(str(run / "logs"), size_guidance={"tensors": 0})
    events.Reload()
    return {
        tag: [(each.step, _value(each.tensor_proto)) for each in events.Tensors(tag)]
        for tag in events.Tags()["tensors"]
    }


def _value(proto):
    array = tensor_util.make_ndarray(proto)
    if array.ndim == 0:
        return array.item() if array.dtype == object else float(array)
    return cv2.imdecode(np.frombuffer(array[2], np.uint8), cv2.IMREAD_UNCHANGED)


@pytest.fixture(scope="module")
def watched(tmp_path_factory):
    """(RUN, the logs of each step) of an undisturbed training."""
    out, steps, really = tmp_path_factory.mktemp("watched") / "run", [], logger.Logger.step

    def step(self, logs):
        steps.append(dict(logs))
        really(self, logs)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(logger.Logger, "step", step)
        train(out)
    return out, steps


def test_losses_and_their_parts_are_means_over_the_tick(watched):
    run, steps = watched
    found = _read(run)
    names = {
        "d_loss",
        "d_gradient_penalty",
        "d_drift_penalty",
        "d_real_score",
        "d_fake_score",
        "g_loss",
    }
    names |= {"d_gradient_norm", "g_gradient_norm"}
    assert {name for name in found if name.startswith("train/")} == {
        f"train/{n}" for n in {*names, "non_finite_steps"}
    }
    assert len(steps) == 64
    for name in names:
        values = [step[name] for step in steps]
        expected = [(256, np.mean(values[:32])), (512, np.mean(values[32:]))]
        np.testing.assert_allclose(found[f"train/{name}"], expected, rtol=1e-5, err_msg=name)
        assert values[31] != pytest.approx(expected[0][1], rel=1e-3), (
            "the last step's value is another"
        )
    # The critic's loss is the sum of its parts (arXiv 1710.10196, A.1).
    whole = {
        name: np.array(found[f"train/d_{name}"])[:, 1]
        for name in ("loss", "fake_score", "real_score")
    }
    parts = [np.array(found[f"train/d_{name}_penalty"])[:, 1] for name in ("gradient", "drift")]
    total = whole["fake_score"] - whole["real_score"] + 10 * parts[0] + 0.001 * parts[1]
    np.testing.assert_allclose(whole["loss"], total, rtol=1e-4)


def test_schedule_and_memory(watched):
    found = _read(watched[0])
    for name, expected in {
        "kimg": [0.256, 0.512],
        "lod": [0, 0],
        "minibatch": [8, 8],
        "learning_rate_g": [0.002, 0.002],
        "learning_rate_d": [0.002, 0.002],
    }.items():
        np.testing.assert_allclose(
            found[f"schedule/{name}"], list(zip(TICKS, expected, strict=True)), rtol=1e-6
        )
    assert all(0 < value < 1e5 for _, value in found["schedule/images_per_second"])
    (_, first), (_, last) = found["memory/host_peak_gib"]
    assert 0.1 < first <= last < 64 and last <= logger.peaks()["host_peak_gib"] / logger.GIB


def test_pictures(watched):
    run, _ = watched
    found = _read(run)
    for step, picture in found["samples"]:
        np.testing.assert_array_equal(
            picture, cv2.imread(str(run / f"samples/kimg{step / 1000:09.3f}.png"), 0)
        )
    assert (
        [step for step, _ in found["samples"]]
        == TICKS
        == [step for step, _ in found["interpolation"]]
    )
    assert picture.shape == (8 * 18 - 2,) * 2
    # The strip goes from one image of the sheet's first row to the next ones.
    for index, place in ((0, 0), (logger.STEPS, 1), (2 * logger.STEPS, 2)):
        strip = found["interpolation"][-1][1]
        ours, theirs = (
            strip[:16, index * 18 : index * 18 + 16],
            picture[:16, place * 18 : place * 18 + 16],
        )
        assert np.abs(ours.astype(int) - theirs).max() <= 1, index
    ((step, reals),) = found["reals"]
    expected = IMAGES[order(40, 0, 64, SEED)]
    assert step == 256
    np.testing.assert_array_equal(reals, grids.tile(expected, 8))


def test_the_distance_of_a_tick(watched):
    """From the exported Gs, at the last tick."""
    run, _ = watched
    found = {name: values[-1] for name, values in _read(run).items() if name.startswith("swd/")}
    assert set(found) == {
        f"swd/{name}" for name in ("16", "mean", "16_floor", "mean_floor", "images")
    }
    assert found["swd/images"] == (512, 16)
    generator = keras.saving.load_model(run / "generator-ema.keras")
    latents = (
        np.random.default_rng([SEED, tick_swd.PURPOSE]).standard_normal((16, 8)).astype(np.float32)
    )
    fakes = np.floor(
        np.clip(np.asarray(synthesize(generator, latents)) * 127.5 + 128, 0, 255)
    ).astype(np.uint8)
    reals = IMAGES[order(40, 0, 32, SEED)]
    for name, others in (("16", fakes), ("16_floor", reals[16:])):
        random = np.random.RandomState([SEED, 0])
        expected = swd.sliced_wasserstein(reals[:16], others, random, tick_swd.PER_IMAGE, 1)
        assert found[f"swd/{name}"][1] == pytest.approx(expected["16"], rel=1e-3)
    assert found["swd/16_floor"][1] < found["swd/16"][1]


def test_watching_changes_no_bit(watched, tmp_path, monkeypatch):
    train(tmp_path / "plain", swd_images=0)
    assert same(final(tmp_path / "plain"), final(watched[0]))
    assert not [name for name in _read(tmp_path / "plain") if name.startswith("swd")]
    for method in ("begin", "step", "scalars", "tick"):
        monkeypatch.setattr(logger.Logger, method, lambda *_: None)
    train(tmp_path / "unwatched", alarm=False)
    assert same(final(tmp_path / "unwatched"), final(watched[0]))
    assert not (tmp_path / "unwatched" / "samples").exists()


def test_a_killed_life_leaves_no_points_behind(watched, tmp_path, monkeypatch):
    run, saved = tmp_path / "run", run_dir.RunDir.save

    def killed(self, gan, nimg):
        if nimg == 512:
            raise RuntimeError("killed after what it showed, before what it saved")
        saved(self, gan, nimg)

    with monkeypatch.context() as patched, pytest.raises(RuntimeError):
        patched.setattr(run_dir.RunDir, "save", killed)
        train(run)
    written = _read(run)
    assert [step for step, _ in written["train/d_loss"]] == TICKS
    train(run)
    assert len(os.listdir(run / "logs")) == 2
    ours, theirs = _read(run), _read(watched[0])
    assert set(ours) == set(theirs)
    for name in ours:
        if not name.startswith(("memory", "schedule/images", "reals", *OF_A_LIFE)):
            assert [step for step, _ in ours[name]] == TICKS, name
            np.testing.assert_array_equal(ours[name][1][1], theirs[name][1][1], err_msg=name)
    assert same(final(run), final(watched[0]))

    # The log has the lines of both lives.
    lines = (run / "log.txt").read_text().splitlines()
    assert [line.split("  ", 1)[1].split(",")[0].split(";")[0] for line in lines] == [
        *("begins", "kimg 0.256", "kimg 0.512"),
        *("goes on after 0.256 kimg", "kimg 0.512"),
    ]


def test_the_log_has_a_line_for_each_tick(watched):
    run, _ = watched
    begins, *ticks = (run / "log.txt").read_text().splitlines()
    found = _read(run)
    assert begins.endswith("begins; 0.512 kimg in all") and len(ticks) == len(TICKS)
    for place, line in enumerate(ticks):
        time_taken, _, said = line.partition("  ")
        assert re.fullmatch(r"\d:\d\d:\d\d", time_taken)
        assert f"kimg {TICKS[place] / 1000:.3f}, lod 0.00 (16 px), minibatch 8, " in said
        for tag, name in (("train/d_loss", "d_loss"), ("swd/mean", "swd")):
            assert f"{name} {found[tag][place][1]:.3g}"[:-1] in said
        assert f"(floor {found['swd/mean_floor'][place][1]:.3g}"[:-1] in said and "images/s" in said


def test_swd_and_its_floor_are_in_one_chart(watched):
    """As TensorBoard's Custom Scalars read it: each chart's tags are those of a run."""
    from tensorboard.plugins.custom_scalar import layout_pb2, metadata

    found = _read(watched[0])
    ((_, layout),) = found[metadata.CONFIG_SUMMARY_TAG]
    (category,) = layout_pb2.Layout.FromString(layout).category
    shown = [
        {name for name in found if any(re.match(tag, name) for tag in chart.multiline.tag)}
        for chart in category.chart
    ]
    assert shown == [{"swd/mean", "swd/mean_floor"}, {"swd/16", "swd/16_floor"}]


def test_the_config_is_there_as_text(watched):
    ((step, text),) = _read(watched[0])["config"]
    assert step == 0 and "| resolution | `16` |" in text.decode().splitlines()
    assert "| lrate_base | `0.002` |" in text.decode().splitlines()


def test_a_mean_is_over_finite_steps():
    means = logger.Means()
    for a, b in ((1.0, math.nan), (math.inf, math.nan), (4.0, -math.inf)):
        means.add({"a": a, "b": b})
    found = means.take()
    assert found["a"] == 2.5 and math.isnan(found["b"]) and found["non_finite_steps"] == 3
    means.add({"a": 7.0})
    assert means.take() == {"a": 7.0, "non_finite_steps": 0}


def test_logs_stay_small_however_many_ticks(tmp_path, monkeypatch):
    monkeypatch.setattr(logger, "PICTURES", 3)
    monkeypatch.setattr(logger, "SHOWN", 50)
    run, gan = run_dir.RunDir(tmp_path), small_gan()
    gan.minibatch = 8
    latents = (
        np.random.default_rng(0).standard_normal((64, gan.generator.latent_size)).astype(np.float32)
    )
    shown = logger.Logger(run, schedule.Settings(16, 0.12), latents)
    shown.begin(IMAGES[np.arange(64) % 40])
    for nimg in range(10, 121, 10):
        assert shown.tick(gan, nimg, nimg - 10, 1.0).shape == (64, 16, 16, 1)
    found = _read(tmp_path)
    assert len(found["schedule/lod"]) == 12 == len(os.listdir(run.samples))
    assert [step for step, _ in found["samples"]] == [40, 80, 120] and len(found["reals"]) == 1
    assert max(found["samples"][0][1].shape) <= 50


def test_a_growing_network_is_shown_at_full_size_and_measured_at_its_own(tmp_path):
    gan = small_gan()
    gan.minibatch = 8
    gan.set_point(1.25, 0.001)
    latents = (
        np.random.default_rng(0).standard_normal((64, gan.generator.latent_size)).astype(np.float32)
    )
    made = samples.images_of(gan.generator_ema, latents, None, 1.25)
    full = np.asarray(synthesize(gan.generator_ema, latents, lod=1.25))
    expected = np.floor(np.clip(full * 127.5 + 128, 0, 255)).astype(np.uint8)
    assert made.shape == (64, 8, 8, 1)
    assert np.abs(made.repeat(2, 1).repeat(2, 2).astype(int) - expected).max() <= 1
    shown = logger.Logger(run_dir.RunDir(tmp_path), schedule.Settings(16, 1.0), latents)
    shown.begin(made)
    shown.tick(gan, 1000, 0, 1.0)
    sheet = cv2.imread(str(tmp_path / "samples/kimg00001.000.png"), 0)
    np.testing.assert_array_equal(sheet, grids.tile(made.repeat(2, 1).repeat(2, 2), 8))
    reals = _read(tmp_path)["reals"][0][1]
    np.testing.assert_array_equal(reals, grids.tile(_faded(made, 0.25), 8, 2))


def _faded(images: np.ndarray, share: float) -> np.ndarray:
    n, h, w, c = images.shape
    coarse = images.reshape(n, h // 2, 2, w // 2, 2, c).mean(axis=(2, 4)).repeat(2, 1).repeat(2, 2)
    return np.floor(images + (coarse - images) * share + 0.5).astype(np.uint8)


def test_reals_as_the_critic_sees_them():
    some = np.random.default_rng(1).integers(0, 256, (6, 8, 8, 1), np.uint8)
    np.testing.assert_array_equal(samples.as_the_critic_sees(some, 2.0), some)
    faded = samples.as_the_critic_sees(some, 2.75).astype(int)
    assert np.abs(faded - _faded(some, 0.75)).max() <= 1
    mirrored = samples.as_the_critic_sees(some, 1.0, mirror=True)
    np.testing.assert_array_equal(mirrored[0::2], some[0::2])
    np.testing.assert_array_equal(mirrored[1::2], some[1::2, :, ::-1])


def test_how_many_are_compared():
    settings = schedule.Settings(1024, 14451, tick_kimg_dict={4: 160, 16: 0.2, 32: 2, 1024: 10})
    assert tick_swd.count(settings, 0, 256, 1000) == 0, "4 px"
    assert tick_swd.count(settings, 1_900_000, 256, 1000) == 0, "a tick of 200 images"
    assert tick_swd.count(settings, 3_100_000, 256, 1000) == 125
    assert tick_swd.count(settings, 3_100_000, 256, 60) == 30, "each real image once"
    assert tick_swd.count(settings, 3_100_000, 256, 30) == 0
    assert tick_swd.count(settings, 14_000_000, 256, 1000) == 64
    assert tick_swd.count(settings, 14_000_000, 0, 1000) == 0


def test_made_images_have_the_labels_of_the_real_ones():
    keras.utils.set_random_seed(0)
    generator = Generator(resolution=16, fmap_base=32, fmap_max=8, latent_size=8, label_size=2)
    labels = np.eye(2, dtype=np.float32)[np.random.default_rng(2).integers(2, size=32)]
    measured = tick_swd.TickSWD(IMAGES[:32], labels, 8, 2**40 + 1)
    made = samples.images_of(generator, measured.latents, labels[:16], 0.0)
    expected = swd.sliced_wasserstein(
        IMAGES[:16], made, np.random.RandomState([1, 2**8]), tick_swd.PER_IMAGE, 1
    )
    assert measured(generator, 0.0)["16"] == expected["16"]
    other = samples.images_of(generator, measured.latents, labels[1:17], 0.0)
    assert not np.array_equal(other, made)


def test_a_conditioned_gan(tmp_path):
    labels = np.eye(2, dtype=np.float32)[np.random.default_rng(2).integers(2, size=40)]
    train(tmp_path / "run", labels, labels="binary", mirror=True, total_kimg=0.256)
    found = _read(tmp_path / "run")
    assert all(
        math.isfinite(found[f"train/{name}_label_penalty{of}"][0][1])
        for name, of in LABEL_PENALTIES
    )
    generator = keras.saving.load_model(tmp_path / "run" / "generator-ema.keras")
    chosen = order(40, 0, 32, SEED)
    measured = tick_swd.TickSWD(IMAGES[chosen], labels[chosen], 8, SEED, mirror=True)
    assert found["swd/mean"][0][1] == pytest.approx(measured(generator, 0.0)["mean"], rel=1e-3)
    np.testing.assert_array_equal(found["reals"][0][1][:16, 18:34], IMAGES[chosen[1], :, ::-1, 0])


def test_the_last_numbers_of_a_training_that_diverges(tmp_path, monkeypatch):
    monkeypatch.setattr(alarm, "WINDOW", 4)
    monkeypatch.setattr(alarm, "SCORE", 1e-9)
    with pytest.raises(alarm.Diverged):
        train(tmp_path / "run")
    ((step, value),) = _read(tmp_path / "run")["train/d_loss"]
    (file,) = (tmp_path / "run").glob("alarm-kimg*.json")
    assert step == json.loads(file.read_text())["kimg"] * 1000 == 32 and math.isfinite(value)
