"""Configs of the training scripts: Python files with get_config(), and `--set key=value` on top."""

import ast
import importlib
from pathlib import Path

from pgcxr.errors import InputError

CONFIGS = Path(__file__).parent / "configs"


def load_config(kind: str, name: str, overrides: list[str] | None = None) -> dict:
    """The config train/configs/<kind>_<name>.py with `overrides` ("key=value", Python literals) applied.

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
            raise InputError(f"--set {override}: expected key=value with a key of {', '.join(sorted(config))}")
        config[key] = _value(key, text, config[key])
    return config


def _value(key: str, text: str, old):
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError):
        value = text
    if isinstance(old, float) and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if old is not None and value is not None and not isinstance(value, type(old)):
        raise InputError(f"--set {key}={text}: expected a value like {old!r}")
    return value
