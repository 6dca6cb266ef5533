"""From a cohort's normal images to a finished RUN of an anomaly segmentation network."""

import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from pgcxr.anomaly.artificial import pasting
from pgcxr.anomaly.artificial.options import EFFECTS, SHAPES
from pgcxr.anomaly.config import AnomalyConfig
from pgcxr.errors import ArgumentError
from pgcxr.images import enlarge
from pgcxr.io import artifacts, places
from pgcxr.sampling import runs
from pgcxr.sampling.lineage import ancestry
from train import normal_images
from train.common import CONFIG, REPORT, finished

MODEL, LOGS, SHEET = "anomaly.keras", "logs", "artificial.png"
# Held-out normals on which the report says what is found, at most.
MOST_VAL = 500
SHEET_SIDE, CELL = 8, 192


def train(cohort: Path, out: Path, config: AnomalyConfig, seed: int, init: str = "") -> None:
    """Trains and writes RUN as a whole; does nothing where it is finished already.

    `init` names the RUN, or the network of pgcxr's, whose weights it begins with.
    """
    begun, ours = runs.to_begin_with(init, MODEL, "train.anomaly") if init else (None, False)
    images, parts = normal_images.parts(cohort)
    if not (out / CONFIG).exists():
        places.refuse_existing(out)
    from pgcxr.gan import cards  # after what can be told without TensorFlow

    for line in cards.check(1):
        print(f"warning: {line}", file=sys.stderr)
    settings = config.to_dict() | normal_images.settings(images, out, seed)
    if begun:
        name = init if ours else begun.resolve().name
        settings["init"] = ancestry(begun, name, MODEL, None if ours else out)
    if finished(out, settings, (MODEL, REPORT)):
        print(f"{out}: this training is finished; see {out / REPORT}")
        return
    found = normal_images.with_confounders(images)
    with artifacts.new_folder(out) as folder:
        report = _fit(parts, config, seed, folder, begun)
        report["confounders"] = found
        artifacts.write_json(folder / CONFIG, settings)
        artifacts.write_report(folder, report, command="train.anomaly", seed=seed, config=settings)
    print(
        f"{out}: artificial anomalies in held-out normals: AUROC of images "
        f"{report['val']['auroc']:.3f}, of pixels {report['val']['pixel_auroc']:.3f}"
    )


def _fit(parts: dict, config: AnomalyConfig, seed: int, folder: Path, begun: Path | None) -> dict:
    from pgcxr.anomaly.training import fit_anomaly_network
    from pgcxr.classifier.fit_progress import FitProgress

    weights = _weights(begun, config) if begun else None
    pictures = parts["train"].images(config.size)
    begin = time.perf_counter()
    model, history = fit_anomaly_network(
        pictures,
        config,
        seed,
        log_dir=folder / LOGS,
        callbacks=[FitProgress("anomaly segmentation", config.epochs)],
        weights=weights,
    )
    seconds = time.perf_counter() - begin
    model.save(folder / MODEL)
    held_out = parts["val"].images(config.size)[:MOST_VAL]
    _draw(folder / SHEET, pasting.examples(held_out, SHEET_SIDE**2, seed, config))
    return {
        "parameters": model.count_params(),
        "images": {split: len(part) for split, part in parts.items()},
        "val": found_artificial(model, held_out, config, seed),
        "history": history,
        "seconds": seconds,
    }


def _weights(begun: Path, config: AnomalyConfig) -> list[np.ndarray]:
    """Those of the network that the training begins with.

    Raises:
        ArgumentError: the config's network has others.
    """
    model: Any = runs.load_network(begun, MODEL, "train.anomaly")[1]
    widths = _widths(model)
    if widths != tuple(config.widths):
        theirs = ",".join(map(str, widths))
        raise ArgumentError("init", f"its network has other widths: give --set widths={theirs}")
    return model.get_weights()


def _widths(model: Any) -> tuple[int, ...]:
    """Filters of the network's levels: of its first convolution, and of each that halves."""
    import keras

    convolutions = [layer for layer in model.layers if isinstance(layer, keras.layers.Conv2D)]
    halving = [layer for layer in convolutions[1:] if layer.strides == (2, 2)]
    return tuple(layer.filters for layer in (convolutions[0], *halving))


def found_artificial(model, held_out: np.ndarray, config: AnomalyConfig, seed: int) -> dict:
    """What the network finds of artificial anomalies in normals that it has not seen.

    Args:
        held_out: uint8 [N, S, S, 1].

    Returns:
        {n, auroc (images with against the same number without), pixel_auroc, hit_rate, kinds:
        {shape or effect: {n, auroc}}}, of anomalies drawn as in training. No figure of diseases.
    """
    from pgcxr.anomaly.lesions import localization
    from pgcxr.anomaly.training import look
    from pgcxr.images import reduce_by_factor
    from pgcxr.metrics.roc import auroc

    pasted = pasting.examples(held_out, len(held_out), seed + 1, config)
    pasted = [each for each in pasted if each.words]
    changed = np.stack([each.image for each in pasted])[..., None]
    seen = look(model, np.rint(changed * 255).astype(np.uint8))
    clean = look(model, held_out)
    masks = reduce_by_factor(np.stack([each.mask for each in pasted])[..., None], 2)[..., 0]
    where = localization(seen.maps, masks, np.array(["artificial"] * len(masks)), ["artificial"])
    kinds = {}
    for name in (*SHAPES, *EFFECTS):
        own = np.array([name in each.words.replace(",", "").split() for each in pasted])
        if own.any():
            scores = np.concatenate([clean.images, seen.images[own]])
            known = np.arange(len(scores)) >= len(clean.images)
            kinds[name] = {"n": int(own.sum()), "auroc": auroc(known.astype(int), scores)}
    scores = np.concatenate([clean.images, seen.images])
    known = np.arange(len(scores)) >= len(clean.images)
    return {
        "n": len(pasted),
        "auroc": auroc(known.astype(int), scores),
        "pixel_auroc": where["pixel_auroc"],
        "hit_rate": where["hit_rate"],
        "kinds": kinds,
    }


def _draw(path: Path, pasted: list[pasting.Pasted]) -> None:
    """A sheet of held-out normals with artificial anomalies, their borders green."""
    from pgcxr.plots import grids, overlay

    cells = []
    for each in pasted:
        factor = max(CELL // len(each.image), 1)
        gray = enlarge(np.rint(each.image * 255).astype(np.uint8), factor)
        cells.append(overlay.outline(gray, enlarge(each.mask, factor)))
    grids.image_grid(np.stack(cells), SHEET_SIDE, path)
