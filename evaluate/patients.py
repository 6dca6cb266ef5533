"""Which real images judge, and whether their patients are others than those that the networks were
trained on: told from manifests, or said where that is not known."""

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from evaluate import common
from pgcxr.cohort import manifest as cohort
from pgcxr.cohort.findings import ABNORMAL, NORMAL
from pgcxr.cohort.image_files import png_size
from pgcxr.errors import ArgumentError, InputError
from pgcxr.io import artifacts
from pgcxr.sampling import runs

UNKNOWN = "whose training images are not known here"
IMPORTED = "was imported without its training images"
NEEDED = "is needed: {name} comes with pgcxr and without real images"


@dataclass(frozen=True)
class RealImages:
    """A cohort that calibrates, judges and tests.

    Attributes:
        cohort: all its splits.
        named: whether it was named in place of the RUNs' own.
        notes: what is known, and what is not, of its patients and the networks' training.
    """

    cohort: cohort.Cohort
    named: bool = False
    notes: list[str] = field(default_factory=list)

    def refuse_small(self, size: int) -> None:
        """Raises InputError where images of `size` px cannot be made of a named cohort's, by the
        first: each is looked at when it is read."""
        rows, _ = png_size(self.cohort.paths()[0])
        if self.named and 0 < rows < size:
            raise InputError(
                f"{self.cohort.folder}: its images are of {rows} px where the networks read "
                f"{size} px; curate the export at {size} px or more"
            )

    def report(self, out: str | Path) -> dict:
        """For report.json: which cohort it is, its folder as seen from the folder `out`."""
        folder = self.cohort.folder
        return {
            "folder": os.path.relpath(os.path.realpath(folder), os.path.realpath(out)),
            "named": self.named,
            "manifest_sha256": artifacts.sha256(folder / "manifest.csv"),
            "images": {split: len(self.cohort.select(split)) for split in cohort.SPLITS},
            "phantom_seed": _phantom_seed(folder),
        }


def refuse_missing(named: Path | None, run: str | Path) -> None:
    """What can be told in a moment of the cohort that an evaluation reads.

    Args:
        named: in place of the RUNs' own.
        run: whose cohort is read where none is named.

    Raises:
        ArgumentError: none is named, and `run` comes without.
        InputError: `named` is none.
    """
    if named is not None:
        cohort.load(named)
    elif runs.is_pretrained(run):
        raise ArgumentError("cohort", NEEDED.format(name=Path(run).name))


def named(folder: str | Path, networks: Sequence[str | Path]) -> RealImages:
    """A cohort in place of those of the RUNs `networks`.

    Raises:
        InputError: it is none, or one of the RUNs was trained on a patient of its splits val or
            test.
    """
    found = cohort.load(folder)
    rows = found.manifest
    held_out = cohort.Cohort(found.folder, rows[rows["split"] != "train"])
    each = dict.fromkeys(map(str, networks))
    notes = [note for run in each for note in check_disjoint(run, held_out)["notes"]]
    return RealImages(found, True, notes)


def of_report(folder: Path, report: dict) -> cohort.Cohort | None:
    """The cohort that was named for an evaluation which wrote `folder`; None where none was."""
    said = report.get("cohort") or {}
    return (
        cohort.load(Path(os.path.realpath(folder)) / said["folder"]) if said.get("named") else None
    )


def trained_on(gan_run: str | Path) -> cohort.Cohort:
    """`cohort_of` a GAN; InputError where its manifest has changed since, so that what it has seen
    is not known."""
    found = common.cohort_of(gan_run)
    manifest = found.folder / "manifest.csv"
    if common.load_run(gan_run).get("manifest_sha256") not in (None, artifacts.sha256(manifest)):
        raise InputError(
            f"{manifest}: has changed since {gan_run} was trained on it, so that its training "
            "images aren't known; put the earlier one back, or train again"
        )
    return found


def is_imported(run: str | Path) -> bool:
    """Whether RUN says that its networks were not trained here (`pgcxr import-nvidia`)."""
    config = common.load_run(run)
    return bool(config.get("imported")) or config.get("source") == "nvidia pickle"


def knows_no_images(run: str | Path) -> bool:
    """Whether nobody here can know which images a RUN was trained on: it comes with pgcxr, or says
    that it was imported and names no cohort."""
    if runs.is_pretrained(run):
        return True
    return is_imported(run) and "cohort" not in common.load_run(run)


