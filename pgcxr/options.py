"""Options as frozen dataclasses whose fields say what they may be.

From one such class are made the checks, the command line (`pgcxr.cli.options`), config.json, the
fingerprints by which earlier work is recognized, and the tables of the documentation.

Example:

    >>> @dataclass(frozen=True)
    ... class Sampling(Options):
    ...     n: int = option(64, whole(1, 10**6), "images to make")
    ...     truncation: float = option(1.0, number(0, 1), "scale of the latents")
    >>> Sampling.from_dict({"n": 8})
    Sampling(n=8, truncation=1.0)
    >>> Sampling(n=0)
    Traceback (most recent call last):
    pgcxr.errors.ArgumentError: n: must be a whole number from 1 to 1000000. Received: n=0
    >>> Sampling.from_dict({"truncaton": 0.7})
    Traceback (most recent call last):
    pgcxr.errors.ArgumentError: truncaton: is no option; did you mean truncation?
"""

import ast
import dataclasses
import difflib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import MISSING, dataclass
from typing import Any, Self

from pgcxr.errors import ArgumentError, InputError

# What every seed may be: the generators of NumPy, Keras and Python all accept it.
LARGEST_SEED = 2**32 - 1


@dataclass(frozen=True)
class Rule:
    """What a value may be.

    Attributes:
        text: how to say it after "must be".
        holds: whether a value is so.
    """

    text: str
    holds: Callable[[Any], bool]


def whole(least: int, most: int) -> Rule:
    """A whole number within limits."""
    text = f"a whole number from {least} to {most}" if least < most else str(least)
    return Rule(text, lambda value: type(value) is int and least <= value <= most)


def number(least: float, most: float, *, above: bool = False, below: bool = False) -> Rule:
    """A number within limits, `least` itself excluded where `above`, `most` where `below`."""
    first = f"above {least:g}" if above else f"from {least:g}"
    last = f"to below {most:g}" if below else f"and at most {most:g}" if above else f"to {most:g}"

    def holds(value) -> bool:
        inside = type(value) in (int, float) and least <= value <= most
        return inside and not (above and value == least) and not (below and value == most)

    return Rule(f"a number {first} {last}", holds)


def one_of(*words: str) -> Rule:
    """One of the words."""
    text = f"one of {', '.join(words)}"
    return Rule(text, lambda value: isinstance(value, str) and value in words)


def or_none(rule: Rule) -> Rule:
    """What `rule` says, or None."""
    return Rule(f"{rule.text}, or None", lambda value: value is None or rule.holds(value))


def each(rule: Rule, least: int = 0, most: int = 1 << 20) -> Rule:
    """A sequence of `least` to `most` values that hold `rule`."""

    def holds(value) -> bool:
        good = isinstance(value, (tuple, list)) and least <= len(value) <= most
        return good and all(map(rule.holds, value))

    return Rule(f"values of which each is {rule.text}", holds)


def by_resolution(rule: Rule) -> Rule:
    """{resolution: value}."""

    def holds(value) -> bool:
        return isinstance(value, dict) and all(
            is_power_of_two(key) and rule.holds(item) for key, item in value.items()
        )

    text = f"a dictionary of resolutions (powers of two, 4 or more), each with {rule.text}"
    return Rule(text, holds)


def is_power_of_two(value) -> bool:
    """Whether `value` is a power of two, 4 or more."""
    return type(value) is int and value >= 4 and value & (value - 1) == 0


def power_of_two(most: int) -> Rule:
    """A side in pixels."""
    text = f"a power of two from 4 to {most}"
    return Rule(text, lambda value: is_power_of_two(value) and value <= most)


SWITCH = Rule("True or False", lambda value: isinstance(value, bool))
TEXT = Rule("a text", lambda value: isinstance(value, str))
PATH = Rule("a path", lambda value: isinstance(value, str) or hasattr(value, "__fspath__"))
SEED = whole(0, LARGEST_SEED)


def option(
    default: Any = MISSING,
    rule: Rule = TEXT,
    help: str = "",
    *,
    names: Sequence[str] = (),
    parse: Callable[[str], Any] | None = None,
    of_the_run: bool = False,
    by_content: bool = False,
) -> Any:
    """A field of an `Options` class.

    Args:
        default: its value where nothing is said; without, it must be given.
        rule: what it may be.
        help: one line with the unit, for `--help` and the documentation. An option without it is
            not on the command line.
        names: on the command line, where it is not the field's with dashes.
        parse: text of the command line -> value; raises ValueError.
        of_the_run: the result does not depend on it (workers, places, progress).
        by_content: it names a file or folder, and the result depends on what is in it, not on where
            it is. Who takes a fingerprint or writes a report puts a digest in its place.
    """
    metadata = {"rule": rule, "help": help, "names": tuple(names), "parse": parse}
    metadata |= {"of_the_run": of_the_run, "by_content": by_content}
    if isinstance(default, (dict, list, set)):
        return dataclasses.field(default_factory=lambda: type(default)(default), metadata=metadata)
    return dataclasses.field(default=default, metadata=metadata)


