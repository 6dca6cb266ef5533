"""Progress bars on the terminal, all of one make: what, a bar, how much of it, the time that
remains.
"""

import contextlib
import os
from collections.abc import Iterator

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)

# Behind a bar, "3/7" instead of a percentage.
COUNT = MofNCompleteColumn()
# Seconds from which on it is said that one file is waited for.
SLOW = 5.0


class Bars:
    """A bar for each thing that is under way, while the `with` block lasts.

    Example:

        >>> with Bars(show=False) as bars:
        ...     for done in range(3):
        ...         bars.update("images", done + 1, 3)

    Args:
        before: stands before the bar, as Rich formats a task.
        amount: stands behind it; a percentage by default.
        after: stands behind the time that remains.
        show: False: nothing is shown.
        options: of `rich.progress.Progress`.
    """

    def __init__(
        self,
        before: str = "{task.description}",
        amount: str | ProgressColumn | None = None,
        after: str = "",
        show: bool = True,
        **options,
    ):
        columns = [before, BarColumn(), amount or TaskProgressColumn(), TimeRemainingColumn()]
        self._progress = Progress(
            *columns, *([TextColumn(after)] if after else []), disable=not show, **options
        )
        self._tasks: dict[str, int] = {}

    def __enter__(self) -> "Bars":
        self.start()
        return self

    def __exit__(self, *_) -> None:
        self.stop()

    def start(self) -> None:
        """Shows the bars, where no `with` block does."""
        self._progress.start()

    def stop(self) -> None:
        """Leaves the bars as they are."""
        self._progress.stop()

    def update(self, what: str, done: float, total: float | None, **fields) -> None:
        """So much of `what` is done.

        Args:
            what: names the bar; a new name begins a new one.
            total: of which `done` is a part; None: nobody knows.
            fields: what `before` and `after` name as `task.fields[...]`.
        """
        if what not in self._tasks:
            self._tasks[what] = self._progress.add_task(what, total=total, **fields)
        self._progress.update(self._tasks[what], completed=done, total=total, **fields)

    def advance(self, what: str, number: float = 1) -> None:
        """So much more of `what` is done."""
        self._progress.advance(self._tasks[what], number)

    def describe(self, what: str, text: str) -> None:
        """What stands at the bar of `what` from now on."""
        self._progress.update(self._tasks[what], description=text)

    def speed(self, what: str) -> float:
        """Of `what`, in units a second; 0 until it is known."""
        return self._progress.tasks[self._tasks[what]].speed or 0.0

    def print(self, *lines) -> None:
        """Prints above the bars."""
        self._progress.console.print(*lines)


@contextlib.contextmanager
def of_files(title: str, total: int, show: bool) -> Iterator["Advance"]:
    """A bar on stderr over `total` files, for worker processes."""
    # A handle of its own: Beam's runners need stderr for themselves.
    with open(os.dup(2), "w") as stderr:
        console = Console(file=stderr)
        # A bar that vanishes leaves a blank line in a log.
        shown = show and console.is_terminal
        with Bars(amount=COUNT, show=shown, console=console, transient=True) as bars:
            yield Advance(bars, title, total, shown)


class Advance:
    """advance(number of items) moves the bar; advance.waiting(seconds) says that one of them takes
    so long."""

    def __init__(self, bars: Bars, title: str, total: int, shown: bool):
        self._bars, self._title, self._slow, self.shown = bars, title, False, shown
        bars.update(title, 0, total)

    def __call__(self, number: int) -> None:
        self._bars.advance(self._title, number)

    def waiting(self, seconds: float) -> None:
        """Shown beside the title from SLOW seconds on."""
        if seconds >= SLOW or self._slow:
            self._slow = seconds >= SLOW
            text = f" (a slow file: {seconds:.0f} s)" if self._slow else ""
            self._bars.describe(self._title, self._title + text)
