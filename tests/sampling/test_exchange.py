"""Official pickles in and out: the same arrays, the same images, and nothing that is more than
data."""

import gzip
import json
import pickle
import sys
import types
from typing import NamedTuple

import keras
import numpy as np
import pytest

from pgcxr.cli import command
from pgcxr.cli.app import app
from pgcxr.networks import Discriminator, Generator, original_weights, restricted_pickle, synthesize
from pgcxr.sampling import generation

SIZES = {"resolution": 16, "fmap_base": 32, "fmap_max": 8}


class Said(NamedTuple):
    """How a command ended."""

    code: int
    error: str


@pytest.fixture(autouse=True)
def _capture(capsys):
    call.capsys = capsys


def call(arguments):
    """(exit code, what it said on stderr) of one `pgcxr` call."""
    with pytest.raises(SystemExit) as stop:
        command.run(app, [str(argument) for argument in arguments], name="pgcxr")
    return Said(stop.value.code, call.capsys.readouterr().err)


def states(seed=0, fused=True, labels=0, channels=1) -> list[dict]:
    """The states of random networks, every array of its own."""
    rng = np.random.default_rng(seed)
    sizes = SIZES | {"channels": channels, "label_size": labels, "fused_scale": fused}
    found = []
    for name, network in (
        ("G", Generator(**sizes)),
        ("D", Discriminator(**sizes)),
        ("Gs", Generator(**sizes)),
    ):
        arrays = original_weights.to_original(network)
        arrays = {
            key: rng.standard_normal(array.shape).astype(np.float32)
            for key, array in arrays.items()
        }
        arrays["lod"] = np.float32(0.5)
        kwargs = original_weights.static_kwargs(network)
        found.append(
            {"version": 2, "name": name, "static_kwargs": kwargs, "build_module_src": "",
             "build_func_name": f"{name[0]}_paper", "variables": list(arrays.items())}
        )  # fmt: skip
    return found


def write(path, content, zipped=False):
    with (gzip.open if zipped else open)(path, "wb") as file:
        restricted_pickle.dump(content, file)
    return path


@pytest.mark.parametrize("fused", [True, False])
@pytest.mark.parametrize(("labels", "channels"), [(0, 1), (3, 3)])
def test_there_and_back_are_the_same_arrays(tmp_path, fused, labels, channels):
    before = states(fused=fused, labels=labels, channels=channels)
    file = write(tmp_path / "net.pkl", before, zipped=labels > 0)
    assert call(["import-nvidia", file, "--out", tmp_path / "run"]).code == 0
    assert call(["export-nvidia", tmp_path / "run", "--out", tmp_path / "again.pkl"]).code == 0
    after = restricted_pickle.load(tmp_path / "again.pkl")
    for old, new in zip(before, (item.state for item in after), strict=True):
        assert {key: new[key] for key in ("name", "build_func_name", "version")} == {
            key: old[key] for key in ("name", "build_func_name", "version")
        }
        assert new["variables"][0][0] == "lod"
        old_arrays, new_arrays = dict(old["variables"]), dict(new["variables"])
        assert set(old_arrays) == set(new_arrays)
        for key in old_arrays:
            np.testing.assert_array_equal(old_arrays[key], new_arrays[key], err_msg=key)


def test_an_imported_run_generates(tmp_path):
    file = write(tmp_path / "net.pkl", states())
    assert call(["import-nvidia", file, "--out", tmp_path / "run"]).code == 0
    report = json.loads((tmp_path / "run" / "report.json").read_text())
    assert (
        report["resolution"] == 16
        and report["finished"]
        and report["lod"] == {"G": 0.5, "D": 0.5, "Gs": 0.5}
    )
    assert str(tmp_path) not in json.dumps(report)
    z = generation.latents(1, 2, 8)
    of_pickle = synthesize(original_weights.load_pickle(file)["Gs"], z, None, 0.5)
    np.testing.assert_array_equal(
        synthesize(generation.load_generator(tmp_path / "run"), z, None, 0.5), of_pickle
    )
    assert (
        call(
            ["generate", tmp_path / "run", "--n", 2, "--seed", 1, "--out", tmp_path / "images"]
        ).code
        == 0
    )
    made = call(["import-nvidia", file, "--out", tmp_path / "run"])
    assert made.code == 2 and "run" in made.error


