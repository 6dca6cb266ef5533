"""What stands under the sliders, menus and buttons of the notebooks."""

import shutil
from functools import partial
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from IPython.core.interactiveshell import InteractiveShell
from tensorboard.plugins.projector import projector_plugin
from werkzeug.test import Client

from evaluate import common
from evaluate.anomaly import AnomalyOptions
from evaluate.anomaly import explore as anomaly
from evaluate.axes import explore, projector
from evaluate.notebooks import fidelity
from evaluate.notebooks.anomaly import Search
from evaluate.notebooks.axes import Sliders, bars
from evaluate.notebooks.showing import Study
from pgcxr.cohort.findings import FINDINGS
from pgcxr.curation import overview
from pgcxr.dicom.normalization import THESIS
from pgcxr.errors import InputError
from pgcxr.latent import axes as latent_axes
from pgcxr.latent import walks
from pgcxr.sampling import latent_file
from tests.toy_axes import LATENTS


@pytest.fixture(scope="module")
def sliders(study):
    return Sliders(Study(study))


@pytest.fixture(scope="module")
def explorer(sliders):
    return sliders.explorer


@pytest.fixture(scope="module")
def search(study):
    return Search(Study(study))


def test_a_slider_changes_the_image_and_back(explorer):
    plain = explorer.images(3, [{}])
    moved = explorer.images(3, [{"nodule": 100}, {"nodule": 0}])
    assert np.any(moved[0] != plain[0])
    np.testing.assert_array_equal(moved[1], plain[0])
    assert np.any(explorer.images(4, [{}]) != plain)


def test_the_amount_is_the_angle_of_the_walk(explorer):
    start = np.random.default_rng([5, 0]).standard_normal((1, LATENTS), np.float32)
    expected = walks.move(start, explorer.axes.vectors[1], 0.5 * explorer.axes.ends[1])
    by_hand = common.generate(explorer.generator, expected.astype(np.float32))
    difference = by_hand.astype(int) - explorer.images(5, [{"consolidation": 50}])
    assert np.abs(difference).max() <= 1


def test_axes_of_another_generator_are_refused(study, tmp_path):
    latent_axes.save(
        tmp_path / latent_axes.FILE,
        latent_axes.Axes(np.eye(4)[:1], ("nodule",), np.ones(1), np.ones(1)),
    )
    with pytest.raises(InputError, match="4 dimensions"):
        explore.Explorer(study / "gan", tmp_path)


def test_a_view_says_what_the_guides_say_of_both_images(explorer):
    view = explorer.view(3, {"nodule": 150}, "nodule")
    told = explorer.panel.guided(explorer.panel.read(np.stack([view.start, view.image])))
    for row, likelihoods in enumerate((view.start_likelihoods, view.likelihoods)):
        expected = 1 / (1 + np.exp(-told[row]))
        np.testing.assert_allclose(list(likelihoods.values()), expected, rtol=1e-4)
    assert view.heat.max() <= 1 and set(view.pictures()) == {
        *("start", "image", "difference", "gradcam")
    }
    still = explorer.view(3, {}).pictures()
    assert still["start"] == still["image"] != view.pictures()["image"]


def test_without_guides_there_are_images_and_a_reason(study, tmp_path):
    shutil.copytree(study / "axes", tmp_path / "axes")  # whose guides are not beside it
    alone = explore.Explorer(study / "gan", tmp_path / "axes")
    view = alone.view(0, {"nodule": 50})
    assert "guide of " in alone.note and " is gone" in alone.note
    assert view.likelihoods == {} and view.heat is None
    assert set(view.pictures()) == {"start", "image", "difference"} and bars({}, {}) == ""


def test_what_is_saved_makes_the_same_image_again(explorer, tmp_path):
    png, npz = explorer.save(tmp_path / "new", 7, {"nodule": 45, "pneumothorax": -5})
    assert png.name == "seed7_nodule+45_pneumothorax-5.png"
    selection = latent_file.read(npz, LATENTS)
    again = common.generate(explorer.generator, selection.latents)[0, ..., 0]
    assert np.abs(again.astype(int) - cv2.imread(str(png), cv2.IMREAD_GRAYSCALE)).max() <= 1
    assert selection.weights_sha256 and list(selection.numbers) == [7]


