"""Classifiers of RUN folders."""

from pathlib import Path
from typing import Any

from pgcxr.errors import InputError
from pgcxr.io import artifacts
from pgcxr.sampling.runs import load_network

CLASSIFIER = "classifier.keras"


def load_classifier(run: str | Path, outputs: int | None = None, resolution: int | None = None):
    """RUN's classifier (keras.Model, [N, R, R, 1] in [-1, 1] -> [N, K]); InputError unless K and R
    are as asked."""
    model: Any
    path, model = load_network(run, CLASSIFIER, "train.classifier")
    shapes = (getattr(model, "input_shape", None), getattr(model, "output_shape", None))
    if not all(isinstance(shape, tuple) for shape in shapes) or [
        len(shape) for shape in shapes
    ] != [4, 2]:
        raise InputError(
            f"{path}: holds a {type(model).__name__}, not a classifier; name a RUN of "
            "train.classifier"
        )
    if shapes[0][1] != shapes[0][2] or shapes[0][3] != 1:
        raise InputError(
            f"{path}: does not read square gray images; name a RUN of train.classifier"
        )
    if outputs is not None and model.output_shape[-1] != outputs:
        raise InputError(
            f"{path}: has {model.output_shape[-1]} outputs where {outputs} are needed; "
            f"train one with labels {'binary' if outputs == 1 else 'findings'}"
        )
    config = Path(run) / "config.json"
    if config.is_file() and artifacts.read_json(config).get("labels") == "device":
        raise InputError(
            f"{path}: tells devices, not diseases; name a RUN of labels binary or findings"
        )
    if resolution is not None and model.input_shape[1] != resolution:
        raise InputError(
            f"{path}: reads images of {model.input_shape[1]} px where {resolution} px are needed; "
            "name a RUN of that resolution, or train one"
        )
    return model