def as_the_original_loads(state: dict) -> dict:
    """What the text of a pickled network leaves when it is run as the original's loader does."""
    module = types.ModuleType("network")
    exec(state["build_module_src"], module.__dict__)
    return module.__dict__


def test_the_originals_loader_finds_its_own_networks(tmp_path, monkeypatch):
    """Its networks.py lies beside it; ours is one line that names it, and brings none of it."""
    call(["import-nvidia", write(tmp_path / "net.pkl", states()), "--out", tmp_path / "run"])
    assert call(["export-nvidia", tmp_path / "run", "--out", tmp_path / "again.pkl"]).code == 0
    original = types.ModuleType("networks")
    original.G_paper, original.D_paper = object(), object()
    monkeypatch.setitem(sys.modules, "networks", original)
    for item in restricted_pickle.load(tmp_path / "again.pkl"):
        state = item.state
        assert state["build_module_src"].count("\n") == 1
        function = state["build_func_name"]
        assert as_the_original_loads(state)[function] is getattr(original, function)


def test_the_text_in_a_pickle_is_never_run(tmp_path, monkeypatch):
    """Neither another's nor our own: `networks` is nowhere here."""
    monkeypatch.chdir(tmp_path)
    hostile = states()
    for state in hostile:
        state["build_module_src"] = "open('executed', 'w').close()\nraise SystemExit(7)\n"
    write(tmp_path / "net.pkl", hostile)
    assert call(["import-nvidia", "net.pkl", "--out", "run"]).code == 0
    assert call(["export-nvidia", "run", "--out", "again.pkl"]).code == 0
    assert call(["import-nvidia", "again.pkl", "--out", "run2"]).code == 0
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"again.pkl", "net.pkl", "run", "run2"}
    assert "executed" not in (tmp_path / "again.pkl").read_bytes().decode("latin1")


def test_the_source_of_the_original_is_the_users_own(tmp_path):
    file = write(tmp_path / "net.pkl", states())
    call(["import-nvidia", file, "--out", tmp_path / "run"])
    (tmp_path / "networks.py").write_text("def G_paper(): pass\n")
    arguments = ["export-nvidia", tmp_path / "run", "--out", tmp_path / "with.pkl"]
    assert call([*arguments, "--networks-py", tmp_path / "networks.py"]).code == 0
    assert (
        restricted_pickle.load(tmp_path / "with.pkl")[0]
        .state["build_module_src"]
        .startswith("def G_paper")
    )


def changed(change) -> list[dict]:
    content = states()
    change(content)
    return content


def _kwargs(**values):
    return lambda content: content[0]["static_kwargs"].update(values)


def _variable(name, value):
    def change(content):
        arrays = dict(content[2]["variables"])
        arrays.pop(name) if value is None else arrays.update({name: value})
        content[2]["variables"] = list(arrays.items())

    return change


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (_kwargs(resolution=2**30), "resolution=1073741824"),
        (_kwargs(resolution=24), "power of two"),
        (_kwargs(fmap_max=4096, fmap_base=65536), "4x4/Conv/bias"),
        (_kwargs(latent_size="many"), "latent_size=many"),
        (_kwargs(use_pixelnorm=False), "use_pixelnorm=False"),
        (_variable("4x4/Conv/weight", None), "4x4/Conv/weight"),
        (_variable("4x4/Conv/weight", np.zeros((3, 3, 8, 7), np.float32)), "has shape"),
        (_variable("4x4/Conv/weight", np.full((3, 3, 8, 8), np.nan, np.float32)), "not finite"),
        (_variable("4x4/Conv/weight", np.array(["a"])), "official"),
        (lambda content: content[0].update(build_func_name="os.system"), "G_paper"),
        (lambda content: content.insert(0, content.pop(1)), "not of G_paper"),
        (lambda content: content.pop(), "official"),
        (lambda content: content[0].pop("variables"), "official"),
    ],
)
def test_what_does_not_fit_is_one_line_and_leaves_nothing(tmp_path, change, says):
    file = write(tmp_path / "net.pkl", changed(change))
    made = call(["import-nvidia", file, "--out", tmp_path / "run"])
    assert made.code == 2 and says in made.error and made.error.count("\n") <= 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["net.pkl"]


