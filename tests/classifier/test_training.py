"""Training of classifiers: the loss against scikit-learn, the batches, and that it learns, the same
way each time."""

import keras
import numpy as np
import pytest
from sklearn import metrics

from pgcxr.classifier import learning_rate, network, training
from pgcxr.classifier.config import ClassifierConfig
from tests.toy_cohort import spots

TINY = ClassifierConfig(
    size=16,
    blocks=(1, 1),
    width=8,
    stem="small",
    momentum=0.8,
    weights_file="",
    batch_size=16,
    epochs=8,
    learning_rate=5e-3,
    warmup_epochs=0.5,
    weight_decay=1e-2,
    patience=8,
    balance=True,
    shift=0.05,
    rotation=5.0,
    brightness=0.05,
    precision="float32",
    curriculum=0,
)


def test_masked_crossentropy_is_log_loss_of_known_labels():
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 3, (20, 6)).astype(np.float32)
    labels = rng.integers(0, 2, (20, 6)).astype(np.float32)
    labels[rng.random((20, 6)) < 0.3] = np.nan
    found = np.asarray(training.MaskedCrossentropy().call(labels, logits))
    for row in range(20):
        known = ~np.isnan(labels[row])
        probabilities = 1 / (1 + np.exp(-logits[row, known].astype(float)))
        wanted = metrics.log_loss(labels[row, known], probabilities, labels=[0, 1], normalize=False)
        assert found[row] == pytest.approx(wanted, rel=1e-5)
    labels[3] = np.nan
    assert np.asarray(training.MaskedCrossentropy().call(labels, logits))[3] == 0
    extreme = training.MaskedCrossentropy().call(
        np.float32([[0], [1]]), np.float32([[200], [-200]])
    )
    np.testing.assert_allclose(extreme, [200, 200])


def test_weights_make_classes_count_the_same():
    labels = np.float32([[1, 1], [0, np.nan], [0, 1], [0, 1]])
    weights = training.class_weights(labels)
    np.testing.assert_allclose(weights, [[4 / 6, 1], [4 / 2, 3 / 6]])
    # At logit 0 every case loses log 2: the classes' sums are then equal.
    losses = np.asarray(
        training.MaskedCrossentropy(weights[:, :1]).call(labels[:, :1], np.zeros((4, 1), "f"))
    )
    assert losses[0] == pytest.approx(losses[1:].sum()) and losses[0] == pytest.approx(
        2 * np.log(2)
    )


def test_batches_are_shuffled_epochs_of_full_batches():
    images = np.arange(22, dtype=np.uint8)[:, None, None, None].repeat(2, 1).repeat(2, 2)
    labels = np.stack([np.arange(22), np.full(22, np.nan)], axis=1)
    data = training.batches(images, labels, 5, seed=3)
    epochs = [[np.asarray(known)[:, 0] for _, known in data] for _ in range(2)]
    for epoch in epochs:
        assert [len(batch) for batch in epoch] == [5, 5, 5, 5]
        assert len(set(np.concatenate(epoch))) == 20
    assert not np.array_equal(epochs[0], epochs[1])
    pixels, known = next(iter(data))
    np.testing.assert_allclose(pixels[:, 0, 0, 0], np.asarray(known)[:, 0] / 127.5 - 1, atol=1e-6)
    assert np.isnan(np.asarray(known)[:, 1]).all()
    again = [np.asarray(known)[:, 0] for _, known in training.batches(images, labels, 5, seed=3)]
    np.testing.assert_array_equal(again, epochs[0])


def test_augmentation_moves_and_never_flips():
    images = np.full((64, 16, 16, 1), -1, np.float32)
    images[:, :8, :5] = 1  # above, on the left
    layers = keras.Sequential(
        training.augmentation(TINY.replace(shift=0.1, brightness=0.1), seed=1)
    )
    changed = np.asarray(layers(images, training=True))
    assert (changed[:, :, :8].mean((1, 2, 3)) > changed[:, :, 8:].mean((1, 2, 3))).all()
    assert (changed[:, :8].mean((1, 2, 3)) > changed[:, 8:].mean((1, 2, 3))).all()
    assert len({round(float(image.mean()), 4) for image in changed}) > 32
    np.testing.assert_array_equal(layers(images, training=False), images)
    assert training.augmentation(TINY.replace(shift=0, rotation=0, brightness=0), seed=1) == []


