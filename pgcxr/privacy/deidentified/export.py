"""`export_deidentified`: every image of an export as de-identified DICOM, audited before the folder
gets its name."""

import csv
import os
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pydicom
from pydicom.uid import ExplicitVRLittleEndian

from pgcxr import dicom
from pgcxr.cohort import spelling, vocabulary
from pgcxr.dicom import pixel_data, reading
from pgcxr.dicom.decoding import check_installation
from pgcxr.dicom.normalization import THESIS
from pgcxr.dicom.reading import Rejected, quiet
from pgcxr.errors import ArgumentError, InputError, InstallationError, fault_of_installation
from pgcxr.io import archives, artifacts, places
from pgcxr.privacy import black_out as black_outs
from pgcxr.privacy import hashing
from pgcxr.privacy.audit import auditing, gather, tables
from pgcxr.privacy.audit import findings as findings_table
from pgcxr.privacy.audit.findings import Finding
from pgcxr.privacy.audit.search import Search, listed
from pgcxr.privacy.black_out import BlackOut
from pgcxr.privacy.deidentified import profile
from pgcxr.privacy.deidentified.options import SHIFT, DeidentificationOptions
from pgcxr.sources import pacs

STUDIES = "studies.csv"
COMMAND = "pgcxr export-deidentified"
DEFAULTS = DeidentificationOptions()


@dataclass(frozen=True)
class Job:
    """One file of the export: `number` is its place, `out` the folder that is made."""

    number: int
    path: Path = field(repr=False)
    out: Path
    key: bytes = field(repr=False)
    options: DeidentificationOptions
    black_out: BlackOut


def export_deidentified(
    export: str | os.PathLike,
    out: str | os.PathLike,
    options: DeidentificationOptions = DEFAULTS,
    *,
    show_progress: bool = True,
) -> dict:
    """Writes every image of an export as de-identified DICOM, audited.

    The new folder `out` holds images/NNNNNN.dcm, excluded.csv, studies.csv (hashed numbers and
    codes, where the export has that table) and report.json. Pixel data stays as it is, bit for bit
    and compressed as it was, except where something is made black: those images become
    uncompressed. Files that are no single gray image are left out, and so are those that say that
    an identity is burned in (BurnedInAnnotation), where nothing is made black in them.

    Args:
        export: folder of DICOM files, in any tree.
        out: folder to make.
        options: what is kept, what is made black, and where private files lie.
        show_progress: show bars on stderr.

    Returns:
        What report.json says.

    Raises:
        InputError: the audit found an identifier in what was made, of which nothing is left then;
            or an argument cannot be used.

    Example:

        >>> import tempfile
        >>> from pathlib import Path
        >>> from pgcxr.phantom.export import PhantomOptions, write_export
        >>> folder = Path(tempfile.mkdtemp())
        >>> _ = write_export(folder / "export", PhantomOptions(patients=2, size=64, workers=1))
        >>> options = DeidentificationOptions(processes=0, key_file=folder / "key")
        >>> report = export_deidentified(
        ...     folder / "export", folder / "out", options, show_progress=False
        ... )
        >>> report["images"] == report["files"], report["privacy_audit"]["found"]
        (True, 0)
    """
    export = places.existing_folder(export, "an export of DICOM files")
    out = Path(out)
    key_file, findings = _check_places(export, out, options)
    hide = black_outs.asked(options.black_out, options.black_out_text)
    audit_run = auditing.in_processes(options.processes, show_progress)
    image_run = auditing.in_processes(options.processes, show_progress, "images", crashed)
    key = hashing.read_or_make_key(key_file)
    names = [
        name
        for name in gather.names(export)
        if not (tables.is_table(name) or name in pacs.NO_IMAGES)
    ]
    with artifacts.new_folder(out) as folder:
        (folder / "images").mkdir()
        jobs = [
            Job(number, export / name, folder, key, options, hide)
            for number, name in enumerate(names, 1)
        ]
        done = image_run(write, jobs)
        used = [
            name for name, result in zip(names, done, strict=True) if not isinstance(result, tuple)
        ]
        look_for, counts = auditing.matcher(export, audit_run, made_of=used)
        if options.dates == SHIFT:  # one patient's new date is another one's real one
            look_for = look_for.without("date")
        identified, done = _without_identifiers(folder, done, look_for)
        warnings = [_warning(identified, len(names), findings)] if identified else []
        details = [result[1] for result in done if isinstance(result, tuple)]
        packed = archives.advice(details)
        warnings += [f"of {len(names)} files {packed}"] if packed else []
        excluded = _write_excluded(folder, names, done, key)
        if len(excluded) == len(names):
            said = warnings[0] if warnings else "expected DICOM images"
            raise InputError(
                f"{export}: no image is left of {len(names)} files ({_most(excluded)}); {said}"
            )
        _write_studies(export, folder, key)
        report = {
            "files": len(names),
            "images": len(names) - len(excluded),
            "excluded": Counter(rule for rule, _ in excluded),
            "dates": options.dates,
            "characteristics": options.keep_characteristics,
            "black_out": hide.described(),
            "made_black": sum(result == "black" for result in done),
            "warnings": warnings,
        }
        artifacts.write_report(folder, report, command=COMMAND)
        passed = set((folder / "images").iterdir())
        report["privacy_audit"] = auditing.check(
            [folder], look_for, counts, findings, passed=passed
        )
        artifacts.write_report(folder, report, command=COMMAND)
    return artifacts.plain(report)


