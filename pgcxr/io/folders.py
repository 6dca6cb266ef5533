"""What a folder is, by what lies in it: so that swapped arguments get a line that says so."""

import itertools
import json
import os
from collections.abc import Sequence
from pathlib import Path

from pgcxr.errors import InputError
from pgcxr.io import formats, places, user_files

GAN, CLASSIFIER, ANOMALY = "train.gan", "train.classifier", "train.anomaly"
ENCODER = "train.encoder"
# What the command in report.json's "made_by" says, for what is no training or evaluation.
KINDS = {
    "pgcxr phantom": "an EXPORT written by `pgcxr phantom`",
    "pgcxr curate": "a COHORT written by `pgcxr curate`",
    "pgcxr generate": "a folder of synthetic images written by `pgcxr generate`",
    "pgcxr edit": "a folder of edited images written by `pgcxr edit`",
    "pgcxr generate-labeled": "a folder of synthetic images written by `pgcxr generate-labeled`",
    "pgcxr screen": "a folder of screened images written by `pgcxr screen`",
    "pgcxr import-nvidia": "a RUN written by `pgcxr import-nvidia`",
}
# Files of a folder that are looked at before it is no export of DICOM files.
MOST_FILES = 100


def describe(folder: str | os.PathLike) -> str | None:
    """What `folder` is, such as "a COHORT written by `pgcxr curate`"; None where nobody knows.

    Example:

        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     _ = Path(folder, "manifest.csv").write_text("image_id,patient_id")
        ...     print(describe(folder))
        a COHORT written by `pgcxr curate`
    """
    folder = Path(folder)
    command = _command(folder / "report.json")
    if command in KINDS:
        return KINDS[command]
    if command.startswith("train."):
        return a_run(command)
    if command.startswith("evaluate."):
        return f"a folder written by `python -m {command}`"
    if (folder / "manifest.csv").is_file():
        return KINDS["pgcxr curate"]
    if any(map(is_dicom, itertools.islice(_files(folder), MOST_FILES))):
        return "an EXPORT of DICOM files"
    return None


def a_run(*commands: str) -> str:
    """What a training writes, in words: "a RUN written by `python -m train.gan`"."""
    return "a RUN written by " + " or ".join(f"`python -m {command}`" for command in commands)


def existing_run(folder: str | os.PathLike, made_by: Sequence[str]) -> Path:
    """`folder` as a Path.

    Args:
        folder: where a RUN is expected.
        made_by: the trainings that may have written it, such as ("train.gan",).

    Raises:
        InputError: there is no folder, or it is known to be something else, and what.
    """
    folder = places.existing_folder(folder, a_run(*made_by))
    kind = describe(folder)
    imported = KINDS["pgcxr import-nvidia"]
    if kind not in (None, *map(a_run, made_by), imported if GAN in made_by else None):
        raise InputError(f"{folder}: is {kind}; give {a_run(*made_by)}")
    return folder


def _command(report: Path) -> str:
    """made_by.command of a report.json, "" where there is none."""
    try:
        made_by = json.loads(user_files.read_bytes(report, user_files.JSON))["made_by"]
        command = made_by["command"]
    except (InputError, OSError, ValueError, RecursionError, KeyError, TypeError):
        return ""
    return command if isinstance(command, str) else ""


def _files(folder: Path):
    for parent, _, names in os.walk(folder):
        for name in sorted(names):
            yield Path(parent) / name


def is_dicom(path: Path) -> bool:
    """Whether a file has the preamble and prefix of DICOM; False where it cannot be read."""
    return formats.kind_of(path) == formats.DICOM
