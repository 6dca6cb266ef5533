"""From a cohort's normal images to a finished RUN of an anomaly segmentation network."""

import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from pgcxr.anomaly.artificial import pasting
from pgcxr.anomaly.artificial.options import EFFECTS, SHAPES
from pgcxr.anomaly.config import AnomalyConfig
from pgcxr.cohort.findings import ABNORMAL, NORMAL
from pgcxr.cohort.manifest import Cohort
from pgcxr.errors import ArgumentError
from pgcxr.images import enlarge
from pgcxr.io import artifacts, places
from pgcxr.sampling import runs
from pgcxr.sampling.lineage import ancestry
from train import normal_images
from train.anomaly import abnormal_images
from train.common import CONFIG, REPORT, finished

MODEL, LOGS, SHEET, LESIONS = "anomaly.keras", "logs", "artificial.png", "lesions.png"
# Held-out normals on which the report says what is found, at most.
MOST_VAL = 500
SHEET_SIDE, CELL = 8, 192


def train(
    cohort: Path,
    out: Path,
    config: AnomalyConfig,
    seed: int,
    init: str = "",
    supervised: bool = False,
) -> None:
    """Trains and writes RUN as a whole; does nothing where it is finished already.

    `init` names the RUN, or the network of pgcxr's, whose weights it begins with; a `supervised`
    network learns from abnormal images in the place of artificial anomalies.
    """
    begun, ours = runs.to_begin_with(init, MODEL, "train.anomaly") if init else (None, False)
    images, parts = normal_images.parts(cohort)
    abnormal = normal_images.of_label(images, ABNORMAL) if supervised else {}
    if not (out / CONFIG).exists():
        places.refuse_existing(out)
    from pgcxr.gan import cards  # after what can be told without TensorFlow

    for line in cards.check(1):
        print(f"warning: {line}", file=sys.stderr)
    label = "all" if supervised else NORMAL
    settings = config.to_dict() | normal_images.settings(images, out, seed, label)
    if supervised:
        settings["supervised"] = True
    if begun:
        name = init if ours else begun.resolve().name
        settings["init"] = ancestry(begun, name, MODEL, None if ours else out)
    if finished(out, settings, (MODEL, REPORT)):
        print(f"{out}: this training is finished; see {out / REPORT}")
        return
    found = normal_images.with_confounders(images)
    with artifacts.new_folder(out) as folder:
        report = _fit(parts, abnormal, config, seed, folder, begun)
        report["confounders"] = found
        artifacts.write_json(folder / CONFIG, settings)
        artifacts.write_report(folder, report, command="train.anomaly", seed=seed, config=settings)
    what = "abnormal images" if supervised else "artificial anomalies in held-out normals"
    pixels = report["val"]["pixel_auroc"]
    of_pixels = "" if pixels is None else f", of pixels {pixels:.3f}"
    print(f"{out}: {what}: AUROC of images {report['val']['auroc']:.3f}" + of_pixels)


def _fit(
    parts: dict[str, Cohort],
    abnormal: dict[str, Cohort],
    config: AnomalyConfig,
    seed: int,
    folder: Path,
    begun: Path | None,
) -> dict:
    from pgcxr.anomaly.training import fit_anomaly_network
    from pgcxr.classifier.fit_progress import FitProgress

    weights = _weights(begun, config) if begun else None
    lesions = abnormal_images.lesions(abnormal["train"], config.size) if abnormal else None
    begin = time.perf_counter()
    model, history = fit_anomaly_network(
        parts["train"].images(config.size),
        config,
        seed,
        log_dir=folder / LOGS,
        callbacks=[FitProgress("anomaly segmentation", config.epochs)],
        weights=weights,
        lesions=lesions,
    )
    seconds = time.perf_counter() - begin
    model.save(folder / MODEL)
    held_out = parts["val"].images(config.size)[:MOST_VAL]
    if lesions:
        found = abnormal_images.found(model, held_out, abnormal["val"], config.size)
        _draw(folder / LESIONS, abnormal_images.shown(lesions, SHEET_SIDE**2))
    else:
        found = found_artificial(model, held_out, config, seed)
        pasted = pasting.examples(held_out, SHEET_SIDE**2, seed, config)
        _draw(folder / SHEET, [(each.image, each.mask) for each in pasted])
    return {
        "parameters": model.count_params(),
        "images": {split: len(part) for split, part in parts.items()},
        "abnormal_images": {split: len(part) for split, part in abnormal.items()},
        "val": found,
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


def _draw(path: Path, pictures: list[tuple[np.ndarray, np.ndarray]]) -> None:
    """A sheet of images [S, S] in [0, 1], the borders of their masks green."""
    from pgcxr.plots import grids, overlay

    cells = []
    for image, mask in pictures:
        factor = max(CELL // len(image), 1)
        gray = enlarge(np.rint(image * 255).astype(np.uint8), factor)
        cells.append(overlay.outline(gray, enlarge(mask, factor)))
    grids.image_grid(np.stack(cells), SHEET_SIDE, path)
