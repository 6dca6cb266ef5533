"""`pgcxr curate` and `pgcxr records` for the command line."""

from pathlib import Path
from typing import Annotated

import typer

from pgcxr.cli.command import SEED
from pgcxr.errors import InputError


def curate(
    export: Annotated[
        Path, typer.Argument(help="A PACS export (DICOM and studies.csv) or a public set.")
    ],
    out: Annotated[
        Path,
        typer.Option(
            help="The cohort's folder, new, or what this command made of the same export."
        ),
    ],
    source: Annotated[
        str | None,
        typer.Option(
            help=(
                "pacs, nih, rsna, vindr, chexpert, mimic or table; by default what the folder "
                "looks like."
            )
        ),
    ] = None,
    rules: Annotated[
        Path | None, typer.Option(help="TOML file of exclusion rules, on top of the thesis's.")
    ] = None,
    size: Annotated[
        int | None, typer.Option(help="Side in pixels, a power of two; by default up to 1024.")
    ] = None,
    fit: Annotated[str, typer.Option(help="pad or crop: how an image becomes square.")] = "pad",
    normalize: Annotated[
        str,
        typer.Option(
            "--normalize",
            "--normalise",
            help=(
                "percentile:99 (black at the minimum), percentile:LOW,HIGH, window (as displayed) "
                "or none."
            ),
        ),
    ] = "percentile:99",
    bits: Annotated[
        int, typer.Option(help="8 or 16, of the PNG files; training reads the upper 8 of 16.")
    ] = 8,
    decoder: Annotated[
        str, typer.Option(help="pydicom or tfio (tensorflow-io) decodes the pixels.")
    ] = "pydicom",
    black_out: Annotated[
        list[str] | None,
        typer.Option(help="x,y,w,h: a region to make black, as fractions; may be repeated."),
    ] = None,
    black_out_text: Annotated[
        bool,
        typer.Option(
            "--black-out-text",
            help="Make text near the borders black instead of excluding the image.",
        ),
    ] = False,
    split: Annotated[
        str, typer.Option(help="Shares of train, val and test, by patient.")
    ] = "0.6,0.2,0.2",
    normals: Annotated[
        int | None, typer.Option(help="Keep this many normals, at random (thesis: 20000).")
    ] = None,
    seed: Annotated[int, typer.Option(**SEED, help="Seed of splits, order and sampling.")] = 0,
    workers: Annotated[
        int | None,
        typer.Option(help="Processes; 0: none but this one; by default one for each core."),
    ] = None,
    runner: Annotated[
        str,
        typer.Option(
            help="local, or Apache Beam's DirectRunner, FlinkRunner, SparkRunner or DataflowRunner."
        ),
    ] = "local",
    runner_option: Annotated[
        list[str] | None,
        typer.Option(
            help="name=value for Beam's runner, for example parallelism=64; may be repeated."
        ),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace another cohort at --out.")
    ] = False,
    labels: Annotated[
        str,
        typer.Option(
            help="What makes a study normal or abnormal: codes, report, or agree (both must)."
        ),
    ] = "codes",
    uncertain: Annotated[
        str,
        typer.Option(
            help="What an uncertain finding becomes: unknown, positive, negative or exclude."
        ),
    ] = "unknown",
    codes_file: Annotated[
        Path | None, typer.Option(help="TOML file of diagnosis codes, in place of ICD-10's.")
    ] = None,
    labels_file: Annotated[
        Path | None, typer.Option(help="TOML file of report phrases, in place of English.")
    ] = None,
    columns: Annotated[
        Path | None,
        typer.Option(help="Column map of --source table; by default columns.toml in the folder."),
    ] = None,
    label_sample: Annotated[
        int,
        typer.Option(
            help="Images to draw into label_sample.html, for a radiologist to check their labels."
        ),
    ] = 100,
    device_model: Annotated[
        Path | None,
        typer.Option(
            help="RUN of `train.classifier --labels device`: excludes images with a device."
        ),
    ] = None,
    key_file: Annotated[
        Path | None,
        typer.Option(
            help=(
                "Key of the patient hashes, made on first use; by default "
                "~/.config/pgcxr/patient_key."
            )
        ),
    ] = None,
    trace: Annotated[
        Path | None,
        typer.Option(
            help="PRIVATE table of which file became which image, to find an excluded file again."
        ),
    ] = None,
    audit: Annotated[
        bool,
        typer.Option(
            help="Look for every identifier of the export in the cohort; fail if there is one."
        ),
    ] = True,
    findings: Annotated[
        Path | None,
        typer.Option(
            help=(
                "PRIVATE table of what the audit found; by default privacy_findings.csv beside the "
                "key."
            )
        ),
    ] = None,
) -> None:
    """Turns an export into a cohort: rules, flow chart, splits by patient, de-identified 8-bit
    images."""
    from pgcxr.curation.run import curate as run

    report = run(
        export,
        out,
        source=source,
        rules_file=rules,
        size=size,
        split=_shares(split),
        normals=normals,
        seed=seed,
        processes=workers,
        fit=fit,
        normalize=normalize,
        bits=bits,
        decoder=decoder,
        black_out=black_out or (),
        black_out_text=black_out_text,
        key_file=key_file,
        trace=trace,
        runner=runner,
        audit=audit,
        findings=findings,
        labels=labels,
        uncertain=uncertain,
        codes_file=codes_file,
        labels_file=labels_file,
        columns=columns,
        label_sample=label_sample,
        device_model=device_model,
        runner_options=runner_option or (),
        overwrite=overwrite,
        say=lambda line: typer.echo(line, err=True),
    )
    typer.echo(
        f"{out}: {report['images']} images of {report['patients']} patients ({report['normal']} "
        f"normal, {report['abnormal']} abnormal) at {report['size']} px, out of "
        f"{report['collected']} files"
    )
    for warning in report["warnings"]:
        typer.echo(f"warning: {warning}", err=True)


def records(
    cohort: Annotated[Path, typer.Argument(help="A cohort written by `pgcxr curate`.")],
    format: Annotated[
        str, typer.Option(help="png or nvidia (the original's multi-resolution TFRecords).")
    ] = "png",
    out: Annotated[
        Path | None, typer.Option(help="Folder; by default records/FORMAT in the cohort.")
    ] = None,
    size: Annotated[
        int | None, typer.Option(help="Side in pixels; by default the cohort's.")
    ] = None,
) -> None:
    """Writes a cohort as TFRecords, one set for each split."""
    from pgcxr.cohort.records import write

    report = write(cohort, format, out=out, size=size)
    typer.echo(
        f"{report['folder']}: {sum(report['images'].values())} images at {report['size']} px as "
        f"{format}"
    )


def _shares(text: str) -> tuple[float, ...]:
    try:
        return tuple(float(share) for share in text.split(","))
    except ValueError:
        raise InputError(
            f"--split {text}: needs three shares that sum to 1, for example 0.6,0.2,0.2"
        ) from None
