"""A training of one half-phase, traced once in each life: for tests of what is kept and what goes
on."""

import numpy as np

from pgcxr.cohort.pipeline import ImageDataset
from pgcxr.gan import devices, run_dir, state_file, trainer
from pgcxr.gan.config import GanConfig
from train.common import load_config

TINY = {
    "resolution": 8,
    "lod_initial_resolution": 8,
    "latent_size": 8,
    "fmap_base": 32,
    "fmap_max": 8,
    "total_kimg": 0.128,
    "lod_training_kimg": 1.0,
    "lod_transition_kimg": 1.0,
    "tick_kimg_base": 0.032,
    "minibatch_base": 4,
    "seed": 3,
}
IMAGES = np.random.default_rng(0).integers(0, 256, (12, 8, 8, 1), np.uint8)


def config(**changes) -> GanConfig:
    return load_config("gan", "demo").replace(**TINY | changes)


def train(out, images=IMAGES, look=lambda nimg: None, said=None, **changes):
    """Trains, or goes on, as the command does; `look` is called with the image count."""
    settings = config(**changes)
    run = run_dir.RunDir(out)
    say = print if said is None else said.append
    with run.locked(say):
        run.claim(settings, say=say)
        return trainer.train(
            ImageDataset(images, 8),
            run,
            settings,
            devices.strategy(1),
            lambda nimg, lod: look(nimg),
            say,
        )


def final(out) -> dict:
    """Every array of the newest state."""
    with state_file.read(sorted((out / "state").glob("nimg*.npz"))[-1])[1] as arrays:
        return {name: arrays[name] for name in arrays.files if name != state_file.META}


def same(ours: dict, theirs: dict) -> bool:
    return set(ours) == set(theirs) and all(
        ours[name].tobytes() == theirs[name].tobytes() for name in ours
    )
