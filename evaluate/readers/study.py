"""A study on disk, and the order in which each reader reads it.

study.toml      title, kind, seed, repeats, what it was made from; may be edited before reading
cases.json      the cases with their right answers: not for readers
images/*.png    under random names, pixels alone
truth/*.png     where lesions are: pixels of lesion 1, 2, ... have that value; not for readers
answers.sqlite  readers and all that they answered (`evaluate.readers.store`)
"""

import json
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from evaluate.readers.kinds import KINDS, Kind
from pgcxr.errors import InputError
from pgcxr.io import artifacts, places, user_files

STUDY, CASES, ANSWERS = "study.toml", "cases.json", "answers.sqlite"
IMAGES, TRUTH = "images", "truth"


@dataclass(frozen=True)
class Case:
    """One case.

    Attributes:
        name: of the case in tables, e.g. "c0007".
        images: {pane: file name in images/}.
        truth: the right answer, keys of `Kind.truth`.
        prompt: what is said with the case, such as the finding to grade.
        training: whether it comes first, with feedback, and counts for nothing.
        lesions: file name in truth/; "" where there are none, or nobody knows.
    """

    name: str
    images: dict[str, str]
    truth: dict
    prompt: str = ""
    training: bool = False
    lesions: str = ""


@dataclass(frozen=True)
class Study:
    """What is read."""

    folder: Path
    title: str
    kind: Kind
    seed: int
    repeats: int
    cases: tuple[Case, ...]
    source: dict

    def order(self, reader: str) -> list[Case]:
        """The cases in the order in which `reader` reads them: training, then all others shuffled,
        some of them again at least half of the cases later.

        It depends on the study's seed and the reader's name alone.
        """
        training = [case for case in self.cases if case.training]
        counted = [case for case in self.cases if not case.training]
        rng = np.random.default_rng([self.seed, zlib.crc32(reader.encode())])
        first = [counted[place] for place in rng.permutation(len(counted))]
        half = len(first) // 2
        again = sorted(rng.permutation(max(half, 1))[: self.repeats].tolist())
        # Before which of the first readings each repeat comes.
        slots = [(int(rng.integers(place + half, len(first) + 1)), place) for place in again]
        order: list[Case] = []
        for place, case in enumerate([*first, None]):
            order += [first[of] for slot, of in slots if slot == place]
            if case is not None:
                order.append(case)
        return training + order

    def image(self, case: Case, pane: str) -> Path:
        """The PNG of a pane."""
        return self.folder / IMAGES / case.images[pane]


def load(folder: str | Path) -> Study:
    """The study in a folder.

    Raises:
        InputError: it is none, or study.toml or cases.json are damaged.
    """
    folder = places.existing_folder(folder, "a study made by `python -m evaluate.readers make`")
    path = folder / STUDY
    if not path.is_file():
        raise InputError(
            f"{folder}: is no reader study; make one with `python -m evaluate.readers make`"
        )
    said = user_files.read_toml(path)
    for key, kinds in (("title", str), ("kind", str), ("seed", int), ("repeats", int)):
        if type(said.get(key)) is not kinds:
            raise InputError(f"{path}: {key} must be a {kinds.__name__}; mend what was edited")
    if said["kind"] not in KINDS:
        raise InputError(f"{path}: kind is one of {', '.join(KINDS)}; mend what was edited")
    try:
        rows = json.loads((folder / CASES).read_text(encoding="utf-8"))
        cases = tuple(Case(**row) for row in rows)
    except (OSError, ValueError, TypeError):
        raise InputError(f"{folder / CASES}: is missing or damaged; make the study again") from None
    counted = sum(not case.training for case in cases)
    if counted < 1 or said["seed"] < 0 or not 0 <= said["repeats"] <= counted // 2:
        raise InputError(
            f"{path}: seed or repeats do not go with the {counted} cases; mend what was edited"
        )
    kind = KINDS[said["kind"]]
    study = Study(
        folder, said["title"], kind, said["seed"], said["repeats"], cases, said.get("source", {})
    )
    for case in cases:
        for _, panes in kind.phases:
            for pane in panes:
                name = case.images.get(pane, "")
                if Path(name).name != name or not study.image(case, pane).is_file():
                    raise InputError(
                        f"{folder / IMAGES}: an image of case {case.name} is missing; make the "
                        "study again"
                    )
    return study


def write(folder: Path, study: Study) -> None:
    """study.toml and cases.json of a new study; the images are there."""
    lines = [
        "# A reader study; `python -m evaluate.readers serve` shows it. Title may be edited, and",
        "# seed and repeats before the first answer.",
        f"title = {_toml(study.title)}",
        f"kind = {_toml(study.kind.name)}",
        f"seed = {study.seed}",
        f"repeats = {study.repeats}",
        "",
        "[source]",
        *(f"{key} = {_toml(value)}" for key, value in study.source.items()),
        "",
    ]
    artifacts.write_text(folder / STUDY, "\n".join(lines))
    artifacts.write_json(folder / CASES, [vars(case) for case in study.cases])


def _toml(value: object) -> str:
    # A JSON text, number, or list of them is one of TOML, too.
    return json.dumps(value, ensure_ascii=True)
