"""Weights in NVIDIA's official pickles -> networks of this package. Nothing in a pickle is ever
executed.

The format (reference: the published network pickles): a tuple (G, D, Gs) of `tfutil.Network`
objects whose state is plain data: `static_kwargs`, `build_func_name` and `variables`, a list of
(name, array) that begins with "lod". Layouts differ in three places: dense layers at 4x4 count
their pixels in C, H, W order there and in H, W, C order here.
"""

from pathlib import Path

import numpy as np

from pgcxr.errors import InputError
from pgcxr.networks import restricted_pickle
from pgcxr.networks.discriminator import Discriminator
from pgcxr.networks.generator import Generator, feature_maps

# Arguments of the original's builders that change what a network computes, and the one value that
# is supported here.
FIXED = {
    "use_wscale": True,
    "use_pixelnorm": True,
    "use_leakyrelu": True,
    "mbstd_num_features": 1,
    "use_mbstd": True,
    "latents_in": None,
}
LIMITS = {
    "resolution": (4, 1024),
    "num_channels": (1, 64),
    "label_size": (0, 10_000),
    "latent_size": (1, 65_536),
    "fmap_base": (2, 65_536),
    "fmap_max": (1, 65_536),
    "mbstd_group_size": (0, 65_536),
}


def load_pickle(path: str | Path) -> dict:
    """The networks of an official pickle, which is read as data and never run.

    Args:
        path: the file, gzipped or not.

    Returns:
        {"G": Generator, "D": Discriminator, "Gs": Generator}; Gs is the average that makes the
        published images.

    Raises:
        InputError: the file is missing, damaged, not of this format, or asks for anything but data.

    Example:

        >>> load_pickle("none.pkl")
        Traceback (most recent call last):
        pgcxr.errors.InputError: none.pkl: cannot be read (No such file or directory)
    """
    try:
        states = restricted_pickle.load(path)
        generator, discriminator, average = (
            _plain_state(item, function)
            for item, function in zip(states, ("G_paper", "D_paper", "G_paper"), strict=True)
        )
        return {
            "G": build_generator(*generator, name="generator"),
            "D": build_discriminator(*discriminator),
            "Gs": build_generator(*average, name="generator_ema"),
        }
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or 'damaged gzip'})") from None
    except Exception as error:  # whatever a hostile file makes the unpickler stumble over
        raise InputError(
            f"{path}: is not an official network pickle ({type(error).__name__})"
        ) from None


def to_original(network) -> dict[str, np.ndarray]:
    """{original name: array} of a generator or discriminator, in the original's layouts: the
    inverse of loading.

    Where a network was loaded from a pickle, these are its arrays bit for bit.
    """
    find = generator_names if isinstance(network, Generator) else discriminator_names
    found = {}
    for name, (variable, to_ours) in find(network).items():
        array = np.array(variable)
        if to_ours is not None:  # a permutation: find where each number came from
            came_from = to_ours(np.arange(array.size).reshape(array.shape))
            original = np.empty_like(array)
            original.ravel()[came_from.ravel()] = array.ravel()
            array = original
        found[name] = array
    return found


def static_kwargs(network) -> dict:
    """The arguments of the original's `G_paper` or `D_paper` that make this network."""
    config = network.get_config()
    shared = ("resolution", "label_size", "fmap_base", "fmap_decay", "fmap_max", "fused_scale")
    own = ("latent_size", "normalize_latents", "pixelnorm_epsilon", "mbstd_group_size")
    found = {"num_channels": config["channels"]} | {key: config[key] for key in shared}
    return found | {key: config[key] for key in own if config.get(key) is not None}


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
        pixelnorm_epsilon=kwargs.get("pixelnorm_epsilon", 1e-8),
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
    for level, up, conv in zip(
        range(3, generator.max_level + 1), generator.ups, generator.convs, strict=True
    ):
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
    names["4x4/Dense0/weight"] = (
        discriminator.dense0.kernel,
        lambda w: _chw_to_hwc(w, features, axis=0),
    )
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
            raise InputError(
                f"variable {name} has shape {array.shape}, expected {tuple(variable.shape)}"
            )
        if not np.isfinite(array).all():
            raise InputError(f"variable {name} is not finite")
        variable.assign(array)


def _plain_state(item, function: str) -> tuple[dict, dict]:
    """(static_kwargs, variables) of a pickled network, small enough to be built."""
    state = item.state
    kwargs, variables = dict(state["static_kwargs"]), dict(state["variables"])
    if state["build_func_name"] != function:
        raise InputError(
            f"holds a network of {str(state['build_func_name'])[:40]!r}, not of {function}"
        )
    for key, value in kwargs.items():
        if key in FIXED and value != FIXED[key]:
            raise InputError(f"was made with {key}={str(value)[:40]}, which is not supported")
        if key in LIMITS and value is not None:
            least, most = LIMITS[key]
            if not isinstance(value, (int, np.integer)) or not least <= value <= most:
                raise InputError(
                    f"says {key}={str(value)[:40]}, which is not from {least} to {most}"
                )
    resolution = kwargs.get("resolution", 32)
    if resolution & (resolution - 1):
        raise InputError(f"says resolution={resolution}, which is not a power of two")
    # No level is wider than the first: what would be built is not larger than what the file holds.
    widest = feature_maps(
        1, kwargs.get("fmap_base", 8192), kwargs.get("fmap_max", 512), kwargs.get("fmap_decay", 1.0)
    )
    bias = variables.get("4x4/Conv/bias")
    if np.shape(bias) != (widest,):
        raise InputError(f"variable 4x4/Conv/bias has shape {np.shape(bias)}, expected {(widest,)}")
    return kwargs, variables
