"""What a study's user changes of single steps: `--set gan.total_kimg=40 --set axes.samples=2000`.

A change is named by a step, or by a kind of steps ("classifier" is both classifiers), and an option
of that step's command, or a key of its config where it is a training. The commands themselves say
which there are and what they may be, before the first step begins.
"""

import difflib
import importlib
import inspect
import itertools
import typing
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer

from pgcxr.cli.command import USAGE_ERROR
from pgcxr.errors import ArgumentError
from pgcxr.io import artifacts
from pgcxr.options import unknown
from pgcxr.sampling import runs

KINDS = {
    "gan": ("gan", "gan_normal"),
    "classifier": ("classifier_binary", "classifier_findings"),
}
# Where the commands are; of a training, what kind of config it has.
APPS = {"pgcxr": "pgcxr.cli.app"}
TRAININGS = {"train.gan": "gan", "train.classifier": "classifier", "train.anomaly": "anomaly"}
# What a training takes beside its config.
BESIDE = {"train.gan": ("config", "init"), "train.anomaly": ("config", "init")}
# The study's own: it knows the folders, and one seed is everyone's.
NOT_TO_SET = ("help", "out", "seed", "features")


@dataclass(frozen=True)
class Change:
    """`key` of the step or kind of steps `name` is to be `text`."""

    name: str
    key: str
    text: str

    @property
    def argument(self) -> str:
        """How it was written."""
        return f"{self.name}.{self.key}"


def parse(assignments: Iterable[str], steps: Iterable[str]) -> list[Change]:
    """Changes from "step.key=value".

    Example:

        >>> parse(["axes.samples=2000"], ["gan", "axes"])
        [Change(name='axes', key='samples', text='2000')]
        >>> parse(["axis.samples=2000"], ["gan", "axes"])
        Traceback (most recent call last):
        pgcxr.errors.ArgumentError: axis.samples: there is no step axis; did you mean axes?

    Raises:
        ArgumentError: it is not written so, or there is no such step.
    """
    steps = list(steps)
    known = steps + [kind for kind in KINDS if kind not in steps]
    changes = []
    for assignment in assignments:
        argument, equals, text = assignment.partition("=")
        name, dot, key = argument.partition(".")
        shown = ArgumentError.shown(argument)
        if not (equals and dot and key):
            raise ArgumentError(shown, "is not written as STEP.KEY=VALUE, e.g. gan.total_kimg=40")
        if name not in known:
            raise ArgumentError(shown, f"there is no step {_meant(name, known)}")
        changes.append(Change(name, key.replace("-", "_"), text))
    return changes


def of_step(changes: Iterable[Change], step: str) -> list[Change]:
    """Those for one step; what names the step itself comes last, and so has the last word."""
    of_kind = [each for each in changes if step in KINDS.get(each.name, ()) and each.name != step]
    return of_kind + [each for each in changes if each.name == step]


def arguments(module: str, first: str, changes: list[Change]) -> tuple[str, ...]:
    """What the changes add to the command line of `python -m module`.

    Args:
        first: the first word of that command line: the name of the command, where there are some.

    Raises:
        ArgumentError: the command has no such option.
    """
    if module in TRAININGS:
        words = [
            (f"--{each.key}", _placed(each.text) if _is_init(each) else each.text)
            if each.key in BESIDE.get(module, ("config",))
            else ("--set", f"{each.key}={_placed(each.text) if _is_file(each.key) else each.text}")
            for each in changes
        ]
        return tuple(word for pair in words for word in pair)
    command, function = _command(module, first)
    options = {
        parameter.name: parameter
        for parameter in command.params
        if parameter.param_type_name == "option" and parameter.name not in NOT_TO_SET
    }
    words = []
    for each in changes:
        if each.key not in options:
            raise ArgumentError(
                ArgumentError.shown(each.argument),
                f"{each.name} has no option {_meant(each.key, options)}",
            )
        words += _spelled(options[each.key], _kinds(function, each.key), each)
    return tuple(words)


