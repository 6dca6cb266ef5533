"""`pgcxr edit`: what is moved, what is said of it, and what is refused."""

import csv

import cv2
import numpy as np
import pytest

from pgcxr.cli import command
from pgcxr.cli.app import app
from pgcxr.editing import edit as editing
from pgcxr.editing import labeled, panel
from pgcxr.editing.axes_folder import AxesFolder
from pgcxr.editing.edit import Networks, edit
from pgcxr.editing.notes import notes
from pgcxr.editing.options import MixOptions
from pgcxr.errors import ArgumentError, InputError
from pgcxr.images import to_uint8
from pgcxr.io import artifacts
from pgcxr.networks import synthesize
from pgcxr.sampling import generation
from tests.editing.conftest import QUICK, UNPROVEN, UNSEEN, logits_of, report, write_axes
from tests.toy_axes import LATENTS, SIZE


@pytest.fixture(scope="module")
def edited(runs):
    options = QUICK.replace(axis=("nodule", f"{UNPROVEN}=0.5"), unproven=True, gradcam=True)
    said = edit(runs / "gan", runs / "axes", runs / "edited", options)
    return runs / "edited", said


def test_the_folder_holds_every_image_and_what_is_said_of_it(runs, edited):
    folder, said = edited
    rows = list(csv.DictReader((folder / "likelihoods.csv").open()))
    assert [row["start"] for row in rows] == ["seed 1", "seed 2"] * 3
    assert [float(row["severity"]) for row in rows[::2]] == [0, 0.5, 1]
    assert [float(row["severity_interstitial_opacity"]) for row in rows[::2]] == [0, 0.25, 0.5]
    chosen = np.load(folder / "latents.npz")["latents"]
    assert np.array_equal(chosen[:2], [generation.latents(seed, 1, LATENTS)[0] for seed in (1, 2)])
    likelihoods = 1 / (1 + np.exp(-logits_of(chosen)))
    told = np.array([float(row["guides_nodule"]) for row in rows])
    assert np.allclose(told, likelihoods[:, 0], atol=0.02)
    assert told[4:].min() > told[:2].max()
    assert "classifier_1_nodule" in rows[0] and f"classifier_1_{UNSEEN}" not in rows[0]
    judged = np.array([float(row["classifier_1_nodule"]) for row in rows])
    assert np.allclose(judged, 1 / (1 + np.exp(-0.9 * logits_of(chosen)[:, 0])), atol=0.02)
    generator = generation.load_generator(runs / "gan")
    expected = to_uint8(np.asarray(synthesize(generator, chosen)))
    for row, image in zip(rows, expected, strict=True):
        written = cv2.imread(str(folder / "images" / f"{row['image']}.png"), cv2.IMREAD_UNCHANGED)
        assert np.abs(written.astype(int) - image[..., 0]).max() <= 1
    assert {path.name for path in (folder / "strips").iterdir()} == {"seed_1.png", "seed_2.png"}
    assert (folder / "animation.gif").stat().st_size and (folder / "strips.png").is_file()
    assert (folder / "animation.mp4").is_file() == said["mp4"]
    assert said["made_by"]["command"] == "pgcxr edit" and said["released"] is False


def test_generate_makes_the_edited_images_again(runs, edited, tmp_path):
    with pytest.raises(SystemExit) as stop:
        words = ["generate", runs / "gan", "--latents", edited[0] / "latents.npz", "--out"]
        command.run(app, [*map(str, words), str(tmp_path / "again")])
    assert stop.value.code == 0
    for path in (edited[0] / "images").iterdir():
        assert (tmp_path / "again" / "images" / path.name).read_bytes() == path.read_bytes()


def test_the_report_says_what_was_reached_and_what_else_changed(edited):
    _, said = edited
    nodule = said["effects"]["nodule"]
    assert (
        nodule["reached"] == [True, True] and nodule["judges"]["classifier 1"]["there_at_end"] == 2
    )
    assert said["axes"]["nodule"]["calibration"]["rise_in_real_gaps"] == pytest.approx(
        said["axes"]["nodule"]["calibration"]["rise"] / 6
    )
    # Nodule and consolidation are correlated; the judge can't see the second.
    assert set(said["side_effects"]["consolidation"]) == {"guides"}
    text = "\n".join(said["notes"])
    assert "consolidation rises, too (guides" in text
    assert "classifier 1, which took no part, sees it in 0 of 2 images before and 2 after" in text
    assert "Grad-CAM of guide 1" in text
    assert said["axes"]["nodule"]["found"] and not said["axes"][UNPROVEN]["found"]
    assert "interstitial opacity: its axis was not found (probe: 12% of" in text


