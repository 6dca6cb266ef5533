"""`curate`: an export becomes a cohort, or nothing is left behind."""

import math
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from pgcxr import artefacts
from pgcxr.data import black_out as black_outs
from pgcxr.data import deidentify, dicom_codes, normalisation, rules, sources, splits
from pgcxr.data.curation import duplicates, label_audit, pixels, tables, workers
from pgcxr.data.findings import ABNORMAL, FINDINGS, NORMAL
from pgcxr.data.privacy import audit as audits
from pgcxr.data.sources import Scan
from pgcxr.data.weak_labels import decision, labelling
from pgcxr.errors import InputError

LARGEST = 1024
SMALLEST = 4
# The size that is chosen when none is asked for may be too large for this share of the images.
TOO_SMALL_SHARE = 0.05
RUNNERS = ("local",)


@dataclass
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
    black_out: Sequence[str] = (),
    black_out_text: bool = False,
    key_file: str | os.PathLike | None = None,
    trace: str | os.PathLike | None = None,
    runner: str = "local",
    audit: bool = True,
    findings: str | os.PathLike | None = None,
    labels: str = decision.CODES,
    uncertain: str = decision.UNKNOWN,
    codes_file: str | os.PathLike | None = None,
    labels_file: str | os.PathLike | None = None,
    columns: str | os.PathLike | None = None,
    label_sample: int = label_audit.SAMPLE,
    show_progress: bool = True,
) -> dict:
    """Writes the cohort folder `out` and returns its report.

    Everything but the keyed hashes (patient_id, and the second half of excluded.csv's source) depends on the export,
    the rules and the seed alone: not on the key, the number of processes or the order of files on the disk.

    Args:
        size: side of the images in pixels, a power of two; by default the largest up to 1024 that 95 % of the images
            reach. No image is ever enlarged: those that are too small are excluded by rule.
        normals: keep this many normal images, chosen at random (the thesis took 20,000 of 72,938).
        normalise: see `pgcxr.data.normalisation.parse`; `bits` 8 or 16; `decoder` see `pgcxr.data.dicom.decode`.
        black_out: regions to make black, each as pgcxr.data.black_out.parse reads it, besides those of the rules.
        black_out_text: make text that is found near the borders black.
        processes: default all cores; 0 for none but this one.
        labels: which witness decides on normal and abnormal: codes, report, or agree (pgcxr.data.weak_labels.decision).
        uncertain: what an uncertain finding becomes: unknown, positive, negative or exclude.
        codes_file, labels_file: TOML files in the place of icd10.toml and english.toml.
        columns: the column map of `source` table, by default its columns.toml.
        label_sample: how many images to draw for a check of their labels by hand.
        trace: a private file that says which file became which image or why not, outside of `out`.
        audit: look for every identifier of the export in the cohort before it gets its name, and fail if there is one.
        findings: the private file that then says which and where; by default privacy_findings.csv beside the key.
    """
    export = artefacts.existing_folder(export, "a PACS export or a public set")
    out = Path(out)
    artefacts.refuse_existing(out)
    splits.check(split)
    _check_options(size, normals, fit, runner, processes)
    normalisation.check_bits(bits)
    dicom_codes.reader(decoder)
    decoding = {"normalise": normalisation.parse(normalise), "bits": bits, "decoder": decoder}
    hidden = [black_outs.parse(text, "--black-out") for text in black_out]
    key_path = key_file or deidentify.default_key_file()
    findings = findings or Path(key_path).parent / "privacy_findings.csv"
    for name, private in (("--trace", trace), ("--key-file", key_path), ("--findings", findings)):
        if private is not None and _real(private).is_relative_to(_real(out)):
            raise InputError(f"{name} {private}: lies in --out, which is to be passed on; name a file elsewhere")
    if trace is not None:
        artefacts.refuse_existing_file(trace, "--trace")
        if _real(trace) == _real(key_path):
            raise InputError(f"--trace {trace}: is the --key-file; name another")
    if label_sample < 0:
        raise InputError(f"--label-sample {label_sample}: must not be negative")
    rule_set = rules.load(rules_file)
    listed = [
        black_outs.parse(text, f"{rules_file}: [black_out] regions") for text in rule_set.tables["black_out"]["regions"]
    ]
    find_text = black_out_text or rule_set.tables["black_out"]["text"]
    no_text = rule_set.tables["black_out"]["found_text"] == "exclude"
    decoding["black_out"] = black_outs.BlackOut((*hidden, *listed), find_text, no_text)
    source, module = sources.named(source, export)
    processes = (os.cpu_count() or 1) if processes is None else processes
    read_all = partial(workers.run, crashed=_crashed_header, workers=processes, title="headers", show=show_progress)
    how = labelling.load(
        labels,
        uncertain,
        neutral=rule_set.tables["diagnosis"]["neutral"],
        codes_file=codes_file,
        labels_file=labels_file,
        columns=columns,
    )
    scans, counted = module.scans(export, read_all, how)
    knows = sources.knows(module, export, how)
    key = deidentify.read_or_make_key(key_file)

    excluded: dict[int, tuple[str, str]] = {}
    for scan in scans:
        reason = rule_set.broken(scan, knows)
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
    described |= {**decoding, "normalise": str(decoding["normalise"]), "black_out": decoding["black_out"].described()}
    try:
        with artefacts.new_folder(out) as folder:
            jobs = [_job(scan, folder, size, fit, decoding) for scan in remaining]
            for name in ("images", "masks"):
                (folder / name).mkdir()
            write = partial(workers.run, crashed=_crashed_pixels, workers=processes, title="images", show=show_progress)
            done = dict(zip((scan.number for scan in remaining), write(pixels.write, jobs), strict=True))
            kept = _kept(remaining, done, excluded, rule_set, normals, seed)
            _refuse_none_left(export, kept, excluded)
            kept = _name_and_split(kept, split, seed)
            _rename(folder, jobs, remaining, kept)
            described["labels"] = label_audit.write(
                folder, scans, kept, how, tables.write_csv, seed=seed, sample=label_sample
            )
            report = tables.write(folder, scans, kept, excluded, rule_set, knows, key, described, seed=seed)
            if audit:
                read = audits.in_processes(processes, show_progress)
                look_for, counts = audits.matcher(export, read, [str(rule_set.tables)])
                report["privacy_audit"] = audits.check([folder], look_for, counts, findings)
                written = artefacts.read_json(folder / "report.json")
                artefacts.write_json(folder / "report.json", {**written, "privacy_audit": report["privacy_audit"]})
            if trace is not None:
                tables.write_trace(Path(trace), scans, kept, excluded)
    except OSError as error:
        if error.filename is not None:
            raise
        raise OSError(error.errno, error.strerror, str(out)) from error
    return report


