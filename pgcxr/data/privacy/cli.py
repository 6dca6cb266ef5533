"""`pgcxr privacy-audit` for the command line."""

import os
from pathlib import Path
from typing import Annotated

import typer


def privacy_audit(
    export: Annotated[Path, typer.Argument(help="The export, with all that identifies its patients.")],
    outputs: Annotated[list[Path], typer.Argument(help="Cohorts, runs or single files made of it.")],
    findings: Annotated[
        Path | None,
        typer.Option(help="PRIVATE table of what was found; by default privacy_findings.csv beside the patient key."),
    ] = None,
    workers: Annotated[int | None, typer.Option(help="Processes; by default one for each core.")] = None,
) -> None:
    """Looks for every identifier of an export in everything made of it; fails if there is one."""
    from pgcxr import artefacts
    from pgcxr.data.privacy import audit
    from pgcxr.errors import InputError

    artefacts.existing_folder(export, "an export")
    for path in outputs:
        if not path.exists():
            raise InputError(f"{path}: no such file or folder; name a cohort or a run")
    workers = (os.cpu_count() or 1) if workers is None else workers
    look_for, counts = audit.matcher(export, audit.in_processes(workers, True), own_words(outputs))
    report = audit.check(outputs, look_for, counts, findings)
    typer.echo(
        f"no identifier found: {report['identifiers']} of {report['files']} files looked for in "
        f"{report['outputs']} output files ({report['indistinct']} words that pgcxr itself uses left out)"
    )


def own_words(outputs: list[Path]) -> list[str]:
    """The rules that a cohort was made by: their words are the user's own."""
    import json

    found = []
    for path in outputs:
        report = path / "report.json"
        if report.is_file():
            try:
                config = json.loads(report.read_text(encoding="utf-8")).get("made_by", {}).get("config", {})
            except (ValueError, AttributeError):
                continue
            found.append(json.dumps(config.get("rules", {}), ensure_ascii=False))
    return found