def _check_places(export: Path, out: Path, options: DeidentificationOptions) -> tuple[Path, Path]:
    """The files of the key and of the findings; InputError where something would be touched or
    passed on that must not be."""
    places.refuse_existing(out)
    places.refuse_overlap(out, export)
    report = export / "report.json"
    if (
        report.is_file()
        and (artifacts.read_json(report).get("made_by") or {}).get("command") == COMMAND
    ):
        raise InputError(f"{export}: was written by `{COMMAND}`, so it is de-identified already")
    key_file = Path(options.key_file or hashing.default_key_file())
    findings = Path(options.findings or key_file.parent / "privacy_findings.csv")
    if Path(os.path.realpath(key_file)).is_relative_to(os.path.realpath(out)):
        expected = "lies in `out`, which is to be passed on; name a file elsewhere"
        raise ArgumentError("key_file", expected, received=key_file)
    findings_table.check_file(findings, [out, export], {"key_file": key_file})
    return key_file, findings


def _most(excluded: list[tuple[str, str]]) -> str:
    """The rules that left out most, in words."""
    counts = Counter(rule for rule, _ in excluded).most_common(3)
    return ", ".join(f"{count} by {rule}" for rule, count in counts)


def crashed(_item) -> tuple[str, str]:
    """The result of a file that brings its process down."""
    return "unreadable", "crashed the decoder"


def write(job: Job) -> tuple[str, str] | str:
    """Writes one file: "" or, where something was made black, "black"; (rule, detail) where it is
    left out."""
    try:
        with quiet():
            dataset = reading.read(job.path)
            reading.check_frames(dataset)
            reading.check_pixels(dataset)
            hidden = _hidden(dataset, job.black_out)
            if not hidden.any() and reading.text(dataset, "BurnedInAnnotation").upper() == "YES":
                return "burned_in", "BurnedInAnnotation is YES, and nothing is made black"
            if hidden.any():
                _make_black(dataset, hidden)
            profile.apply(dataset, job.key, job.options, cleaned=bool(hidden.any()))
            with open(job.out / "images" / f"{job.number:06d}.dcm", "xb") as file:
                pydicom.dcmwrite(file, dataset, enforce_file_format=True)
    except Rejected as reason:
        return reason.rule, reason.detail
    except (OSError, InstallationError):
        raise
    except Exception as error:
        if fault := fault_of_installation(error):
            raise fault from None
        (job.out / "images" / f"{job.number:06d}.dcm").unlink(missing_ok=True)
        return "unreadable", "cannot be written again"
    return "black" if hidden.any() else ""


