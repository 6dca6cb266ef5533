"""`pgcxr screen` for the command line."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from pgcxr.cli.options import takes_options
from pgcxr.screening.options import ScreeningOptions


@takes_options
def screen(
    model: Annotated[
        str,
        typer.Argument(
            help="screening model: a folder of `python -m evaluate.anomaly` with a network of "
            "train.anomaly, or phantom-64-normal, which comes with pgcxr"
        ),
    ],
    source: Annotated[
        Path, typer.Argument(help="a DICOM, PNG or JPEG file, or a folder of such, nested or not")
    ],
    out: Annotated[
        Path,
        typer.Option(help="folder for the results, new, or what this command made with this model"),
    ],
    options: ScreeningOptions,
) -> None:
    """Scores new images by how unlike they are to normal ones; for research, not a medical device.

    Writes results.csv and worklist.html, sorted by p-value, report.json, and images/ID with the
    image, the normal one beside it, their difference and the map. What is no image of the model's
    kind is refused, with the reason. Files are named by the first 16 digits of their sha256. The
    same command again goes on where it stopped.
    """
    from pgcxr.screening import model as models
    from pgcxr.screening.asked import refuse_places

    refuse_places(source, out, options)
    models.folder_of(model)
    from pgcxr.io.progress import Bars
    from pgcxr.screening import screen as screening
    from pgcxr.screening.worklist import beside

    loaded = models.load(model)
    with Bars(show=options.watch is None) as bars:
        report = screening.screen(
            loaded, source, out, options, bars.update, lambda line: print(line, file=sys.stderr)
        )
    print(
        f"{out}: {report['images']} files{beside(report['copies'])} looked at: "
        f"{report['anomalous']} anomalous of "
        f"{report['scored']} scored, {report['flagged']} of these flagged, "
        f"{report['refused']} refused; worklist.html"
    )
    if options.trace is None:
        print("which file is which image says --trace FILE, or sha256sum", file=sys.stderr)
