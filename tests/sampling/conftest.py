"""A RUN with a small untrained generator, and `pgcxr` called in this process."""

import pytest

from pgcxr.cli import command
from pgcxr.cli.app import app


@pytest.fixture(scope="session")
def run(tmp_path_factory):
    import keras

    from pgcxr.networks import Generator

    folder = tmp_path_factory.mktemp("runs") / "gan"
    folder.mkdir()
    keras.utils.set_random_seed(0)
    # Convolutions with these widths were seen to round otherwise in another batch, or at another
    # place in it.
    Generator(16, fmap_base=32, fmap_max=8).save(folder / "generator-ema.keras")
    return folder


@pytest.fixture
def generate(run, tmp_path):
    """generate(name, *arguments) -> the folder `name` of `pgcxr generate RUN arguments`, which must
    succeed."""

    def call(name, *arguments):
        out = tmp_path / name
        with pytest.raises(SystemExit) as stop:
            command.run(app, ["generate", str(run), "--out", str(out), *map(str, arguments)])
        assert stop.value.code == 0
        return out

    return call


@pytest.fixture
def fails(run, tmp_path, capsys):
    """fails(*arguments) -> the one line on stderr of a `pgcxr generate RUN arguments` that must
    leave nothing."""

    def call(*arguments, run=run):
        out = tmp_path / "refused"
        capsys.readouterr()
        with pytest.raises(SystemExit) as stop:
            command.run(app, ["generate", str(run), "--out", str(out), *map(str, arguments)])
        error = capsys.readouterr().err
        assert stop.value.code == 2 and error.startswith("error: ") and error.count("\n") == 1, (
            error
        )
        assert not list(tmp_path.glob("*refused*"))
        return error

    return call