def test_the_sliders_move_reset_and_save(sliders):
    before, bar = sliders.pictures["image"].value, sliders.bars.value
    sliders.amounts["pleural_effusion"].value = 120
    moved = sliders.pictures["image"].value
    assert moved != before and sliders.bars.value != bar
    assert sliders.finding.value == "pleural_effusion"  # whose Grad-CAM is shown
    sliders.save()
    assert "seed0_pleural_effusion+120.npz" in sliders.said.value
    sliders.reset()
    assert sliders.pictures["image"].value == before
    sliders.another()
    assert sliders.seed.value == 1 and sliders.pictures["start"].value != before


def test_the_projector_of_tensorboard_reads_latents_and_axes(explorer, tmp_path):
    projector.write(explorer, tmp_path, samples=30)
    projector.write(explorer, tmp_path, samples=30)  # again, in its place
    multiplexer = SimpleNamespace(RunPaths=lambda: {".": str(tmp_path)})
    context = SimpleNamespace(
        multiplexer=multiplexer, logdir=str(tmp_path), data_provider=None, flags=None
    )
    plugin = projector_plugin.ProjectorPlugin(context)

    def get(route: str, **query):
        reply = Client(plugin.get_plugin_apps()[route]).get(query_string={"run": ".", **query})
        assert reply.status_code == 200, reply.data
        return reply

    clouds = {one["tensorName"]: one for one in get("/info").json["embeddings"]}
    assert set(clouds) == {"latents", "along_axes"}
    points = 30 + 2 * len(FINDINGS)
    for name, dimensions in (("latents", LATENTS), ("along_axes", len(FINDINGS))):
        assert clouds[name]["tensorShape"] == [points, dimensions]
        data = np.frombuffer(get("/tensor", name=name).data, np.float32)
        assert data.size == points * dimensions
    angles = data.reshape(points, -1)
    # The end of an axis is a right angle from the plane across it, the other end as far away.
    np.testing.assert_allclose(angles[30:35].diagonal(), 90, atol=0.1)
    np.testing.assert_allclose(angles[35:].diagonal(), -90, atol=0.1)
    rows = get("/metadata", name="latents").text.splitlines()
    assert len(rows) == points + 1 and rows[31].split("\t")[:2] == ["axis nodule", "axis"]
    sheet = cv2.imdecode(np.frombuffer(get("/sprite_image", name="latents").data, np.uint8), 0)
    dims = clouds["latents"]["sprite"]["singleImageDim"]
    assert dims == [64, 64] and sheet.shape == (7 * 64, 7 * 64)  # square, 40 of 49 places
    first = explorer.images(0, [{}])  # of another purpose, so another image
    assert np.any(sheet[:64, :64] != first[0, ..., 0].repeat(4, 0).repeat(4, 1))
    axis = np.sqrt(LATENTS) * explorer.axes.vectors[:1]
    image = common.generate(explorer.generator, axis.astype(np.float32))[0, ..., 0]
    there = sheet[4 * 64 : 5 * 64 : 4, 2 * 64 : 3 * 64 : 4].astype(int)  # number 30
    assert np.abs(there - image).max() <= 1


def test_the_last_step_is_what_the_run_found(study, search):
    explorer = search.explorer
    with np.load(study / "anomaly" / "maps.npz") as stored:
        for row in (0, len(explorer.scores) - 1):
            steps = explorer.steps(row)
            assert len(steps.scores) == explorer.options.iterations + 1
            expected = explorer.scores.loc[row]
            assert steps.scores[-1] == pytest.approx(expected["score"], rel=0.02)
            assert steps.p_values[-1] == pytest.approx(expected["p_value"], abs=0.1)
            difference = stored["difference"][row].astype(np.float32)
            np.testing.assert_allclose(steps.differences[-1], difference, atol=0.02)
            assert (np.diff(steps.losses) <= 0).all() and steps.losses[-1] < steps.losses[0]
    assert explorer.note == ""
    assert "encoder" in anomaly._note({"start": "encoder"})


def test_the_search_shows_each_step_of_the_image_that_is_chosen(search):
    last = {name: each.value for name, each in search.pictures.items()}
    search.step.value = 0
    first = {name: each.value for name, each in search.pictures.items()}
    assert first["query"] == last["query"] and first["nearest"] != last["nearest"]
    assert "0 of 4 steps" in search.said.value
    other = next(row for _, row in search.image.options if row != search.image.value)
    search.image.value = other
    assert search.pictures["query"].value != first["query"]
    assert search.explorer.scores["class"][other].replace("_", " ") in search.said.value


