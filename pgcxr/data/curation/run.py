"""`curate`: an export becomes a cohort, or nothing is left behind."""

import math
import os
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from pgcxr import artefacts
from pgcxr.data import deidentify, dicom_codes, normalisation, rules, sources, splits
from pgcxr.data.curation import pixels, placing, stages, tables, work, workers
from pgcxr.data.findings import ABNORMAL, FINDINGS, NORMAL
from pgcxr.data.sources import Scan
from pgcxr.data.worker_process import Limits
from pgcxr.errors import InputError

LARGEST = 1024
SMALLEST = 4
# The size that is chosen when none is asked for may be too large for this share of the images.
TOO_SMALL_SHARE = 0.05


# Addresses that TensorFlow takes for itself and its threads, used or not.
TENSORFLOW = 32 << 30
# Options of `curate` that a cohort doesn't depend on.
OF_THE_RUN = (
    *("export", "out", "processes", "key_file", "trace", "runner", "runner_options", "overwrite", "limits"),
    *("show_progress", "say"),
)


@dataclass(slots=True)
class Kept:
    """An image that passed: `image_id` names it in the cohort."""

    scan: Scan
    done: pixels.Done
    split: str = ""
    image_id: str = ""


def curate(
    export: str | os.PathLike,
    out: str | os.PathLike,
    *,
    source: str | None = None,
    rules_file: str | os.PathLike | None = None,
    size: int | None = None,
    split: Sequence[float] = splits.FRACTIONS,
    normals: int | None = None,
    seed: int = 0,
    processes: int | None = None,
    fit: str = pixels.PAD,
    normalise: str = str(normalisation.THESIS),
    bits: int = 8,
    decoder: str = dicom_codes.PYDICOM,
    key_file: str | os.PathLike | None = None,
    trace: str | os.PathLike | None = None,
    runner: str = stages.LOCAL,
    runner_options: Sequence[str] = (),
    overwrite: bool = False,
    limits: Limits | None = None,
    show_progress: bool = True,
    say: Callable[[str], None] = lambda line: None,
) -> dict:
    """Writes the cohort folder `out` and returns its report.

    What is known of each file is kept beside it (`pgcxr.data.curation.work`): a killed run goes on where it was, and a
    run on an export that has grown does what is new and puts the new cohort in the old one's place. Either way the
    cohort is the one that an undisturbed run on the same export writes.

    Everything but the keyed hashes (patient_id, and the second half of excluded.csv's source) depends on the export,
    the rules and the seed alone: not on the key, the number of processes or the order of files on the disk.

    Args:
        size: side of the images in pixels, a power of two; by default the largest up to 1024 that 95 % of the images
            reach. No image is ever enlarged: those that are too small are excluded by rule.
        normals: keep this many normal images, chosen at random (the thesis took 20,000 of 72,938).
        normalise: see `pgcxr.data.normalisation.parse`; `bits` 8 or 16; `decoder` see `pgcxr.data.dicom.decode`.
        processes: default all cores; 0 for none but this one.
        trace: a private file that says which file became which image or why not, outside of `out`.
        runner: one of stages.RUNNERS; those of Apache Beam take `runner_options`, each "name=value".
        overwrite: whether another cohort at `out`, with all that is in it, may be replaced.
        limits: what one file may take, by default `Limits()`.
        say: takes lines for the user on what is recalled from earlier runs.
    """
    given = {name: value for name, value in locals().items() if name not in OF_THE_RUN}
    export = artefacts.existing_folder(export, "a PACS export or NIH's ChestX-ray14")
    out = Path(out)
    splits.check(split)
    _check_options(size, normals, fit, processes)
    processes = (os.cpu_count() or 1) if processes is None else processes
    stages.check_runner(runner, runner_options, processes)
    if not (overwrite and placing.is_cohort(out)) and not work.folder_of(out).is_dir():
        placing.refuse_existing(out)
    normalisation.check_bits(bits)
    dicom_codes.reader(decoder)
    decoding = {"normalise": normalisation.parse(normalise), "bits": bits, "decoder": decoder}
    key_path = key_file or deidentify.default_key_file()
    for name, private in (("--trace", trace), ("--key-file", key_path)):
        if private is not None and _real(private).is_relative_to(_real(out)):
            raise InputError(f"{name} {private}: lies in --out, which is to be passed on; name a file elsewhere")
    if trace is not None:
        artefacts.refuse_existing_file(trace, "--trace")
        if _real(trace) == _real(key_path):
            raise InputError(f"--trace {trace}: is the --key-file; name another")
    rule_set = rules.load(rules_file)
    source, module = sources.named(source, export)
    key = deidentify.read_or_make_key(key_file)
    with work.opened(out, export, key, say) as beside:
        asked = beside.hash("asked", str(_real(export)), work.code_version(), _content(given))
        replacing = beside.owns(asked) or (overwrite and placing.is_cohort(out))
        if not replacing:
            placing.refuse_existing(out)
        limits = limits or Limits()
        if decoder != dicom_codes.PYDICOM:
            limits = replace(limits, memory=limits.memory + TENSORFLOW)
        where = (_real(key_path), processes, runner, tuple(runner_options))
        stage = stages.Stages(beside, _real(export), *where, limits, show_progress, say)
        scans, counted = module.scans(
            export,
            lambda function, paths: stage.map(function, paths, _no_header, title="headers"),
            tuple(rule_set.tables["diagnosis"]["neutral"]),
        )
        excluded: dict[int, tuple[str, str]] = {}
        for scan in scans:
            reason = rule_set.broken(scan, module.KNOWS)
            if reason:
                excluded[scan.number] = reason
        remaining = [scan for scan in scans if scan.number not in excluded]
        size = size or _default_size(remaining, fit)
        if rule_set.enabled("too_small"):
            for scan in remaining:
                if 0 < _side(scan, fit) < size:
                    excluded[scan.number] = ("too_small", f"smaller than {size} px")
        remaining = [scan for scan in remaining if scan.number not in excluded]
        _refuse_none_left(export, remaining, excluded)

        described = {"source": source, "size": size, "fit": fit, **counted}
        described |= {**decoding, "normalise": str(decoding["normalise"])}
        # Made when they are handed over: each holds several paths, and there may be hundreds of thousands.
        jobs = stages.Lazily(lambda scan: _job(scan, beside, size, fit, decoding), remaining)
        names = [job.png.stem for job in jobs]
        made = stage.map(pixels.write, jobs, _no_pixels, title="images", names=names, intact=pixels.intact)
        named = dict(zip((scan.number for scan in remaining), names, strict=True))
        done = dict(zip((scan.number for scan in remaining), made, strict=True))
        kept = _kept(remaining, done, excluded, rule_set, normals, seed)
        _refuse_none_left(export, kept, excluded)
        kept = _name_and_split(kept, split, seed)
        with artefacts.new_folder(out, replace=replacing) as folder:
            placing.place(folder, beside, named, kept)
            report = tables.write(folder, scans, kept, excluded, rule_set, module.KNOWS, key, described, seed=seed)
            if trace is not None:
                tables.write_trace(Path(trace), scans, kept, excluded)
            beside.will_own(asked, folder)
        beside.forget_the_rest()
    return report


