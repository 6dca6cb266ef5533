"""Images that studies are made of: of generators, of cohorts, of evaluate.anomaly."""

from pathlib import Path

import numpy as np

from evaluate import common
from pgcxr.cohort.manifest import Cohort
from pgcxr.errors import InputError


def gray_generator(run: Path):
    """The generator of a RUN, which makes images of one channel."""
    generator = common.load_generator(run)
    if generator.channels != 1:
        raise InputError(f"{run}: makes images of {generator.channels} channels; one is needed")
    return generator


def generated(run: Path, generator, count: int, rng: np.random.Generator, progress) -> np.ndarray:
    """`count` images of a RUN's generator, labels drawn as often as it was trained on them."""
    from pgcxr.sampling import generation

    seed = int(rng.integers(2**32))
    latents = common.latents(seed, count, generator.latent_size)
    labels = generation.labels(run, generator, None, count, seed)
    return synthesized(generator, latents, progress, labels)


def synthesized(generator, latents: np.ndarray, progress, labels=None) -> np.ndarray:
    """uint8 [N, R, R, 1] of latents [N, L]."""
    parts = []
    for images in common.generate_batches(generator, latents, labels, 16):
        parts.append(images)
        progress("synthesizing", sum(map(len, parts)), len(latents))
    return np.concatenate(parts)


def one_of_each(rows: Cohort, count: int, rng: np.random.Generator, what: str) -> Cohort:
    """`count` rows of different patients, drawn at random."""
    picked = first_of_patients(rows, rng.permutation(len(rows)).tolist())
    if len(picked) < count:
        raise InputError(
            f"{rows.folder / 'manifest.csv'}: has {what} of {len(picked)} patients, and {count} "
            "are needed; ask for fewer cases"
        )
    return Cohort(rows.folder, rows.manifest.iloc[picked[:count]].reset_index(drop=True))


def first_of_patients(rows: Cohort, order: list[int]) -> list[int]:
    """Of each patient the first in `order`: readers' answers on two films of one are not two."""
    patients = rows.manifest["patient_id"].to_numpy(str)
    seen: set[str] = set()
    kept = []
    for place in order:
        if patients[place] not in seen:
            seen.add(patients[place])
            kept.append(place)
    return kept


def maps_of(folder: Path) -> tuple[list[str], np.ndarray, np.ndarray]:
    """(image ids, differences [N, S, S], anomaly maps [N, s, s]) that evaluate.anomaly wrote."""
    path = Path(folder) / "maps.npz"
    if not path.is_file():
        raise InputError(
            f"{folder}: has no maps.npz; name a folder that `python -m evaluate.anomaly` wrote"
        )
    try:
        with np.load(path, allow_pickle=False) as arrays:
            ids = [str(name) for name in arrays["image_id"]]
            differences = arrays["difference"].astype(np.float32)
            return (
                ids,
                differences.reshape(*differences.shape[:3]),
                arrays["anomaly"].astype(np.float32),
            )
    except (OSError, ValueError, KeyError):
        raise InputError(f"{path}: is damaged; run evaluate.anomaly again") from None
