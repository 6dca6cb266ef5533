"""Options: one class gives the checks, the command line and the fingerprint."""

from dataclasses import dataclass

import pytest
import typer
from typer.testing import CliRunner

from pgcxr.cli.options import takes_options
from pgcxr.errors import ArgumentError
from pgcxr.options import PATH, Options, Rule, each, number, one_of, option, or_none, whole

POSITIVE = Rule("three shares", lambda value: isinstance(value, tuple) and len(value) == 3)


@dataclass(frozen=True)
class Painting(Options):
    size: int = option(64, whole(4, 128), "side in pixels")
    fit: str = option("pad", one_of("pad", "crop"), "how it becomes square")
    limit: float | None = option(None, or_none(number(0, 1, above=True)), "share")
    split: tuple = option(
        (0.6, 0.2, 0.2), POSITIVE, "shares", parse=lambda t: tuple(map(float, t.split(",")))
    )
    regions: tuple[str, ...] = option((), each(Rule("a text", bool)), "may be repeated")
    fast: bool = option(False, Rule("a switch", lambda v: isinstance(v, bool)), "hurry")
    workers: int = option(2, whole(0, 8), "processes", of_the_run=True)
    hidden: int = option(7, whole(0, 9))
    colors: str | None = option(None, or_none(PATH), by_content=True)

    def check(self):
        if self.fit == "crop" and self.size < 8:
            raise ArgumentError("size", "must be 8 or more to crop", received=self.size)


def run(*words):
    app, seen = typer.Typer(), []

    @takes_options
    def paint(place: str, options: Painting, loud: bool = False):
        seen.append((place, options, loud))

    app.command()(paint)
    result = CliRunner().invoke(app, list(words))
    return result, seen


def test_what_is_given_on_the_command_line_arrives_and_the_rest_are_defaults():
    words = ("here", "--size", "32", "--limit", "0.5", "--split", "1,0,0", "--regions", "a")
    result, seen = run(*words, "--regions", "b", "--fast", "--loud")
    assert result.exit_code == 0, result.output
    expected = Painting(32, limit=0.5, split=(1.0, 0.0, 0.0), regions=("a", "b"), fast=True)
    assert seen == [("here", expected, True)]
    assert run("here")[1] == [("here", Painting(), False)]
    assert run("here", "--hidden", "3")[0].exit_code == 2


def test_a_text_that_cannot_be_parsed_is_an_argument_error():
    error = run("here", "--split", "half")[0].exception
    assert isinstance(error, ArgumentError)
    assert error.spelled("--split") == "--split half: must be three shares"


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"size": 3}, "size: must be a whole number from 4 to 128. Received: size=3"),
        ({"size": True}, "size: must be a whole number"),
        ({"limit": 0}, "limit: must be a number above 0 and at most 1, or None. Received: limit=0"),
        ({"fit": None}, "fit: must be one of pad, crop. Received: fit=None"),
        ({"fit": "crop", "size": 4}, "size: must be 8 or more to crop"),
        ({"sise": 4}, "sise: is no option; did you mean size?"),
        ({"x": 4}, "x: is no option; there are colors, fast, fit"),
    ],
)
def test_an_error_names_the_argument_what_came_and_what_is_expected(values, said):
    with pytest.raises(ArgumentError) as caught:
        Painting.from_dict(values)
    assert str(caught.value).startswith(said)


def test_changes_as_text():
    changed = Painting().with_text(["size=16", "limit=1", "fit=crop", "fast=True"])
    assert changed == Painting(16, "crop", 1, fast=True)
    for wrong in ("size=16.5", "size", "sice=3", "fast=1", f"size={'9' * 5000}"):
        with pytest.raises(ArgumentError):
            Painting().with_text([wrong])


def test_a_fingerprint_holds_all_but_what_belongs_to_the_run():
    assert Painting().fingerprint() == Painting(workers=5).fingerprint()
    assert Painting().fingerprint() != Painting(hidden=1).fingerprint()


def test_options_that_count_by_the_content_of_a_file():
    assert Painting.names_by_content() == ("colors",)