def _real(path: str | os.PathLike) -> Path:
    """Without links; unlike Path.resolve, also where they lead round in a loop."""
    return Path(os.path.realpath(path))


def _kept(scans, done: dict[int, pixels.Done], excluded: dict, rule_set: rules.Rules, normals, seed: int) -> list[Kept]:
    """The scans that became images, less duplicates and surplus normals; notes the others in `excluded`."""
    excluded.update({number: result.rejected for number, result in done.items() if result.rejected})
    kept = [Kept(scan, done[scan.number]) for scan in scans if scan.number not in excluded]
    near = rule_set.tables["near_duplicate"]
    steps = (
        (True, lambda: _broken_by_image(kept, rule_set)),
        (rule_set.enabled("duplicate"), lambda: duplicates.exact(kept)),
        (near["enabled"], lambda: duplicates.near(kept, near["distance"], near["across_patients"])),
        (normals is not None, lambda: _surplus(kept, normals, seed)),
    )
    for asked, step in steps:
        if asked:
            excluded.update(step())
            kept = [image for image in kept if image.scan.number not in excluded]
    return kept


def _broken_by_image(kept: list[Kept], rule_set: rules.Rules) -> dict[int, tuple[str, str]]:
    reasons = ((image.scan.number, rule_set.broken_by_image(image.done.measures, image.scan.view)) for image in kept)
    return {number: reason for number, reason in reasons if reason}


def _rename(folder: Path, jobs: list[pixels.Job], scans: list[Scan], kept: list[Kept]) -> None:
    """Gives the files of the kept images their final names and removes the other ones."""
    ids = {image.scan.number: image.image_id for image in kept}
    for job, scan in zip(jobs, scans, strict=True):
        for written in (job.png, job.mask_png):
            if scan.number not in ids:
                written.unlink(missing_ok=True)
            elif written.exists():
                written.rename(written.with_name(f"{ids[scan.number]}.png"))
    if not any((folder / "masks").iterdir()):
        (folder / "masks").rmdir()


def _check_options(size, normals, fit, runner, processes) -> None:
    if size is not None and (size < SMALLEST or size & (size - 1)):
        raise InputError(f"--size {size}: must be a power of two, {SMALLEST} or more")
    if normals is not None and normals < 1:
        raise InputError(f"--normals {normals}: must be 1 or more")
    if fit not in (pixels.PAD, pixels.CROP):
        raise InputError(f"--fit {fit}: must be {pixels.PAD} or {pixels.CROP}")
    if runner not in RUNNERS:
        raise InputError(f"--runner {runner}: unknown; the runners are {', '.join(RUNNERS)}")
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


def _job(scan: Scan, folder: Path, size: int, fit: str, decoding: dict) -> pixels.Job:
    """Files are named by their number until it is known which ones stay."""
    name = f"file{scan.number}.png"
    where = (scan.path, folder / "images" / name, folder / "masks" / name)
    return pixels.Job(*where, size, fit, **decoding, masks=scan.masks, boxes=scan.boxes)


def _crashed_header(_item) -> tuple[str, str]:
    return "unreadable", "crashed the decoder"


def _crashed_pixels(_item) -> pixels.Done:
    return pixels.Done(_crashed_header(_item))


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
