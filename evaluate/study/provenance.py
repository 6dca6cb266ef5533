"""How a study was made: commands, commit, machine, seeds, versions, time."""

import contextlib
import os
import platform
import re
import subprocess
from pathlib import Path

from evaluate.study import methods
from evaluate.study.code_files import ROOT
from evaluate.study.options import StudyOptions
from evaluate.study.plan import Plan
from pgcxr.plots.page import Page


def provenance(
    page: Page, steps: dict, commands: list[str], seconds: dict, elapsed: float, made_on: dict
) -> None:
    """Adds the section.

    Args:
        commands: of `commands`.
        made_on: of `environment`.
    """
    page.section("How this was made")
    page.heading("Commands").text(
        "The first does all that follow. STUDY is the study's folder; what else is in capitals is "
        "a place that is not told here, as its name may tell of a hospital."
    )
    page.commands(commands)
    page.heading("Code and machine")
    versions = steps["gan"]["made_by"]["versions"]
    page.table(
        ["", "This run"],
        [
            ("Commit", made_on["commit"] or "not known: no git checkout"),
            ("Changed since", "yes" if made_on["changed"] else "no"),
            ("Machine", made_on["machine"]),
            ("Accelerators", made_on["accelerators"] or "none"),
            ("System", made_on["system"]),
            *((f"Package {name}", version) for name, version in versions.items()),
        ],
        "The machine is the one that wrote this page; a step that was made on another names its "
        "versions in its own report.json.",
    )
    made_by = {name: steps.get(name, {}).get("made_by", {}) for name in seconds}
    page.table(
        ["Step", "Command", "Seed", "Seconds"],
        [
            (name, made_by[name].get("command"), str(made_by[name].get("seed", "")), round(s))
            for name, s in seconds.items()
        ],
        "Times are of the run that made each step; nothing else here changes with another run of "
        "the same seed.",
    )
    page.text(
        f"All steps together: {_minutes(elapsed)} of wall time; the sum of the steps, "
        f"{_minutes(sum(seconds.values()))}, is more where they ran side by side. Pauses between "
        "an interruption and going on are not counted. Latent inversion took "
        f"{steps['anomaly']['seconds_per_image']:.2f} s per image."
    )
    methods.parameters(page, {name: steps[name] for name in ("cohort", *seconds) if name in steps})


def commands(options: StudyOptions, planned: Plan) -> list[str]:
    """The study's command and those of its steps, with words in the place of folders."""
    places = {step.name: f"STUDY/{step.name}" for step in planned.steps}
    known = {str(path): word for path, word in _known(options, planned)}
    lines = [_told(options)]
    for step in planned.steps:
        words = [word.format(**places, out=places[step.name]) for word in step.arguments]
        start = ["pgcxr"] if step.module == "pgcxr" else ["python", "-m", step.module]
        lines.append(" ".join([*start, *(known.get(word) or _placeless(word) for word in words)]))
    return lines


def _known(options: StudyOptions, planned: Plan):
    if options.data is not None:
        yield Path(options.data).resolve(), "COHORT" if planned.cohort else "EXPORT"
    if options.rules is not None:
        yield Path(options.rules).resolve(), "RULES"
    for number, folder in enumerate(options.readers, 1):
        yield Path(folder).resolve(), f"READERS{number}"


def _told(options: StudyOptions) -> str:
    words = ["python -m evaluate.study --preset", options.preset, "--out STUDY"]
    if options.data is not None:
        words.append("--data DATA")
    if options.rules is not None:
        words.append("--rules RULES")
    for name in ("source", "labels", "size", "config"):
        if getattr(options, name) is not None:
            words.append(f"--{name} {getattr(options, name)}")
    words += [f"--set {_placeless(change)}" for change in options.changes]
    words += [f"--readers READERS{number}" for number in range(1, len(options.readers) + 1)]
    return " ".join([*words, f"--seed {options.seed}"])


def _placeless(word: str) -> str:
    """A word without a path in it."""
    return re.sub(r"(^|=)[^=]*[/\\].*", r"\1PATH", word) if _is_path(word) else word


def _is_path(word: str) -> bool:
    return ("/" in word or "\\" in word) and not word.startswith("STUDY/")


def environment() -> dict:
    """{commit, changed, machine, accelerators, system}; nothing that names the machine or who uses
    it."""
    commit = _git("rev-parse", "HEAD")
    return {
        "commit": commit,
        "changed": bool(commit and _git("status", "--porcelain", "--untracked-files=no")),
        "machine": _machine(),
        "accelerators": _accelerators(),
        "system": f"{platform.system()} {platform.machine()}, Python {platform.python_version()}",
    }


def _git(*words: str) -> str:
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        given = ["git", "-C", str(ROOT), *words]
        ran = subprocess.run(given, capture_output=True, text=True, timeout=20, check=True)
        return ran.stdout.strip()
    return ""


def _machine() -> str:
    """Processor, processors that may be used, and memory."""
    model = _line("/proc/cpuinfo", r"model name\s*:\s*(.+)") or platform.processor() or "processor"
    memory = _line("/proc/meminfo", r"MemTotal:\s*(\d+) kB")
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    size = f", {int(memory) / 2**20:.0f} GiB of memory" if memory else ""
    return f"{' '.join(model.split())}, {count} processors{size}"


def _accelerators() -> str:
    found = sorted(Path("/proc/driver/nvidia/gpus").glob("*/information"))
    models = [_line(path, r"Model:\s*(.+)") or "unknown" for path in found]
    return ", ".join(f"{models.count(name)} x {name}" for name in dict.fromkeys(models))


def _line(path: str | Path, pattern: str) -> str:
    """What the pattern holds in a file of the system; "" where there is none."""
    with contextlib.suppress(OSError):
        match = re.search(pattern, Path(path).read_text(errors="replace"))
        return match.group(1).strip() if match else ""
    return ""


def _minutes(seconds: float) -> str:
    return f"{seconds / 60:.1f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
