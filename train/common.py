"""Configs of the training scripts: `--config NAME[:arguments]`, and `--set key=value` on top."""

import importlib
import inspect
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pgcxr.errors import ArgumentError, InputError
from pgcxr.io import artifacts
from pgcxr.options import Options, meant

CONFIG, REPORT = "config.json", "report.json"
# May differ between a run and the command that asks for it again: both folders may have moved
# together.
FREE = ("cohort",)
CONFIGS = Path(__file__).parent / "configs"
# nvidia_4gpus_fp16 and nvidia_v1, as these were called, are nvidia:gpus=4,fp16 and nvidia:v1.
FORMER = re.compile(r"nvidia_(?:(?P<gpus>\d+)gpus?(?P<fp16>_fp16)?|v1)")


def load_config(kind: str, name: str, overrides: Iterable[str] = ()) -> Options:
    """The config that `kind` ("gan", "classifier" or "anomaly") has in train/configs/<name>.py.

    Example:

        >>> load_config("gan", "nvidia:gpus=2,fp16", ["total_kimg=100"]).replicas
        2
        >>> load_config("classifier", "small").size
        64

    Args:
        name: "small"; with arguments of its function, "nvidia:gpus=4,fp16".
        overrides: "key=value", values as Python literals.

    Raises:
        ArgumentError: no such config, no such key, or a value that it may not have.
    """
    if former := FORMER.fullmatch(name):
        name = "nvidia:" + (f"gpus={former['gpus']}" if former["gpus"] else "v1")
        name += ",fp16" if former["fp16"] else ""
    base, _, text = name.partition(":")
    stems = sorted(path.stem for path in CONFIGS.glob("[a-z]*.py"))
    modules = {stem: importlib.import_module(f"train.configs.{stem}") for stem in stems}
    makers = {stem: getattr(module, kind, None) for stem, module in modules.items()}
    known = [stem for stem, maker in makers.items() if maker]
    if base not in known:
        raise ArgumentError("config", f"no such config; {meant(base, known)}", name)
    try:
        config = makers[base](**parse_arg(text, makers[base]))
    except ArgumentError as error:
        raise ArgumentError("config", error.expected, name) from None
    return config.with_text(overrides)


def parse_arg(text: str, function) -> dict[str, Any]:
    """Arguments of `function` from "gpus=4,fp16"; a name alone is True.

    As big_vision's `configs/common.py` has it.

    Raises:
        ArgumentError: it has no such argument, or the value is of another type than its default.
    """
    defaults = {p.name: p.default for p in inspect.signature(function).parameters.values()}
    values: dict[str, Any] = {}
    for part in filter(None, text.split(",")):
        name, _, value = part.partition("=")
        if name not in defaults:
            meaning = meant(name, defaults) if defaults else "it takes none"
            raise ArgumentError("config", f"{name} is no argument; {meaning}", text)
        kind = type(defaults[name])
        if kind is bool and value in ("", "True", "False"):
            values[name] = value != "False"
        elif kind is int and value.isdecimal():
            values[name] = int(value)
        else:
            raise ArgumentError("config", f"{name}: expected a value like {defaults[name]}", text)
    return values


def finished(
    out: Path, settings: dict, files: Iterable[str], added: Mapping[str, Any] | None = None
) -> bool:
    """Whether `out` holds this very training.

    A RUN of a classifier or an anomaly network appears as a whole: what an interrupted training
    leaves is a hidden folder beside, which the next removes.

    Args:
        settings: of config.json.
        files: that a finished RUN has.
        added: what stands for keys that an earlier config.json may lack.

    Raises:
        InputError: it holds another training, or lacks a file.
    """
    if not (out / CONFIG).exists():
        return False
    old = {**(added or {}), **artifacts.read_json(out / CONFIG)}
    new = artifacts.plain(settings)
    for key in sorted(set(old) | set(new)):
        if key not in FREE and old.get(key) != new.get(key):
            raise InputError(
                f"{out}: holds a run with {key} = {old.get(key)}, not {new.get(key)}; name another "
                "--out"
            )
    missing = [name for name in files if not (out / name).exists()]
    if missing:
        raise InputError(f"{out}: lacks {', '.join(missing)}; remove it and train again")
    return True
