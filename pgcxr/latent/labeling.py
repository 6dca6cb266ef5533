"""Many random latents, their images, and what classifiers say of them, in one pass.

An image lives only as long as the graph that makes and reads it, on as many GPUs as there are. What
is kept are latents and logits: 30,000 images of 1024 px would be 30 GB, their answers are 4 MB.
With a store they lie in a folder, shard by shard, so that a run that was stopped goes on, a longer
one begins with what a shorter one has, and every evaluation of the same networks reads the same.
"""

import hashlib
import json
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pgcxr.io import artifacts
from pgcxr.latent.axes import normalize
from pgcxr.latent.space import LatentSpace
from pgcxr.sampling import generation

# Latents in one file of a store.
SHARD = 1024


@dataclass(frozen=True)
class Labeled:
    """Random latents and what was said of their images.

    Attributes:
        u: [N, L], of length sqrt(L).
        logits: float32 [N, J, K], the K outputs of J classifiers.
        reused: of the N, how many were read from a store.
    """

    u: np.ndarray
    logits: np.ndarray
    reused: int = 0


def strategy():
    """For all GPUs of this machine where there are several: networks are loaded in its `scope`."""
    import tensorflow as tf

    several = len(tf.config.list_logical_devices("GPU")) > 1
    return tf.distribute.MirroredStrategy() if several else tf.distribute.get_strategy()


class Labeler:
    """Latents -> logits of several classifiers for their images.

    A network reads what `pgcxr generate` would write: the gray levels of 8 bits.

    Args:
        space: of a generator of gray images.
        classifiers: of its resolution, each with K outputs and a layer "logits".
        batch: images at once, on each GPU.
        placed: the `strategy` in whose scope the networks were loaded.
    """

    def __init__(self, space: LatentSpace, classifiers: Sequence, batch: int, placed=None):
        import tensorflow as tf

        from pgcxr.classifier.network import with_logits
        from pgcxr.networks import pixels, synthesize

        generator = space.generator
        self.space, self.batch = space, batch
        networks = (generator, *classifiers)
        self.identity = [generation.weights_sha256(network) for network in networks]
        self._strategy = placed or tf.distribute.get_strategy()
        self.size = batch * self._strategy.num_replicas_in_sync
        lod = float(np.asarray(generator.lod))
        with self._strategy.scope():
            readers = [with_logits(classifier) for classifier in classifiers]

        def label(z):
            images = pixels.to_uint8(synthesize(generator, z, lod=lod))
            said = pixels.from_uint8(images)
            return images, tf.stack([reader(said, training=False) for reader in readers], axis=1)

        self._label = tf.function(
            lambda z: self._strategy.run(label, (z,)), jit_compile=False, autograph=False
        )

    def __call__(self, z: np.ndarray) -> np.ndarray:
        """float32 [n, J, K] of latents [n, L], n up to `batch` on each GPU."""
        return self._gathered(self._run(z)[1])[: len(z)]

    def look(self, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(uint8 [n, R, R, 1], float32 [n, J, K]): the images, too."""
        images, logits = self._run(z)
        return self._gathered(images)[: len(z)], self._gathered(logits)[: len(z)]

    def _run(self, z: np.ndarray):
        """What each GPU has made; images stay there until they are asked for."""
        import tensorflow as tf

        # One size for all batches, so that the graph is traced once.
        missing = self.size - len(z)
        z = np.pad(np.asarray(z, np.float32), [(0, missing), (0, 0)], mode="edge")
        parts = z.reshape(-1, self.batch, z.shape[1])
        return self._label(
            self._strategy.experimental_distribute_values_from_function(
                lambda context: tf.constant(parts[context.replica_id_in_sync_group])
            )
        )

    def _gathered(self, values) -> np.ndarray:
        parts = self._strategy.experimental_local_results(values)
        return np.concatenate([part.numpy() for part in parts])

    def read(self, z: np.ndarray, progress: Callable[[int], None] = lambda done: None):
        """float32 [N, J, K] of any number of latents [N, L]; `progress` gets how many are done."""
        parts = []
        for begin in range(0, len(z), self.size):
            parts.append(self(z[begin : begin + self.size]))
            progress(min(begin + self.size, len(z)))
        return np.concatenate(parts)


def label(
    labeler: Labeler,
    seed: int,
    samples: int,
    store: str | Path | None = None,
    progress: Callable[[int], None] = lambda done: None,
) -> Labeled:
    """The latents of a seed and what the classifiers say of their images.

    Args:
        labeler: the networks.
        seed: of the latents; the first of them are the same for any number of samples.
        samples: how many.
        store: folder that keeps the answers, one folder in it for each set of networks and seed;
            None: nothing is kept.
        progress: called with the number of images that are done.
    """
    z = labeler.space.draw(seed, samples)
    if store is None:
        return Labeled(normalize(z), labeler.read(z, progress))
    folder = _folder(Path(store), labeler, seed)
    parts, reused = [], 0
    for begin in range(0, samples, SHARD):
        rows = z[begin : begin + SHARD]
        path = folder / f"shard-{begin // SHARD:05d}.npz"
        logits = _kept(path, rows)
        if logits is None:
            logits = labeler.read(rows, lambda done, before=begin: progress(before + done))
            artifacts.write_arrays(path, {"latents": rows, "logits": logits})
        else:
            reused += len(rows)
            progress(begin + len(rows))
        parts.append(logits)
    return Labeled(normalize(z), np.concatenate(parts), reused)


def _folder(store: Path, labeler: Labeler, seed: int) -> Path:
    """Where the answers of these networks to the latents of this seed are, with an index.json that
    says so."""
    body = {"networks": labeler.identity, "seed": seed, "shard": SHARD}
    if labeler.space.rows is not None:
        body["labels"] = [labeler.space.rows.tolist(), labeler.space.counts.tolist()]
    key = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
    folder = store / key[:16]
    if not (folder / "index.json").exists():
        artifacts.write_json(folder / "index.json", body)
    return folder


def _kept(path: Path, latents: np.ndarray) -> np.ndarray | None:
    """The logits in a shard for these latents; None where it lacks some of them, or is damaged."""
    try:
        with np.load(path, allow_pickle=False) as arrays:
            known, logits = arrays["latents"], arrays["logits"]
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None
    whole = logits.ndim == 3 and len(logits) == len(known) >= len(latents)
    if not whole or not np.isfinite(logits).all():
        return None
    same = np.array_equal(known[: len(latents)], latents)
    return logits[: len(latents)] if same else None
