"""Networks in .keras files, which can hold no code that runs."""

import tempfile
from functools import cache
from pathlib import Path

import keras
import numpy as np

from pgcxr.errors import InputError, InstallationError
from pgcxr.networks.generator import Generator


def load(path: Path, otherwise: str) -> keras.Model:
    """The Keras model of a file; InputError `otherwise` where it is damaged."""
    try:
        return _load(path)
    except MemoryError:
        raise
    except Exception:  # Keras, h5py and zipfile raise anything on damaged files
        _check_installation()
        raise InputError(f"{path}: {otherwise}") from None


def _load(path: Path) -> keras.Model:
    return keras.saving.load_model(path, compile=False, safe_mode=True)


@cache
def _check_installation() -> None:
    """Saves and loads a network, before another one is called damaged after days of training;
    InstallationError where that fails."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "known.keras")
        known = Generator(resolution=8, fmap_base=8, fmap_max=2, latent_size=2)
        try:
            known(np.zeros((1, 2), np.float32))
            known.save(path)
            same = all(map(np.array_equal, _load(path).get_weights(), known.get_weights()))
        except Exception as error:
            found = f"a new network cannot be saved and loaded ({type(error).__name__}: {error})"
            raise InstallationError(found) from error
    if not same:
        raise InstallationError("a new network is another one when it is loaded")
