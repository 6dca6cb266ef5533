"""The steps of the study, and how large they are on a laptop, on two cores in a night, and in the
hospital."""

import hashlib
import os
from dataclasses import dataclass, replace
from pathlib import Path

from evaluate.study import changes, reader_studies
from evaluate.study.steps import Step, literally
from pgcxr.curation.options import LABELS, SOURCES
from pgcxr.errors import ArgumentError, InputError
from pgcxr.io import artifacts, places, trees
from pgcxr.options import PATH, SEED, TEXT, Options, each, one_of, option, or_none, power_of_two

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
# Which option of a training is the side of its images.
SIDES = {"train.gan": "resolution", "train.classifier": "size"}
# The network that segments anomalies reads images of the GAN's side, and no larger ones than maps
# are drawn at (pgcxr.anomaly.maps.FINEST).
ANOMALY_CONFIG, ANOMALY_SIDE = {"demo": "demo"}, 128


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

    preset: str = option("demo", one_of(*PRESETS), "demo, small or thesis")
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

    def check(self) -> None:
        if self.data is None and not PRESETS[self.preset]["patients"]:
            raise ArgumentError("data", f"preset {self.preset} needs the hospital's export")
        if self.data is None and self.source:
            raise ArgumentError("source", "is for an export; name it with data")

    def described(self) -> dict:
        """What was told, for the report; no path, which may name a hospital or a patient."""
        told = {name: value for name, value in self.to_dict().items() if value not in (None, ())}
        return {key: told[key] for key in told if key not in UNNAMED}


@dataclass(frozen=True)
class Plan:
    """The steps of one study.

    Attributes:
        steps: in order.
        cohort: the finished cohort that is studied; None where step "cohort" makes one.
    """

    steps: list[Step]
    cohort: Path | None = None

    def settings(self) -> dict[str, dict]:
        """{step: what its command will be called with}.

        Raises:
            ArgumentError: a command would refuse what it is given.
        """
        settings = {}
        for step in self.steps:
            try:
                settings[step.name] = changes.settings(step.module, step.arguments)
            except ArgumentError as error:
                argument = f"{step.name}.{error.argument}"
                raise ArgumentError(argument, error.expected, error.received) from None
        return settings


def plan(options: StudyOptions) -> Plan:
    """What is to be done for a study, every option of every step checked.

    Raises:
        ArgumentError: no such step or option, or a value that it may not have.
        InputError: `data` or `rules` are not there.
    """
    cohort = None
    if options.data is not None:
        folder = places.existing_folder(
            options.data, "a PACS export, a public set or a cohort"
        ).resolve()
        cohort = folder if _is_cohort(folder) else None
    if cohort:
        for name in ("rules", "source", "labels"):
            if getattr(options, name) is not None:
                raise ArgumentError(name, f"is for an export; {options.data} is a finished cohort")
    unchanged = _first_steps(options, cohort) + _later_steps(options, cohort)
    unchanged += reader_studies.steps(options.readers, options.seed)
    changed = changes.parse(options.changes, [step.name for step in unchanged])
    steps = [_changed(step, changes.of_step(changed, step.name)) for step in unchanged]
    steps = [_sized(step, options.size, changed) for step in steps]
    steps = [_as_the_gan(step, steps, changed) for step in steps]
    made = Plan(steps, cohort)
    made.settings()
    return made


def _is_cohort(folder: Path) -> bool:
    """Whether `pgcxr curate` has made the folder: a report, and a manifest with its images."""
    return (folder / "manifest.csv").is_file() and (folder / "images").is_dir()


def _first_steps(options: StudyOptions, cohort: Path | None) -> list[Step]:
    """What makes the cohort; nothing where it is there."""
    if cohort is not None:
        return []
    preset, seed = PRESETS[options.preset], ("--seed", str(options.seed))
    if options.data is None:
        size = max(preset["export_size"], options.size or 0)
        patients = ("--patients", str(preset["patients"]), "--size", str(size))
        phantom = ("phantom", "{out}", *patients, *seed)
        first = [Step("export", "pgcxr", phantom, code=("pgcxr.cli.phantom",))]
        source, needs, state = "{export}", ("export",), ""
    else:
        folder = Path(options.data).resolve()
        first, source, needs, state = [], literally(folder), (), state_of(folder)
    words = ["curate", source, "--out", "{out}", "--size", str(options.size or preset["size"])]
    for name in ("source", "labels"):
        if getattr(options, name) is not None:
            words += [f"--{name}", getattr(options, name)]
    if options.rules is not None:
        rules = Path(options.rules).resolve()
        if not rules.is_file():
            raise InputError(f"{options.rules}: no such file of rules; check --rules")
        words += ["--rules", literally(rules)]
        state += artifacts.sha256(rules)
    step = Step("cohort", "pgcxr", (*words, *seed), needs, state, ("pgcxr.cli.curate",))
    return [*first, step]