def _content(given: dict) -> list:
    """Options in a form that is the same for the same cohort: files stand for what is in them."""
    named = {name: value for name, value in given.items() if name.endswith("_file") and value is not None}
    read = {name: Path(value).read_text(errors="replace") for name, value in named.items() if os.path.isfile(value)}
    return sorted([name, repr(value)] for name, value in {**given, **read}.items())


def _real(path: str | os.PathLike) -> Path:
    """Without links; unlike Path.resolve, also where they lead round in a loop."""
    return Path(os.path.realpath(path))


def _kept(scans, done: dict[int, pixels.Done], excluded: dict, rule_set: rules.Rules, normals, seed: int) -> list[Kept]:
    """The scans that became images, less duplicates and surplus normals; notes the others in `excluded`."""
    excluded.update({number: result.rejected for number, result in done.items() if result.rejected})
    kept = [Kept(scan, done[scan.number]) for scan in scans if scan.number not in excluded]
    if rule_set.enabled("duplicate"):
        excluded.update(_duplicates(kept))
        kept = [image for image in kept if image.scan.number not in excluded]
    if normals is not None:
        excluded.update(_surplus(kept, normals, seed))
        kept = [image for image in kept if image.scan.number not in excluded]
    return kept


def _check_options(size, normals, fit, processes) -> None:
    if size is not None and (size < SMALLEST or size & (size - 1)):
        raise InputError(f"--size {size}: must be a power of two, {SMALLEST} or more")
    if normals is not None and normals < 1:
        raise InputError(f"--normals {normals}: must be 1 or more")
    if fit not in (pixels.PAD, pixels.CROP):
        raise InputError(f"--fit {fit}: must be {pixels.PAD} or {pixels.CROP}")
    if processes is not None and not 0 <= processes <= workers.MOST:
        raise InputError(f"--workers {processes}: must be from 0 to {workers.MOST}")


