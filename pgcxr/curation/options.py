"""Every option of a curation, with what it may be.

Kept free of heavy imports: the command line shows its help text from here. Words that belong to
other modules are therefore spelled out; a test holds them against their modules.
"""

from dataclasses import dataclass
from pathlib import Path

from pgcxr.cohort import splits
from pgcxr.options import (
    PATH,
    SEED,
    SWITCH,
    TEXT,
    Options,
    Rule,
    each,
    one_of,
    option,
    or_none,
    power_of_two,
    whole,
)

SOURCES = ("chexpert", "mimic", "nih", "pacs", "rsna", "table", "vindr")
LOCAL = "local"
RUNNERS = (LOCAL, "DirectRunner", "FlinkRunner", "SparkRunner", "DataflowRunner")
DECODERS = ("pydicom", "tfio")
LABELS = ("codes", "report", "agree")
UNCERTAIN = ("unknown", "positive", "negative", "exclude")
MOST_PROCESSES = 256
SUPPORT_DEVICES = ("exclude-normal", "exclude", "keep")
VIEWS = ("PA", "AP", "LATERAL", "OBLIQUE", "other")
BITS = Rule("8 or 16", lambda value: type(value) is int and value in (8, 16))


def _shares(text: str) -> tuple[float, ...]:
    return tuple(float(share) for share in text.split(","))


@dataclass(frozen=True)
class CurationOptions(Options):
    """How an export becomes a cohort.

    Example:

        >>> CurationOptions(size=128, normals=20_000).split
        (0.6, 0.2, 0.2)
        >>> CurationOptions(size=100)
        Traceback (most recent call last):
        pgcxr.errors.ArgumentError: size: must be a power of two from 4 to 65536, or None. \
Received: size=100
    """

    source: str | None = option(
        None,
        or_none(one_of(*SOURCES)),
        "pacs, nih, rsna, vindr, chexpert, mimic or table; by default what the folder looks like.",
    )
    rules_file: Path | None = option(
        None,
        or_none(PATH),
        "TOML file of exclusion rules, on top of the thesis's.",
        names=("--rules",),
        by_content=True,
    )
    size: int | None = option(
        None,
        or_none(power_of_two(1 << 16)),
        "Side in pixels, a power of two; by default the largest up to 1024 that 95 % of the images "
        "reach. None is ever enlarged: those that are too small are excluded by rule.",
    )
    fit: str = option("pad", one_of("pad", "crop"), "pad or crop: how an image becomes square.")
    normalize: str = option(
        "percentile:99",
        TEXT,
        "percentile:99 (black at the minimum), percentile:LOW,HIGH, window (as displayed) or none.",
        names=("--normalize", "--normalise"),  # the second in commands of earlier versions
    )
    bits: int = option(8, BITS, "8 or 16, of the PNG files; training reads the upper 8 of 16.")
    decoder: str = option(
        "pydicom", one_of(*DECODERS), "pydicom or tfio (tensorflow-io) decodes the pixels."
    )
    black_out: tuple[str, ...] = option(
        (), each(TEXT), "x,y,w,h: a region to make black, as fractions; may be repeated."
    )
    black_out_text: bool = option(
        False, SWITCH, "Make text near the borders black; by default it is kept, with a warning."
    )
    split: tuple[float, ...] = option(
        splits.FRACTIONS,
        splits.SHARES,
        "Shares of train, val and test, by patient.",
        parse=_shares,
    )
    view: tuple[str, ...] = option(
        (),
        each(one_of(*VIEWS)),
        "PA, AP, LATERAL, OBLIQUE or other: keep images of this view; may be repeated; by default "
        "as the rules say (PA).",
    )
    support_devices: str | None = option(
        None,
        or_none(one_of(*SUPPORT_DEVICES)),
        "Images with a pacemaker, line or wire: exclude-normal (the thesis: abnormal ones stay, so "
        "a classifier may read the device), exclude (from both classes) or keep (in both); by "
        "default as the rules say (exclude-normal).",
    )
    normals: int | None = option(
        None,
        or_none(whole(1, 10**9)),
        "Keep this many normals, at random (thesis: 20000 of 72938).",
    )
    seed: int = option(0, SEED, "Seed of splits, order and sampling.")
    processes: int | None = option(
        None,
        or_none(whole(0, MOST_PROCESSES)),
        "Processes; 0: none but this one; by default one for each core.",
        names=("--workers",),
        of_the_run=True,
    )
    runner: str = option(
        LOCAL,
        one_of(*RUNNERS),
        "local, or Apache Beam's DirectRunner, FlinkRunner, SparkRunner or DataflowRunner.",
        of_the_run=True,
    )
    runner_options: tuple[str, ...] = option(
        (),
        each(TEXT),
        "name=value for Beam's runner, for example parallelism=64; may be repeated.",
        names=("--runner-option",),
        of_the_run=True,
    )
    overwrite: bool = option(
        False, SWITCH, "Replace another cohort in that place.", of_the_run=True
    )
    labels: str = option(
        "codes",
        one_of(*LABELS),
        "What makes a study normal or abnormal: codes, report, or agree (both must).",
    )
    uncertain: str = option(
        "unknown",
        one_of(*UNCERTAIN),
        "What an uncertain finding becomes: unknown, positive, negative or exclude.",
    )
    codes_file: Path | None = option(
        None,
        or_none(PATH),
        "TOML file of diagnosis codes, in place of ICD-10's.",
        by_content=True,
    )
    labels_file: Path | None = option(
        None,
        or_none(PATH),
        "TOML file of report phrases, in place of English and Korean.",
        by_content=True,
    )
    columns: Path | None = option(
        None,
        or_none(PATH),
        "Column map of the source table; by default columns.toml in the folder.",
        by_content=True,
    )
    label_sample: int = option(
        100,
        whole(0, 10**9),
        "Images to draw into label_sample.html, for a radiologist to check their labels.",
    )
    device_model: Path | None = option(
        None,
        or_none(PATH),
        "RUN of train.classifier on labels device: excludes images with a device.",
        by_content=True,
    )
    key_file: Path | None = option(
        None,
        or_none(PATH),
        "Key of the patient hashes, made on first use; by default ~/.config/pgcxr/patient_key.",
        of_the_run=True,
    )
    trace: Path | None = option(
        None,
        or_none(PATH),
        "PRIVATE table of which file became which image, to find an excluded file again.",
        of_the_run=True,
    )
    audit: bool = option(
        True,
        SWITCH,
        "Look for every identifier of the export in the cohort; fail if there is one.",
        of_the_run=True,
    )
    findings: Path | None = option(
        None,
        or_none(PATH),
        "PRIVATE table of what the audit found; by default privacy_findings.csv beside the key.",
        of_the_run=True,
    )
