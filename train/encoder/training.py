"""From a GAN of normal images and a cohort to a finished RUN of an encoder."""

import hashlib
import json
import sys
import time
from pathlib import Path

import numpy as np

from pgcxr.anomaly.artificial import pasting
from pgcxr.cohort.findings import NORMAL
from pgcxr.errors import InputError
from pgcxr.images import from_uint8
from pgcxr.io import artifacts, folders, places
from pgcxr.latent.encoder_config import EncoderConfig
from pgcxr.sampling.runs import GENERATOR, existing_network
from train import normal_images
from train.common import CONFIG, FREE, REPORT, finished

MODEL = "encoder.keras"
# Held-out normals on which the report says how near the guesses are, at most.
MOST_VAL = 500
BATCH = 64


def train(gan_run: Path, cohort: Path, out: Path, config: EncoderConfig, seed: int) -> None:
    """Trains and writes RUN as a whole; goes on where it was interrupted; does nothing where it is
    finished already."""
    generator_file = existing_network(gan_run, GENERATOR, folders.GAN)
    _refuse_gan_of_others(gan_run)
    images, parts = normal_images.parts(cohort)
    if not (out / CONFIG).exists():
        places.refuse_existing(out)
    from pgcxr.gan import cards  # after what can be told without TensorFlow

    for line in cards.check(1):
        print(f"warning: {line}", file=sys.stderr)
    settings = config.to_dict() | normal_images.settings(images, out, seed)
    settings["generator_sha256"] = artifacts.sha256(generator_file)
    if finished(out, settings, (MODEL, REPORT)):
        print(f"{out}: this training is finished; see {out / REPORT}")
        return
    found = normal_images.with_confounders(images)
    state = _state(out, settings)
    with artifacts.new_folder(out) as folder:
        report = _fit(gan_run, parts, config, seed, folder, state)
        report["confounders"] = found
        artifacts.write_json(folder / CONFIG, settings)
        artifacts.write_report(folder, report, command="train.encoder", seed=seed, config=settings)
    state.unlink(missing_ok=True)
    before, after = report["val"]["rms"][0], report["val"]["rms"][-1]
    print(
        f"{out}: held-out normals: RMS from the image {after:.3f} of [-1, 1] after "
        f"{config.passes} passes; {before:.3f} after one"
    )


def _state(out: Path, settings: dict) -> Path:
    """Where an interrupted training is kept: beside RUN, which appears as a whole, and under a name
    of the settings, so that a training with others begins anew."""
    known = {key: value for key, value in artifacts.plain(settings).items() if key not in FREE}
    digest = hashlib.sha256(json.dumps(known, sort_keys=True).encode()).hexdigest()
    return out.parent / f".{out.name}.{digest[:16]}.npz"


def _refuse_gan_of_others(gan_run: Path) -> None:
    """Raises InputError where the GAN learned from other than normal images."""
    own = gan_run / CONFIG
    config = artifacts.read_json(own if own.exists() else gan_run / REPORT)
    config = config if own.exists() else config.get("made_by", {}).get("config", {})
    if config.get("label") != NORMAL:
        raise InputError(
            f"{own}: trained on {config.get('label')} images; what it can make is what passes as "
            "normal: train one on normal images only"
        )


def _fit(
    gan_run: Path, parts: dict, config: EncoderConfig, seed: int, folder: Path, state: Path
) -> dict:
    from pgcxr.classifier.fit_progress import FitProgress
    from pgcxr.latent.encoder_training import fit_encoder
    from pgcxr.sampling.generation import load_generator

    generator = load_generator(gan_run)
    if generator.channels != 1:
        raise InputError(
            f"{gan_run}: makes images of {generator.channels} channels; radiographs have one"
        )
    pictures = parts["train"].images(generator.resolution)
    scaled = from_uint8(pictures)
    begin = time.perf_counter()
    encoder, history = fit_encoder(
        lambda step: examples(pictures, config, seed, step),
        generator,
        config,
        seed,
        float(np.mean((scaled - scaled.mean(axis=0)) ** 2)),
        state,
        [FitProgress("encoder", config.epochs)],
    )
    seconds = time.perf_counter() - begin
    encoder.save(folder / MODEL)
    held_out = from_uint8(parts["val"].images(generator.resolution)[:MOST_VAL])
    return {
        "parameters": encoder.count_params(),
        "images": {split: len(part) for split, part in parts.items()},
        "val": _nearness(encoder, generator, config.passes, held_out),
        "history": history,
        "seconds": seconds,
    }


def examples(normals: np.ndarray, config: EncoderConfig, seed: int, step: int):
    """The normal images of one step, some with artificial anomalies that the targets lack.

    Args:
        normals: uint8 [N, S, S, 1].
    """
    from pgcxr.latent.encoder_training import Normals

    rng = np.random.default_rng([seed, step])
    count = round(config.batch_size * (1 - config.pairs))
    inputs = np.empty((count, *normals.shape[1:]), np.float32)
    targets = np.empty_like(inputs)
    for row in range(count):
        normal, other = (
            normals[drawn, ..., 0].astype(np.float32) / 255
            for drawn in rng.integers(len(normals), size=2)
        )
        targets[row, ..., 0] = inputs[row, ..., 0] = normal
        if rng.random() < config.artificial:
            inputs[row, ..., 0] = pasting.paste(normal, other, rng).image
    return Normals(inputs * 2 - 1, targets * 2 - 1)


def _nearness(encoder, generator, passes: int, images: np.ndarray) -> dict:
    """{n, rms: after each pass} of images [N, R, R, 1] in [-1, 1]."""
    from pgcxr.latent.encoder import EncoderStart
    from pgcxr.latent.encoder_training import whole_images

    generate = whole_images(generator)
    start = EncoderStart(encoder, generate, passes)
    squares = np.zeros(passes)
    for begin in range(0, len(images), BATCH):
        some = images[begin : begin + BATCH]
        for number, latents in enumerate(start.guesses(some, passes).transpose(1, 0, 2)):
            squares[number] += float(np.sum((np.asarray(generate(latents)) - some) ** 2))
    return {"n": len(images), "rms": np.sqrt(squares / images.size).tolist()}
