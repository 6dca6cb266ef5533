"""`pgcxr generate-labeled`: as many images of each label as asked for, confirmed, or nothing."""

import csv
from dataclasses import replace

import cv2
import numpy as np
import pytest

from pgcxr.cohort.findings import FINDINGS
from pgcxr.editing import mixture, panel
from pgcxr.editing.axes_folder import AxesFolder
from pgcxr.editing.labeled import generate_labeled
from pgcxr.editing.mixture import MOVED, Label
from pgcxr.editing.options import MixOptions
from pgcxr.errors import ArgumentError, InputError
from pgcxr.images import from_uint8
from pgcxr.io import artifacts
from pgcxr.latent.space import LatentSpace
from pgcxr.sampling.generation import latents, load_generator
from tests.editing.conftest import UNPROVEN, UNSEEN, logits_of, report, speaker, write_axes
from tests.toy_axes import LATENTS, SIZE, patterns

RARE = "pneumothorax"
MIX = MixOptions(mix=f"{RARE}=12,normal=5,nodule+pleural_effusion=2", seed=4, tries=200)


@pytest.fixture(scope="module")
def labeled(runs):
    said = generate_labeled(runs / "gan", runs / "axes", runs / "labeled", MIX)
    return runs / "labeled", said, list(csv.DictReader((runs / "labeled" / "labels.csv").open()))


def brightness(image: np.ndarray) -> np.ndarray:
    """[5]: of the square of each finding, -0.8 to 0.8."""
    squares = patterns().reshape(5, -1) / 4
    return squares @ from_uint8(image).ravel()


def test_as_many_as_asked_for_and_each_shows_its_label(labeled):
    folder, said, rows = labeled
    accepted = [row for row in rows if row["accepted"] == "1"]
    asked = [row["asked"] for row in accepted]
    assert asked == [RARE] * 12 + ["normal"] * 5 + ["nodule+pleural_effusion"] * 2
    assert {path.stem for path in (folder / "images").iterdir()} == {r["image"] for r in accepted}
    for row in accepted:
        image = cv2.imread(str(folder / "images" / f"{row['image']}.png"), cv2.IMREAD_UNCHANGED)
        bright, names = brightness(image), row["asked"].split("+")
        for index, name in enumerate(FINDINGS):
            # The likelihood of 0.7 of the judge is a logit of 0.85, a brightness of 0.85 / 6.75.
            if name in names:
                assert bright[index] > 0.12 and row[name] == "1"
            elif name == UNSEEN:
                assert row[name] == "", "no judge can say"
            else:
                assert bright[index] < -0.11 and row[name] == "0"
    assert said["images"] == 19 and said["made_by"]["seed"] == 4
    assert (folder / "samples.png").is_file()
    assert any("no judge can see consolidation" in note for note in said["notes"])


def test_what_was_tried_and_refused_is_said(labeled):
    _, said, rows = labeled
    for name, told in said["labels"].items():
        own = [row for row in rows if row["asked"] == name]
        taken = [row for row in own if row["accepted"] == "1"]
        assert told["tried"] == len(own) and told["accepted"] == len(taken) == told["asked"]
        assert told["proposed_by_guides"] == sum(row["refused_by"] != "guides" for row in own)
        assert told["acceptance"] == pytest.approx(len(taken) / len(own))
        assert told["moved"] == sum(row["how"] == MOVED for row in taken)
    assert said["labels"][RARE]["moved"] > 6, "the rare one is made by moving"
    assert said["labels"]["normal"]["moved"] == 0
    assert any(f"{RARE}: 12 of" in note for note in said["notes"])


def test_the_start_of_each_try_is_an_image_of_its_own_seed(labeled):
    folder, _, rows = labeled
    with np.load(folder / "latents.npz") as file:
        chosen = dict(zip(file["numbers"].tolist(), file["latents"], strict=True))
    for row in rows:
        if row["accepted"] == "1" and row["how"] != MOVED:
            assert np.array_equal(
                latents(int(row["seed"]), 1, LATENTS)[0], chosen[int(row["image"])]
            )
        elif row["accepted"] == "1":
            start = latents(int(row["seed"]), 1, LATENTS)
            assert logits_of(start).max() < 0 and 0.5 <= float(row["severity"]) <= 1
    assert len({row["seed"] for row in rows}) == len(rows)


