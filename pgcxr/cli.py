"""The installed command. Each body imports what it needs, so that `pgcxr --help` is instant."""

from pgcxr import command

app = command.new_app("Progressive GANs on chest radiographs: phantom, curation, records, generation.")


@app.callback()
def _main() -> None:
    """Progressive GANs on chest radiographs."""


def main() -> None:
    """Entry point of the `pgcxr` command."""
    command.run(app, name="pgcxr")


if __name__ == "__main__":
    main()
