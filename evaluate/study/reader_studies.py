"""Reader studies in a study: a step that analyzes each, and their chapters."""

from collections.abc import Iterable
from pathlib import Path

from evaluate.readers.chapter import ReadersResult
from evaluate.readers.session import state_of
from evaluate.study.steps import Step, literally
from pgcxr.plots.page import Page

PREFIX = "readers_"


def steps(folders: Iterable[str], seed: int) -> list[Step]:
    """An analysis of each reader study, named for its kind; made again where there are new answers.

    Raises:
        InputError: a folder holds no reader study, or one without answers.
    """
    found: list[Step] = []
    for folder in folders:
        kind, state = state_of(folder)
        same = sum(step.name.startswith(PREFIX + kind) for step in found)
        name = f"{PREFIX}{kind}" + (f"_{same + 1}" if same else "")
        words = ("analyze", literally(Path(folder).resolve()), "--out", "{out}")
        found.append(Step(name, "evaluate.readers", (*words, "--seed", str(seed)), inputs=state))
    return found


def named(names: Iterable[str]) -> list[str]:
    """Those of the steps that are analyses of reader studies."""
    return [name for name in names if name.startswith(PREFIX)]


def chapters(page: Page, out: Path, names: Iterable[str]) -> None:
    """A chapter of each, or how to make one."""
    analyzed = named(names)
    for name in analyzed:
        ReadersResult.load(out / name).chapter(page)
    if not analyzed:
        page.section("Reader studies")
        page.text(
            "None yet: no radiologist has read images of this run. In the thesis one did: the "
            "severity along the axes that were found, and 100 anomaly maps (Table 6). A study of "
            "your own takes three commands, and this one again, which then makes its chapter:"
        )
        page.commands(
            [
                "python -m evaluate.readers make turing STUDY/gan --cases 60 --out runs/turing",
                "python -m evaluate.readers serve runs/turing --reader r1 --reader r2",
                "python -m evaluate.study ... --readers runs/turing",
            ]
        )
        page.text(
            "turing asks whether an image is real; severity (--axes STUDY/axes), how severe the "
            "disease is along an axis; anomaly (make anomaly STUDY/anomaly), whether and where an "
            "image is abnormal, first without and then with the map; preference, which of two "
            "generators' images looks more real. How many readers and cases each needs: "
            "python -m evaluate.readers power."
        )
