"""What a network sees in images: one vector for each, to measure distances between images or sets
of them.

The network is the project's own classifier (what its last dense layer reads), any Keras model (its
last output) or InceptionV3. Each gets what the project's networks get: float32 in [-1, 1], which is
InceptionV3's own scale, too. A model that was trained on another scale needs a Rescaling layer as
its first.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import h5py
import keras
import numpy as np

from pgcxr.classifier import network
from pgcxr.classifier.feature_source import INCEPTION, refuse_missing
from pgcxr.classifier.training import predict
from pgcxr.errors import InputError
from pgcxr.images import resize
from pgcxr.networks import saved
from pgcxr.sampling import runs

INCEPTION_SIZE = 299
BATCH = 32


@dataclass(frozen=True)
class Extractor:
    """uint8 images [N, R, R, 1 or 3] -> float32 features [N, D].

    Attributes:
        model: float32 [N, size, size, channels] in [-1, 1] -> [N, D].
        size: px; images of another size are reduced by area or enlarged bilinearly. None: any size,
            taken as it is.
        channels: 1 or 3; gray images are repeated.
        layer: whose output it is.
    """

    model: keras.Model
    size: int | None
    channels: int
    layer: str

    def __call__(self, images: np.ndarray) -> np.ndarray:
        images = resized(images, self.size)
        if images.shape[-1] != self.channels:
            if images.shape[-1] != 1:
                raise ValueError(
                    f"the network reads gray images, these have {images.shape[-1]} channels"
                )
            images = np.repeat(images, self.channels, axis=-1)
        vectors = predict(self.model, images, BATCH)
        if not np.isfinite(vectors).all():
            raise InputError(
                f"features: {self.layer} gave values that are no numbers; name another network"
            )
        return vectors.astype(np.float32, copy=False)

    @property
    def dimensions(self) -> int:
        return self.model.output_shape[-1]

    def describe(self) -> dict:
        """{layer, dimensions, input}: for reports."""
        size = f"{self.size} px" if self.size else "the images' own size"
        return {
            "layer": self.layer,
            "dimensions": self.dimensions,
            "input": f"[-1, 1], {size}, channels: {self.channels}",
        }


def load(source: str | Path) -> Extractor:
    """The network that `source` names.

    Args:
        source: a RUN of train.classifier, a model's FILE.keras, or "inception:WEIGHTS.h5".

    Raises:
        InputError: there is none, or it does not read square images.
    """
    source = str(source)
    refuse_missing(source)
    if source.startswith(INCEPTION):
        return _inception(source.removeprefix(INCEPTION))
    path = Path(source)
    if path.is_dir():
        path, model = runs.load_network(path, "classifier.keras", "train.classifier")
    else:
        model = saved.load(
            path,
            "is damaged, of another version, or holds code (a Lambda layer), which is not run; "
            "save it without",
        )
    return of_model(model, path)


def of_model(model: keras.Model, path: str | Path = "model") -> Extractor:
    """What `model`, images -> anything, sees: its last output, averaged over places where it still
    has them.

    Of the project's own classifiers it is what the last dense layer reads. `path` names it in
    errors.
    """
    shape = getattr(model, "input_shape", None)
    if (
        not isinstance(shape, tuple)
        or len(shape) != 4
        or shape[1] != shape[2]
        or shape[3] not in (1, 3)
    ):
        raise InputError(
            f"{path}: does not read square images, [N, H, W, 1 or 3]; name a network that does"
        )
    names = [layer.name for layer in model.layers]
    if {network.PENULTIMATE, network.LOGITS} <= set(names):
        return Extractor(network.penultimate(model), shape[1], shape[3], network.PENULTIMATE)
    if len(model.outputs) != 1 or None in model.output_shape[-1:]:
        raise InputError(f"{path}: must have one output of known size; name a network that does")
    output = model.outputs[0]
    if len(output.shape) == 4:
        output = keras.layers.GlobalAveragePooling2D()(output)
    elif len(output.shape) > 2:
        output = keras.layers.Flatten()(output)
    return Extractor(keras.Model(model.inputs, output), shape[1], shape[3], names[-1])


def features(source: Extractor | str | Path, batches: Iterable[np.ndarray]) -> np.ndarray:
    """What a network sees in images that are never held together.

    Args:
        source: an Extractor, or what `load` takes.
        batches: uint8 [n, R, R, 1 or 3] each.

    Returns:
        float32 [N, D].

    Example:

        >>> from pgcxr.classifier import network
        >>> extractor = of_model(network.resnet(16, 1, blocks=(1,), width=4, stem="small"))
        >>> features(extractor, [np.zeros((2, 16, 16, 1), np.uint8)]).shape
        (2, 16)
    """
    extractor = source if isinstance(source, Extractor) else load(source)
    parts = [extractor(images) for images in batches]
    return np.concatenate(parts) if parts else np.empty((0, extractor.dimensions), np.float32)


def resized(images: np.ndarray, size: int | None) -> np.ndarray:
    """uint8 [N, R, R, C] -> [N, size, size, C]: by area where it is smaller, else bilinearly; None:
    as they are."""
    if size is None or images.shape[1:3] == (size, size):
        return images
    result = np.empty((len(images), size, size, images.shape[-1]), np.uint8)
    for index, image in enumerate(images):
        result[index] = resize(image, size).reshape(size, size, -1)
    return result


def _inception(weights: str) -> Extractor:
    if not Path(weights).is_file():
        raise InputError(
            f"{INCEPTION}{weights}: no such file; nothing is downloaded, so give InceptionV3's "
            "weights"
        )
    wrong = InputError(
        f"{weights}: is no weights file of keras.applications.InceptionV3 without top"
    )
    if not h5py.is_hdf5(weights):
        raise wrong
    shape = (INCEPTION_SIZE, INCEPTION_SIZE, 3)
    model = keras.applications.InceptionV3(
        include_top=False, weights=None, input_shape=shape, pooling="avg"
    )
    try:
        model.load_weights(weights)
    except (OSError, ValueError, KeyError):
        raise wrong from None
    return Extractor(model, INCEPTION_SIZE, 3, "avg_pool of InceptionV3")
