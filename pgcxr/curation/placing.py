"""How a cohort's folder gets its images, and which folders may give way to a new cohort."""

import os
import shutil
from pathlib import Path

from pgcxr.cohort import records
from pgcxr.curation import work
from pgcxr.curation.work import Work
from pgcxr.errors import ArgumentError, InputError
from pgcxr.io import artifacts, places
from pgcxr.privacy import hashing

# What `pgcxr curate` writes into a cohort, and `pgcxr records` beside it.
WRITTEN = {
    *(
        "manifest.csv",
        "excluded.csv",
        "flowchart.json",
        "flowchart.svg",
        "report.json",
        "images",
        "masks",
        work.RECORDS,
    ),
    *(
        "table1.csv",
        "table2.csv",
        "tables.html",
        "label_agreement.csv",
        "label_sample.csv",
        "label_sample.html",
    ),
}


def place(folder: Path, beside: Work, named: dict[int, str], kept) -> None:
    """Puts the images and masks of the kept into the cohort's folder, under their final names.

    Args:
        named: number of a scan -> name of its images in `beside`.
        kept: the images, with `scan`, `done` and `image_id`.
    """
    for name in ("images", "masks"):
        (folder / name).mkdir()
    for image in kept:
        for kind in ("images", "masks") if image.done.mask else ("images",):
            _link(
                beside.place(kind, named[image.scan.number]),
                folder / kind / f"{image.image_id}.png",
            )
    if not any((folder / "masks").iterdir()):
        (folder / "masks").rmdir()


def _link(file: str | Path, place: str | Path) -> None:
    """A second name for the same bytes, which take no room twice; a copy on file systems without
    such."""
    try:
        os.link(file, place)
    except OSError:
        shutil.copyfile(file, place)


def keep_records(out: Path, folder: Path) -> list[str]:
    """Gives the records in the cohort at `out` to the new one in `folder`, which is to take its
    place.

    Returns:
        a warning for each that the new manifest no longer agrees with; whoever reads these records
        finds that out as well (`pgcxr.cohort.records.cohort_of`).
    """
    kept, place = out / work.RECORDS, folder / work.RECORDS
    if not kept.is_dir() or kept.is_symlink():
        return []

    def left_over(_, names: list[str]) -> list[str]:
        return list(filter(places.is_left_over, names))

    shutil.copytree(kept, place, symlinks=True, ignore=left_over, copy_function=_link)
    return [
        f"{work.RECORDS}/{path.relative_to(place).as_posix()} was written from the cohort before, "
        "which had other images or splits: no training takes it; write it again with `pgcxr "
        "records`"
        for path in records.out_of_date(place, folder)
    ]


def refuse_existing(out: Path) -> None:
    """Raises InputError where a new cohort may not be made."""
    if is_cohort(out):
        raise InputError(
            f"{out}: exists and is not empty: made by other options, from another export, by "
            "another version, or changed since; name another folder, or allow to overwrite it"
        )
    places.refuse_existing(out)


def check_out(out: Path, read: dict[str, Path | None]) -> None:
    """Raises InputError where no cohort can be, or where it would touch what is `read` (what it is
    -> its place)."""
    places.refuse_place(out)
    for what, place in read.items():
        if place is not None:
            places.refuse_overlap(out, place, what)


def may_replace(out: Path) -> bool:
    """Whether overwriting may put a new cohort in the place of what is at `out`: a cohort and
    nothing else.

    Raises:
        InputError: something lies in the cohort that neither `pgcxr curate` nor `pgcxr records`
            wrote.
    """
    if not is_cohort(out):
        return False
    names = sorted(path.name for path in out.iterdir())
    foreign = [name for name in names if name not in WRITTEN and not places.is_left_over(name)]
    if foreign:
        raise InputError(
            f"{out / foreign[0][:80]}: lies in the cohort that would be overwritten, and was not "
            "written by `pgcxr curate`; move it away, or name another folder for the cohort"
        )
    return True


def is_cohort(folder: Path) -> bool:
    """Whether `pgcxr curate` made `folder`."""
    try:
        if not (folder / "manifest.csv").is_file():
            return False
        return artifacts.read_json(folder / "report.json")["made_by"]["command"] == "pgcxr curate"
    except (InputError, OSError, KeyError, TypeError):
        return False


def check_key(out: Path, key_file: Path, *, may_differ: bool) -> None:
    """Raises InputError where what is known for the cohort `out` was made with another patient key
    than that in `key_file`: its patients would get other hashes, and that knowledge would be lost.

    Args:
        key_file: not made here; where there is none, one would be made, which is another.
        may_differ: whether another key was asked for in words, with all that it costs.
    """
    made_with = work.key_of(out)
    absent = not os.path.lexists(key_file)
    if may_differ or made_with is None:
        return
    if not absent and hashing.key_mark(hashing.read_key(key_file)) == made_with:
        return
    wrong = "no such file, so a new patient key" if absent else "another patient key"
    raise InputError(
        f"{key_file}: {wrong} than {out} was made with; its patients would get other hashes. Name "
        "its key (where none is named, PGCXR_KEY_FILE says which), or another folder for the cohort"
    )


def check_private(private: dict, out: Path) -> None:
    """Raises InputError for a private file (argument -> path) inside of `out`, or a trace in the
    place of another."""
    for name, path in private.items():
        if path is not None and real(path).is_relative_to(real(out)):
            expected = "lies in the cohort, which is to be passed on; name a file elsewhere"
            raise ArgumentError(name, expected, received=path)
    trace = private["trace"]
    if trace is not None:
        if real(trace) == real(private["key_file"]):
            raise ArgumentError("trace", "is the key file; name another", received=trace)
        if not os.path.isfile(trace) or os.path.islink(trace):
            places.refuse_existing_file(trace, "trace")


def check_trace(trace: str | os.PathLike | None, beside: Work) -> None:
    """Raises InputError for a trace that is there already, unless an earlier run of the same
    cohort wrote it."""
    if trace is not None and os.path.isfile(trace) and not beside.wrote_trace(Path(trace)):
        raise InputError(
            f"{trace}: exists, and is not as an earlier run for this cohort wrote it; remove it or "
            "name another trace"
        )


def real(path: str | os.PathLike) -> Path:
    """Without links; unlike Path.resolve, also where they lead round in a loop."""
    return Path(os.path.realpath(path))
