"""How an evaluation is written: options in, a result out, and one way to tell how far it is.

An evaluation is a package of its own, `evaluate/NAME/`:

    __init__.py     a docstring: the question; its names, see `evaluate.face`
    options.py      `NameOptions`, without anything heavy
    experiment.py   `run`
    chapter.py      `NameResult`: `command`, "evaluate.name"; what was found, and its chapter of a
                    report
    figures.py      its pictures
    __main__.py     the command: `@takes_options`, what is wrong at first sight
                    (`common.refuse_places`), then `run`, and one line for the user

`NameOptions` is a frozen class of `pgcxr.options`: a field for all that may be told, with what it
may be, its unit and its help. `run` has the signature

    run(gan_run, ..., out, options=None, seed=0, progress=silent) -> NameResult

makes the folder `out` in one piece, and calls `progress` while it works:

    options = options or NameOptions()
    places.refuse_existing(out)
    with artifacts.new_folder(out) as folder:
        ...
        result = NameResult(out, figures, tables).made_with(options, seed)
        result.write(folder)
        pictures.write(folder, result.figures)
    return result

Everything that a chapter shows is in the result or in the folder, so that `NameResult.load(out)`
writes the same chapter a week later: `evaluate.study` reads its steps so.
"""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import ClassVar, Self

import pandas as pd

from pgcxr.io import artifacts
from pgcxr.options import Options
from pgcxr.plots.page import Page

# Called with what is under way, how much of it is done, and of how much.
Progress = Callable[[str, int, int], None]


def silent(what: str, done: int, total: int) -> None:
    """The `Progress` of who does not want to know."""


@contextlib.contextmanager
def progress_bars() -> Iterator[Progress]:
    """Gives a `Progress` that shows one bar for each `what`."""
    from pgcxr.io.progress import Bars

    with Bars() as bars:
        yield bars.update


@dataclass(frozen=True)
class Result:
    """What an evaluation found; base of the result of each.

    Example:

        >>> class Ages(Result):
        ...     command = "evaluate.ages"
        ...     def chapter(self, page):
        ...         page.section("Ages").text(f"The mean is {self.figures['mean']} years.")
        >>> ages = Ages("runs/ages", {"mean": 61.5, "ci95": (60, float("nan"))})
        >>> ages.figures
        {'mean': 61.5, 'ci95': [60, None]}
        >>> ages.chapter(Page("Cohort"))

    Attributes:
        folder: where its files are.
        figures: the body of report.json, in the types of strict JSON.
        tables: {file name: table}. An index that is more than a numbering is a column of the file.
        made_by: command, seed, options and versions, as report.json names them.
    """

    folder: Path
    figures: dict
    tables: dict[str, pd.DataFrame] = field(default_factory=dict)
    made_by: dict = field(default_factory=dict)

    command: ClassVar[str] = ""
    float_format: ClassVar[str] = "%.6g"  # of the tables
    line_terminator: ClassVar[str] = "\n"

    def __post_init__(self) -> None:
        object.__setattr__(self, "folder", Path(self.folder))
        object.__setattr__(self, "figures", artifacts.plain(self.figures))

    @classmethod
    def load(cls, folder: str | Path) -> Self:
        """What an earlier run wrote to `folder`.

        Raises:
            InputError: there is no whole report.json.
        """
        folder = Path(folder)
        report = artifacts.read_json(folder / "report.json")
        made_by = report.pop("made_by", {})
        tables = {path.name: pd.read_csv(path) for path in sorted(folder.glob("*.csv"))}
        return cls(folder, report, tables, made_by)

    def made_with(self, options: Options, seed: int) -> Self:
        """The result with what made it."""
        made_by = {"command": self.command, "seed": seed, "config": options.to_dict()}
        made_by |= {"versions": artifacts.versions()}
        return replace(self, made_by=artifacts.plain(made_by))

    def to_json(self) -> dict:
        """report.json."""
        return {**self.figures, "made_by": self.made_by}

    def write(self, folder: str | Path) -> None:
        """Writes report.json and the tables; `folder` is where `self.folder` is made, beside it."""
        for name, table in self.tables.items():
            numbered = isinstance(table.index, pd.RangeIndex)
            text = table.to_csv(
                index=not numbered,
                float_format=self.float_format,
                lineterminator=self.line_terminator,
            )
            artifacts.write_text(Path(folder) / name, text)
        artifacts.write_json(Path(folder) / "report.json", self.to_json())

    def chapter(self, page: Page) -> None:
        """Adds what was found to a page: text, tables, and figures from `folder`."""
        raise NotImplementedError
