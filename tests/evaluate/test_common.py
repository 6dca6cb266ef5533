"""Runs on disk, latents, and images from a generator."""

import json

import numpy as np
import pandas as pd
import pytest

from evaluate import common
from pgcxr.cohort.manifest import Cohort
from pgcxr.errors import InputError
from pgcxr.plots.page import Page
from pgcxr.sampling.runs import GENERATOR


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A RUN with a small untrained generator that stopped while growing, and a classifier of 2
    outputs."""
    import keras

    from pgcxr.networks import Generator

    folder = tmp_path_factory.mktemp("runs") / "gan"
    folder.mkdir()
    keras.utils.set_random_seed(0)
    generator = Generator(16, fmap_base=32, fmap_max=8)
    generator.lod.assign(0.5)
    generator.save(folder / GENERATOR)
    inputs = keras.Input((16, 16, 1))
    keras.Model(inputs, keras.layers.Dense(2)(keras.layers.Flatten()(inputs))).save(
        folder / common.CLASSIFIER
    )
    (folder / "config.json").write_text(json.dumps({"cohort": "../cohort", "total_kimg": 1}))
    return folder


def test_devices_in_one_class_only_are_said_on_the_screen_and_on_the_page(tmp_path, capsys):
    rows = [(label, str(int(label == "abnormal" and i < 2)), "PA")
            for label in ("normal", "abnormal") for i in range(5)]  # fmt: skip
    cohort = Cohort(tmp_path, pd.DataFrame(rows, columns=["label", "device", "view"]))
    found = common.confounders_of(cohort)
    said = "2 of 5 abnormal images show one and none of the others"
    assert said in capsys.readouterr().err
    page = Page("Study").section("Anomalies")
    common.tell_confounders(page, {"confounders": found})
    common.tell_confounders(page, {})  # a report of an earlier version
    assert page.html().count(said) == 1


def test_latents_are_stable_in_n_and_apart_in_purpose():
    z = common.latents(3, 10, 6)
    assert z.dtype == np.float32 and z.shape == (10, 6)
    assert np.array_equal(common.latents(3, 4, 6), z[:4])
    others = [common.latents(4, 10, 6), common.latents(3, 10, 6, purpose=1)]
    assert all(np.abs(other - z).min() > 0 for other in others)
    many = common.latents(0, 2000, 10)
    assert abs(many.mean()) < 0.03 and abs(many.std() - 1) < 0.03


def test_pixels_there_and_back_as_the_networks_have_them():
    from pgcxr.networks import pixels

    every = np.arange(256, dtype=np.uint8)
    assert np.array_equal(common.to_uint8(common.from_uint8(every)), every)
    assert np.array_equal(common.from_uint8(every), np.asarray(pixels.from_uint8(every)))
    values = np.random.default_rng(0).uniform(-1.3, 1.3, 5000).astype(np.float32)
    assert np.array_equal(common.to_uint8(values), np.asarray(pixels.to_uint8(values)))


def test_generated_images_do_not_depend_on_the_batch_and_keep_the_lod(run):
    from pgcxr.networks import synthesize

    generator = common.load_generator(run, resolution=16)
    z = common.latents(1, 7, generator.latent_size)
    whole = common.generate(generator, z)
    parts = list(common.generate_batches(generator, z, batch=3))
    assert [len(part) for part in parts] == [3, 3, 1]
    expected = np.asarray(synthesize(generator, z, lod=0.5))
    for pixels in (whole, np.concatenate(parts)):
        assert pixels.shape == (7, 16, 16, 1) and pixels.dtype == np.uint8
        # Round-off may tip a value over the border between two gray levels.
        assert np.abs(pixels.astype(int) - common.to_uint8(expected)).max() <= 1
    assert (
        np.abs(whole.astype(int) - common.to_uint8(np.asarray(synthesize(generator, z)))).max() > 1
    )
    assert list(common.generate_batches(generator, z[:0])) == []


def test_a_run_of_another_kind_is_refused_in_one_line(run, tmp_path):
    for call, message in [
        (lambda: common.load_generator(run, resolution=32), "makes images of 16 px where 32 px"),
        (
            lambda: common.load_classifier(run, outputs=6),
            "has 2 outputs where 6 are needed.*findings",
        ),
        (lambda: common.load_classifier(run, resolution=32), "reads images of 16 px"),
        (lambda: common.load_classifier(tmp_path), "no classifier.keras"),
        (lambda: common.load_generator(tmp_path / "none"), "no such folder"),
        (lambda: common.load_run(tmp_path), "config.json: no such file"),
        (lambda: common.cohort_of(run), "its cohort ../cohort is gone"),
    ]:
        with pytest.raises(InputError, match=message) as caught:
            call()
        assert "\n" not in str(caught.value)
    assert common.load_classifier(run, outputs=2, resolution=16).output_shape == (None, 2)


@pytest.mark.parametrize("share", [0, 0.5, 0.99])
def test_a_damaged_network_is_named(run, tmp_path, share):
    data = (run / GENERATOR).read_bytes()
    (tmp_path / GENERATOR).write_bytes(data[: int(share * len(data))])
    with pytest.raises(InputError, match="generator-ema.keras: is damaged"):
        common.load_generator(tmp_path)


def test_a_classifier_under_the_generators_name_is_refused(run, tmp_path):
    (tmp_path / GENERATOR).write_bytes((run / common.CLASSIFIER).read_bytes())
    with pytest.raises(InputError, match="not a generator"):
        common.load_generator(tmp_path)


def test_a_generator_under_the_classifiers_name_is_refused(run, tmp_path):
    (tmp_path / common.CLASSIFIER).write_bytes((run / GENERATOR).read_bytes())
    with pytest.raises(InputError, match="holds a Generator, not a classifier"):
        common.load_classifier(tmp_path)


@pytest.mark.parametrize(
    "text", ["[1, 2]", "null", "{}", '{"cohort": 5}', '{"cohort": ""}', '{"cohort": "a\\u0000b"}']
)
def test_a_damaged_config_is_one_line(tmp_path, text):
    (tmp_path / "config.json").write_text(text)
    with pytest.raises(InputError, match="config.json: ") as caught:
        common.cohort_of(tmp_path)
    assert "\n" not in str(caught.value)


def test_a_classifier_of_devices_tells_no_disease(tmp_path):
    import keras

    model = keras.Sequential(
        [keras.Input((16, 16, 1)), keras.layers.Flatten(), keras.layers.Dense(1)]
    )
    model.save(tmp_path / "classifier.keras")
    (tmp_path / "config.json").write_text('{"labels": "device"}')
    with pytest.raises(InputError, match="tells devices, not diseases"):
        common.load_classifier(tmp_path, 1)
    (tmp_path / "config.json").write_text('{"labels": "binary"}')
    assert common.load_classifier(tmp_path, 1).output_shape == (None, 1)