def check_disjoint(gan_run: str | Path, test: cohort.Cohort) -> dict:
    """{checked, gan_patients, test_patients, shared: 0, notes}; InputError where the GAN was
    trained on a test patient.

    Patients are told by their hash, and images by the hash of their pixels, as two cohorts may be
    salted differently. `checked` is false only of a RUN that `knows_no_images`. `notes` says what
    is not known, on the terminal, too.
    """
    gan_run = Path(gan_run)
    if knows_no_images(gan_run):
        shipped = runs.is_pretrained(gan_run)
        note = _of_phantoms(gan_run.name, test) if shipped else _unknown(gan_run, IMPORTED)
        return {
            "checked": False,
            "gan_patients": None,
            "test_patients": _unique(test, "patient_id"),
            "shared": None,
            "notes": [note],
        }
    config = common.load_run(gan_run, cohort=str)
    split, label = config.get("split", "train"), config.get("label", "all")
    if split not in cohort.SPLITS or label not in ("all", NORMAL, ABNORMAL):
        raise InputError(
            f"{gan_run / 'config.json'}: split or label is none that a GAN is trained on; train it "
            "again"
        )
    seen = trained_on(gan_run).select(split=split, label=None if label == "all" else label)
    refuse_shared(gan_run, seen, test)
    unknown, notes = _unknown_lineage(gan_run, test)
    return {
        "checked": True,
        "gan_patients": _unique(seen, "patient_id"),
        "test_patients": _unique(test, "patient_id"),
        "shared": 0,
        "unknown_lineage": unknown,
        "notes": notes,
    }


def refuse_shared(gan_run: Path, seen: cohort.Cohort, test: cohort.Cohort, whose: str = "") -> None:
    """Raises InputError where a GAN has `seen` a patient or an image of `test`."""
    for column, what in (("patient_id", "patients"), ("sha256", "images")):
        if column in seen.manifest.columns and column in test.manifest.columns:
            shared = (set(seen.manifest[column]) & set(test.manifest[column])) - {""}
            if shared:
                raise InputError(
                    f"{gan_run}: {whose or 'was'} trained on {len(shared)} {what} of the real test "
                    "set; train the GAN and the classifier on one cohort, or on disjoint ones"
                )


def _unknown_lineage(gan_run: Path, test: cohort.Cohort) -> tuple[list[str], list[str]]:
    """(names of the networks that the GAN began with (train.gan --init) and of whose images nobody
    knows here whether those of `test` are among them, notes).

    Raises:
        InputError: one of them was trained on a patient or an image of `test`.
    """
    unknown, notes = [], []
    for entry in lineage(gan_run):
        if entry.get("pretrained"):  # on phantoms: known to be others, unless of the same seed
            name = str(entry.get("name"))
            if name in runs.pretrained_names() and _saw(name) == _phantom_seed(test.folder):
                notes.append(_of_phantoms(name, test))
            continue
        name = entry.get("cohort")
        folder = Path(os.path.realpath(gan_run)) / name if name else None
        if (
            folder is None
            or not (folder / "manifest.csv").is_file()
            or artifacts.sha256(folder / "manifest.csv") != entry.get("manifest_sha256")
        ):
            unknown.append(str(entry.get("name", "a network")))
            notes.append(_unknown(gan_run, f"began with {unknown[-1]}, {UNKNOWN}"))
            continue
        label = entry.get("label", "all")
        seen = cohort.load(folder).select(
            split=entry.get("split", "train"), label=None if label == "all" else label
        )
        refuse_shared(gan_run, seen, test, f"began with {entry['name']}, which was")
    return unknown, notes


def _unknown(run: Path, why: str) -> str:
    """The note on a RUN whose training images are not known; the terminal is told which it is."""
    said = f"{why}: whether patients of the test set are among them was not checked"
    print(f"warning: {run}: {said}", file=sys.stderr)
    return f"{run.name}: {said}."


def _of_phantoms(name: str, test: cohort.Cohort) -> str:
    """The note on a network that comes with pgcxr: whether it knows the patients of `test`."""
    seed, own = _saw(name), _phantom_seed(test.folder)
    kind, said = "warning", f"{name}: was trained on phantoms of seed {seed}"
    if own is None:
        said += (
            ", which are not at hand: whether patients of the test set are among them was not "
            "checked (people are not, nor are phantoms of another seed)"
        )
    elif own == seed:
        said += (
            ", and so may have been on patients of the test set, phantoms of that seed, too: "
            "what it finds there may be too good; curate phantoms of another seed"
        )
    else:
        kind, said = "note", f"{said}, other patients than the test set's phantoms of seed {own}"
    print(f"{kind}: {said}", file=sys.stderr)
    return f"{said}."


def _saw(name: str) -> int:
    """The seed of the phantoms that a network which comes with pgcxr was trained on."""
    return runs.pretrained_report(name)["phantom_seed"]


def _phantom_seed(folder: Path) -> int | None:
    """The seed of the phantoms that a cohort shows; None where it shows none, or does not say."""
    path = folder / "report.json"
    return artifacts.read_json(path).get("phantom_seed") if path.is_file() else None


def lineage(gan_run: str | Path) -> list[dict]:
    """The networks that a RUN of train.gan began with, the nearest first: config.json's "init"."""
    entries = common.load_run(gan_run).get("init", [])
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise InputError(f"{Path(gan_run) / 'config.json'}: init is no list; train the run again")
    return entries


def _unique(rows: cohort.Cohort, column: str) -> int:
    return int(rows.manifest[column].nunique())
