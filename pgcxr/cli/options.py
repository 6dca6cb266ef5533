"""The command line of an `Options` class: one typer option for each of its fields."""

import dataclasses
import functools
import inspect
import typing
from collections.abc import Callable
from typing import Annotated, Any

import typer

from pgcxr.errors import ArgumentError
from pgcxr.options import Options


def takes_options(function: Callable) -> Callable:
    """Puts the fields of a parameter that is annotated with an `Options` class in its place.

    Example:

        @takes_options
        def curate(export: Path, options: CurationOptions) -> None: ...

    is a command with an option for each field of CurationOptions, and is called with the object
    that they make. Its `bind` turns what the command line gives into what the function gets, for
    who only wants to know whether it may be so.
    """
    hints = typing.get_type_hints(function, include_extras=True)
    signature = inspect.signature(function)
    groups = {
        name: hints[name]
        for name in signature.parameters
        if isinstance(hints[name], type) and issubclass(hints[name], Options)
    }
    parameters: list[inspect.Parameter] = []
    for name, parameter in signature.parameters.items():
        if name in groups:
            parameters += [_parameter(field, groups[name]) for field in _shown(groups[name])]
        else:
            parameters.append(parameter.replace(annotation=hints[name]))

    def bind(given: dict[str, Any]) -> dict[str, Any]:
        for name, options in groups.items():
            values = {field.name: _value(field, given.pop(field.name)) for field in _shown(options)}
            given[name] = options(**values)
        return given

    @functools.wraps(function)
    def command(**given: Any) -> Any:
        return function(**bind(given))

    keyword = [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in parameters]
    required = [p for p in keyword if p.default is inspect.Parameter.empty]
    command.__signature__ = signature.replace(  # type: ignore[attr-defined]
        parameters=required + [p for p in keyword if p not in required]
    )
    command.__annotations__ = {p.name: p.annotation for p in keyword}
    command.bind = bind  # type: ignore[attr-defined]
    del command.__wrapped__  # typer would look behind it
    return command


def _shown(options: type[Options]) -> list[dataclasses.Field]:
    return [field for field in dataclasses.fields(options) if field.metadata["help"]]


def _parameter(field: dataclasses.Field, options: type[Options]) -> inspect.Parameter:
    kind, default = typing.get_type_hints(options)[field.name], field.default
    if field.default_factory is not dataclasses.MISSING:
        default = field.default_factory()
    if field.metadata["parse"] is not None:
        kind = str if default is dataclasses.MISSING or default is not None else str | None
        if default is not dataclasses.MISSING and default is not None:
            default = ",".join(map(str, default)) if isinstance(default, tuple) else str(default)
    elif typing.get_origin(kind) is tuple:
        kind, default = list[typing.get_args(kind)[0]], list(default)  # type: ignore[misc]
    names = field.metadata["names"] or _names(field, kind)
    typed = Annotated[kind, typer.Option(*names, help=field.metadata["help"])]  # type: ignore[valid-type]
    missing = default is dataclasses.MISSING
    return inspect.Parameter(
        field.name,
        inspect.Parameter.KEYWORD_ONLY,
        default=inspect.Parameter.empty if missing else default,
        annotation=typed,
    )


def _names(field: dataclasses.Field, kind: Any) -> tuple[str, ...]:
    name = "--" + field.name.replace("_", "-")
    # A switch that is off needs no way to be turned off.
    return (name,) if kind is bool and field.default is False else ()


def _value(field: dataclasses.Field, given: Any) -> Any:
    if isinstance(given, list):
        return tuple(given)
    parse = field.metadata["parse"]
    if parse is None or not isinstance(given, str):
        return given
    try:
        return parse(given)
    except ValueError:
        expected = f"must be {field.metadata['rule'].text}"
        raise ArgumentError(field.name, expected, received=given) from None
