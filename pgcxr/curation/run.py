"""`curate`: an export becomes a cohort, or nothing is left behind."""

import math
import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from pgcxr import sources
from pgcxr.cohort import splits
from pgcxr.curation import (
    choosing,
    device_filter,
    label_audit,
    pixels,
    placing,
    rules,
    stages,
    tables,
    work,
)
from pgcxr.dicom import normalization, pixel_data
from pgcxr.errors import InputError
from pgcxr.images import CROP, PAD, fitted_side
from pgcxr.io import artifacts, places, user_files, workers
from pgcxr.io.worker_process import Limits
from pgcxr.privacy import black_out as black_outs
from pgcxr.privacy import hashing
from pgcxr.privacy.audit import auditing as audits
from pgcxr.privacy.audit import findings as findings_table
from pgcxr.privacy.audit import own_words
from pgcxr.sources import Scan
from pgcxr.sources.weak_labels import decision, labeling

LARGEST = 1024
SMALLEST = 4
# The size that is chosen when none is asked for may be too large for this share of the images.
TOO_SMALL_SHARE = 0.05


# Addresses that TensorFlow takes for itself and its threads, used or not.
TENSORFLOW = 32 << 30
# Options of `curate` that a cohort doesn't depend on.
OF_THE_RUN = (
    *(
        "export",
        "out",
        "processes",
        "key_file",
        "trace",
        "runner",
        "runner_options",
        "overwrite",
        "limits",
    ),
    *("audit", "findings", "show_progress", "say"),
)


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
    fit: str = PAD,
    normalize: str = str(normalization.THESIS),
    bits: int = 8,
    decoder: str = pixel_data.PYDICOM,
    black_out: Sequence[str] = (),
    black_out_text: bool = False,
    key_file: str | os.PathLike | None = None,
    trace: str | os.PathLike | None = None,
    runner: str = stages.LOCAL,
    runner_options: Sequence[str] = (),
    overwrite: bool = False,
    limits: Limits | None = None,
    audit: bool = True,
    findings: str | os.PathLike | None = None,
    labels: str = decision.CODES,
    uncertain: str = decision.UNKNOWN,
    codes_file: str | os.PathLike | None = None,
    labels_file: str | os.PathLike | None = None,
    columns: str | os.PathLike | None = None,
    label_sample: int = label_audit.SAMPLE,
    device_model: str | os.PathLike | None = None,
    show_progress: bool = True,
    say: Callable[[str], None] = lambda line: None,
) -> dict:
    """Writes the cohort folder `out` and returns its report.

    What is known of each file is kept beside it (`pgcxr.curation.work`): a killed run goes on where
    it was, and a run on an export that has grown does what is new and puts the new cohort in the
    old one's place. Either way the cohort is the one that an undisturbed run on the same export
    writes.

    Everything but the keyed hashes (patient_id, and the second half of excluded.csv's source)
    depends on the export, the rules and the seed alone: not on the key, the number of processes or
    the order of files on the disk.

    Args:
        size: side of the images in pixels, a power of two; by default the largest up to 1024 that
            95 % of the images reach. No image is ever enlarged: those that are too small are
            excluded by rule.
        normals: keep this many normal images, chosen at random (the thesis took 20,000 of 72,938).
        processes: default all cores; 0 for none but this one.
        normalize: see `pgcxr.dicom.normalization.parse`; `bits` 8 or 16; `decoder` see
            `pgcxr.dicom.decode`.
        black_out: regions to make black, each as pgcxr.privacy.black_out.parse reads it, besides
            those of the rules.
        black_out_text: make text that is found near the borders black.
        trace: a private file that says which file became which image or why not, outside of `out`;
            one that an earlier run for the same cohort wrote is replaced.
        runner: one of stages.RUNNERS; those of Apache Beam take `runner_options`, each
            "name=value".
        overwrite: whether another cohort at `out`, with all that is in it, may be replaced.
        limits: what one file may take, by default `Limits()`.
        audit: look for every identifier of the export in the cohort before it gets its name, and
            fail if there is one.
        findings: the private file that then says which and where; by default privacy_findings.csv
            beside the key.
        labels: which witness decides on normal and abnormal: codes, report, or agree.
        uncertain: what an uncertain finding becomes: unknown, positive, negative or exclude.
        codes_file, labels_file: TOML files in the place of icd10.toml and english.toml.
        columns: the column map of `source` table, by default its columns.toml.
        label_sample: how many images to draw for a check of their labels by hand.
        device_model: a RUN of train.classifier on labels "device", which looks for devices on the
            decoded images.
        say: takes lines for the user on what is recalled from earlier runs.
    """
    given = {name: value for name, value in locals().items() if name not in OF_THE_RUN}
    export = places.existing_folder(export, "a PACS export or a public set")
    out = Path(out)
    splits.check(split)
    _check_options(size, normals, fit, processes, label_sample)
    processes = (os.cpu_count() or 1) if processes is None else processes
    stages.check_runner(runner, runner_options, processes)
    read = {"the export": export, "the --device-model": device_model, "the --rules": rules_file}
    read |= {
        "the --codes-file": codes_file,
        "the --labels-file": labels_file,
        "the --columns": columns,
    }
    placing.check_out(out, read)
    if not (overwrite and placing.may_replace(out)) and not work.folder_of(out).is_dir():
        placing.refuse_existing(out)
    normalization.check_bits(bits)
    pixel_data.reader(decoder)
    key_path = key_file or hashing.default_key_file()
    findings = findings or Path(key_path).parent / "privacy_findings.csv"
    placing.check_private({"--trace": trace, "--key-file": key_path, "--findings": findings}, out)
    findings_table.check_file(findings, [export], {"--key-file": key_path, "--trace": trace})
    rule_set = rules.load(rules_file)
    hidden = black_outs.asked(black_out, black_out_text, rule_set.tables["black_out"], rules_file)
    decoding = {
        "normalize": normalization.parse(normalize),
        "bits": bits,
        "decoder": decoder,
        "black_out": hidden,
    }
    judge = device_filter.asked(device_model, rule_set)
    if (
        judge and runner == stages.LOCAL
    ):  # Beam's forks and TensorFlow's threads do not go together: there, when needed
        judge.load()
    given["device_model"] = judge and judge.sha256
    source, module = sources.named(source, export)
    how = labeling.load(
        labels,
        uncertain,
        neutral=rule_set.tables["diagnosis"]["neutral"],
        codes_file=codes_file,
        labels_file=labels_file,
        columns=columns,
    )
    given = _content(given)
    key = hashing.read_or_make_key(key_file)
    with work.opened(out, export, key, say) as beside:
        asked = beside.hash("asked", str(placing.real(export)), work.code_version(), given)
        replacing = beside.owns(asked) or (overwrite and placing.may_replace(out))
        if not replacing:
            placing.refuse_existing(out)
        placing.check_trace(trace, beside)
        limits = limits or Limits()
        if decoder != pixel_data.PYDICOM:
            limits = replace(
                limits, memory=limits.memory + TENSORFLOW, cpu=max(limits.cpu, limits.most_cpu)
            )
        where = (placing.real(key_path), processes, runner, tuple(runner_options))
        stage = stages.Stages(beside, placing.real(export), *where, limits, show_progress, say)
        scans, counted = module.scans(
            export,
            lambda function, paths: stage.map(function, paths, _no_header, title="headers"),
            how,
        )
        knows = sources.knows(module, export, how)
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
        choosing.refuse_none_left(export, remaining, excluded)
        if judge:
            judge.check_size(size)

        described = {"source": source, "size": size, "fit": fit, **counted}
        described |= {"normalise": str(decoding["normalize"]), "bits": bits, "decoder": decoder}
        described |= {"black_out": hidden.described()}
        # Made when they are handed over: each holds several paths, and there may be hundreds of
        # thousands.
        jobs = stages.Lazily(lambda scan: _job(scan, beside, size, fit, decoding), remaining)
        names = [job.png.stem for job in jobs]
        made = stage.map(
            pixels.write, jobs, _no_pixels, title="images", names=names, intact=pixels.intact
        )
        named = dict(zip((scan.number for scan in remaining), names, strict=True))
        done = dict(zip((scan.number for scan in remaining), made, strict=True))
        if judge:
            decoded = [scan for scan in remaining if not done[scan.number].rejected]
            seen = judge.worn(
                decoded, lambda scan: beside.place("images", named[scan.number]), rule_set
            )
            excluded.update(seen)
            described["device_model"] = {"sha256": judge.sha256, "seen": len(seen)}
        kept = choosing.choose(scans, done, excluded, rule_set, normals, seed)
        choosing.refuse_none_left(export, kept, excluded)
        kept = choosing.name_and_split(kept, split, seed)
        with artifacts.new_folder(out, replace=replacing) as folder:
            placing.place(folder, beside, named, kept)
            described["labels"] = label_audit.write(
                folder, scans, kept, how, tables.write_csv, seed=seed, sample=label_sample
            )
            report = tables.write(
                folder, scans, kept, excluded, rule_set, knows, key, described, seed=seed
            )
            if audit:
                gathering = audits.in_processes(processes, show_progress)
                own = [
                    str(rule_set.tables),
                    *own_words.of_files((codes_file, labels_file, columns)),
                ]
                look_for, counts = audits.matcher(
                    export, gathering, own, [scan.name for scan in scans if not scan.rejected]
                )
                report["privacy_audit"] = audits.check([folder], look_for, counts, findings)
                written = artifacts.read_json(folder / "report.json")
                artifacts.write_json(
                    folder / "report.json", {**written, "privacy_audit": report["privacy_audit"]}
                )
            if trace is not None:
                tables.write_trace(Path(trace), scans, kept, excluded, beside.will_write_trace)
            beside.will_own(asked, folder)
        beside.forget_the_rest()
    return report


