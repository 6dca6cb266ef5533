"""The steps of the study, with their commands and what they need."""

import hashlib
import itertools
import os
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from evaluate.study import changes, reader_studies
from evaluate.study.options import PRESETS, StudyOptions
from evaluate.study.steps import Step, literally
from pgcxr.errors import ArgumentError, InputError
from pgcxr.io import artifacts, places, trees
from pgcxr.sampling import runs

# Which option of a training is the side of its images.
SIDES = {"train.gan": "resolution", "train.classifier": "size"}
# The network that segments anomalies reads images of the GAN's side, and no larger ones than maps
# are drawn at (pgcxr.anomaly.maps.FINEST).
ANOMALY_CONFIG, ANOMALY_SIDE = {"thesis": "small"}, 128


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
    preset, seed = PRESETS[options.carried_out], ("--seed", str(options.seed))
    if options.data is None:
        size = max(preset["export_size"], options.size or 0)
        patients = ("--patients", str(preset["patients"]), "--size", str(size))
        fresh = phantom_seed(options.seed, preset.get("init", {}).values())
        phantom = ("phantom", "{out}", *patients, "--seed", str(fresh))
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


def phantom_seed(seed: int, networks: Iterable[str]) -> int:
    """`seed`, or the next of which no pretrained network has seen the phantoms: they would be among
    the test images."""
    known = [artifacts.read_json(runs.pretrained_run(name) / "report.json") for name in networks]
    while seed in {report["phantom_seed"] for report in known}:
        seed += 1
    return seed


def _later_steps(options: StudyOptions, cohort: Path | None) -> list[Step]:
    """What is done with the cohort."""
    preset = PRESETS[options.carried_out]
    seed, out = ("--seed", str(options.seed)), ("--out", "{out}")
    config = ("--config", options.config or preset["config"])
    if cohort is None:
        place, state = "{cohort}", {"needs": ("cohort",)}
    else:
        # Its manifest holds a hash of every image.
        place, state = literally(cohort), {"inputs": artifacts.sha256(cohort / "manifest.csv")}
    gan = ("train.gan", (place, *config, *out, *seed))
    # Another config has a schedule of its own.
    begun = {} if options.config else preset.get("init", {})
    init = {name: ("--init", network) for name, network in begun.items()}
    binary, findings = (
        ("train.classifier", (place, "--labels", labels, *config, *out, *seed))
        for labels in ("binary", "findings")
    )
    on_binary, on_findings = ("gan", "classifier_binary"), ("gan", "classifier_findings")
    on_normals = ("gan_normal", "classifier_findings")
    segmenting = ("--config", ANOMALY_CONFIG.get(preset["config"], preset["config"]))
    inverting = _words(preset["anomaly"])
    compared = ("--features", "{classifier_binary}", *out, "--n", str(preset["compared"]))
    samples = ("--samples", str(preset["samples"]))
    # In the order in which they begin: what others wait for, and what takes long, first.
    return [
        Step("gan", gan[0], (*gan[1], *init.get("gan", ())), **state),
        Step("classifier_findings", *findings, **state),
        Step(
            "gan_normal",
            gan[0],
            (*gan[1], *init.get("gan_normal", ()), "--label", "normal"),
            **state,
        ),
        Step("classifier_binary", *binary, **state),
        Step(
            "anomaly_network",
            "train.anomaly",
            (place, *segmenting, *out, *seed, *init.get("anomaly_network", ())),
            **state,
        ),
        Step("axes", "evaluate.axes", (*_runs(on_findings), *out, *samples, *seed), on_findings),
        Step(
            "anomaly",
            "evaluate.anomaly",
            (*_runs(on_normals), "--network", "{anomaly_network}", *out, *inverting, *seed),
            (*on_normals, "anomaly_network"),
        ),
        Step("fidelity", "evaluate.fidelity", (*_runs(on_binary), *config, *out, *seed), on_binary),
        Step("distribution", "evaluate.distribution", ("{gan}", *compared, *seed), on_binary),
        Step("privacy", "evaluate.privacy", (*_runs(on_binary), *out, *seed), on_binary),
    ]


def _words(options: dict[str, int]) -> tuple[str, ...]:
    """As on a command line."""
    pairs = ((f"--{name.replace('_', '-')}", str(value)) for name, value in options.items())
    return tuple(itertools.chain.from_iterable(pairs))


def _runs(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(f"{{{name}}}" for name in names)


def _changed(step: Step, wanted: list[changes.Change]) -> Step:
    """A step with changes at the end of its command line, where they have the last word."""
    words = changes.arguments(step.module, step.arguments[0], wanted)
    inputs = step.inputs + changes.init_state((*step.arguments, *words))
    arguments = (*step.arguments, *map(literally, words))
    step = replace(step, arguments=arguments, inputs=inputs)
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
