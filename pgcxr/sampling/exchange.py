"""Networks from and to the original's official pickles."""

from pathlib import Path
from typing import TYPE_CHECKING

from pgcxr.errors import ArgumentError
from pgcxr.io import artifacts, folders, places
from pgcxr.sampling.generation import load_generator
from pgcxr.sampling.runs import DISCRIMINATOR, GENERATOR, existing_network, load_network

if TYPE_CHECKING:
    from pgcxr.networks import Generator

VERSION = 2  # of the original's pickles
# The original's loader runs the text that a pickle brings, and looks for its networks in what that
# leaves. Beside its own networks.py this line, which is ours, is all that it needs.
SOURCE = "from networks import G_paper, D_paper\n"
PLAIN_GENERATOR = "generator.keras"


def import_pickle(file: Path, out: Path) -> "Generator":
    """Makes the RUN `out` of an official network pickle, which is read as data and never run;
    returns its Gs.

    Raises:
        InputError: it is none, or is damaged, or `out` exists.
    """
    places.refuse_existing(out)
    places.existing_file(file, "an official network pickle")
    from pgcxr.networks import original_weights  # after what can be told without Keras

    networks = original_weights.load_pickle(file)
    digest = artifacts.sha256(file)
    average, discriminator = networks["Gs"], networks["D"]
    sizes = {
        key: average.get_config()[key]
        for key in ("resolution", "channels", "fmap_base", "fmap_max", "label_size")
    }
    with artifacts.new_folder(out) as folder:
        for name, network in (
            (GENERATOR, average),
            (PLAIN_GENERATOR, networks["G"]),
            (DISCRIMINATOR, discriminator),
        ):
            network.save(folder / name)
        # Says that these were trained elsewhere, on images that nobody here knows.
        artifacts.write_json(folder / "config.json", {"imported": True, "sha256": digest, **sizes})
        body = {
            **sizes,
            "imported": True,
            "sha256": digest,
            "lod": {name: float(network.lod) for name, network in networks.items()},
            "generator_parameters": average.count_params(),
            "discriminator_parameters": discriminator.count_params(),
            "finished": True,
        }
        artifacts.write_report(folder, body, command="pgcxr import-nvidia")
    return average


def export_pickle(run: Path, out: Path, networks_py: Path | None = None) -> "Generator":
    """Writes the networks of `run` as an official pickle (G, D, Gs), which the original's own code
    loads, evaluates and trains on.

    A RUN of train.gan keeps the average alone: there G is Gs.

    Args:
        run: of train.gan or of an import.
        out: the file.
        networks_py: a copy of the original's networks.py, for a file that is loaded without it
            beside; None: the file imports it from where it is loaded.

    Returns:
        Gs.
    """
    places.refuse_existing_file(out)
    source = SOURCE
    if networks_py is not None:
        try:
            source = networks_py.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            raise ArgumentError("networks_py", "is no Python file", networks_py) from None
    for name in (GENERATOR, DISCRIMINATOR):
        existing_network(run, name, folders.GAN)
    from pgcxr.networks import original_weights, restricted_pickle  # after what can be told

    average = load_generator(run)
    _, discriminator = load_network(run, DISCRIMINATOR, folders.GAN)
    plain = average
    if (Path(run) / PLAIN_GENERATOR).is_file():
        _, plain = load_network(run, PLAIN_GENERATOR, folders.GAN)
    states = [
        {
            "version": VERSION,
            "name": name,
            "static_kwargs": original_weights.static_kwargs(network),
            "build_module_src": source,
            "build_func_name": f"{name[0]}_paper",
            "variables": list(original_weights.to_original(network).items()),
        }
        for name, network in (("G", plain), ("D", discriminator), ("Gs", average))
    ]
    with artifacts.atomic_path(out) as path, open(path, "wb") as file:
        restricted_pickle.dump(states, file)
    return average
