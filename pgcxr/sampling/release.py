"""What lets synthetic images out: that `python -m evaluate.privacy` passed their generator."""

from pathlib import Path

from pgcxr.errors import InputError
from pgcxr.io import artifacts, places
from pgcxr.sampling import generation

MADE_BY = "python -m evaluate.privacy"


def passed(privacy: str | Path, run: str | Path) -> dict:
    """{privacy_report_sha256, n: synthetic images it looked at}, for the report of what is
    released.

    Raises:
        InputError: `privacy` is no folder of evaluate.privacy, its answer is no, or it is about
            another generator file.
    """
    folder = places.existing_folder(privacy, f"a folder written by `{MADE_BY}`")
    path = folder / "report.json"
    report = artifacts.read_json(path)
    made_by = report.get("made_by")
    if not isinstance(made_by, dict) or made_by.get("command") != "evaluate.privacy":
        raise InputError(
            f"--release {folder}: its report.json is none of `{MADE_BY}`; name a folder written by "
            "it"
        )
    if report.get("passed") is not True:
        raise InputError(
            f"--release {folder}: the generator did not pass, see {path}; its images must not be "
            "released"
        )
    if report.get("generator_sha256") != artifacts.sha256(Path(run) / generation.GENERATOR):
        raise InputError(
            f"--release {folder}: is about another generator than {run}; run `{MADE_BY} {run} ...` "
            "again"
        )
    return {"privacy_report_sha256": artifacts.sha256(path), "n": report.get("n")}
