"""What a curation needs before the first file is read: all that its options name, checked and
loaded."""

import functools
import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from pgcxr import sources
from pgcxr.curation import device_filter as device_filters
from pgcxr.curation import placing, rules, stages, work
from pgcxr.curation.device_filter import DeviceFilter
from pgcxr.curation.options import LOCAL, CurationOptions
from pgcxr.curation.pixels import Decoding
from pgcxr.curation.rules import Rules
from pgcxr.dicom import normalization, pixel_data
from pgcxr.io import places, user_files
from pgcxr.privacy import black_out as black_outs
from pgcxr.privacy import hashing
from pgcxr.privacy.audit import findings as findings_table
from pgcxr.sources.weak_labels import labeling
from pgcxr.sources.weak_labels.labeling import Labeling


@dataclass(frozen=True)
class Setup:
    """What one curation works with.

    Attributes:
        options: as they were given.
        export, out: folders that are read and written.
        processes: how many work beside this one.
        findings: the private table of what the audit finds.
        rules: with the user's on top of the thesis's.
        decoding: how pixels are decoded.
        device_filter: looks for devices on the decoded images, or None.
        source, module: what lists the scans of the export.
        labeling: what makes labels of diagnoses and reports.
        key_file, key: of the patient hashes.
    """

    options: CurationOptions
    export: Path
    out: Path
    processes: int
    findings: Path
    rules: Rules
    decoding: Decoding
    device_filter: DeviceFilter | None
    source: str
    module: ModuleType
    labeling: Labeling
    key_file: Path
    key: bytes

    def fingerprint(self) -> list:
        """What the cohort depends on besides export, code and key: options, with files and network
        as what is in them."""
        inside = self.contents
        others = [item for item in self.options.fingerprint() if item[0] not in inside]
        return [*others, *([name, repr(sha256)] for name, sha256 in sorted(inside.items()))]

    @functools.cached_property
    def contents(self) -> dict[str, str | None]:
        """{option: sha256 of the file or network that it names, or None}."""
        return {name: self._sha256(name) for name in CurationOptions.names_by_content()}

    def config(self) -> dict:
        """The options that the cohort depends on, for report.json: of files and network the sha256,
        as a path may name a hospital or a patient."""
        of_the_run = CurationOptions.names_of_the_run()
        values = {k: v for k, v in self.options.to_dict().items() if k not in of_the_run}
        return values | self.contents

    def _sha256(self, name: str) -> str | None:
        if name == "device_model":
            return self.device_filter.sha256 if self.device_filter else None
        path = getattr(self.options, name)
        if path is None:
            return None
        return hashlib.sha256(user_files.read_bytes(path, user_files.SETTINGS)).hexdigest()


def prepare(export: str | os.PathLike, out: str | os.PathLike, options: CurationOptions) -> Setup:
    """Reads what the options name, and refuses what would fail or do harm later.

    Raises:
        InputError: says what cannot be read, or not be written.
    """
    export = places.existing_folder(export, "a PACS export or a public set")
    out = Path(out)
    processes = (os.cpu_count() or 1) if options.processes is None else options.processes
    stages.check_runner(options.runner, options.runner_options, processes)
    key_file = Path(options.key_file or hashing.default_key_file())
    findings = Path(options.findings or key_file.parent / "privacy_findings.csv")
    _check_places(export, out, options, key_file, findings)
    pixel_data.reader(options.decoder)
    rule_set = rules.load(options.rules_file)
    rule_set = rule_set.with_options(options.view, options.support_devices)
    hidden = black_outs.asked(
        options.black_out, options.black_out_text, rule_set.tables["black_out"], options.rules_file
    )
    decoding = Decoding(
        normalization.parse(options.normalize), options.bits, options.decoder, hidden
    )
    device_filter = device_filters.asked(options.device_model, rule_set)
    # Beam's forks and TensorFlow's threads do not go together: there it is loaded when needed.
    if device_filter and options.runner == LOCAL:
        device_filter.load()
    source, module = sources.named(options.source, export)
    how = labeling.load(
        options.labels,
        options.uncertain,
        neutral=rule_set.tables["diagnosis"]["neutral"],
        codes_file=options.codes_file,
        labels_file=options.labels_file,
        columns=options.columns,
    )
    return Setup(
        options=options,
        export=export,
        out=out,
        processes=processes,
        findings=findings,
        rules=rule_set,
        decoding=decoding,
        device_filter=device_filter,
        source=source,
        module=module,
        labeling=how,
        key_file=placing.real(key_file),
        key=hashing.read_or_make_key(options.key_file),
    )


def _check_places(
    export: Path, out: Path, options: CurationOptions, key_file: Path, findings: Path
) -> None:
    """Raises InputError where something that is read or private would be touched or passed on."""
    read = {
        "the export": export,
        "the device model": options.device_model,
        "the file of rules": options.rules_file,
        "the file of codes": options.codes_file,
        "the file of labels": options.labels_file,
        "the column map": options.columns,
    }
    placing.check_out(out, read)
    asked_for = options.overwrite and options.key_file is not None
    placing.check_key(out, key_file, may_differ=asked_for)
    replaced = options.overwrite and placing.may_replace(out)
    if not replaced and not work.folder_of(out).is_dir():
        placing.refuse_existing(out)
    private = {"trace": options.trace, "key_file": key_file, "findings": findings}
    placing.check_private(private, out)
    others = {"key_file": key_file, "trace": options.trace}
    findings_table.check_file(findings, [export], others)
