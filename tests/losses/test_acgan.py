"""The label term by hand, and against the likelihood that it is."""

import numpy as np

from pgcxr.losses import acgan


def test_one_hot_labels_are_judged_by_softmax():
    logits = np.array([[0.0, 0.0], [np.log(3.0), 0.0], [np.log(3.0), 0.0]], np.float32)
    labels = np.array([[1, 0], [1, 0], [0, 1]], np.float32)
    # Probabilities 1/2; 3/4; 1/4, one value per example.
    np.testing.assert_allclose(
        acgan.label_penalty(labels, logits), -np.log([0.5, 0.75, 0.25]), rtol=1e-6
    )


def test_findings_are_judged_one_by_one():
    logits = np.array([[0.0, np.log(3.0), -np.log(3.0)]], np.float32)
    labels = np.array([[1, 1, 0]], np.float32)
    expected = -np.log(0.5) - np.log(0.75) - np.log(0.75)
    np.testing.assert_allclose(
        acgan.label_penalty(labels, logits, exclusive=False), [expected], rtol=1e-6
    )


def test_neither_overflows():
    logits, labels = np.array([[1e4, -1e4]], np.float32), np.array([[0, 1]], np.float32)
    np.testing.assert_allclose(acgan.label_penalty(labels, logits), [2e4])
    np.testing.assert_allclose(acgan.label_penalty(labels, logits, exclusive=False), [2e4])
