"""`curate`: an export becomes a cohort, or nothing is left behind."""

import math
import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from pgcxr import sources
from pgcxr.curation import (
    choosing,
    label_audit,
    losses,
    pixels,
    placing,
    preparing,
    stages,
    tables,
    work,
)
from pgcxr.curation import device_filter as device_filters
from pgcxr.curation.choosing import Selection
from pgcxr.curation.options import CurationOptions
from pgcxr.curation.preparing import Setup
from pgcxr.dicom import pixel_data
from pgcxr.images import fitted_side
from pgcxr.io import artifacts
from pgcxr.io.worker_process import Limits
from pgcxr.phantom import export as phantom_export
from pgcxr.privacy.audit import auditing as audits
from pgcxr.privacy.audit import own_words
from pgcxr.sources import Scan

LARGEST = 1024
SMALLEST = 4
# The size that is chosen when none is asked for may be too large for this share of the images.
TOO_SMALL_SHARE = 0.05
# Addresses that TensorFlow takes for itself and its threads, used or not.
TENSORFLOW = 32 << 30
DEFAULTS = CurationOptions()


def curate(
    export: str | os.PathLike,
    out: str | os.PathLike,
    options: CurationOptions = DEFAULTS,
    *,
    limits: Limits | None = None,
    show_progress: bool = True,
    say: Callable[[str], None] = lambda line: None,
) -> dict:
    """Writes the cohort folder `out` and returns its report.

    What is known of each file is kept beside it (`pgcxr.curation.work`): a killed run goes on where
    it was, and a run on an export that has grown does what is new and puts the new cohort in the
    old one's place. Either way the cohort is the one that an undisturbed run on the same export
    writes.

    Everything but the keyed hashes (patient_id, and the second half of excluded.csv's source)
    depends on the export and the options alone: not on the key, the number of processes or the
    order of files on the disk.

    Args:
        export: a PACS export (DICOM files and studies.csv), or a public set as downloaded.
        out: the folder of the cohort: new, or what this function made of the same export.
        options: of the cohort, and of the run.
        limits: what one file may take, by default `Limits()`.
        show_progress: whether there is a bar.
        say: takes lines for the user on what is recalled from earlier runs.

    Returns:
        What report.json says: "images", "patients", "normal", "abnormal", "size" in pixels,
        "collected" files, "excluded" {rule: files}, "warnings" and more.

    Raises:
        InputError: an option, a file or a place is wrong, or no image is left.

    Example:

        >>> import tempfile
        >>> from pgcxr.phantom.export import PhantomOptions, write_export
        >>> small = PhantomOptions(patients=12, seed=1, size=64, workers=1)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     counts = write_export(f"{folder}/export", small)
        ...     options = CurationOptions(size=32, processes=0, key_file=f"{folder}/key")
        ...     report = curate(
        ...         f"{folder}/export", f"{folder}/cohort", options, show_progress=False
        ...     )
        >>> report["size"], report["images"] == report["normal"] + report["abnormal"]
        (32, True)
    """
    setup = preparing.prepare(export, out, options)
    with work.opened(setup.out, setup.export, setup.key, say) as workspace:
        asked = workspace.hash(
            "asked", str(placing.real(export)), work.code_version(), setup.fingerprint()
        )
        growing = workspace.owns(asked)
        replacing = growing or (options.overwrite and placing.may_replace(setup.out))
        if not replacing:
            placing.refuse_existing(setup.out)
        placing.check_trace(options.trace, workspace)
        stage = stages.Stages(
            workspace,
            placing.real(export),
            setup.key_file,
            stages.Machines(setup.processes, options.runner, tuple(options.runner_options)),
            _limits(options, limits),
            show_progress,
            say,
        )
        curation = _Curation(setup, workspace, stage, limits)
        curation.list_scans()
        curation.choose_size()
        curation.decode()
        curation.look_for_devices()
        curation.choose()
        with artifacts.new_folder(setup.out, replace=replacing) as folder:
            report = curation.write(folder)
            outdated = placing.keep_records(setup.out, folder) if growing else []
            _add(folder, report, {"warnings": [*report["warnings"], *outdated]})
            workspace.will_own(asked, folder)
        workspace.remove_unused()
    return report


