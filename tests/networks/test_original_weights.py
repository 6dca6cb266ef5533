"""Against arrays computed by the original code (a golden, and more as an extra); pickles that want
more than data."""

import gzip
import pickle

import numpy as np
import pytest

from pgcxr.errors import InputError
from pgcxr.networks import criticize, original_weights, synthesize
from pgcxr.networks import pixels as images

TOLERANCE = 1e-5  # of the output's range; float32 against float64 of the same graph gives 7e-6


@pytest.mark.parametrize("lod", [0, 0.3, 1, 1.75, 2, 2.6, 3])
def test_outputs_equal_the_originals_goldens(original_networks, goldens, lod):
    golden = np.load(goldens / "pggan_generator.npz")
    found = np.asarray(synthesize(original_networks["G"], golden["latents"], None, lod))
    expected = golden[f"images_lod{lod:g}"].transpose(0, 2, 3, 1)
    assert np.abs(found - expected).max() <= TOLERANCE * np.ptp(expected)
    golden = np.load(goldens / "pggan_discriminator.npz")
    found, _ = criticize(original_networks["D"], golden["images"].transpose(0, 2, 3, 1), lod)
    expected = golden[f"scores_lod{lod:g}"]
    assert np.abs(found - expected).max() <= TOLERANCE * np.ptp(expected)


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_minibatch_statistics_of_small_groups_equal_the_originals(
    original_networks, goldens, count
):
    golden = np.load(goldens / "pggan_discriminator.npz")
    found, _ = criticize(
        original_networks["D"], golden["images"][:count].transpose(0, 2, 3, 1), 0.0
    )
    np.testing.assert_allclose(found, golden[f"scores_lod0_first{count}"], atol=1e-5)


@pytest.mark.parametrize("name", ["A", "C"])
def test_networks_equal_the_original(shared, name):
    networks = original_weights.load_pickle(shared / "reference" / f"net_{name}.pkl")
    reference = np.load(shared / "reference" / f"io_{name}.npz")
    labels = reference["labels"] if networks["G"].label_size else None
    pixels = reference["d_images"].transpose(0, 2, 3, 1)
    for lod in reference["lods"]:
        for key in ("G", "Gs"):
            expected = reference[f"{key}_lod{lod:g}"].transpose(0, 2, 3, 1)
            found = np.asarray(synthesize(networks[key], reference["latents"], labels, float(lod)))
            assert np.abs(found - expected).max() <= TOLERANCE * np.ptp(expected)
        scores, logits = criticize(networks["D"], pixels, float(lod))
        expected = reference[f"D_scores_lod{lod:g}"]
        assert np.abs(scores - expected).max() <= TOLERANCE * np.ptp(expected)
        if labels is not None:
            expected = reference[f"D_labels_lod{lod:g}"]
            assert np.abs(logits - expected).max() <= TOLERANCE * np.ptp(expected)
    found = images.to_uint8(synthesize(networks["Gs"], reference["latents"], labels))
    assert np.mean(np.asarray(found).transpose(0, 3, 1, 2) != reference["Gs_uint8_lod0"]) < 1e-3


class _Hostile:
    def __reduce__(self):
        return (open, ("executed", "w"))


@pytest.mark.parametrize("zipped", [False, True])
def test_a_pickle_that_names_anything_else_is_refused_and_not_run(tmp_path, monkeypatch, zipped):
    monkeypatch.chdir(tmp_path)
    data = pickle.dumps((_Hostile(), _Hostile(), _Hostile()))
    (tmp_path / "net.pkl").write_bytes(gzip.compress(data) if zipped else data)
    with pytest.raises(InputError, match=r"net\.pkl: asks for _?io\.open"):
        original_weights.load_pickle(tmp_path / "net.pkl")
    assert not (tmp_path / "executed").exists()


@pytest.mark.parametrize(
    "data", [b"", b"not a pickle", pickle.dumps([1, 2, 3]), pickle.dumps({"a": np.zeros(3)})]
)
def test_what_is_no_network_is_one_error(tmp_path, data):
    (tmp_path / "net.pkl").write_bytes(data)
    with pytest.raises(InputError, match="is not an official network pickle"):
        original_weights.load_pickle(tmp_path / "net.pkl")


def test_a_missing_file_is_one_error(tmp_path):
    with pytest.raises(InputError, match="cannot be read"):
        original_weights.load_pickle(tmp_path / "none.pkl")
