"""TOML files that a user may replace: one line where they are wrong."""

import tomllib
from importlib import resources
from pathlib import Path

from pgcxr.errors import InputError
from pgcxr.io import user_files
from pgcxr.options import meant


def read(path: Path | None, package: str, shipped: str) -> tuple[str, dict]:
    """(name for errors, content) of the user's file `path`, or of the file `shipped` in `package`
    where it is None."""
    if path is None:
        return shipped, tomllib.loads(
            resources.files(package).joinpath(shipped).read_text(encoding="utf-8")
        )
    return str(path), user_files.read_toml(
        path, absent=f"{package.replace('.', '/')}/{shipped} shows its form"
    )


def texts(name: str, table: dict, key: str, *, needed: bool = False) -> tuple[str, ...]:
    """The list of texts `table[key]`; () where it is absent and not `needed`."""
    value = table.get(key)
    if value is None and not needed:
        return ()
    if not isinstance(value, list) or not all(
        isinstance(item, str) and item.strip() for item in value
    ):
        raise InputError(f"{name}: {key} must be a list of texts, none empty")
    return tuple(value)


def tables(name: str, content: dict, allowed: dict[str, type]) -> None:
    """Raises InputError for a key that is not `allowed`, or is of another type than said there."""
    for key, value in content.items():
        if key not in allowed:
            raise InputError(f"{name}: unknown key {key[:40]}; {meant(key, allowed)}")
        if not isinstance(value, allowed[key]):
            wanted = {dict: "a table", list: "a list", str: "a text"}.get(
                allowed[key], "of another kind"
            )
            raise InputError(f"{name}: {key} must be {wanted}")
