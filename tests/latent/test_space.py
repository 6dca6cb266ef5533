"""Latents with the labels of a conditioned generator beside them."""

import numpy as np
import pytest

from pgcxr import networks
from pgcxr.cohort.findings import FINDINGS
from pgcxr.errors import InputError
from pgcxr.io import artifacts
from pgcxr.latent.space import LatentSpace, unlabeled
from pgcxr.networks import synthesize
from pgcxr.sampling import generation

LATENTS = 6
NAMES = ["normal", *FINDINGS]


def conditioned(labels: int, scale: float = 1.0) -> networks.Generator:
    sizes = {"resolution": 8, "fmap_base": 16, "fmap_max": 4, "latent_size": LATENTS}
    return networks.Generator(**sizes, label_size=labels, label_scale=scale)


def told(folder, names: list[str], rows, scale: float = 1.0) -> LatentSpace:
    """Of a RUN whose training images had these rows of labels, the first three times as often."""
    known = {"names": names, "exclusive": False, "rows": rows}
    known["counts"] = [3] + [1] * (len(rows) - 1)
    artifacts.write_json(folder / "report.json", {"labels": known})
    return LatentSpace.of(folder, conditioned(len(names), scale))


@pytest.mark.parametrize("scale", [1.0, 4.0])
def test_labels_are_the_last_numbers_of_a_latent(tmp_path, scale):
    generator = conditioned(6, scale)
    z, c = generation.latents(1, 5, LATENTS), np.eye(6, dtype=np.float32)[:5]
    alone = synthesize(unlabeled(generator), np.concatenate([z, scale * c], axis=1))
    np.testing.assert_array_equal(alone, synthesize(generator, z, c))
    other = synthesize(unlabeled(generator), np.concatenate([z, scale * c[::-1]], axis=1))
    assert np.abs(np.asarray(alone) - np.asarray(other)).max() > 0.01
    assert LatentSpace(unlabeled(generator), "", tuple(NAMES)).latent_size == LATENTS


def test_labels_are_drawn_as_often_as_the_training_images_had_them(tmp_path):
    space = told(tmp_path, NAMES, np.eye(6)[[0, 2]])
    drawn = space.draw(4, 1000)
    z, labels = space.split(drawn)
    np.testing.assert_array_equal(z, generation.latents(4, 1000, LATENTS))
    np.testing.assert_array_equal(
        labels.sum(axis=0), [*labels[:, :1].sum(0), 0, (1000 - labels[:, 0].sum()), 0, 0, 0]
    )
    assert 0.7 < labels[:, 0].mean() < 0.8
    np.testing.assert_array_equal(space.draw(4, 10), drawn[:10])


def test_a_label_by_name(tmp_path):
    space, z = told(tmp_path, NAMES, np.eye(6)), np.zeros((2, LATENTS), np.float32)
    assert space.labeled(z)[:, LATENTS:].tolist() == [[1, 0, 0, 0, 0, 0]] * 2
    both = space.labeled(z, "nodule+pneumothorax")
    assert both[0, LATENTS:].tolist() == [0, 1, 0, 0, 0, 1]
    kept = space.selection(both, np.arange(2), "here")
    assert kept.latents.shape == (2, LATENTS) and kept.labels.shape == (2, 6)
    assert kept.weights_sha256 == space.identity != generation.weights_sha256(space.generator)


def test_scaled_labels_come_back_as_they_were(tmp_path):
    space, z = told(tmp_path, NAMES, np.eye(6), scale=4.0), generation.latents(3, 2, LATENTS)
    latents = space.labeled(z, "nodule")
    assert (
        latents[0, LATENTS:].tolist() == [0, 4, 0, 0, 0, 0] and space.draw(0, 9)[:, -6:].max() == 4
    )
    kept = space.selection(latents, np.arange(2), "here")
    assert kept.labels[0].tolist() == [0, 1, 0, 0, 0, 0]


def test_axes_lead_from_normal_to_each_finding(tmp_path):
    axes = told(tmp_path, NAMES, np.eye(6)).axes(FINDINGS)
    assert not axes[:, :LATENTS].any()
    half = np.sqrt(0.5)
    np.testing.assert_allclose(axes[:, LATENTS], -half)
    np.testing.assert_allclose(axes[:, LATENTS + 1 :], half * np.eye(5))


def test_who_was_told_normal_or_abnormal_knows_no_findings(tmp_path):
    space = told(tmp_path, ["normal", "abnormal"], np.eye(2))
    assert space.axes(FINDINGS) is None
    z = np.zeros((1, LATENTS), np.float32)
    assert space.labeled(z, "nodule")[0, LATENTS:].tolist() == [0, 1]
    assert space.labeled(z)[0, LATENTS:].tolist() == [1, 0]


def test_without_labels_nothing_changes(tmp_path):
    generator = conditioned(0)
    space = LatentSpace.of(tmp_path, generator)
    assert space.generator is generator and space.axes(FINDINGS) is None
    z = generation.latents(2, 3, LATENTS)
    np.testing.assert_array_equal(space.draw(2, 3), z)
    assert space.labeled(z, "nodule") is z and space.split(z)[1] is None


def test_labels_that_nobody_names_are_refused(tmp_path):
    with pytest.raises(InputError, match="takes 6 labels, and its report.json does not say which"):
        LatentSpace.of(tmp_path, conditioned(6))
