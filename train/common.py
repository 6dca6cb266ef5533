"""Configs of the training scripts: Python files with get_config(), and `--set key=value` on top."""

import ast
import importlib
from pathlib import Path

from pgcxr.errors import InputError

CONFIGS = Path(__file__).parent / "configs"
LONGEST_SHOWN = 60


def load_config(kind: str, name: str, overrides: list[str] | None = None) -> dict:
    """The config train/configs/<kind>_<name>.py with `overrides` ("key=value", Python literals)
    applied.

    Raises:
        InputError: no such config, no such key, or a value of another type.
    """
    known = sorted(path.stem.removeprefix(f"{kind}_") for path in CONFIGS.glob(f"{kind}_*.py"))
    if name not in known:
        raise InputError(f"--config {name}: no such config; there are {', '.join(known)}")
    config = importlib.import_module(f"train.configs.{kind}_{name}").get_config()
    for override in overrides or []:
        key, equals, text = override.partition("=")
        if not equals or key not in config:
            raise InputError(
                f"--set {override[:LONGEST_SHOWN]}: expected key=value with a key of "
                f"{', '.join(sorted(config))}"
            )
        config[key] = _value(key, text, config[key])
    return config


def _value(key: str, text: str, old):
    """The value that `text` spells, of the type of `old`; what it may be is for the script to
    check."""
    try:
        value = ast.literal_eval(text)
    # All of them are ways in which a text is no Python literal.
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        value = text
    wrong = InputError(f"--set {key}={text[:LONGEST_SHOWN]}: expected a value like {old!r}")
    if isinstance(old, float) and type(value) is int:
        try:
            value = float(value)
        except OverflowError:
            raise wrong from None
    if old is not None and value is not None and type(value) is not type(old):
        raise wrong
    # Where the default is None, no more is known than that it is one plain value.
    if old is None and isinstance(value, (dict, list, tuple, set, bytes)):
        raise wrong
    return value