def opcodes(module: str, name: str, argument: str) -> bytes:
    """`module.name(argument)` as protocol 4 has it, where a name may have dots."""
    text = b"".join(b"\x8c" + bytes([len(part)]) + part.encode() for part in (module, name))
    return (
        b"\x80\x04"
        + text
        + b"\x93"
        + b"\x8c"
        + bytes([len(argument)])
        + argument.encode()
        + b"\x85R."
    )


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("os", "system"),
        ("posix", "system"),
        ("builtins", "eval"),
        ("numpy", "load"),
        ("numpy", "ndarray.tofile"),
        ("numpy", "dtype.__class__"),
        ("functools", "partial"),
        ("tfutil", "Network.__init__"),
        ("tfutil", "os"),
        ("numpy.core.multiarray", "_reconstruct.__self__"),
        ("copyreg", "_reconstructor"),
    ],
)
def test_a_name_that_is_no_data_is_refused_and_not_run(tmp_path, monkeypatch, module, name):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "net.pkl").write_bytes(opcodes(module, name, "touch executed"))
    made = call(["import-nvidia", "net.pkl", "--out", "run"])
    assert made.code == 2 and f"{module}.{name}" in made.error
    assert sorted(path.name for path in tmp_path.iterdir()) == ["net.pkl"]


def test_files_that_are_no_pickle(tmp_path, monkeypatch):
    whole = write(tmp_path / "net.pkl", states()).read_bytes()
    monkeypatch.setattr(restricted_pickle, "LARGEST", 10**6)
    for name, content in {
        "cut": whole[: len(whole) // 2],
        "cut.gz": gzip.compress(whole)[:-100],
        "bomb.gz": gzip.compress(b"\0" * 2 * 10**6),
        "empty": b"",
        "array": b"\x93NUMPY",
        "self": pickle.dumps([[]] * 3),
    }.items():
        (tmp_path / name).write_bytes(content)
        made = call(["import-nvidia", tmp_path / name, "--out", tmp_path / "run"])
        assert made.code == 2 and name in made.error and made.error.count("\n") <= 1, name
    for name in ("none", "."):
        assert call(["import-nvidia", tmp_path / name, "--out", tmp_path / "run"]).code == 2
    assert not (tmp_path / "run").exists()


def test_equal_to_the_original(shared, tmp_path):
    """Both reference networks through the files that the next commands read, and out again bit for
    bit."""
    for name in ("A", "C"):
        source, reference = (
            shared / "reference" / f"net_{name}.pkl",
            np.load(shared / "reference" / f"io_{name}.npz"),
        )
        assert call(["import-nvidia", source, "--out", tmp_path / name]).code == 0
        generator = keras.saving.load_model(tmp_path / name / "generator-ema.keras", compile=False)
        labels = reference["labels"] if generator.label_size else None
        expected = reference["Gs_lod0.3"].transpose(0, 2, 3, 1)
        found = np.asarray(synthesize(generator, reference["latents"], labels, 0.3))
        assert np.abs(found - expected).max() <= 1e-5 * np.ptp(expected)
        assert call(["export-nvidia", tmp_path / name, "--out", tmp_path / f"{name}.pkl"]).code == 0
        for old, new in zip(
            restricted_pickle.load(source),
            restricted_pickle.load(tmp_path / f"{name}.pkl"),
            strict=True,
        ):
            new_arrays = dict(new.state["variables"])
            for key, array in old.state["variables"]:
                np.testing.assert_array_equal(array, new_arrays[key], err_msg=key)