def test_an_image_that_does_not_get_there_is_named(edited):
    body = artifacts.plain(edited[1])
    body["effects"]["nodule"] |= {"reached": [True, False], "there_at_start": [0], "judges": {}}
    body["axes"]["nodule"]["calibration"]["stops_short"] = True
    far = {"gray_levels": 50.0, "correlation": 0.3}
    far["likelihoods"] = {"radiograph": {"guides_nodule": 0.9}, "nearest": {"guides_nodule": 0.2}}
    body |= {"mp4": False, "gradcam": {}, "inversion": {"radiograph 1": far}}
    text = "\n".join(notes(body))
    assert (
        "1 of 2 images don't get half as far as their severity says, by the guides: seed 2" in text
    )
    assert "there before any edit, by the guides: seed 1" in text
    assert "no judge here can see it" in text and "highest before the walk ends" in text
    assert "radiograph 1: the generator can't show it" in text
    assert "not the same finding in the two (guides nodule: 0.90 in the radiograph, 0.20" in text
    assert "no animation.mp4" in text and "Grad-CAM" not in text


def test_an_axis_that_was_not_found_is_refused(runs, tmp_path):
    options = QUICK.replace(axis=(UNPROVEN,), seeds="3")
    with pytest.raises(ArgumentError, match="was not found .probe: 12% of the images"):
        edit(runs / "gan", runs / "axes", tmp_path / "out", options)
    assert not (tmp_path / "out").exists()


def test_a_real_image_is_edited_through_its_nearest(runs, tmp_path, monkeypatch):
    z = generation.latents(9, 1, LATENTS)
    square = to_uint8(np.asarray(synthesize(generation.load_generator(runs / "gan"), z)))[0, ..., 0]
    wide = np.repeat(np.repeat(square, 4, axis=0), 4, axis=1)
    (tmp_path / "of Jane Doe").mkdir()
    file = tmp_path / "of Jane Doe" / "scan.png"
    cv2.imwrite(str(file), wide)
    drawn = []
    monkeypatch.setattr("pgcxr.editing.sheets.strip", lambda path, *words: drawn.append(words))
    monkeypatch.setattr("pgcxr.editing.sheets.overview", lambda *words: None)
    options = QUICK.replace(seeds=None, image=(file,), bank=300, iterations=40, searches=2)
    said = edit(runs / "gan", runs / "axes", tmp_path / "out", options)
    row = said["inversion"]["radiograph 1"]
    # Curation makes the 99th percentile white, so that the levels are not quite the generator's.
    assert row["correlation"] > 0.9 and 0 < row["gray_levels"] < 60
    assert set(row["likelihoods"]) == {"radiograph", "nearest"}
    assert any("radiograph 1: its nearest synthetic image" in note for note in said["notes"])
    assert drawn[0][-1].shape == (SIZE, SIZE, 1), "the radiograph is shown beside"
    for path in (tmp_path / "out").rglob("*"):
        assert "Doe" not in path.name and b"Doe" not in (
            path.read_bytes() if path.is_file() else b""
        )


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"axis": ("nodul",)}, "is no finding; did you mean nodule"),
        ({"axis": ()}, "which disease"),
        ({"axis": ("nodule", "nodule=0.5")}, "named twice"),
        ({"axis": ("nodule=1.5",)}, "severity above 0 and at most 1"),
        ({"axis": ("nodule=x",)}, "NAME or NAME=SEVERITY"),
        ({"severity": (0.5, 0.2)}, "must be from 0 to 1"),
        ({"severity": (0.0, 1.2)}, "must be from 0 to 1"),
        ({"severity": (0.0, 0.0)}, "must be from 0 to 1"),
        ({"seeds": None}, "which images"),
        ({"seeds": "1-100"}, "more than 64 images"),
        ({"frames": 100, "steps": 100}, "makes 19802 pictures of the animation, 2000 at most"),
        ({"seeds": "1-x"}, "ranges from low to high"),
    ],
)
def test_what_makes_no_sense_is_refused(runs, tmp_path, changes, message):
    with pytest.raises(InputError, match=message):
        edit(runs / "gan", runs / "axes", tmp_path / "out", QUICK.replace(**changes))
    assert not list(tmp_path.iterdir())