@pytest.mark.parametrize("warmup", [0, 7])
def test_the_learning_rate_is_keras_cosine_after_a_warm_up(warmup):
    theirs = keras.optimizers.schedules.CosineDecay(
        0.0 if warmup else 0.003,
        40 - warmup,
        warmup_target=0.003 if warmup else None,
        warmup_steps=warmup,
    )
    ours = learning_rate.WarmupCosine(0.003, warmup, 40)
    for step in range(45):
        assert float(ours(step)) == pytest.approx(float(theirs(step)), rel=1e-5, abs=1e-9)


def test_learns_the_same_network_from_one_seed():
    images, kind = spots(260, 16, seed=1)
    labels = (kind > 0).astype(np.float32)[:, None]
    train, val = (
        training.Examples(images[part], labels[part]) for part in (slice(160), slice(160, 210))
    )
    model, history = training.fit_classifier(train, val, TINY, seed=5)
    scores = training.predict(model, images[210:])
    assert metrics.roc_auc_score(labels[210:, 0], scores[:, 0]) > 0.95
    areas = np.array(history["val_auroc"])
    assert len(areas) == TINY.epochs and history["loss"][-1] < 0.5 * history["loss"][0]
    # The weights returned are those of the epoch with the best validation area.
    kept = metrics.roc_auc_score(val.labels[:, 0], training.predict(model, val.images)[:, 0])
    assert kept == pytest.approx(areas.max()) == areas[history["best_epoch"] - 1]

    twin, _ = training.fit_classifier(train, val, TINY, seed=5)
    for mine, others in zip(model.get_weights(), twin.get_weights(), strict=True):
        np.testing.assert_array_equal(mine, others)
    other = training.build(TINY, 1)
    assert not np.array_equal(other.get_weights()[0], model.get_weights()[0])


def test_predict_takes_any_number_of_images():
    keras.utils.set_random_seed(0)
    model = training.build(TINY, 2)
    images, _ = spots(7, 16, seed=2)
    whole = np.asarray(model(images.astype(np.float32) / 127.5 - 1))
    np.testing.assert_allclose(training.predict(model, images, batch_size=3), whole, atol=1e-6)
    assert training.predict(model, images[:0]).shape == (0, 2)


def test_lesson_first_in_mixed_precision():
    """Whole images come to a network that has learned from the lesson, in float16; float32 comes
    out."""
    images, kind = spots(200, 16, seed=7)
    labels = (kind > 0).astype(np.float32)[:, None]
    config = TINY.replace(
        blocks=(1,), epochs=1, curriculum=5, precision="float16", learning_rate=1e-2
    ).replace(shift=0, rotation=0, brightness=0)
    half = training.build(config, 1, network.Computation("mixed_float16"))
    assert {layer.compute_dtype for layer in half.layers if "conv2" in layer.name} == {"float16"}
    assert half.output.dtype == "float32" and {value.dtype for value in half.weights} == {"float32"}

    train, val, lesson = (
        training.Examples(images[part], labels[part])
        for part in (slice(128), slice(128, None), slice(96))
    )
    model, history = training.fit_classifier(train, val, config, seed=1, lesson=lesson)
    assert len(history["lesson_loss"]) == 5 and len(history["loss"]) == 1
    assert history["lesson_loss"][-1] < 0.7 * history["lesson_loss"][0] and history["loss"][0] < 0.4
    assert {layer.compute_dtype for layer in model.layers} == {"float32"}
    area = metrics.roc_auc_score(val.labels[:, 0], training.predict(model, val.images)[:, 0])
    assert area == pytest.approx(history["val_auroc"][0], abs=0.01) and area > 0.9
