"""Weights in NVIDIA's official pickles -> networks of this package. Nothing in a pickle is ever executed.

The format (reference: the published network pickles): a tuple (G, D, Gs) of `tfutil.Network` objects whose state is
plain data: `static_kwargs`, `build_func_name` and `variables`, a list of (name, array) that begins with "lod".
Layouts differ in three places: dense layers at 4x4 count their pixels in C, H, W order there and in H, W, C order here.
"""

import gzip
import pickle
from pathlib import Path

import numpy as np

from pgcxr.errors import InputError
from pgcxr.networks.discriminator import Discriminator
from pgcxr.networks.generator import Generator

GZIP_MAGIC = b"\x1f\x8b"
# numpy's own pickling helpers, by every name they had; they build arrays and nothing else.
NUMPY_GLOBALS = {
    ("numpy", "ndarray"),
    ("numpy", "dtype"),
    ("numpy.core.multiarray", "_reconstruct"),
    ("numpy.core.multiarray", "scalar"),
    ("numpy._core.multiarray", "_reconstruct"),
    ("numpy._core.multiarray", "scalar"),
    ("numpy.core.numeric", "_frombuffer"),
    ("numpy._core.numeric", "_frombuffer"),
}


class NetworkState:
    """What stands in for `tfutil.Network`: holds the state and has no behaviour."""

    def __setstate__(self, state: dict) -> None:
        self.state = state


class RestrictedUnpickler(pickle.Unpickler):
    """Builds arrays, plain containers and `NetworkState`; refuses any other name."""

    def find_class(self, module: str, name: str):
        if (module, name) == ("tfutil", "Network"):
            return NetworkState
        if (module, name) in NUMPY_GLOBALS:
            return super().find_class(module.replace("numpy._core", "numpy.core"), name)
        raise InputError(f"asks for {module}.{name}, which a network pickle never needs; refused and not run")


def load_pickle(path: str | Path) -> dict:
    """{"G": Generator, "D": Discriminator, "Gs": Generator} from an official pickle, gzipped or not.

    Raises:
        InputError: the file is missing, damaged, not of this format, or asks for anything but data.
    """
    path = Path(path)
    try:
        with open(path, "rb") as file:
            zipped = file.read(2) == GZIP_MAGIC
        with gzip.open(path, "rb") if zipped else open(path, "rb") as file:
            states = RestrictedUnpickler(file, encoding="latin1").load()
        generator, discriminator, average = (_plain_state(item) for item in states)
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or 'damaged gzip'})") from None
    except Exception as error:  # whatever a hostile file makes the unpickler stumble over
        raise InputError(f"{path}: is not an official network pickle ({type(error).__name__})") from None
    return {
        "G": build_generator(*generator, name="generator"),
        "D": build_discriminator(*discriminator),
        "Gs": build_generator(*average, name="generator_ema"),
    }


def build_generator(kwargs: dict, variables: dict, name: str = "generator") -> Generator:
    """A generator with the given static_kwargs and original variables {name: array}."""
    labels = kwargs.get("label_size", 0)
    generator = Generator(
        resolution=kwargs.get("resolution", 32),
        channels=kwargs.get("num_channels", 1),
        label_size=labels,
        latent_size=kwargs.get("latent_size"),
        fmap_base=kwargs.get("fmap_base", 8192),
        fmap_decay=kwargs.get("fmap_decay", 1.0),
        fmap_max=kwargs.get("fmap_max", 512),
        fused_scale=kwargs.get("fused_scale", True),
        normalize_latents=kwargs.get("normalize_latents", True),
        name=name,
    )
    _assign(generator, variables, generator_names(generator))
    return generator


def build_discriminator(kwargs: dict, variables: dict) -> Discriminator:
    """A discriminator with the given static_kwargs and original variables {name: array}."""
    discriminator = Discriminator(
        resolution=kwargs.get("resolution", 32),
        channels=kwargs.get("num_channels", 1),
        label_size=kwargs.get("label_size", 0),
        fmap_base=kwargs.get("fmap_base", 8192),
        fmap_decay=kwargs.get("fmap_decay", 1.0),
        fmap_max=kwargs.get("fmap_max", 512),
        fused_scale=kwargs.get("fused_scale", True),
        mbstd_group_size=kwargs.get("mbstd_group_size", 4),
        name="discriminator",
    )
    _assign(discriminator, variables, discriminator_names(discriminator))
    return discriminator


def generator_names(generator: Generator) -> dict:
    """{original name: (variable, to_ours)}; `to_ours` maps an original array to our layout."""
    features = generator.features(1)
    names = {
        "lod": (generator.lod, None),
        "4x4/Dense/weight": (generator.dense.kernel, lambda w: _chw_to_hwc(w, features, axis=1)),
        "4x4/Dense/bias": (generator.dense_bias.bias, None),
    }
    _layer(names, "4x4/Conv", generator.first_conv)
    suffix = "Conv0_up" if generator.fused_scale else "Conv0"
    for level, up, conv in zip(range(3, generator.max_level + 1), generator.ups, generator.convs, strict=True):
        _layer(names, f"{2**level}x{2**level}/{suffix}", up)
        _layer(names, f"{2**level}x{2**level}/Conv1", conv)
    for level, rgb in enumerate(generator.to_rgb, start=2):
        _layer(names, f"ToRGB_lod{generator.max_level - level}", rgb)
    return names


def discriminator_names(discriminator: Discriminator) -> dict:
    """{original name: (variable, to_ours)}, as `generator_names`."""
    features = discriminator.features(1)
    names = {"lod": (discriminator.lod, None)}
    suffix = "Conv1_down" if discriminator.fused_scale else "Conv1"
    levels = range(3, discriminator.max_level + 1)
    for level, conv, down in zip(levels, discriminator.convs, discriminator.downs, strict=True):
        _layer(names, f"{2**level}x{2**level}/Conv0", conv)
        _layer(names, f"{2**level}x{2**level}/{suffix}", down)
    for level, rgb in enumerate(discriminator.from_rgb, start=2):
        _layer(names, f"FromRGB_lod{discriminator.max_level - level}", rgb)
    _layer(names, "4x4/Conv", discriminator.last_conv)
    _layer(names, "4x4/Dense0", discriminator.dense0)
    names["4x4/Dense0/weight"] = (discriminator.dense0.kernel, lambda w: _chw_to_hwc(w, features, axis=0))
    _layer(names, "4x4/Dense1", discriminator.dense1)
    return names


def _layer(names: dict, prefix: str, layer) -> None:
    names[f"{prefix}/weight"] = (layer.kernel, None)
    names[f"{prefix}/bias"] = (layer.bias, None)


def _chw_to_hwc(array: np.ndarray, features: int, axis: int) -> np.ndarray:
    split = np.moveaxis(array, axis, 0).reshape(features, 4, 4, -1)  # [CHW.]
    return np.moveaxis(split.transpose(1, 2, 0, 3).reshape(16 * features, -1), 0, axis)


def _assign(network, variables: dict, names: dict) -> None:
    if set(variables) != set(names):
        odd = sorted(set(variables) ^ set(names))[0]
        raise InputError(f"variable {odd} does not fit a network of this configuration")
    for name, (variable, to_ours) in names.items():
        array = np.asarray(variables[name], np.float32)
        array = array if to_ours is None else to_ours(array)
        if array.shape != tuple(variable.shape):
            raise InputError(f"variable {name} has shape {array.shape}, expected {tuple(variable.shape)}")
        variable.assign(array)


def _plain_state(item) -> tuple[dict, dict]:
    state = item.state
    return dict(state["static_kwargs"]), dict(state["variables"])
