"""latents.npz: everything beside the generator that it takes to make a set of images again.

latents float32 [N, L] as they enter the generator (truncated, interpolated); numbers int64 [N];
seeds int64 [N] where every image has its own, or seed, a number; labels float32 [N, K] of a
conditioned generator; truncation, a number, and centre [L] where it is not 1; origin and
weights_sha256, text. An .npy of latents alone, or an .npz with nothing but `latents`, is read too.
"""

import os
import re
import zipfile
import zlib
from pathlib import Path

import numpy as np

from pgcxr.errors import InputError
from pgcxr.io import artifacts
from pgcxr.sampling.selection import MOST, MOST_NUMBER, OWN_SEEDS, Selection, fingerprint

# Root mean square: the generator's epsilon blurs the direction of smaller latents, float32
# overflows with larger ones.
SMALLEST, LARGEST = 1e-2, 1e6
CENTER = "centre"  # as files spell it
_PLAIN = re.compile(r"[A-Za-z0-9 ,.-]{0,64}")
# What numpy and zipfile raise for a file that is damaged, encrypted, pickled or no such file at
# all.
_UNREADABLE = (
    ValueError,
    EOFError,
    KeyError,
    MemoryError,
    zipfile.BadZipFile,
    zlib.error,
    RuntimeError,
    TypeError,
)


def write(path: str | os.PathLike, selection: Selection) -> None:
    """Writes a selection; the same one gives the same bytes."""
    arrays = {
        "latents": selection.latents,
        "numbers": selection.numbers,
        "truncation": np.float64(selection.truncation),
        "origin": np.str_(selection.origin),
        "weights_sha256": np.str_(selection.weights_sha256),
    }
    if selection.origin == OWN_SEEDS:
        arrays["seeds"] = selection.numbers
    elif selection.seed is not None:
        arrays["seed"] = np.int64(selection.seed)
    optional = {"labels": selection.labels, CENTER: selection.center}
    arrays |= {name: array for name, array in optional.items() if array is not None}
    artifacts.write_arrays(path, arrays)


def read(path: str | os.PathLike, latent_size: int, label_size: int = 0) -> Selection:
    """Reads latents for a generator of these sizes.

    Raises:
        InputError: the file cannot be read without running anything in it, or its latents are of
            another size, not finite, or without a direction.
    """
    path = Path(path)
    arrays = _arrays(path)
    latents = _numbers_of(path, arrays, "latents", 2)
    if latents.shape[1] != latent_size:
        raise InputError(
            f"{path}: has latents of {latents.shape[1]} numbers where the generator takes "
            f"{latent_size}; name the RUN that they were made for"
        )
    if not 1 <= len(latents) <= MOST:
        raise InputError(f"{path}: has {len(latents):,} latents; expected 1 to {MOST:,}")
    size = np.sqrt(np.mean(np.square(latents, dtype=np.float64), axis=1))
    wrong = np.flatnonzero(~((size >= SMALLEST) & (size <= LARGEST)))
    if len(wrong):
        raise InputError(
            f"{path}: row {wrong[0]} is not finite or has no direction; expected standard normal "
            "numbers"
        )
    numbers = arrays.get("numbers", np.arange(len(latents)))
    whole = numbers.shape == (len(latents),) and numbers.dtype.kind in "iu"
    if not whole or (numbers < 0).any() or (numbers > MOST_NUMBER).any():
        raise InputError(
            f"{path}: its numbers do not fit its latents; make it again with `pgcxr generate`"
        )
    if len(np.unique(numbers)) < len(numbers):
        raise InputError(
            f"{path}: one number stands for two latents; make it again with `pgcxr generate`"
        )
    return Selection(
        latents,
        numbers.astype(np.int64),
        origin=_text(arrays, "origin") or f"latents {fingerprint(latents)}",
        seed=_number(arrays, "seed", "iu", int, 0, MOST_NUMBER),
        labels=_labels(path, arrays, len(latents), label_size),
        truncation=_number(arrays, "truncation", "f", float, 0, 1) or 1.0,
        center=_numbers_of(path, arrays, CENTER, 1) if CENTER in arrays else None,
        weights_sha256=_text(arrays, "weights_sha256"),
    )


def _arrays(path: Path) -> dict[str, np.ndarray]:
    if not path.is_file():
        raise InputError(
            f"{path}: no such file; expected latents.npz as `pgcxr generate` writes it, or an .npy "
            "array"
        )
    try:
        loaded = np.load(path, allow_pickle=False)
        if isinstance(loaded, np.ndarray):
            return {"latents": loaded}
        with loaded:
            # A member that is no array is given as bytes.
            arrays = {name: np.asarray(array) for name, array in loaded.items()}
    except _UNREADABLE:
        raise InputError(
            f"{path}: is damaged, or no .npz or .npy file of numbers; pickles are not read"
        ) from None
    if "latents" not in arrays:
        raise InputError(
            f"{path}: holds no array named latents; expected latents.npz as `pgcxr generate` "
            "writes it"
        )
    return arrays


def _numbers_of(path: Path, arrays: dict, name: str, axes: int) -> np.ndarray:
    array = arrays[name]
    if array.dtype.kind not in "fiu" or array.ndim != axes:
        shape = " x ".join(map(str, array.shape))
        raise InputError(
            f"{path}: {name} is {array.dtype.name} [{shape}]; expected {axes} axes of real numbers"
        )
    with np.errstate(over="ignore"):
        return array.astype(np.float32)


def _labels(path: Path, arrays: dict, n: int, label_size: int) -> np.ndarray | None:
    if label_size == 0 and "labels" not in arrays:
        return None
    if "labels" not in arrays:
        raise InputError(
            f"{path}: holds no labels, and the generator was trained with {label_size}; name "
            "another file"
        )
    labels = _numbers_of(path, arrays, "labels", 2)
    if labels.shape != (n, label_size) or not np.isfinite(labels).all():
        raise InputError(
            f"{path}: its labels do not fit the generator, which takes {label_size}; name another "
            "RUN"
        )
    return labels


def _text(arrays: dict, name: str) -> str:
    """Text of a file that anybody may have written: short, of plain characters (no DICOM
    delimiter), or nothing."""
    text = (
        str(arrays[name])
        if name in arrays and arrays[name].dtype.kind == "U" and arrays[name].ndim == 0
        else ""
    )
    return text if _PLAIN.fullmatch(text) else ""


def _number(arrays: dict, name: str, kinds: str, kind: type, low: float, high: float):
    """A number of such a file, or None where it is none within the limits."""
    if name not in arrays or arrays[name].shape != () or arrays[name].dtype.kind not in kinds:
        return None
    value = kind(arrays[name])
    return value if low <= value <= high else None