def _content(given: dict) -> list:
    """Options in a form that is the same for the same cohort: files stand for what is in them."""
    files = ("rules_file", "codes_file", "labels_file", "columns")
    named = {name: given[name] for name in files if given[name] is not None}
    read = {name: user_files.read_text(value) for name, value in named.items()}
    return sorted([name, repr(value)] for name, value in {**given, **read}.items())


def _check_options(size, normals, fit, processes, label_sample) -> None:
    if size is not None and (size < SMALLEST or size & (size - 1)):
        raise InputError(f"--size {size}: must be a power of two, {SMALLEST} or more")
    if normals is not None and normals < 1:
        raise InputError(f"--normals {normals}: must be 1 or more")
    if fit not in (PAD, CROP):
        raise InputError(f"--fit {fit}: must be {PAD} or {CROP}")
    if processes is not None and not 0 <= processes <= workers.MOST:
        raise InputError(f"--workers {processes}: must be from 0 to {workers.MOST}")
    if label_sample < 0:
        raise InputError(f"--label-sample {label_sample}: must not be negative")


def _side(scan: Scan, fit: str) -> int:
    return fitted_side(scan.rows, scan.columns, fit)


def _default_size(scans: list[Scan], fit: str) -> int:
    sides = sorted(side for side in (_side(scan, fit) for scan in scans) if side > 0)
    if not sides:
        return LARGEST
    reached = sides[int(len(sides) * TOO_SMALL_SHARE)]
    return max(min(LARGEST, 1 << int(math.log2(reached))), SMALLEST)


def _job(scan: Scan, beside: work.Work, size: int, fit: str, decoding: dict) -> pixels.Job:
    """The images wait in the work folder until it is known which ones stay."""
    nowhere = Path()
    job = pixels.Job(
        scan.path, nowhere, nowhere, size, fit, **decoding, masks=scan.masks, boxes=scan.boxes
    )
    name = beside.name("images", job)
    return replace(job, png=beside.place("images", name), mask_png=beside.place("masks", name))


def _no_header(rule: str, detail: str) -> tuple[str, str]:
    return rule, detail


def _no_pixels(rule: str, detail: str) -> pixels.Done:
    return pixels.Done((rule, detail))
