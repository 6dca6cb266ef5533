"""Features of images: which layer, which scale, any size; what is no network is refused in one
line."""

import keras
import numpy as np
import pytest

from pgcxr.classifier import features, network
from pgcxr.errors import InputError


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(1).integers(0, 256, (5, 32, 32, 1)).astype(np.uint8)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A RUN's classifier of 16 px."""
    keras.utils.set_random_seed(1)
    folder = tmp_path_factory.mktemp("run")
    network.resnet(16, 1, blocks=(1,), width=4, stem="small").save(folder / "classifier.keras")
    return folder


def test_a_classifier_gives_what_its_last_layer_reads(run, images):
    extractor = features.load(run)
    found = features.features(extractor, [images[:3], images[3:]])
    assert found.shape == (5, 16) and found.dtype == np.float32
    assert extractor.describe() == {
        "layer": "avg_pool",
        "dimensions": 16,
        "input": "[-1, 1], 16 px, channels: 1",
    }
    # By hand: images halved by means, scaled, through the network; its head on the features gives
    # its own logits.
    model = keras.models.load_model(run / "classifier.keras")
    halved = images.reshape(5, 16, 2, 16, 2, 1).mean(axis=(2, 4))
    scaled = (np.floor(halved + 0.5) * 2 / 255 - 1).astype(np.float32)
    logits = np.asarray(network.with_logits(model)(scaled))
    kernel, bias = model.get_layer("logits").get_weights()
    assert found @ kernel + bias == pytest.approx(
        logits, abs=2e-3
    )  # rounding of means that end in .5
    assert np.array_equal(features.features(run / "classifier.keras", [images]), found)


def test_any_model_gives_its_last_output(tmp_path, images):
    gray = keras.Input((None, None, 3))
    keras.Model(gray, keras.layers.Rescaling(2.0, 1.0)(gray)).save(tmp_path / "scale.keras")
    found = features.features(tmp_path / "scale.keras", [images])
    # 2 x + 1 of the three equal channels, averaged over places.
    expected = 2 * (images.mean(axis=(1, 2, 3)) / 127.5 - 1) + 1
    assert found == pytest.approx(np.repeat(expected[:, None], 3, axis=1), abs=1e-5)
    flat = keras.Sequential([keras.Input((32, 32, 1)), keras.layers.Reshape((32, 32))])
    assert features.of_model(flat)(images) == pytest.approx(
        images.reshape(5, -1) / 127.5 - 1, abs=1e-6
    )


def test_enlarged_images_keep_their_mean(images):
    flat = np.full((2, 4, 4, 1), 77, np.uint8)
    assert np.array_equal(features.resized(flat, 9), np.full((2, 9, 9, 1), 77, np.uint8))
    assert features.resized(images, None) is images


def test_what_is_no_network_is_refused_in_one_line(tmp_path, images):
    (tmp_path / "bad.keras").write_bytes(b"no archive")
    (tmp_path / "bad.h5").write_bytes(b"no weights")
    code = keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Lambda(lambda x: x + 1)])
    code.save(tmp_path / "code.keras")
    keras.Sequential([keras.Input((7,)), keras.layers.Dense(1)]).save(tmp_path / "rows.keras")
    for source, said in (
        (tmp_path / "gone", "no such network"),
        (tmp_path, "no classifier.keras"),
        (tmp_path / "bad.keras", "damaged"),
        (tmp_path / "bad.h5", "no such network"),
        (tmp_path / "code.keras", "Lambda"),
        (tmp_path / "rows.keras", "square images"),
        (f"inception:{tmp_path / 'gone.h5'}", "nothing is downloaded"),
        (f"inception:{tmp_path / 'bad.h5'}", "InceptionV3 without top"),
    ):
        with pytest.raises(InputError, match=said) as caught:
            features.load(source)
        assert "\n" not in str(caught.value)
    infinite = keras.Sequential(
        [keras.Input((32, 32, 1)), keras.layers.Rescaling(np.inf), keras.layers.Flatten()]
    )
    with pytest.raises(InputError, match="no numbers"):
        features.of_model(infinite)(images)