def settings(module: str, words: tuple[str, ...]) -> dict[str, Any]:
    """What a step's command will be called with: {parameter: value}, its options as one object.

    Of a training it is the config, with label and labels.

    Raises:
        ArgumentError: it would refuse a value.
    """
    if module in TRAININGS:
        return _config(TRAININGS[module], words[1:])
    command, function = _command(module, words[0])
    words = words[1:] if words[0] == command.name else words
    try:
        context = command.make_context(module, list(words))
    except USAGE_ERROR as error:
        argument = getattr(getattr(error, "param", None), "name", None) or module
        raise ArgumentError(argument, error.format_message().rstrip(".")) from None
    return function.bind(context.params) if hasattr(function, "bind") else context.params


def code(module: str, words: tuple[str, ...]) -> tuple[str, ...]:
    """Modules that a step runs and that its module's import statements don't name."""
    if module in APPS:
        return ()
    configs = [text for word, text in itertools.pairwise(words) if word == "--config"]
    names = [config.partition(":")[0] for config in configs if module in TRAININGS]
    # A config is the file of that name, or of the kind's own.
    stems = [stem for name in names for stem in (name, f"{TRAININGS[module]}_{name}")]
    return (f"{module}.__main__", *(f"train.configs.{stem}" for stem in stems))


def _config(kind: str, words: tuple[str, ...]) -> dict[str, Any]:
    """The config that a training's options make; read here, as its command imports TensorFlow."""
    given: dict[str, list[str]] = {}
    for name, text in zip(words[::2], words[1::2], strict=True):
        given.setdefault(name, []).append(text)
    if "--init" in given:
        runs.refuse_missing(given["--init"][-1])
    load_config = importlib.import_module("train.common").load_config
    known = _plain(load_config(kind, given["--config"][-1], []))
    for assignment in given.get("--set", []):
        key = assignment.partition("=")[0]
        if key not in known:
            raise unknown(key, known)
    config = _plain(load_config(kind, given["--config"][-1], given.get("--set", [])))
    chosen = {key: given[f"--{key}"][-1] for key in ("label", "labels") if f"--{key}" in given}
    return config | chosen


def _plain(config: Any) -> dict[str, Any]:
    return config if isinstance(config, dict) else config.to_dict()


def _command(module: str, first: str) -> tuple[Any, Callable]:
    """The command that `python -m module first ...` is, and the function that it calls."""
    app = importlib.import_module(APPS.get(module) or _runnable(module)).app
    command = typer.main.get_command(app)
    functions = {info.callback.__name__: info.callback for info in app.registered_commands}
    if hasattr(command, "commands"):
        return command.commands[first], functions[first.replace("-", "_")]
    return command, next(iter(functions.values()))


def _runnable(module: str) -> str:
    """What `python -m module` imports."""
    package = importlib.import_module(module)
    return f"{module}.__main__" if hasattr(package, "__path__") else module


def _kinds(function: Callable, name: str) -> tuple:
    """The types that a parameter of a command may have."""
    annotation = inspect.signature(function).parameters[name].annotation
    kind = typing.get_args(annotation)[0]  # of Annotated
    return (kind, *typing.get_args(kind))


def _spelled(parameter: Any, kinds: tuple, change: Change) -> list[str]:
    """The words of the command line for one option."""
    if bool not in kinds:
        return [parameter.opts[0], _placed(change.text) if Path in kinds else change.text]
    if change.text not in ("True", "False"):
        raise ArgumentError(change.argument, "must be True or False", received=change.text)
    if change.text == "True":
        return [parameter.opts[0]]
    return list(parameter.secondary_opts[:1])


def _placed(text: str) -> str:
    """A path from here, for a command that runs elsewhere."""
    return str(Path(text).resolve())


def _is_file(key: str) -> bool:
    return key.endswith("_file")


def _is_init(change: Change) -> bool:
    """Whether it names a RUN or a file to begin with, and no network that comes with pgcxr."""
    return change.key == "init" and Path(change.text).exists()


def init_state(words: tuple[str, ...]) -> str:
    """Hashes of the networks that a training's options say to begin with; "" for none."""
    given = [text for word, text in itertools.pairwise(words) if word == "--init"][-1:]
    places = [Path(init) if Path(init).exists() else runs.PRETRAINED / init for init in given]
    files = [
        file
        for place in places
        for file in ([place] if place.is_file() else sorted(place.glob("*.keras")))
    ]
    return "".join(artifacts.sha256(file) for file in files)


def _meant(name: str, known: Iterable[str]) -> str:
    known = list(known)
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    meant = f"did you mean {close[0]}?" if close else f"there are {', '.join(sorted(known))}"
    return f"{name[:40]}; {meant}"