def test_without_a_run_there_are_phantoms_and_the_word_what_to_run(study, tmp_path, monkeypatch):
    # In place of the generator of 64 px that comes with pgcxr.
    monkeypatch.setattr(anomaly, "pretrained_run", {"phantom-64-normal": study / "gan_normal"}.get)
    monkeypatch.setattr(anomaly, "PHANTOMS", 8)
    monkeypatch.setattr(anomaly, "AnomalyOptions", partial(AnomalyOptions, iterations=2, bank=20))
    search = Search(Study(tmp_path))
    assert "run `make demo`" in search.explorer.note and "phantoms" in search.explorer.note
    assert set(search.pictures) == {"query", "nearest", "difference"}
    assert all(each.value for each in search.pictures.values()) and search.plot.value
    assert "p-value" not in search.said.value and "loss (mpse)" in search.said.value
    assert len(search.image.options) == len(search.explorer.loaded.cohort.manifest)


def test_a_run_without_a_gan_has_nothing_to_watch(tmp_path):
    np.savez(tmp_path / "calibration.npz", healthy_scores=np.ones(3), threshold=1.0)
    with pytest.raises(InputError, match="none of an inversion"):
        anomaly.Calibrated.load(tmp_path)


def test_the_game_counts_right_guesses_and_ends():
    real, synthetic = np.zeros((3, 4, 4, 1), np.uint8), np.full((3, 4, 4, 1), 9, np.uint8)
    game = fidelity.Game(real, synthetic)
    shown = []
    for image, truth in zip(game.pictures, game.truth, strict=True):
        assert truth == ("real" if image.max() == 0 else "synthetic")
        shown.append(game.picture.value)
        game.guess("real")
    assert (game.right, game.asked) == (3, 6) and len(set(shown)) == 2
    game.guess("real")
    assert game.asked == 6 and all(button.disabled for button in game.buttons)
    assert "3 right of 6; 0 to go." in game.said.value


def test_real_images_of_the_game_are_of_test_patients(study):
    real, synthetic = fidelity.drawn(Study(study), 10, seed=1)
    assert real.shape == synthetic.shape == (10, 16, 16, 1)
    test = common.cohort_of(study / "gan").select("test").images(16)
    assert all(any(np.array_equal(one, each) for each in test) for one in real)


def test_one_file_on_its_way(curated, make_dicom, chest, tmp_path):
    make_dicom(tmp_path / "one", chest(0), WindowCenter=2000, WindowWidth=1000)
    stored, shown, normalized, small = overview.steps(tmp_path / "one", 16, THESIS).values()
    assert stored.shape == shown.shape == normalized.shape and small.shape == (16, 16)
    # The window is narrower than what the bits hold.
    assert stored.std() < shown.std() and normalized.max() == 255
    path = overview.a_file(curated / "export")
    rows = {element: (done, kept) for element, done, kept in overview.header(path)}
    assert rows["PatientName"] == ("emptied", "nothing")
    assert rows["PatientID"][1].startswith("patient_id")
    with pytest.raises(InputError, match="none of its first 0"):
        overview.a_file(curated / "cohort" / "images")


def test_people_are_counted_by_decade_and_class():
    import pandas as pd

    rows = pd.DataFrame(
        {
            "label": ["normal", "abnormal", "abnormal", "normal"],
            "age": ["29", "30", "", "90"],
            "sex": ["F", "M", "M", ""],
            "device": ["0", "1", "", "0"],
        }
    )
    tables = overview.people(rows)
    assert tables["Age in years"] == [
        ("below 30", 1, 0, 1),
        ("30 to 39", 0, 1, 1),
        ("80 and above", 1, 0, 1),
        ("not known", 0, 1, 1),
    ]
    assert tables["Sex"] == [("F", 1, 0, 1), ("M", 0, 2, 2), ("not known", 1, 0, 1)]
    assert tables["Support device"][1:] == [("not known", 0, 1, 1), ("one or more", 0, 1, 1)]
    assert "View" not in tables


def test_an_input_error_is_one_line_in_a_notebook():
    assert InteractiveShell.showtraceback and InputError("a: is wrong")._render_traceback_() == [
        "InputError: a: is wrong"
    ]
