"""The installed command. Each body imports what it needs, so that `pgcxr --help` is instant."""

from pgcxr import command
from pgcxr.data.curation.cli import curate, records
from pgcxr.data.phantom.cli import phantom
from pgcxr.synthetic.cli import generate

app = command.new_app(
    "Progressive GANs on chest radiographs: phantom, curation, records, generation.",
    "Example: pgcxr phantom runs/export --patients 200 --seed 1 --size 256; then `pgcxr COMMAND --help`",
)
app.command(epilog="Example: pgcxr phantom runs/export --patients 200 --seed 1 --size 256")(phantom)
app.command(epilog="Example: pgcxr curate runs/export --out runs/cohort --size 128")(curate)
app.command(epilog="Example: pgcxr records runs/cohort --format png")(records)
app.command(epilog="Example: pgcxr generate runs/gan --n 64 --seed 1 --out runs/synthetic")(generate)


def main() -> None:
    """Entry point of the `pgcxr` command."""
    command.run(app, name="pgcxr")


if __name__ == "__main__":
    main()