@dataclass(frozen=True)
class Options:
    """Base of all option classes: checks itself when it is made."""

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            rule, value = field.metadata["rule"], getattr(self, field.name)
            if not rule.holds(value):
                raise ArgumentError(field.name, f"must be {rule.text}", received=_received(value))
        self.check()

    def check(self) -> None:
        """Raises ArgumentError where fields do not go together; subclasses override it."""

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """The options that `values` name, with defaults for the others.

        Raises:
            ArgumentError: a key is no option, or a value breaks its rule.
        """
        known = [field.name for field in dataclasses.fields(cls)]
        for key in values:
            if key not in known:
                raise unknown(key, known)
        return cls(**values)

    @classmethod
    def from_saved(cls, values: Mapping[str, Any], where: str, needed: Iterable[str] = ()) -> Self:
        """The options among the `values` of a config.json, which may hold other keys beside.

        Args:
            values: as JSON has them: keys of tables by resolution are texts there.
            where: the file, for errors.
            needed: keys that have no default here; a file of before a key was added lacks others.

        Raises:
            InputError: a key is missing, or a value breaks its rule.
        """
        for key in needed:
            if key not in values:
                raise InputError(f"{where}: {key}: is missing; train the run again")
        names = {field.name for field in dataclasses.fields(cls)}
        try:
            return cls(**{key: _numbered(values[key]) for key in values if key in names})
        except ArgumentError as error:
            raise InputError(f"{where}: {error}") from None

    def replace(self, **changes: Any) -> Self:
        """These options with other values for some, checked again."""
        return type(self).from_dict({**self.to_dict(), **changes})

    def to_dict(self) -> dict[str, Any]:
        """{name: value} in the order of the fields, as config.json holds them."""
        return {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}

    def with_text(self, assignments: Iterable[str]) -> Self:
        """These options with "key=value" changes, values as Python literals or plain text.

        Raises:
            ArgumentError: no such key, or a value that it may not have.
        """
        values = self.to_dict()
        for assignment in assignments:
            key, equals, text = assignment.partition("=")
            if key not in values:
                raise unknown(key, values)
            if not equals:
                raise ArgumentError(key, f"expected {key}=value")
            values[key] = _literal(key, text, values[key])
        return type(self).from_dict(values)

    @classmethod
    def names_of_the_run(cls) -> tuple[str, ...]:
        """Of the options that the result does not depend on."""
        fields = dataclasses.fields(cls)
        return tuple(field.name for field in fields if field.metadata["of_the_run"])

    @classmethod
    def names_by_content(cls) -> tuple[str, ...]:
        """Of the options that name a file or folder whose content the result depends on."""
        fields = dataclasses.fields(cls)
        return tuple(field.name for field in fields if field.metadata["by_content"])

    def fingerprint(self) -> list:
        """[[name, repr(value)], ...], sorted, of all that a result depends on."""
        fields = [field for field in dataclasses.fields(self) if not field.metadata["of_the_run"]]
        return sorted([field.name, repr(getattr(self, field.name))] for field in fields)

    @classmethod
    def table(cls) -> list[tuple[str, str, str, str]]:
        """(name, default, what it may be, help) of every option, for the documentation."""
        rows = []
        for field in dataclasses.fields(cls):
            made = field.default_factory
            default = field.default if made is MISSING else made()
            shown = "" if default is MISSING else repr(default)
            rows.append((field.name, shown, field.metadata["rule"].text, field.metadata["help"]))
        return rows


def unknown(key: str, known: Iterable[str]) -> ArgumentError:
    """An error that says which of the `known` names `key` may have been meant to be."""
    return ArgumentError(ArgumentError.shown(key), f"is no option; {meant(key, sorted(known))}")


def meant(key: str, known: Iterable[str]) -> str:
    """Which of the `known` names a misspelled one may be, or all of them: the end of an error."""
    known = list(known)
    close = difflib.get_close_matches(key, known, n=1, cutoff=0.6)
    return f"did you mean {close[0]}?" if close else f"there are {', '.join(known)}"


def _received(value: Any) -> Any:
    return "None" if value is None else value


def _numbered(value: Any) -> Any:
    """A table with its keys as numbers, where JSON made texts of them."""
    if not isinstance(value, dict):
        return value
    return {int(k) if isinstance(k, str) and k.isdecimal() else k: v for k, v in value.items()}


def _literal(key: str, text: str, old: Any) -> Any:
    """The value that `text` spells; a whole number counts as a number with a fraction."""
    try:
        value = ast.literal_eval(text)
    # All of them are ways in which a text is no Python literal.
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        value = text
    if isinstance(old, float) and type(value) is int:
        try:
            value = float(value)
        except OverflowError:
            raise ArgumentError(key, f"expected a value like {old!r}", received=text) from None
    if old is not None and value is not None and type(value) is not type(old):
        raise ArgumentError(key, f"expected a value like {old!r}", received=text)
    return value