def test_what_is_named_is_looked_at_before_a_network_is_loaded(runs, tmp_path, monkeypatch):
    def loaded(run):
        raise AssertionError("a network was loaded")

    monkeypatch.setattr(editing, "gray_space", loaded)
    monkeypatch.setattr(labeled, "gray_space", loaded)
    (tmp_path / "note.png").write_text("no image")
    (tmp_path / "run").mkdir()
    of_image = QUICK.replace(seeds=None, image=(tmp_path / "none.png",))
    for options, networks, message in (
        (of_image, Networks(), "none.png: no such file"),
        (of_image.replace(image=(tmp_path / "note.png",)), Networks(), "image: file 1 of 1 cannot"),
        (QUICK, Networks([runs / "guide"] * 2), "guide: .* has 1 guides, not 2"),
        (QUICK, Networks([], [tmp_path / "no"]), "no: no such folder"),
        (QUICK, Networks([], [tmp_path / "run"]), "run: no classifier.keras"),
    ):
        with pytest.raises(InputError, match=message):
            edit(runs / "gan", runs / "axes", tmp_path / "out", options, networks=networks)
    mix, networks = MixOptions(mix="nodule=2"), Networks([], [tmp_path / "run"])
    with pytest.raises(InputError, match="run: no classifier.keras"):
        labeled.generate_labeled(
            runs / "gan", runs / "axes", tmp_path / "out", mix, networks=networks
        )


def test_networks_that_were_moved_are_named_and_checked(runs, tmp_path):
    guide, judge = [runs / "guide"], [runs / "judge"]
    older, axes = AxesFolder.load(runs / "older"), AxesFolder.load(runs / "axes")
    with pytest.raises(ArgumentError, match="guide: .* names none of its guides"):
        panel.load(older, SIZE)
    with pytest.raises(InputError, match="who guides can't judge"):
        panel.load(older, SIZE, guide, guide)
    with pytest.raises(ArgumentError, match="guide: is not the network that was a guide"):
        panel.load(axes, SIZE, judge, judge)
    with pytest.raises(ArgumentError, match="has 1 guides, not 2"):
        panel.load(axes, SIZE, guide * 2, judge)
    people = panel.load(older, SIZE, guide, judge)
    assert sum("does not say which networks" in note for note in people.notes) == 2
    assert [one.name for one in people.speakers] == ["guide 1", "classifier 1"]
    (tmp_path / "moved").mkdir()
    for name in ("axes.npz", "walks.npz", "report.json"):
        (tmp_path / "moved" / name).symlink_to(runs / "axes" / name)
    with pytest.raises(ArgumentError, match="guide: guide of .*moved is gone; name here"):
        panel.load(AxesFolder.load(tmp_path / "moved"), SIZE)
    assert not panel.load(AxesFolder.load(tmp_path / "moved"), SIZE, guide, judge).notes


def test_another_folder_or_generator_is_refused(runs, tmp_path):
    with pytest.raises(InputError, match="is a RUN|no such file"):
        edit(runs / "gan", runs / "guide", tmp_path / "out", QUICK)
    body = report()
    body["networks"] = {"generator": {"run": "../gan", "weights_sha256": "0" * 64}}
    write_axes(tmp_path / "axes", body)
    named = Networks([runs / "guide"], [runs / "judge"])
    with pytest.raises(InputError, match="are of another generator"):
        edit(runs / "gan", tmp_path / "axes", tmp_path / "out", QUICK, networks=named)
    (tmp_path / "axes" / "walks.npz").unlink()
    with pytest.raises(InputError, match="earlier version, which kept no walks"):
        edit(runs / "gan", tmp_path / "axes", tmp_path / "out", QUICK)


def test_the_command_line_spells_its_own_options(runs, tmp_path, capsys):
    words = [
        "edit",
        runs / "gan",
        "--axes",
        runs / "axes",
        "--out",
        tmp_path / "out",
        "--seeds",
        "1",
    ]
    for more, said in (
        (["--axis", UNPROVEN], f"error: --axis {UNPROVEN}: was not found"),
        (["--axis", "nodule", "--severity", "high"], "error: --severity high: must be from 0 to 1"),
    ):
        with pytest.raises(SystemExit) as stop:
            command.run(app, [*map(str, words), *more])
        assert stop.value.code == 2 and capsys.readouterr().err.startswith(said)
