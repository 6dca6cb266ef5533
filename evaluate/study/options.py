"""What `evaluate.study` can be told, and how large a study is on a laptop, on two cores in a night,
and in the hospital."""

from dataclasses import dataclass
from pathlib import Path

from pgcxr.curation.options import LABELS, SOURCES
from pgcxr.errors import ArgumentError
from pgcxr.options import PATH, SEED, TEXT, Options, each, one_of, option, or_none, power_of_two

# Sizes and configs by name of the step's option; "init" are the networks that trainings begin
# with. "threads" and "jobs" fill the machine: commands run side by side on one thread each are
# faster than one after another on all, and their sums come out the same every time.
PRESETS: dict[str, dict] = {
    "demo": {
        "patients": 6000,
        "export_size": 128,
        "size": 64,
        "config": "quick",
        "init": {
            "gan": "phantom-64",
            "gan_normal": "phantom-64-normal",
            "anomaly_network": "phantom-64-normal",
        },
        "samples": 3000,
        "compared": 600,
        "anomaly": {
            "iterations": 60,
            "starts": 1,
            "per_class": 6,
            "normals": 70,
            "familiar": 40,
            "healthy": 100,
            # The weakest baseline for its time.
            "autoencoder_epochs": 0,
        },
        "threads": 1,
        "jobs": 2,
    },
    "scratch": {
        "patients": 12_000,
        "export_size": 128,
        "size": 64,
        "config": "demo",
        "samples": 10_000,
        "compared": 600,
        "anomaly": {"iterations": 60, "autoencoder_epochs": 0},
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
        "anomaly": {"iterations": 200},
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
        "anomaly": {"iterations": 500},
        "threads": 0,
        "jobs": 1,
    },
}
# Options that a report does not repeat: places, which may name a hospital or a patient.
UNNAMED = ("data", "rules", "readers", "seed")


@dataclass(frozen=True)
class StudyOptions(Options):
    """What a study can be told.

    Example:

        >>> StudyOptions(preset="small", data="/data/export", changes=("axes.samples=2000",)).seed
        2026
        >>> StudyOptions(preset="thesis")
        Traceback (most recent call last):
        pgcxr.errors.ArgumentError: data: preset thesis needs the hospital's export
    """

    preset: str = option(
        "demo",
        one_of(*PRESETS),
        "demo (64 px, from networks that come with pgcxr), "
        "scratch (32 px, all trained here), small or thesis",
    )
    data: Path | None = option(
        None,
        or_none(PATH),
        "a PACS export or public set, or a finished cohort; without it, a phantom is made",
    )
    rules: Path | None = option(None, or_none(PATH), "TOML file of exclusion rules, for the cohort")
    source: str | None = option(
        None, or_none(one_of(*SOURCES)), "what DATA is; by default what it looks like"
    )
    labels: str | None = option(
        None,
        or_none(one_of(*LABELS)),
        "what makes a study normal or abnormal: codes, report, or agree (both must)",
    )
    size: int | None = option(
        None,
        or_none(power_of_two(1024)),
        "pixels on a side, of the cohort and all networks  [default: the preset's]",
    )
    config: str | None = option(
        None, or_none(TEXT), "of trainings and fidelity (train/configs)  [default: the preset's]"
    )
    changes: tuple[str, ...] = option(
        (),
        each(TEXT),
        "STEP.KEY=VALUE changes an option of one step, e.g. gan.total_kimg=40, axes.samples=2000, "
        "gan.init=RUN, classifier.epochs=2 (gan and classifier: both of theirs); may be repeated",
        names=("--set",),
    )
    readers: tuple[str, ...] = option(
        (),
        each(TEXT),
        "folder of a reader study that has answers (evaluate.readers make, serve): it is analyzed "
        "and has its chapter; may be repeated",
    )
    seed: int = option(2026, SEED, "of every step")

    @property
    def carried_out(self) -> str:
        """The preset that is carried out: the demo's networks have seen phantoms only, so that on
        other images it is the one that trains everything."""
        return "scratch" if self.preset == "demo" and self.data is not None else self.preset

    def check(self) -> None:
        if self.data is None and not PRESETS[self.preset]["patients"]:
            raise ArgumentError("data", f"preset {self.preset} needs the hospital's export")
        if self.data is None and self.source:
            raise ArgumentError("source", "is for an export; name it with data")

    def described(self) -> dict:
        """What was told, for the report; no path, which may name a hospital or a patient."""
        told = {name: value for name, value in self.to_dict().items() if value not in (None, ())}
        return {key: told[key] for key in told if key not in UNNAMED}