def test_the_same_seed_gives_the_same_bytes(runs, labeled, tmp_path):
    generate_labeled(runs / "gan", runs / "axes", tmp_path / "again", MIX)
    for path in labeled[0].rglob("*"):
        if path.is_file():
            assert (
                tmp_path / "again" / path.relative_to(labeled[0])
            ).read_bytes() == path.read_bytes()


@pytest.mark.parametrize(
    ("mix", "message"),
    [
        (
            f"{UNSEEN}=5",
            "consolidation: no judge can see it .AUROC on real images: classifier 1 0.90",
        ),
        ("nodul=5", "is no finding; did you mean nodule"),
        ("nodule", "must be LABEL=IMAGES"),
        ("nodule=0", "must be LABEL=IMAGES"),
        ("nodule=5,nodule=6", "names a label twice"),
        ("nodule+normal=5", "do not go together"),
        ("nodule+nodule=5", "do not go together"),
    ],
)
def test_what_cannot_be_asked_for_is_refused(runs, tmp_path, mix, message):
    with pytest.raises(InputError, match=message):
        options = MixOptions(mix=mix)
        generate_labeled(runs / "gan", runs / "axes", tmp_path / "out", options)
    assert not list(tmp_path.iterdir())


def test_where_a_finding_cannot_be_shown_often_enough_nothing_is_written(runs, tmp_path):
    options = MixOptions(mix=f"nodule=2,{UNPROVEN}+{RARE}=40", seed=1, tries=20)
    with pytest.raises(
        InputError, match=r"\+pneumothorax: only \d+ of 5\d\d tries .* not found"
    ) as e:
        generate_labeled(runs / "gan", runs / "axes", tmp_path / "out", options)
    assert "95 % interval 0.0% to" in str(e.value) and "ask for fewer" in str(e.value)
    assert not list(tmp_path.iterdir()), "nor the label that could be made"


def test_tries_end_where_they_should(runs):
    """The last batch is no larger than what is left of them."""
    found = AxesFolder.load(runs / "axes")
    people, generator = panel.load(found, SIZE), load_generator(runs / "gan")
    label = Label(RARE, [4], 2, None)
    with pytest.raises(InputError, match="of 20 tries"):
        options = MixOptions(mix=f"{RARE}=2", tries=10)
        space = LatentSpace.of(runs / "gan", generator)
        mixture.try_label(space, people, label, (0, 0), options, lambda done, total: None)


def test_each_judge_has_a_say_on_what_it_sees(runs):
    found = AxesFolder.load(runs / "axes")
    people = panel.load(found, SIZE)
    logits = np.full((4, 2, 5), -4.0)
    logits[:, :, 0] = 4
    logits[1, 1, 0] = 0.5  # the judge is not sure enough
    logits[2, 1, 3] = 2.0  # the judge sees another finding, too
    logits[3, 1, 1] = 2.0  # of which it knows nothing
    label = Label("nodule", [0], 1, None)
    verdict = mixture.judged(people, label, logits, MIX)
    assert verdict["classifier 1"].tolist() == [True, False, False, True]
    apart = people.judges[0].apart.copy()
    apart[0, 3] = False  # who takes one for the other can't say that the other is there, too
    confused = replace(people, judges=[replace(people.judges[0], apart=apart)])
    assert mixture.judged(confused, label, logits, MIX)["classifier 1"].tolist() == [1, 0, 1, 1]


def test_without_a_judge_nothing_is_confirmed(runs, tmp_path):
    body = report()
    body["judges"] = {"probe": speaker(FINDINGS, "logistic regression")}
    body["networks"] = artifacts.read_json(runs / "axes" / "report.json")["networks"]
    body["networks"] |= {"judges": [], "guides": [{**body["networks"]["guides"][0]}]}
    body["networks"]["guides"][0]["run"] = str(runs / "guide")
    write_axes(tmp_path / "axes", body)
    with pytest.raises(InputError, match="no classifier judges there"):
        generate_labeled(runs / "gan", tmp_path / "axes", tmp_path / "out", MIX)


def test_options_that_cross_are_refused():
    with pytest.raises(ArgumentError, match="absent: must be below present"):
        MIX.replace(absent=0.8)
