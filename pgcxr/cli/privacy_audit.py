"""`pgcxr privacy-audit` for the command line."""

from pathlib import Path
from typing import Annotated

import typer


def privacy_audit(
    export: Annotated[
        Path, typer.Argument(help="The export, with all that identifies its patients.")
    ],
    outputs: Annotated[
        list[Path], typer.Argument(help="Cohorts, runs or single files made of it.")
    ],
    own_words: Annotated[
        list[Path] | None,
        typer.Option(
            "--own-words",
            help="A text file whose words are yours, as --labels-file; may be repeated.",
        ),
    ] = None,
    findings: Annotated[
        Path | None,
        typer.Option(
            help=(
                "PRIVATE table of what was found; by default privacy_findings.csv beside the "
                "patient key."
            )
        ),
    ] = None,
    processes: Annotated[
        int | None, typer.Option("--workers", help="Processes; by default one for each core.")
    ] = None,
) -> None:
    """Looks for every identifier of an export in everything made of it; fails if there is one."""
    from pgcxr.errors import InputError
    from pgcxr.io import places
    from pgcxr.privacy import hashing
    from pgcxr.privacy.audit import auditing, search
    from pgcxr.privacy.audit import findings as tables
    from pgcxr.privacy.audit import own_words as own_texts

    places.existing_folder(export, "an export")
    for path in outputs:
        if not path.exists():
            raise InputError(f"{path}: no such file or folder; name a cohort or a run")
    findings = findings or tables.default_file()
    tables.check_file(findings, [*outputs, export], {"patient_key": hashing.default_key_file()})
    run = auditing.in_processes(processes, True)
    search.listed(outputs)
    own = [*rules_of(outputs), *own_texts.of_files(own_words or ())]
    look_for, counts = auditing.matcher(export, run, own)
    report = auditing.check(outputs, look_for, counts, findings)
    damaged = f"{report['damaged']} damaged files read as bytes; " if report["damaged"] else ""
    typer.echo(
        f"no identifier found: {report['identifiers']} of {report['files']} files looked for in "
        f"{report['outputs']} output files ({damaged}{report['indistinct']} words that pgcxr "
        "itself uses left out)"
    )


def rules_of(outputs: list[Path]) -> list[str]:
    """The rules that cohorts were made by: their words are the user's own."""
    import json

    found = []
    for path in outputs:
        report = path / "report.json"
        if report.is_file():
            try:
                config = (
                    json.loads(report.read_text(encoding="utf-8"))
                    .get("made_by", {})
                    .get("config", {})
                )
            except (ValueError, AttributeError):
                continue
            found.append(json.dumps(config.get("rules", {}), ensure_ascii=False))
    return found