def _hidden(dataset: pydicom.Dataset, hide: BlackOut) -> np.ndarray:
    """bool [H, W]: the pixels to make black."""
    if not hide:
        return np.zeros((1, 1), bool)
    try:
        check_installation(dataset.file_meta.TransferSyntaxUID)
        codes = pixel_data.read(dataset)
        maker = reading.text(dataset, "Manufacturer")
        return hide.hidden(
            codes, lambda counts: dicom.gray_table(dataset, counts, THESIS, 8), maker
        )
    except (Rejected, InstallationError):
        raise
    except Exception:
        raise Rejected("unreadable", "the pixel data cannot be decoded") from None


def _make_black(dataset: pydicom.Dataset, hidden: np.ndarray) -> None:
    codes = pixel_data.read(dataset).copy()
    low, high = pixel_data.stored_range(dataset)
    black = high if dataset.PhotometricInterpretation == "MONOCHROME1" else low
    shift = reading.whole(dataset, "HighBit", dataset.BitsStored - 1) + 1 - dataset.BitsStored
    codes[hidden] = (black << max(shift, 0)) & ((1 << 8 * codes.itemsize) - 1)
    if dataset.BitsAllocated == 32:
        codes = codes.astype(np.uint32)
    little = codes.astype(codes.dtype.newbyteorder("<")).tobytes()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.PixelData = little + b"\0" * (len(little) % 2)
    dataset["PixelData"].VR = "OW" if dataset.BitsAllocated > 8 else "OB"
    dataset["PixelData"].is_undefined_length = False


def _without_identifiers(
    folder: Path, done: list, look_for: auditing.Matcher
) -> tuple[dict[str, list[Finding]], list]:
    """Removes files in which something identifies another file's patient: the profile sees one file
    at a time.

    Returns:
        what was found, by the names of the files; and `done` with the reason.
    """
    identified: dict[str, list[Finding]] = {}
    if not any((folder / "images").iterdir()):
        return identified, done
    search = Search(look_for)
    for finding in search.findings(listed([folder / "images"])):
        identified.setdefault(Path(finding.output).name, []).append(finding)
    if search.unread:
        raise InputError(
            f"{folder}: {search.unread} of its files cannot be read again; check the disk"
        )
    for name in identified:
        (folder / "images" / name).unlink()
    reason = ("identifier", "an element that is kept holds an identifier of another file")
    return identified, [
        reason if f"{at:06d}.dcm" in identified else result for at, result in enumerate(done, 1)
    ]


def _warning(identified: dict[str, list[Finding]], files: int, findings: Path) -> str:
    """How many images the audit took, and by what; the private table is written besides."""
    every = [finding for one in identified.values() for finding in one]
    findings_table.write(findings, every[: auditing.MOST_FINDINGS])
    return (
        f"{len(identified)} of {files} images are left out as an element that is kept holds an "
        f"identifier of another file ({findings_table.by_kind(every)}); {findings} (private) says "
        "which and where: a word of a maker or protocol in a name or number of one file takes all "
        "that hold it"
    )


def _write_excluded(
    folder: Path, names: list[str], done: list, key: bytes
) -> list[tuple[str, str]]:
    excluded = []
    with open(folder / "excluded.csv", "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("source", "rule", "detail"))
        for number, (name, result) in enumerate(zip(names, done, strict=True), 1):
            if isinstance(result, tuple):
                writer.writerow(
                    (f"file {number:06d} {hashing.keyed_hash(key, 'file', name)}", *result)
                )
                excluded.append(result)
    return excluded


def _write_studies(export: Path, folder: Path, key: bytes) -> None:
    """Hashed numbers as in the files, and the codes; nothing else of the table."""
    from pgcxr.sources import tables
    from pgcxr.sources.weak_labels import codes

    if not (export / STUDIES).is_file():
        return
    needed = ("accession_number", "diagnosis_codes")
    rows = tables.columns(export / STUDIES, needed, ("patient_id",))
    with open(folder / STUDIES, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("accession_number", "patient_id", "diagnosis_codes"))
        hashed = []
        for number, diagnoses, listed in rows:
            patient = vocabulary.same_patient(listed)
            hashed.append(
                (
                    hashing.keyed_hash(key, "accession", spelling.plain(number)),
                    hashing.keyed_hash(key, "patient", patient) if patient else "",
                    ";".join(codes.parse(diagnoses)),
                )
            )
        writer.writerows(sorted(hashed))  # the order of the table may be that of names or dates