class _Curation:
    """The steps of one curation, in the order in which they are called."""

    def __init__(
        self, setup: Setup, workspace: work.Work, stage: stages.Stages, limits: Limits | None
    ):
        self.setup, self.workspace, self.stage, self.limits = setup, workspace, stage, limits
        self.options = setup.options

    def list_scans(self) -> None:
        """Lists the scans of the export, and excludes those whose headers break a rule."""
        setup = self.setup
        scans, counts = setup.module.scans(
            setup.export,
            lambda function, paths: self.stage.map(function, paths, _no_header, title="headers"),
            setup.labeling,
        )
        self.not_images = getattr(setup.module, "NO_IMAGES", ())
        self.listed = len(scans)
        scans = [*scans, *losses.unlisted(setup.export, scans, self.not_images)]
        knows = sources.knows(setup.module, setup.export, setup.labeling)
        self.selection = Selection(setup.export, scans, setup.rules, knows)
        self.counts = counts
        for scan in scans:
            reason = setup.rules.broken(scan, knows)
            if reason:
                self.selection.excluded[scan.number] = reason

    def choose_size(self) -> None:
        """The side of the images, and which scans are too small for it."""
        remaining, fit = self.selection.remaining(), self.options.fit
        self.size = self.options.size or _default_size(remaining, fit)
        if self.setup.rules.enabled("too_small"):
            for scan in remaining:
                if 0 < _side(scan, fit) < self.size:
                    reason = ("too_small", f"smaller than {self.size} px")
                    self.selection.excluded[scan.number] = reason
        self._refuse_none_left(self.selection.remaining())
        if self.setup.device_filter:
            self.setup.device_filter.check_size(self.size)

    def decode(self) -> None:
        """Writes an image of every scan that remains into the work folder."""
        self.remaining = self.selection.remaining()
        # Made when they are handed over: each holds several paths, and there may be hundreds of
        # thousands.
        jobs = stages.Lazily(self._job, self.remaining)
        names = [job.png.stem for job in jobs]
        results = self.stage.map(
            pixels.write, jobs, _no_pixels, title="images", names=names, intact=pixels.intact
        )
        numbers = [scan.number for scan in self.remaining]
        self.names = dict(zip(numbers, names, strict=True))
        self.done = dict(zip(numbers, results, strict=True))

    def _job(self, scan: Scan) -> pixels.Job:
        nowhere, options = Path(), self.options
        job = pixels.Job(
            scan.path,
            nowhere,
            nowhere,
            self.size,
            options.fit,
            self.setup.decoding,
            masks=scan.masks,
            boxes=scan.boxes,
        )
        name = self.workspace.name("images", job)
        png, mask = (self.workspace.place(kind, name) for kind in ("images", "masks"))
        return replace(job, png=png, mask_png=mask)

    def look_for_devices(self) -> None:
        """Excludes images on which the device classifier sees what their label forbids."""
        self.devices_seen = 0
        if self.setup.device_filter:
            rules = self.setup.rules
            decoded = [scan for scan in self.remaining if not self.done[scan.number].rejected]
            # Where nothing else tells of devices, what is seen on images of both classes says
            # whether they differ in it.
            tells = "device" in self.selection.knows
            judged = [scan for scan in decoded if rules.asks_for_devices(scan) or not tells]
            seen = self.setup.device_filter.seen(
                judged, lambda scan: self.workspace.place("images", self.names[scan.number]), rules
            )
            worn = {
                scan.number: device_filters.REASON
                for scan in judged
                if seen[scan.number] and rules.asks_for_devices(scan)
            }
            self.selection.excluded.update(worn)
            if not tells:
                self.selection.seen.update(seen)
            self.devices_seen = len(worn)

    def choose(self) -> None:
        """Which images stay, in which split."""
        options = self.options
        images = choosing.choose(self.selection, self.done, options.normals, options.seed)
        self._refuse_none_left(images)
        self.images = choosing.name_and_split(images, options.split, options.seed)

    def write(self, folder: Path) -> dict:
        """Writes the cohort into `folder`, looks for identifiers in it, and returns its report."""
        options, setup = self.options, self.setup
        placing.place(folder, self.workspace, self.names, self.images)
        described = self._described()
        described["losses"] = losses.count(
            self.selection, self.counts, self.listed, self.not_images
        )
        described["losses"]["images_with_text"] = sum(image.done.text for image in self.images)
        described["labels"] = label_audit.write(
            folder,
            self.selection.scans,
            self.images,
            setup.labeling,
            seed=options.seed,
            sample=options.label_sample,
        )
        described["warnings"] = [
            *described.get("warnings", ()),
            *label_audit.warnings(described["labels"]),
            *losses.text_warning(described["losses"]["images_with_text"]),
        ]
        report = tables.write(
            folder, self.selection, self.images, described, key=setup.key, config=setup.config()
        )
        if options.audit:
            _add(folder, report, {"privacy_audit": self._audit(folder)})
        self._trace(self.images)
        return report

    def _trace(self, images: list[choosing.Image]) -> None:
        if self.options.trace is not None:
            note = self.workspace.will_write_trace
            tables.write_trace(Path(self.options.trace), self.selection, images, note)

    def _refuse_none_left(self, left: Sequence) -> None:
        """Raises InputError where nothing is left; the trace then says of every file why."""
        if not left:
            self._trace([])
        self.selection.refuse_none_left(left)

    def _described(self) -> dict:
        """What report.json says of how the cohort was made."""
        setup, decoding = self.setup, self.setup.decoding
        described = {"source": setup.source, "size": self.size, "fit": self.options.fit}
        described |= self.counts
        # Keys as report.json spells them.
        described |= {"normalise": str(decoding.normalize), "bits": decoding.bits}
        described |= {"decoder": decoding.decoder, "black_out": decoding.black_out.described()}
        seed = phantom_export.seed_of(setup.export)
        if seed is not None:  # tells which other phantoms show the same patients
            described["phantom_seed"] = seed
        if setup.device_filter:
            described["device_model"] = {
                "sha256": setup.device_filter.sha256,
                "seen": self.devices_seen,
            }
        return described

    def _audit(self, folder: Path) -> dict:
        """Looks for every identifier of the export in the cohort; InputError where there is one."""
        options, setup = self.options, self.setup
        files = (options.codes_file, options.labels_file, options.columns)
        own = [str(setup.rules.tables), *own_words.of_files(files)]
        look_for, counts = audits.matcher(
            setup.export,
            audits.in_processes(setup.processes, self.stage.show, limits=self.limits),
            own,
            [scan.name for scan in self.selection.scans if not scan.rejected],
        )
        return audits.check([folder], look_for, counts, setup.findings)


def _add(folder: Path, report: dict, more: dict) -> None:
    """Puts `more` into the report, and into report.json in `folder`."""
    report |= more
    path = folder / "report.json"
    artifacts.write_json(path, artifacts.read_json(path) | more)


def _limits(options: CurationOptions, limits: Limits | None) -> Limits:
    limits = limits or Limits()
    if options.decoder == pixel_data.PYDICOM:
        return limits
    return replace(limits, memory=limits.memory + TENSORFLOW, cpu=max(limits.cpu, limits.most_cpu))


def _side(scan: Scan, fit: str) -> int:
    return fitted_side(scan.rows, scan.columns, fit)


def _default_size(scans: list[Scan], fit: str) -> int:
    sides = sorted(side for side in (_side(scan, fit) for scan in scans) if side > 0)
    if not sides:
        return LARGEST
    reached = sides[int(len(sides) * TOO_SMALL_SHARE)]
    return max(min(LARGEST, 1 << int(math.log2(reached))), SMALLEST)


def _no_header(rule: str, detail: str) -> tuple[str, str]:
    return rule, detail


def _no_pixels(rule: str, detail: str) -> pixels.Done:
    return pixels.Done((rule, detail))