def _side(scan: Scan, fit: str) -> int:
    return pixels.side(scan.rows, scan.columns, fit)


def _default_size(scans: list[Scan], fit: str) -> int:
    sides = sorted(side for side in (_side(scan, fit) for scan in scans) if side > 0)
    if not sides:
        return LARGEST
    reached = sides[int(len(sides) * TOO_SMALL_SHARE)]
    return max(min(LARGEST, 1 << int(math.log2(reached))), SMALLEST)


def _job(scan: Scan, beside: work.Work, size: int, fit: str, decoding: dict) -> pixels.Job:
    """The images wait in the work folder until it is known which ones stay."""
    nowhere = Path()
    job = pixels.Job(scan.path, nowhere, nowhere, size, fit, **decoding, masks=scan.masks, boxes=scan.boxes)
    name = beside.name("images", job)
    return replace(job, png=beside.place("images", name), mask_png=beside.place("masks", name))


def _no_header(rule: str, detail: str) -> tuple[str, str]:
    return rule, detail


def _no_pixels(rule: str, detail: str) -> pixels.Done:
    return pixels.Done((rule, detail))


def _duplicates(kept: list[Kept]) -> dict[int, tuple[str, str]]:
    """Of images with the same decoded pixels the first stays; none stays where their labels disagree."""
    groups = defaultdict(list)
    for image in kept:
        groups[image.done.pixels].append(image.scan)
    found = {}
    for copies in groups.values():
        first, *others = copies
        if len({(scan.label, scan.findings) for scan in copies}) > 1:
            reason = "the same pixels with different diagnoses"
            found.update({scan.number: ("duplicate", f"{reason}, as file {first.number:06d}") for scan in copies})
        else:
            found.update({scan.number: ("duplicate", f"the pixels of file {first.number:06d}") for scan in others})
    return found


def _surplus(kept: list[Kept], normals: int, seed: int) -> dict[int, tuple[str, str]]:
    numbers = [image.scan.number for image in kept if image.scan.label == NORMAL]
    order = np.random.default_rng([seed, 2]).permutation(len(numbers))
    return {numbers[index]: ("subsample", f"beyond {normals} normals") for index in order[normals:]}


def _name_and_split(kept: list[Kept], fractions: Sequence[float], seed: int) -> list[Kept]:
    """Shuffles, numbers and splits. A patient's stratum is its rarest finding, or abnormal or normal without one."""
    counts = Counter(finding for image in kept for finding in image.scan.findings if finding in FINDINGS)
    rank = {**{finding: counts[finding] for finding in FINDINGS}, ABNORMAL: math.inf}
    strata: dict[str, str] = {}
    for image in kept:
        present = [name for name in image.scan.findings if name in FINDINGS] or [image.scan.label]
        candidates = [*present, strata.get(image.scan.patient, NORMAL)]
        strata[image.scan.patient] = min((c for c in candidates if c != NORMAL), key=rank.get, default=NORMAL)
    assigned = splits.assign(strata, fractions, seed)
    shuffled = [kept[index] for index in np.random.default_rng([seed, 1]).permutation(len(kept))]
    for index, image in enumerate(shuffled):
        image.split, image.image_id = assigned[image.scan.patient], f"{index:06d}"
    return shuffled


def _refuse_none_left(export: Path, left: Sequence, excluded: dict[int, tuple[str, str]]) -> None:
    if left:
        return
    counts = Counter(rule for rule, _ in excluded.values()).most_common(3)
    most = ", ".join(f"{count} by {rule}" for rule, count in counts)
    raise InputError(
        f"{export}: no image is left of {len(excluded)} files ({most}); change --rules or --size, or check the export"
    )
