"""Blinded reader studies in the browser: real or synthetic, severity along an axis, anomalies
without and with the map, and which of two images is better."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from evaluate.readers.options import AnalysisOptions, PowerOptions, StudyOptions
from pgcxr.cli import command
from pgcxr.cli.options import takes_options
from pgcxr.io import places

app = command.new_app(__doc__)
PORT = 8000


@app.command(
    epilog="Example: python -m evaluate.readers make turing runs/gan --out runs/turing; "
    "make severity runs/gan --axes runs/axes ...; make anomaly runs/anomaly --cohort cohort ...; "
    "make preference runs/gan --other runs/other-gan ..."
)
@takes_options
def make(
    kind: Annotated[
        str,
        typer.Argument(
            help="turing (real or synthetic), severity, anomaly (without and with the map), or "
            "preference (side by side)"
        ),
    ],
    first: Annotated[
        Path,
        typer.Argument(
            metavar="SOURCE", help="RUN of train.gan; of anomaly, a folder of evaluate.anomaly"
        ),
    ],
    out: Annotated[Path, typer.Option(help="new folder of the study")],
    options: StudyOptions,
    cohort: Annotated[
        Path | None,
        typer.Option(help="COHORT of the real images; turing: that of the RUN where left out"),
    ] = None,
    axes: Annotated[Path | None, typer.Option(help="folder of evaluate.axes, for severity")] = None,
    other: Annotated[
        Path | None, typer.Option(help="RUN of another train.gan, for preference")
    ] = None,
    seed: Annotated[
        int, typer.Option(**command.SEED, help="of the cases and of each reader's order")
    ] = 0,
) -> None:
    """Makes the folder of a study from runs, a cohort, or the folder of an evaluation."""
    from evaluate.protocol import progress_bars
    from evaluate.readers.sources import Sources, refuse_sources

    sources = Sources(first, cohort, axes, other)
    refuse_sources(kind, sources)
    places.refuse_existing(out)
    from evaluate.readers.making import make as make_study

    with progress_bars() as progress:
        study = make_study(kind, sources, out, options, seed, progress)
    print(
        f"{out}: {len(study.order('-'))} readings for each reader; next, with a code for each and "
        f"no person's name: python -m evaluate.readers serve {out} --reader CODE"
    )


@app.command(epilog="Example: python -m evaluate.readers serve runs/turing --reader a --reader b")
def serve(
    study: Annotated[Path, typer.Argument(help="folder that `make` wrote")],
    reader: Annotated[
        list[str],
        typer.Option(
            help="a reader to add, a code and no person's name; may be given again. One who is "
            "there already gets a new link, and the earlier one ends"
        ),
    ] = [],  # noqa: B006 (typer copies it)
    address: Annotated[str, typer.Option(help="of the network that is listened to")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="TCP port")] = PORT,
    password_file: Annotated[
        Path | None,
        typer.Option(
            help="text file whose first line all readers must type, too: needed for another "
            "address than 127.0.0.1"
        ),
    ] = None,
    host: Annotated[
        list[str],
        typer.Option(
            help="a name under which readers open it, e.g. of the proxy; may be given again"
        ),
    ] = [],  # noqa: B006
) -> None:
    """Shows a study in the browser until Ctrl-C, and prints the link of each new reader.

    Only a hash of a link's token is kept: print it or send it now. Stop and start it as often as
    you like; links stay.
    """
    from evaluate.readers.serving import serve as listen

    listen(study, reader, address, port, password_file, host)


@app.command(epilog="Example: python -m evaluate.readers status runs/turing")
def status(study: Annotated[Path, typer.Argument(help="folder that `make` wrote")]) -> None:
    """How far each reader is."""
    from evaluate.readers.session import Session, prepared

    loaded, store = prepared(study)
    for name in store.readers():
        own = Session(loaded, store, name)
        done = sum(own.state()["done"])
        print(f"{name}: {done} of {len(own.order)} cases")
    if not store.readers():
        print(f"{study}: no readers yet; add them with serve --reader CODE")


@app.command(epilog="Example: python -m evaluate.readers export runs/turing --out runs/turing-csv")
def export(
    study: Annotated[Path, typer.Argument(help="folder that `make` wrote")],
    out: Annotated[Path, typer.Option(help="new folder")],
) -> None:
    """Writes answers.csv, audit.csv, and where there is a truth the input of iMRMC and RJafroc."""
    places.refuse_existing(out)
    from evaluate.readers.export import export as write

    print(f"{out}: {', '.join(write(study, out))}")


@app.command(
    epilog="Example: python -m evaluate.readers analyze runs/turing --out runs/turing-result"
)
@takes_options
def analyze(
    study: Annotated[Path, typer.Argument(help="folder that `make` wrote")],
    out: Annotated[Path, typer.Option(help="new folder for report.json, report.html and tables")],
    options: AnalysisOptions,
    seed: Annotated[int, typer.Option(**command.SEED, help="of the bootstrap")] = 0,
) -> None:
    """Analyzes the answers that are there, of every reader, and says what is missing."""
    places.refuse_existing(out)
    from evaluate.readers.experiment import run

    result = run(study, out, options, seed)
    for line in result.figures["warnings"]:
        print(f"warning: {line}", file=sys.stderr)
    print(f"{out}: report.html, report.json")


@app.command(
    epilog="Example: python -m evaluate.readers power turing --readers 1,3,5; "
    "power anomaly --pilot runs/review-result --difference 0.04 --out runs/plan"
)
@takes_options
def power(
    kind: Annotated[
        str, typer.Argument(help="turing (at chance), anomaly (map or no map) or preference")
    ],
    options: PowerOptions,
    pilot: Annotated[
        Path | None, typer.Option(help="folder that `analyze` wrote of an earlier study")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="new folder for report.json, report.html, power.csv")
    ] = None,
) -> None:
    """Says how many readers and cases a study needs, before it is made."""
    from evaluate.readers.power import lines, plan

    for line in lines(plan(kind, pilot, options, out).figures):
        print(line)
    if out is not None:
        print(f"{out}: report.html, report.json, power.csv")


if __name__ == "__main__":
    command.run(app, name="python -m evaluate.readers")
