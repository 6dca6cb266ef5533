"""Looks for every identifier of an export in outputs made of it; passes, or fails in one line that
names no identifier.

It never passes without having looked: an export or output that is empty, cannot be read or holds no
identifier fails.
"""

import functools
import os
from collections.abc import Callable, Collection, Sequence
from itertools import islice
from pathlib import Path

from pgcxr.errors import ArgumentError, InputError
from pgcxr.io.worker_process import Limits
from pgcxr.privacy.audit import findings, gather, tables
from pgcxr.privacy.audit.matcher import Matcher
from pgcxr.privacy.audit.search import Search, listed

MOST_FINDINGS = 10_000


def matcher(
    export: Path,
    run: Callable,
    own_texts: Sequence[str] = (),
    made_of: Collection[str] | None = None,
) -> tuple[Matcher, dict]:
    """The identifiers of an export, less those that pgcxr's own texts and `own_texts` hold; counts
    for the report.

    Args:
        run: as `in_processes` gives it.
        made_of: the files, by their names in the export, that the outputs were made of: of others,
            but tables, nothing can have been copied if they cannot be read. By default all files
            have to be readable.

    Raises:
        InputError: there is nothing to compare with, or not all of it.
    """
    gathering = gather.Gathering(Path(export), run)
    files = len(gathering.files)
    if not files:
        raise InputError(
            f"{export}: holds no file, so that the privacy audit has nothing to look for; check "
            "the path"
        )
    look_for, indistinct = Matcher.of_batches(gathering.batches(), own_texts, own_numbers=files)
    missing = set(gathering.unread)
    if made_of is not None:
        missing = {
            name
            for name in missing
            if tables.is_table(name) and (gathering.export / name).is_file()
        }
        read = set(gathering.files) - gathering.unread
        missing |= {
            name
            for name in made_of
            if name not in read and _real_name(gathering.export, name) not in read
        }
    if missing:
        raise InputError(
            f"{export}: {len(missing)} of its files and folders could not be read, so that the "
            "privacy audit cannot look for what they hold; make them readable, or remove what is "
            "no file (pipes, devices, links to nowhere)"
        )
    # A public set may have none; who names an export may have named the wrong one.
    if made_of is None and not len(look_for):
        raise InputError(
            f"{export}: no identifier in {files} files, so that the privacy audit has nothing to "
            "look for; name the export that the outputs were made of"
        )
    counts = {"files": files, "damaged": gathering.damaged, "unread": len(gathering.unread)}
    return look_for, {**counts, "identifiers": len(look_for), "indistinct": indistinct}


def _real_name(export: Path, name: str) -> str:
    """What a file of an export is called without links to folders in it."""
    return os.path.relpath(os.path.realpath(export / name), os.path.realpath(export))


def in_processes(
    processes: int | None,
    show_progress: bool,
    title: str = "identifiers",
    crashed=gather.lost,
    limits: Limits | None = None,
) -> Callable:
    """run(function, items) -> results in order, on several processes; 0 for none but this one, None
    for one a core. `limits` is what one file may take, by default `Limits()`.

    Raises:
        ArgumentError: there cannot be that many.
    """
    from pgcxr.io import workers

    processes = (os.cpu_count() or 1) if processes is None else processes
    if not 0 <= processes <= workers.MOST:
        raise ArgumentError("processes", f"must be from 0 to {workers.MOST}", received=processes)
    return functools.partial(
        workers.run,
        crashed=crashed,
        workers=processes,
        title=title,
        show=show_progress,
        limits=limits,
    )


def check(
    outputs: Sequence[Path],
    look_for: Matcher,
    counts: dict,
    findings_file: str | os.PathLike | None = None,
    progress: Callable[[], None] = lambda: None,
    passed: Collection[Path] = (),
) -> dict:
    """Looks for the identifiers of an export in `outputs`: files, and folders with all in them.

    Args:
        outputs: what was made of the export.
        look_for: the identifiers, as `matcher` gives them.
        counts: as `matcher` gives them, for the report.
        findings_file: the private table, readable by its owner alone, that says what was found
            where; by default beside the patient key.
        progress: called after each file.
        passed: files in `outputs` that were looked through already.

    Returns:
        The audit's report, {"files", "damaged", "unread", "identifiers", "indistinct", "outputs",
        "found": 0}.

    Raises:
        InputError: an identifier is in an output, or there is no output, or one that cannot be
            looked through.

    Example:

        >>> import tempfile
        >>> folder = Path(tempfile.mkdtemp())
        >>> export, cohort = folder / "export", folder / "cohort"
        >>> export.mkdir(), cohort.mkdir()
        (None, None)
        >>> lines = "patient_name,patient_id\\nZwetschgen^Ottilie,PX0047110815\\n"
        >>> _ = (export / "studies.csv").write_text(lines)
        >>> _ = (cohort / "manifest.csv").write_text("image_id,age\\n000001,47\\n")
        >>> identifiers, counts = matcher(export, in_processes(0, show_progress=False))
        >>> check([cohort], identifiers, counts, folder / "findings.csv")["found"]
        0
        >>> _ = (cohort / "notes.txt").write_text("seen again: Ottilie Zwetschgen")
        >>> check([cohort], identifiers, counts, folder / "findings.csv")  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        pgcxr.errors.InputError: privacy audit: 3 identifiers of patients (3 of kind name) in 1 \
output files; do not pass them on; ...
    """
    findings_file = Path(findings_file or findings.default_file())
    findings.check_file(findings_file, outputs)
    files = listed(outputs)
    search = Search(look_for)
    left = [output for output in files if output.path not in passed]
    in_outputs = list(islice(search.findings(left, progress), MOST_FINDINGS))
    if in_outputs:
        findings.write(findings_file, in_outputs)
        where = len({finding.output for finding in in_outputs})
        raise InputError(
            f"privacy audit: {len(in_outputs)} identifiers of patients "
            f"({findings.by_kind(in_outputs)}) in {where} output files; do not pass them on; "
            f"{findings_file} (private) says which and where"
        )
    if search.unread:
        raise InputError(
            f"privacy audit: {search.unread} of {len(files)} output files could not be looked "
            "through: they cannot be read, or what is packed in them is too large; make them "
            "readable, or unpack them"
        )
    return {**counts, "outputs": sum(not output.again for output in files), "found": 0}
