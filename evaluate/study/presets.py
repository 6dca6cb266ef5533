"""The steps of the study, and how large they are on a laptop, on two cores in a night, and in the
hospital."""

import hashlib
import os
from pathlib import Path

from evaluate.study.steps import Step
from pgcxr.errors import InputError
from pgcxr.io import places, trees

# Sizes and configs by name of the step's option. "threads" and "jobs" fill the machine: commands
# run side by side on one thread each are faster than one after another on all, and their sums come
# out the same every time.
PRESETS = {
    "demo": {
        "patients": 12_000,
        "export_size": 128,
        "size": 64,
        "config": "demo",
        "samples": 10_000,
        "compared": 600,
        "iterations": 60,
        "threads": 1,
        "jobs": 2,
    },
    "small": {
        "patients": 8000,
        "export_size": 256,
        "size": 128,
        "config": "small",
        "samples": 30_000,
        "compared": 0,
        "iterations": 200,
        "threads": 1,
        "jobs": 2,
    },
    "thesis": {
        "patients": 0,
        "export_size": 0,
        "size": 1024,
        "config": "thesis",
        "samples": 30_000,
        "compared": 0,
        "iterations": 500,
        "threads": 0,
        "jobs": 1,
    },
}


def steps(name: str, data: Path | None, seed: int) -> list[Step]:
    """The steps of preset `name`; on the export `data`, or on a phantom where it is None."""
    if name not in PRESETS:
        raise InputError(f"--preset {name}: no such preset; there are {', '.join(PRESETS)}")
    preset = PRESETS[name]
    number = ("--seed", str(seed))
    out, size, config = (
        ("--out", "{out}"),
        ("--size", str(preset["size"])),
        ("--config", preset["config"]),
    )
    if data is None:
        if not preset["patients"]:
            raise InputError(f"--preset {name}: needs the hospital's export; name it with --data")
        export = Step(
            "export",
            "pgcxr",
            (
                "phantom",
                "{out}",
                "--patients",
                str(preset["patients"]),
                "--size",
                str(preset["export_size"]),
                *number,
            ),
            code=("pgcxr.cli.phantom",),
        )
        first, source, needs, state = [export], "{export}", ("export",), ""
    else:
        folder = places.existing_folder(data, "a PACS export or a public set").resolve()
        escaped = str(folder).replace("{", "{{").replace("}", "}}")
        first, source, needs, state = [], escaped, (), state_of(folder)
    on_cohort = {"needs": ("cohort",)}
    return [
        *first,
        Step(
            "cohort",
            "pgcxr",
            ("curate", source, *out, *size, *number),
            needs,
            state,
            ("pgcxr.cli.curate",),
        ),
        Step("gan", "train.gan", ("{cohort}", *config, *out, *number), **on_cohort),
        Step(
            "gan_normal",
            "train.gan",
            ("{cohort}", *config, *out, *number, "--label", "normal"),
            **on_cohort,
        ),
        Step(
            "classifier_binary",
            "train.classifier",
            ("{cohort}", "--labels", "binary", *config, *out, *number),
            **on_cohort,
        ),
        Step(
            "classifier_findings",
            "train.classifier",
            ("{cohort}", "--labels", "findings", *config, *out, *number),
            **on_cohort,
        ),
        Step(
            "fidelity",
            "evaluate.fidelity",
            ("{gan}", "{classifier_binary}", *config, *out, *number),
            ("gan", "classifier_binary"),
        ),
        Step(
            "anomaly",
            "evaluate.anomaly",
            (
                "{gan_normal}",
                "{classifier_findings}",
                *out,
                "--iterations",
                str(preset["iterations"]),
                *number,
            ),
            ("gan_normal", "classifier_findings"),
        ),
        Step(
            "distribution",
            "evaluate.distribution",
            (
                "{gan}",
                "--features",
                "{classifier_binary}",
                *out,
                "--n",
                str(preset["compared"]),
                *number,
            ),
            ("gan", "classifier_binary"),
        ),
        Step(
            "privacy",
            "evaluate.privacy",
            ("{gan}", "{classifier_binary}", *out, *number),
            ("gan", "classifier_binary"),
        ),
        Step(
            "axes",
            "evaluate.axes",
            ("{gan}", "{classifier_findings}", *out, "--samples", str(preset["samples"]), *number),
            ("gan", "classifier_findings"),
        ),
    ]


def environment(name: str, out: Path) -> dict:
    """What every step's process gets: threads, quiet TensorFlow, and a key of the study's own for
    patient hashes."""
    key = out / "private" / "patient_key"
    found = {
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "PYTHONUNBUFFERED": "1",
        "TERM": "dumb",
        "PGCXR_KEY_FILE": str(key),
    }
    threads = PRESETS[name]["threads"]
    if threads:
        variables = (
            "TF_NUM_INTRAOP_THREADS",
            "TF_NUM_INTEROP_THREADS",
            "OMP_NUM_THREADS",
            "OPENBLAS_NUM_THREADS",
        )
        found |= dict.fromkeys(variables, str(threads))
    return found


def state_of(folder: Path) -> str:
    """A hash of the names, sizes and times of an export's files: cheap, and different where a file
    is."""
    whole = hashlib.sha256()
    for name in trees.walk(folder).files:
        stat = os.stat(os.path.join(folder, name))
        # Names that are no UTF-8 go in byte for byte.
        whole.update(os.fsencode(name))
        whole.update(f"\0{stat.st_size}\0{stat.st_mtime_ns}\0".encode())
    return whole.hexdigest()
