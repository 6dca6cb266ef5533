"""Every registered layer and network against numbers that it has not made itself."""

import keras
import numpy as np
import pytest

from pgcxr import networks

# Networks whose arrays the original made; `test_original_weights` compares with them.
NETWORKS = {"Generator": "pggan_generator.npz", "Discriminator": "pggan_discriminator.npz"}


def _registered() -> dict[str, type]:
    """{name: class} of what pgcxr/networks registers with Keras."""
    return {
        name.removeprefix("pgcxr>"): kind
        for name, kind in keras.saving.get_custom_objects().items()
        if name.startswith("pgcxr>") and kind.__module__.startswith(networks.__name__)
    }


@pytest.mark.parametrize("name", sorted(_registered()))
def test_every_registered_layer_has_a_golden(goldens, name):
    if name in NETWORKS:
        with np.load(goldens / NETWORKS[name]) as golden:
            assert any(key.startswith("weights/") for key in golden)
            assert any(key.startswith(("images_lod", "scores_lod")) for key in golden)
        return
    with np.load(goldens / "layers.npz") as file:
        golden = {
            key.removeprefix(f"{name}/"): file[key] for key in file if key.split("/")[0] == name
        }
    assert {"x", "y"} <= set(golden), f"{name}: add it to tests/reference/layer_goldens.py"
    kind, sizes = _registered()[name], ()
    if "kernel" in golden:
        sizes = (len(golden["bias"]),)
    layer = kind(*sizes)
    layer.build(golden["x"].shape)
    assert len(layer.weights) == len({"kernel", "bias"} & set(golden))
    for weight in {"kernel", "bias"} & set(golden):
        getattr(layer, weight).assign(golden[weight])
    np.testing.assert_allclose(layer(golden["x"]), golden["y"], rtol=1e-5, atol=2e-6)
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))
    assert type(again) is kind and again.get_config() == layer.get_config()


def test_names_that_saved_networks_use_are_registered():
    assert set(_registered()) == {
        *("Generator", "Discriminator", "PixelNorm", "MinibatchStddev", "EqualizedDense"),
        *("ChannelBias", "EqualizedConv2D", "UpscaleConv2D", "UnfusedUpscaleConv2D"),
        "ConvDownscale2D",
    }
