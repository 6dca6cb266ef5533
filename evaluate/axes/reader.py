"""The networks of one experiment: images of latents, and what classifiers say of them, batch by
batch."""

from collections.abc import Callable, Sequence

import numpy as np
from scipy import special

from evaluate import common
from evaluate.axes.judges import AS_SURE, UNCALIBRATED, Calibration, Judge, logistic
from evaluate.protocol import Progress
from pgcxr.latent import labeling
from pgcxr.latent.space import LatentSpace


class Reader:
    """A generator and its classifiers. The first ones guide: their mean logits, each calibrated,
    are what axes are made of.

    Args:
        space: of a generator of gray images.
        classifiers: all of them, the guides first.
        guides: how many guide.
        batch: images at once, on each GPU.
        progress: told how far it is.
        placed: the strategy in whose scope the networks were loaded.
    """

    def __init__(
        self,
        space: LatentSpace,
        classifiers: Sequence,
        guides: int,
        batch: int,
        progress: Progress,
        placed=None,
    ):
        self.space, self.classifiers, self.guides = space, classifiers, guides
        self.generator, self.latent_size = space.generator, space.size
        self.batch, self.progress = batch, progress
        self.labeler = labeling.Labeler(space, classifiers, batch, placed)
        self.slopes, self.offsets = np.ones((guides, 6)), np.zeros((guides, 6))

    def calibrate(self, logits: np.ndarray, labels: np.ndarray) -> None:
        """Learns from the logits [N, J, 6] of real images, whose labels [N, 6] are known, what
        those of the guides mean."""
        for output, label in enumerate(labels.T):
            rows = ~np.isnan(label)
            if len(np.unique(label[rows])) < 2:
                continue
            for guide in range(self.guides):
                slope, offset = logistic(logits[rows, guide, output], label[rows], AS_SURE)
                if slope > 0:
                    self.slopes[guide, output], self.offsets[guide, output] = slope, offset

    def guided(self, logits: np.ndarray) -> np.ndarray:
        """[N, 6]: mean calibrated logits of the guides, normal first, of [N, J, 6]."""
        own = logits[:, : self.guides].astype(np.float64)
        return (own * self.slopes + self.offsets).mean(axis=1)

    def samples(self, seed: int, samples: int, store: str | None) -> labeling.Labeled:
        """Random latents and all classifiers' logits [N, J, 6] for their images."""
        what = "synthesizing and classifying"
        return labeling.label(
            self.labeler, seed, samples, store, lambda done: self.progress(what, done, samples)
        )

    def images(self, latents: np.ndarray) -> np.ndarray:
        """uint8 [N, R, R, 1]."""
        return np.concatenate([images for images, _ in self._looks(latents)])

    def likelihoods(self, latents: np.ndarray) -> np.ndarray:
        """[N, 6]: by the guides, normal first."""
        return special.expit(self.guided(self.labeler.read(latents)))

    def _looks(self, latents: np.ndarray):
        size = self.labeler.size
        for begin in range(0, len(latents), size):
            yield self.labeler.look(latents[begin : begin + size])

    def walked(
        self, walks: np.ndarray, judges: dict[str, Judge], advance: Callable[[int], None]
    ) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """What is said along walks.

        Args:
            walks: latents [S, N, L].
            judges: by name.
            advance: called with the number of images done since the last call.

        Returns:
            (the guides' likelihoods [S, N, 6], {judge: scores [S, N, 5]}).
        """
        told, scores = [], {name: [] for name in judges}
        for images, logits in self._looks(walks.reshape(-1, self.latent_size)):
            told.append(special.expit(self.guided(logits)))
            for name, judge in judges.items():
                scores[name].append(judge.scores(images, logits))
            advance(len(images))
        shape = walks.shape[:2]
        return (
            np.concatenate(told).reshape(*shape, -1),
            {name: np.concatenate(part).reshape(*shape, -1) for name, part in scores.items()},
        )

    def logits_of(self, images: np.ndarray) -> np.ndarray:
        """float32 [N, J, 6]: what all classifiers say of uint8 [N, R, R, 1]."""
        from pgcxr.classifier.network import with_logits
        from pgcxr.classifier.training import predict

        said = [predict(with_logits(model), images, self.batch) for model in self.classifiers]
        return np.stack(said, axis=1)

    def activation(self, images: np.ndarray, output: int) -> np.ndarray:
        """[N, h, w] of 0 and up: where the first guide looks for one output (Grad-CAM)."""
        from pgcxr.classifier.gradcam import gradcam

        return gradcam(self.classifiers[0], common.from_uint8(images), output)

    def slopes_of(self, latents: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(logits [N, 5], slopes [N, 5, L]) of the guides' mean calibrated logits for the diseases,
        by the latents [N, L]."""
        import tensorflow as tf

        if not hasattr(self, "_slopes_graph"):
            self._slopes_graph = self._make_slopes_graph()
        parts, size = [], min(self.batch, len(latents))
        for begin in range(0, len(latents), size):
            some = np.asarray(latents[begin : begin + size], np.float32)
            filled = np.pad(some, [(0, size - len(some)), (0, 0)], mode="edge")
            found = self._slopes_graph(tf.constant(filled))
            parts.append([part.numpy()[: len(some)] for part in found])
        logits, jacobian = (np.concatenate(part) for part in zip(*parts, strict=True))
        return logits, jacobian

    def _make_slopes_graph(self):
        import tensorflow as tf

        from pgcxr.classifier.network import with_logits
        from pgcxr.networks import synthesize

        readers = [with_logits(model) for model in self.classifiers[: self.guides]]
        slopes = tf.constant(self.slopes[:, 1:], tf.float32)
        offsets = tf.constant(self.offsets[:, 1:], tf.float32)
        lod = float(np.asarray(self.generator.lod))

        @tf.function(jit_compile=False, autograph=False)
        def graph(z):
            with tf.GradientTape() as tape:
                tape.watch(z)
                images = tf.clip_by_value(synthesize(self.generator, z, lod=lod), -1.0, 1.0)
                said = [
                    reader(images, training=False)[:, 1:] * slopes[guide] + offsets[guide]
                    for guide, reader in enumerate(readers)
                ]
                logits = tf.add_n(said) / len(said)
            # A loop over the outputs: one gradient is traced instead of five.
            return logits, tape.batch_jacobian(
                logits, z, experimental_use_pfor=False, parallel_iterations=1
            )

        return graph


def classifier_judge(name: str, place: int, calibration: Calibration = UNCALIBRATED) -> Judge:
    """The classifier at that place among all, as a judge."""
    return Judge(name, "classifier", lambda images, logits: logits[:, place, 1:], calibration)
