"""The folder of a study, and its pictures and chapters as output of a notebook's cells."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from IPython.display import HTML
from markupsafe import Markup

from pgcxr.errors import InputError
from pgcxr.io import artifacts
from pgcxr.plots.page import Page

# A notebook has styles of its own: what it lacks is a row of figures, and room around a table.
STYLE = Markup(
    "<style>.pgcxr { max-width: 62rem; } "
    ".pgcxr.pgcxr table { margin: 0 0 .8rem; } .pgcxr.pgcxr .scroll { overflow-x: auto; } "
    ".pgcxr.pgcxr th, .pgcxr.pgcxr td { text-align: left; vertical-align: top; } "
    ".pgcxr.pgcxr .n { text-align: right; white-space: nowrap; } "
    ".pgcxr.pgcxr thead .n { white-space: normal; } "
    ".pgcxr caption { text-align: left; caption-side: top; padding: .4rem 0; min-width: 22rem; } "
    ".pgcxr figure { margin: .8rem 0; } "
    ".pgcxr figure img, .pgcxr figure svg { max-width: 100%; height: auto; } "
    ".pgcxr .row { display: flex; flex-wrap: wrap; gap: 0 1.5rem; } "
    ".pgcxr .row figure { flex: 0 1 calc(100% / var(--across) - 1.5rem); min-width: 10rem; } "
    ".pgcxr .verdict { border-left: 5px solid #57606a; padding: .4rem .9rem; }</style>"
)


@dataclass(frozen=True)
class Study:
    """The folder of `python -m evaluate.study`, such as `make demo` writes."""

    folder: Path

    def step(self, name: str) -> Path:
        """The folder of one step.

        Raises:
            InputError: it is not there, with what to run.
        """
        path = Path(self.folder) / name
        if not path.is_dir():
            raise InputError(
                f"{path}: no such folder; run `make demo` first, or name the folder of another "
                "study in PGCXR_STUDY"
            )
        return path

    def report(self, name: str) -> dict:
        """report.json of a step."""
        return artifacts.read_json(self.step(name) / "report.json")


def shown(page: Page) -> HTML:
    """The parts of a page, as a cell's output."""
    parts = [*page.opening]
    for section in page.sections:
        parts += [Markup("<h3>{}</h3>").format(section.title), *section.parts]
    whole = STYLE + Markup('<div class="pgcxr">{}</div>').format(Markup("").join(parts))
    return HTML(str(whole))


def chapter(write: Callable[[Page], object]) -> HTML:
    """What `write` adds to a page."""
    page = Page("")
    write(page)
    return shown(page)


def picture(path: str | Path, caption: str) -> HTML:
    """One figure that a step drew."""
    return chapter(lambda page: page.figure(path, caption))
