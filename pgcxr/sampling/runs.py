"""Networks of RUN folders: those of a training, and those that come with pgcxr, which are trained
on generated radiographs, so that no patient is in them."""

from pathlib import Path

import numpy as np

from pgcxr.errors import ArgumentError, InputError
from pgcxr.io import artifacts, folders, places
from pgcxr.options import meant

GENERATOR, DISCRIMINATOR = "generator-ema.keras", "discriminator.keras"
PRETRAINED = Path(__file__).parent / "pretrained"


def existing_network(run: str | Path, name: str, made_by: str) -> Path:
    """The file of one of a RUN's networks, not looked into.

    Args:
        run: its folder, see `named`.
        name: of the file, such as "generator-ema.keras".
        made_by: the training that writes it, such as "train.gan".

    Raises:
        InputError: the folder is something else, or the file is missing.
    """
    path = places.existing_folder(named(run), folders.a_run(made_by)) / name
    if not path.is_file():
        folders.existing_run(named(run), (made_by,))
        raise InputError(f"{run}: no {name}; name a RUN of `python -m {made_by}` that has ended")
    return path


def load_network(run: str | Path, name: str, made_by: str) -> tuple[Path, object]:
    """One of a RUN's networks, see `existing_network`.

    Returns:
        (path, Keras model).

    Raises:
        InputError: the folder is something else, or the network is missing, damaged or not finite.
    """
    path = existing_network(run, name, made_by)
    from pgcxr.networks import saved

    model = saved.load(path, "is damaged or of another version; train the run again")
    if not all(np.isfinite(np.asarray(weights)).all() for weights in model.weights):
        raise InputError(
            f"{path}: holds weights that are no finite numbers: the training diverged; train the "
            "run again"
        )
    return path, model


def named(run: str | Path) -> Path:
    """The folder of a RUN; of a network that comes with pgcxr its name is enough, where no folder
    has it.

    Example:

        >>> named("phantom-64") == pretrained_run("phantom-64")
        True
    """
    own = not Path(run).exists() and str(run) in pretrained_names()
    return PRETRAINED / run if own else Path(run)


def is_pretrained(run: str | Path) -> bool:
    """Whether a RUN comes with pgcxr: it has no cohort."""
    return named(run).resolve().parent == PRETRAINED.resolve()


def pretrained_report(run: str | Path) -> dict:
    """What the report.json of a RUN that comes with pgcxr says: among others "phantom_seed" and
    "images" that it was trained on, and the config of that training in "made_by".

    Example:

        >>> pretrained_report("phantom-64-normal")["made_by"]["config"]["label"]
        'normal'
    """
    return artifacts.read_json(named(run) / "report.json")


def pretrained_names() -> list[str]:
    """Of all networks that come with pgcxr."""
    return sorted(path.parent.name for path in PRETRAINED.glob(f"*/{GENERATOR}"))


def pretrained_run(pretrained: str) -> Path:
    """The RUN of the network of that name, to be read as one of `train.gan` is.

    Raises:
        ArgumentError: there is none of that name.

    Example:

        >>> pretrained_run("phantom-64").name
        'phantom-64'
    """
    if pretrained not in pretrained_names():
        known = ", ".join(pretrained_names()) or "none"
        raise ArgumentError("pretrained", f"no such network; there are {known}", pretrained)
    return PRETRAINED / pretrained


def to_begin_with(init: str, name: str, made_by: str) -> tuple[Path, bool]:
    """(the RUN whose network a training begins with, whether it comes with pgcxr).

    Args:
        init: a RUN, or a name of pgcxr's own.
        name: of the file, such as "anomaly.keras".
        made_by: the training that writes it, such as "train.anomaly".

    Raises:
        ArgumentError: it is neither, or pgcxr's own has no such network.
        InputError: the folder is something else, or the file is missing.
    """
    refuse_missing(init)
    if Path(init).exists():
        existing_network(init, name, made_by)
        return Path(init), False
    if not (PRETRAINED / init / name).is_file():
        having = [other for other in pretrained_names() if (PRETRAINED / other / name).is_file()]
        raise ArgumentError("init", f"holds no {name}; {', '.join(having) or 'none'} does", init)
    return PRETRAINED / init, True


def refuse_missing(init: str) -> None:
    """Raises ArgumentError where `init`, whose weights a training begins with, names no RUN, no
    file and no network of pgcxr's."""
    if not Path(init).exists() and init not in pretrained_names():
        expected = "no such RUN, file or network of pgcxr's; " + meant(init, pretrained_names())
        raise ArgumentError("init", expected, init)
