"""The critic's loss by hand."""

import numpy as np
import pytest

from pgcxr.losses import wgan_gp


def test_discriminator_loss_by_hand():
    parts = wgan_gp.discriminator_loss(
        np.array([[2.0], [0.0]]), np.array([[0.5], [1.0]]), np.array([1.5, 1.0])
    )
    np.testing.assert_allclose(parts["gradient_penalty"], [0.25, 0.0])
    np.testing.assert_allclose(parts["drift_penalty"], [4.0, 0.0])
    # fake - real + 10 penalty + 0.001 real^2, one value per example: no broadcasting to [N, N]
    np.testing.assert_allclose(parts["loss"], [0.5 - 2.0 + 2.5 + 0.004, 1.0], rtol=1e-6)


def test_the_penalty_is_relative_to_its_target():
    parts = wgan_gp.discriminator_loss(
        np.zeros((1, 1)), np.zeros((1, 1)), np.array([0.0]), target=750.0
    )
    np.testing.assert_allclose(parts["loss"], [10.0], rtol=1e-6)


def test_generator_loss():
    np.testing.assert_allclose(wgan_gp.generator_loss(np.array([[2.0], [-1.0]])), [-2.0, 1.0])


@pytest.mark.parametrize("lod", ["0", "0.6", "2"])
def test_loss_of_the_originals_scores_is_the_originals_loss(shared, lod):
    reference = np.load(shared / "reference" / "loss_A.npz")
    parts = wgan_gp.discriminator_loss(
        reference[f"lod{lod}/D_real_scores"],
        reference[f"lod{lod}/D_fake_scores"],
        reference[f"lod{lod}/D_mixed_norms"],
    )
    np.testing.assert_allclose(parts["loss"], reference[f"lod{lod}/D_loss_per_sample"], rtol=1e-5)
