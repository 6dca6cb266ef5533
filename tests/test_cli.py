"""The installed command: generate, and one line where the input is wrong."""

import errno
import subprocess
import sys

import cv2
import keras
import numpy as np
import pytest

from pgcxr import artefacts, cli, command
from pgcxr.networks import Generator, synthesize


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    keras.utils.set_random_seed(0)
    Generator(16, fmap_base=32, fmap_max=8).save(folder / "generator-ema.keras")
    return folder


def _call(*arguments):
    with pytest.raises(SystemExit) as stop:
        command.run(cli.app, list(map(str, arguments)))
    return stop.value.code


def _fails(capsys, *arguments):
    assert _call(*arguments) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ") and error.count("\n") == 1, error
    return error


def test_images_can_be_made_again_from_their_latents(run, tmp_path):
    assert _call("generate", run, "--n", 5, "--seed", 3, "--out", tmp_path / "a") == 0
    assert _call("generate", run, "--n", 5, "--seed", 3, "--out", tmp_path / "b") == 0
    latents = np.load(tmp_path / "a" / "latents.npz", allow_pickle=False)["latents"]
    generator = keras.saving.load_model(run / "generator-ema.keras")
    expected = np.clip(np.floor(np.asarray(synthesize(generator, latents)) * 127.5 + 128), 0, 255)
    for index in range(5):
        name = f"images/{index:06d}.png"
        image = cv2.imread(str(tmp_path / "a" / name), cv2.IMREAD_UNCHANGED)
        assert image.dtype == np.uint8 and image.shape == (16, 16)
        assert np.abs(image - expected[index, ..., 0]).max() <= 1
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    report = artefacts.read_json(tmp_path / "a" / "report.json")
    assert report["images"] == 5 and report["synthetic"] and report["made_by"]["seed"] == 3
    assert _call("generate", run, "--n", 3, "--seed", 4, "--out", tmp_path / "c") == 0
    assert (tmp_path / "c/images/000000.png").read_bytes() != (tmp_path / "a/images/000000.png").read_bytes()


def test_what_cannot_be_generated_is_one_line_and_leaves_nothing(run, tmp_path, capsys):
    out = tmp_path / "out"
    assert "no such folder" in _fails(capsys, "generate", tmp_path / "none", "--n", 1, "--out", out)
    assert "no generator-ema.keras" in _fails(capsys, "generate", tmp_path, "--n", 1, "--out", out)
    (tmp_path / "generator-ema.keras").write_bytes(b"PK\x03\x04 cut")
    assert "is damaged" in _fails(capsys, "generate", tmp_path, "--n", 1, "--out", out)
    assert not out.exists() and not list(tmp_path.glob(".out*"))
    out.mkdir()
    (out / "mine").write_text("")
    assert "not empty" in _fails(capsys, "generate", run, "--n", 1, "--out", out)


def test_help_is_instant_and_names_every_command():
    code = "import sys; from pgcxr import cli; assert 'tensorflow' not in sys.modules and 'keras' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
    shown = subprocess.run([sys.executable, "-m", "pgcxr.cli", "--help"], capture_output=True, text=True, check=True)
    assert all(name in shown.stdout for name in ("phantom", "curate", "records", "generate"))


def _raising(error):
    app = command.new_app("")

    @app.command()
    def main(word: str):
        raise error

    with pytest.raises(SystemExit) as stop:
        command.run(app, ["x"])
    return stop.value.code


@pytest.mark.parametrize(
    "name", ["ENOSPC", "EDQUOT", "EROFS", "EEXIST", "ENOTDIR", "ENOENT", "ENAMETOOLONG", "EISDIR", "ELOOP", "ENOTEMPTY"]
)
def test_what_is_wrong_with_a_disk_or_a_path_is_one_line(capsys, name):
    assert _raising(OSError(getattr(errno, name), "as the system says it", "place")) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: place: ") and error.count("\n") == 1


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (MemoryError("Unable to allocate 5 TiB"), "not enough memory"),
        (OverflowError("too large to convert"), "a number is too large"),
        (RuntimeError("Symlink loop from '/a/b'"), "/a/b"),
    ],
)
def test_too_much_is_one_line(capsys, error, said):
    assert _raising(error) == 2
    line = capsys.readouterr().err
    assert line.startswith("error: ") and line.count("\n") == 1 and said in line


def test_a_fault_of_ours_keeps_its_traceback():
    app = command.new_app("")

    @app.command()
    def main(word: str):
        raise ValueError("a bug")

    with pytest.raises(ValueError, match="a bug"):
        command.run(app, ["x"])


@pytest.mark.parametrize("seed", [-1, 2**32, 10**400, "None", "x", "1.5"])
def test_a_wrong_seed_is_one_line_that_ends_in_a_full_stop(run, tmp_path, capsys, seed):
    for arguments in (
        ("generate", run, "--n", 1, "--out", tmp_path / "out"),
        ("phantom", tmp_path / "out", "--patients", 1),
        ("curate", tmp_path, "--out", tmp_path / "out"),
    ):
        error = _fails(capsys, *arguments, f"--seed={seed}")
        assert "--seed" in error and error.endswith(". See --help.\n")
    assert _fails(capsys, "generate", run, "--ns", 1).endswith(". See --help.\n")