def _later_steps(options: StudyOptions, cohort: Path | None) -> list[Step]:
    """What is done with the cohort."""
    preset = PRESETS[options.preset]
    seed, out = ("--seed", str(options.seed)), ("--out", "{out}")
    config = ("--config", options.config or preset["config"])
    if cohort is None:
        place, state = "{cohort}", {"needs": ("cohort",)}
    else:
        # Its manifest holds a hash of every image.
        place, state = literally(cohort), {"inputs": artifacts.sha256(cohort / "manifest.csv")}
    gan = ("train.gan", (place, *config, *out, *seed))
    binary, findings = (
        ("train.classifier", (place, "--labels", labels, *config, *out, *seed))
        for labels in ("binary", "findings")
    )
    on_binary, on_findings = ("gan", "classifier_binary"), ("gan", "classifier_findings")
    on_normals = ("gan_normal", "classifier_findings")
    segmenting = ("--config", ANOMALY_CONFIG.get(options.preset, "small"))
    iterations = ("--iterations", str(preset["iterations"]))
    compared = ("--features", "{classifier_binary}", *out, "--n", str(preset["compared"]))
    samples = ("--samples", str(preset["samples"]))
    return [
        Step("gan", *gan, **state),
        Step("gan_normal", gan[0], (*gan[1], "--label", "normal"), **state),
        Step("classifier_binary", *binary, **state),
        Step("classifier_findings", *findings, **state),
        Step("anomaly_network", "train.anomaly", (place, *segmenting, *out, *seed), **state),
        Step("fidelity", "evaluate.fidelity", (*_runs(on_binary), *config, *out, *seed), on_binary),
        Step(
            "anomaly",
            "evaluate.anomaly",
            (*_runs(on_normals), "--network", "{anomaly_network}", *out, *iterations, *seed),
            (*on_normals, "anomaly_network"),
        ),
        Step("distribution", "evaluate.distribution", ("{gan}", *compared, *seed), on_binary),
        Step("privacy", "evaluate.privacy", (*_runs(on_binary), *out, *seed), on_binary),
        Step("axes", "evaluate.axes", (*_runs(on_findings), *out, *samples, *seed), on_findings),
    ]


def _runs(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(f"{{{name}}}" for name in names)


def _changed(step: Step, wanted: list[changes.Change]) -> Step:
    """A step with changes at the end of its command line, where they have the last word."""
    words = changes.arguments(step.module, step.arguments[0], wanted)
    step = replace(step, arguments=(*step.arguments, *map(literally, words)))
    if "--init" in words:
        step = replace(step, inputs=step.inputs + changes.init_state(words))
    return replace(step, code=(*step.code, *changes.code(step.module, step.arguments)))


def _sized(step: Step, size: int | None, changed: list[changes.Change]) -> Step:
    """A training at the study's size, unless it was given its own."""
    side = SIDES.get(step.module)
    own = [change.key for change in changes.of_step(changed, step.name)]
    if size is None or side is None or side in own:
        return step
    return replace(step, arguments=(*step.arguments, "--set", f"{side}={size}"))


def _as_the_gan(step: Step, steps: list[Step], changed: list[changes.Change]) -> Step:
    """The anomaly network with images of the GAN's side, unless it was given its own."""
    own = [change.key for change in changes.of_step(changed, step.name)]
    if step.name != "anomaly_network" or "size" in own:
        return step
    gan = next(each for each in steps if each.name == "gan_normal")
    try:
        side = changes.settings(gan.module, gan.arguments)["resolution"]
    except ArgumentError:  # said where all settings are looked at
        return step
    return replace(step, arguments=(*step.arguments, "--set", f"size={min(side, ANOMALY_SIDE)}"))


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
    state = hashlib.sha256()
    for name in trees.walk(folder).files:
        stat = os.stat(folder / name)
        # Names that are no UTF-8 go in byte for byte.
        state.update(os.fsencode(name))
        state.update(f"\0{stat.st_size}\0{stat.st_mtime_ns}\0".encode())
    return state.hexdigest()
